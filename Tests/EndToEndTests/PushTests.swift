import Testing
import WeirCore
import WeirHTTP
import WeirTestSupport

extension EndToEnd {
    /// StatsD, DogStatsD and Graphite, as their clients of PyPI send them, and by hand.
    @Suite struct PushTests {
        private static let second: Int64 = 1_790_000_000

        private static func port(_ name: String, _ server: WeirProcess) throws -> Int {
            let line = try #require(
                server.log.split(separator: "\n").first { $0.contains("\(name) port ") },
                "\(server.log)"
            )
            return try #require(line.split(separator: " ").last.flatMap { Int($0) })
        }

        private static func start(_ folder: String) throws -> WeirProcess {
            try WeirProcess(
                data: "\(folder)/data",
                [
                    "--statsd-udp", "127.0.0.1:0", "--graphite-udp", "127.0.0.1:0",
                    "--graphite-tcp", "127.0.0.1:0", "--statsd-interval", "1s",
                ]
            )
        }

        /// Waits until each expression has its value.
        private static func expect(_ values: [(String, Double)], _ client: WeirClient) throws {
            for (expression, value) in values {
                var found: Double?
                do {
                    try EndToEnd.eventually("\(expression) is \(value)", seconds: 20) {
                        found = try client.value(expression)
                        return found == value
                    }
                } catch {
                    Issue.record("\(expression): \(String(describing: found)), not \(value)")
                }
            }
        }

        @Test(.disabled(if: ClientScript.isSkipped)) func metricsOfRealClientsComeBack() throws {
            let folder = try TemporaryDirectory()
            let server = try Self.start(folder.path)
            let client = WeirClient(server)
            try ClientScript.run(
                "push_metrics.py",
                [
                    "\(Self.port("statsd: UDP", server))", "\(Self.port("graphite: TCP", server))",
                    "\(Self.second)",
                ]
            )
            try Self.expect(
                [
                    ("plain_hits", 3), ("plain_level", 42), ("plain_took_sum", 0.32),
                    ("plain_took_count", 1), ("plain_packed", 30),
                    ("max_over_time(plain_users[1m])", 2),
                    ("last_over_time(plain_took{quantile=\"0.99\"}[1m])", 0.32),
                    ("dog_hits{env=\"prod\",flag=\"true\"}", 3), ("dog_level{env=\"prod\"}", 1.5),
                    ("dog_size_sum", 10), ("dog_spread_count", 1),
                    ("max_over_time(dog_users[1m])", 1),
                ],
                client
            )
            #expect(
                try client.value(
                    "site_web_requests{host=\"a.b\",zone=\"z\"}",
                    atMilliseconds: Self.second * 1000
                ) == 42.5
            )
            #expect(
                try client.value("site_web_plain", atMilliseconds: Self.second * 1000) == 7
            )
            #expect(server.terminate().code == 0)
        }

        @Test func rawSocketsAreHeard() throws {
            let folder = try TemporaryDirectory()
            let server = try Self.start(folder.path)
            let client = WeirClient(server)
            let udp = try Self.port("graphite: UDP", server)
            let tcp = try Self.port("graphite: TCP", server)
            let statsd = try Self.port("statsd: UDP", server)
            #expect(
                LoopbackSender.send(
                    datagrams: [Array("udp.a 1 -1\nudp.b 2 -1".utf8), Array("bad".utf8)],
                    port: udp
                )
            )
            // A line in pieces, and one without an end.
            #expect(
                LoopbackSender.send(
                    stream: [Array("tcp.".utf8), Array("a 3 -1\ntcp.b 4 -1".utf8)],
                    port: tcp
                )
            )
            #expect(
                LoopbackSender.send(
                    datagrams: (0..<100).map { _ in Array("many:1|c\nmany:1|c\n".utf8) },
                    port: statsd
                )
            )
            try Self.expect(
                [
                    ("udp_a", 1), ("udp_b", 2), ("tcp_a", 3), ("tcp_b", 4), ("many", 200),
                ],
                client
            )
            let metrics = String(decoding: try client.get("/metrics").body, as: UTF8.self)
            #expect(metrics.contains("weir_metric_refused_rows_total{format=\"graphite\"} 1"))
        }
    }
}
