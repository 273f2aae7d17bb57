/// The queues: what arrives, what the workers get done, and what waits.
struct QueueModel: Sendable {
    private struct Queue: Sendable {
        let name: String
        let service: String
        let arrivalsPerSecond: Double
        let workers: Double
        /// Of all workers, at full strength, over the arrivals of the busiest hour.
        let reserve: Double
        let first: Int
        var depth = 20.0
        var wander = Wander(keep: 0.9)
    }

    private var queues: [Queue] = []

    init(_ layout: inout LineLayout) {
        let all: [(String, String, Double, Double, Double)] = [
            ("emails", "email", 14, 8, 1.9), ("webhooks", "payment", 18, 6, 1.6),
            ("shipments", "shipping", 6, 4, 1.5), ("reindex", "search", 25, 10, 1.8),
            ("thumbnails", "catalog", 9, 6, 1.7),
        ]
        for (name, service, arrivals, workers, reserve) in all {
            let first = layout.add(
                "queue",
                [("queue", name), ("service", service)],
                [
                    ("depth", .whole), ("oldest_age_seconds", .decimal), ("workers", .whole),
                    ("enqueued_total", .whole), ("processed_total", .whole),
                    ("failed_total", .whole),
                ]
            )
            queues.append(
                Queue(
                    name: name,
                    service: service,
                    arrivalsPerSecond: arrivals,
                    workers: workers,
                    reserve: reserve,
                    first: first
                )
            )
        }
    }

    mutating func advance(
        _ moment: ShopMoment,
        _ noise: inout ShopNoise,
        _ values: inout [Double]
    ) {
        for index in queues.indices {
            queues[index].wander.advance(&noise)
            let queue = queues[index]
            var arrivals = queue.arrivalsPerSecond * moment.traffic
            arrivals *= max(0.2, 1 + 0.18 * queue.wander.value)
            var workers = queue.workers
            var failing = 0.002
            switch queue.name {
            case "emails":
                workers = max(1, (workers * (1 - 0.9 * moment.emailTrouble)).rounded())
                failing += 0.1 * moment.emailTrouble
            case "webhooks":
                // What the provider does not take is put back.
                arrivals *= 1 + 1.4 * moment.paymentTrouble
                failing += 0.2 * moment.paymentTrouble
            default: break
            }
            let capacity =
                queue.arrivalsPerSecond * max(moment.traffic, 0.45) * queue.reserve
                * workers / queue.workers
            let arriving = arrivals * moment.tick
            let done = min(queue.depth + arriving, capacity * moment.tick)
            queues[index].depth = queue.depth + arriving - done
            let waiting = queues[index].depth + arrivals * max(0.1, 1 + 0.4 * noise.normal())
            values[queue.first] = max(0, waiting)
            values[queue.first + 1] = max(0.05, waiting / max(0.1, capacity))
            values[queue.first + 2] = workers
            values[queue.first + 3] += arriving
            values[queue.first + 4] += done * (1 - failing)
            values[queue.first + 5] += done * failing
        }
    }
}
