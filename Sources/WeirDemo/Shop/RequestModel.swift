internal import Glibc

/// A classic histogram that grows: cumulative buckets, sum and count, at places of the values.
struct GrowingHistogram: Sendable {
    static let bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    private static let logarithms = bounds.map { log($0) }
    private static let texts = [
        "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf",
    ]

    private let buckets: [Int]
    private let sum: Int

    init(
        _ layout: inout LineLayout,
        _ measurement: String,
        _ tags: [(String, String)],
        name: String
    ) {
        buckets = Self.texts.map { bound in
            layout.add(measurement, tags + [("le", bound)], [(name + "_bucket", .whole)])
        }
        sum = layout.add(
            measurement,
            tags,
            [(name + "_sum", .decimal), (name + "_count", .whole)]
        )
    }

    /// The part of log-normal latencies at or under each bound.
    static func fractions(medianSeconds: Double, spread: Double) -> [Double] {
        let middle = log(medianSeconds)
        return logarithms.map { 0.5 * erfc((middle - $0) / (spread * 1.4142135623730951)) }
    }

    /// Adds `count` observations, which may be broken: values are cut only when they are written.
    func add(_ count: Double, fractions: [Double], mean: Double, to values: inout [Double]) {
        for (index, fraction) in fractions.enumerated() {
            values[buckets[index]] += count * fraction
        }
        values[buckets[fractions.count]] += count
        values[sum] += count * mean
        values[sum + 1] += count
    }
}

/// The services' requests: counters by status, latencies, and what the processes use.
struct RequestModel: Sendable {
    private struct Lane: Sendable {
        let service: Int
        let host: Int
        let route: ShopTopology.Route
        let good: Int
        let refused: Int
        let failed: Int
        let latency: GrowingHistogram
    }

    private struct Process: Sendable {
        let service: Int
        let first: Int
    }

    private var lanes: [Lane] = []
    private var processes: [Process] = []
    private var wanders: [Wander]

    init(_ layout: inout LineLayout) {
        wanders = ShopTopology.services.map { _ in Wander(keep: 0.97) }
        for (index, service) in ShopTopology.services.enumerated() {
            for instance in 0..<ShopTopology.instancesPerService {
                let host = ShopTopology.host(service: index, instance: instance)
                let tags = [
                    ("service", service.name), ("instance", "\(service.name)-\(instance + 1)"),
                    ("host", ShopTopology.hosts[host]),
                ]
                processes.append(
                    Process(
                        service: index,
                        first: layout.add(
                            "service",
                            tags,
                            [
                                ("requests_in_flight", .whole), ("memory_bytes", .whole),
                                ("threads", .whole), ("cpu_seconds_total", .decimal),
                            ]
                        )
                    )
                )
                for route in service.routes {
                    let at = tags + [("method", route.method), ("route", route.path)]
                    func counter(_ status: String) -> Int {
                        layout.add(
                            "http",
                            at + [("status", status)],
                            [("requests_total", .whole)]
                        )
                    }
                    lanes.append(
                        Lane(
                            service: index,
                            host: host,
                            route: route,
                            good: counter(route.method == "POST" ? "201" : "200"),
                            refused: counter(route.method == "POST" ? "422" : "404"),
                            failed: counter("503"),
                            latency: GrowingHistogram(
                                &layout,
                                "http",
                                at,
                                name: "request_duration_seconds"
                            )
                        )
                    )
                }
            }
        }
    }

    /// Decides how many requests each service gets, before all else of a tick.
    mutating func decideDemand(_ moment: inout ShopMoment, _ noise: inout ShopNoise) {
        for index in wanders.indices {
            wanders[index].advance(&noise)
            moment.demand[index] = moment.traffic * max(0.2, 1 + 0.07 * wanders[index].value)
        }
    }

    func advance(_ moment: ShopMoment, _ noise: inout ShopNoise, _ values: inout [Double]) {
        for lane in lanes {
            let service = ShopTopology.services[lane.service]
            let rate = service.requestsPerSecond * moment.demand[lane.service] * lane.route.share
            let jitter = max(0.1, 1 + 0.06 * noise.normal())
            let count =
                rate / Double(ShopTopology.instancesPerService) * moment.tick * jitter
            let failing = moment.errorRatio(of: lane.service) * max(0.1, 1 + 0.35 * noise.normal())
            let refusing = 0.012 * max(0.1, 1 + 0.3 * noise.normal())
            values[lane.failed] += count * min(0.9, failing)
            values[lane.refused] += count * refusing
            values[lane.good] += count * max(0, 1 - failing - refusing)

            let slowness =
                moment.slowness(of: lane.service)
                * ShopMoment.slowness(ofBusyHost: moment.hostBusy[lane.host])
                * (1 + 0.25 * moment.traffic) * max(0.5, 1 + 0.05 * noise.normal())
            let median = lane.route.medianSeconds * slowness
            let spread = service.spread * (slowness > 2.5 ? 1.15 : 1)
            lane.latency.add(
                count,
                fractions: GrowingHistogram.fractions(medianSeconds: median, spread: spread),
                mean: median * exp(spread * spread / 2),
                to: &values
            )
        }
        for process in processes {
            let service = ShopTopology.services[process.service]
            let rate =
                service.requestsPerSecond * moment.demand[process.service]
                / Double(ShopTopology.instancesPerService)
            let median = service.routes.reduce(0) { $0 + $1.medianSeconds * $1.share }
            let inFlight =
                rate * median * 1.3 * moment.slowness(of: process.service)
                * max(0.2, 1 + 0.25 * noise.normal())
            values[process.first] = max(0, inFlight)
            values[process.first + 1] =
                (180 + 1.6 * rate + 12 * inFlight) * 1_048_576 * (1 + 0.01 * noise.normal())
            values[process.first + 2] = 12 + min(200, inFlight * 2)
            values[process.first + 3] += rate * 0.0035 * moment.tick
        }
    }
}
