internal import Glibc

/// The databases: connection pools and query latencies.
struct DatabaseModel: Sendable {
    private struct Database: Sendable {
        let name: String
        let service: Int
        let queriesPerRequest: Double
        let poolMax: Double
        let pool: Int
        let operations: [(share: Double, medianSeconds: Double, GrowingHistogram)]
        var wander = Wander(keep: 0.9)
    }

    private var databases: [Database] = []

    init(_ layout: inout LineLayout) {
        let all: [(String, String, Double, Double)] = [
            ("orders", "checkout", 6, 40), ("products", "catalog", 0.6, 60),
            ("accounts", "users", 1.1, 30), ("stock", "inventory", 1.4, 30),
        ]
        for (name, service, queries, poolMax) in all {
            let tags = [("database", name), ("service", service)]
            let pool = layout.add(
                "db",
                tags,
                [
                    ("pool_in_use", .whole), ("pool_max", .whole), ("pool_waiting", .whole),
                    ("deadlocks_total", .whole),
                ]
            )
            let operations = [("select", 0.8, 0.0035), ("update", 0.2, 0.009)].map {
                (
                    share: $0.1, medianSeconds: $0.2,
                    GrowingHistogram(
                        &layout,
                        "db",
                        tags + [("operation", $0.0)],
                        name: "query_duration_seconds"
                    )
                )
            }
            databases.append(
                Database(
                    name: name,
                    service: ShopTopology.index(of: service),
                    queriesPerRequest: queries,
                    poolMax: poolMax,
                    pool: pool,
                    operations: operations
                )
            )
        }
    }

    mutating func advance(
        _ moment: ShopMoment,
        _ noise: inout ShopNoise,
        _ values: inout [Double]
    ) {
        for index in databases.indices {
            databases[index].wander.advance(&noise)
            let database = databases[index]
            let service = ShopTopology.services[database.service]
            let cold = database.name == "products" ? 1 - moment.cacheWarmth : 0
            let rate =
                service.requestsPerSecond * moment.demand[database.service]
                * database.queriesPerRequest * (1 + 9 * cold)
            let slowness = (1 + 4 * cold) * max(0.5, 1 + 0.08 * database.wander.value)
            for (share, medianSeconds, latency) in database.operations {
                let median = medianSeconds * slowness
                latency.add(
                    rate * share * moment.tick,
                    fractions: GrowingHistogram.fractions(medianSeconds: median, spread: 0.8),
                    mean: median * exp(0.32),
                    to: &values
                )
            }
            // Connections are held while a request waits for others, too.
            let held = database.name == "orders" ? 1 + 7 * moment.paymentTrouble : 1
            let wanted =
                2 + rate * 0.008 * slowness * held * max(0.3, 1 + 0.15 * noise.normal())
            values[database.pool] = min(database.poolMax, wanted)
            values[database.pool + 1] = database.poolMax
            values[database.pool + 2] = max(0, wanted - database.poolMax)
            values[database.pool + 3] += noise.uniform() < 0.004 ? 1 : 0
        }
    }
}
