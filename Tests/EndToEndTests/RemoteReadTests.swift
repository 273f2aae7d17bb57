import Testing
import WeirCore
import WeirHTTP
import WeirTestSupport

extension EndToEnd {
    /// The real Prometheus asks Weir for what it does not have itself.
    @Suite struct RemoteReadTests {
        private static let programs = [
            PrometheusProcess.peer("prometheus"), PrometheusProcess.installed,
        ].compactMap { $0 }

        @Test(arguments: programs) func prometheusReadsFromWeir(program: String) throws {
            let folder = try TemporaryDirectory()
            let server = try WeirProcess(data: "\(folder.path)/weir")
            let weir = WeirClient(server)
            let start: Int64 = 1_790_000_000_000
            var text = ""
            for host in 0..<20 {
                for minute in 0..<60 {
                    let time = start + Int64(minute) * 60_000 + Int64(host)
                    text += "load{host=\"h\(host)\",Zone=\"z\(host % 3)\"} "
                    text += "\(Double(host * 60 + minute) * 0.1) \(time)\n"
                }
            }
            text += "odd NaN \(start)\nodd +Inf \(start + 60_000)\n"
            let answer = try weir.post("/api/v1/import/prometheus", Array(text.utf8))
            try #require(answer.status == 204)
            let prometheus = try PrometheusProcess(
                program,
                folder: "\(folder.path)/prometheus",
                configuration: """
                    remote_read:
                      - {url: '\(server.base)/api/v1/read', read_recent: true}
                    """
            )
            let source = WeirClient(prometheus.base)
            for expression in [
                "load[2h]", "odd[2h]", "load{host=~\"h1.*\",Zone!=\"z0\"}[30m]",
                "max by (Zone) (rate(load[10m]))", "load{host!~\"h.*\"}", "none",
            ] {
                let end = start + 3_600_000
                let expected = try weir.query(expression, atMilliseconds: end)
                let found = try source.query(expression, atMilliseconds: end)
                #expect(Self.texts(found) == Self.texts(expected), "\(expression)")
                if expression.hasPrefix("load[") { #expect(found.count == 20) }
            }
        }

        private static func texts(_ result: [JSONValue]) -> [String] {
            result.map { series in
                let labels = (series["metric"]?.members ?? []).map {
                    ($0.key, $0.value.string ?? "")
                }
                let values = series["values"]?.array ?? series["value"].map { [$0] } ?? []
                return "\(Labels(labels)) "
                    + values.map {
                        "\($0.array?.first?.double ?? 0)=\($0.array?.last?.string ?? "")"
                    }.joined(separator: " ")
            }.sorted()
        }
    }
}
