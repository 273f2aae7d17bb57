import Testing
import WeirCore
import WeirSystem
import WeirTestSupport

extension EndToEnd {
    /// The real Prometheus writes what it scrapes of itself to the real Weir.
    @Suite struct RemoteWriteTests {
        struct Variant: Sendable, CustomStringConvertible {
            let isPeer: Bool
            let version: Int
            var description: String { "\(isPeer ? "3.5" : "installed"), \(version).0" }
            var program: String? {
                isPeer ? PrometheusProcess.peer("prometheus") : PrometheusProcess.installed
            }
        }

        static let variants = [
            Variant(isPeer: true, version: 1), Variant(isPeer: true, version: 2),
            Variant(isPeer: false, version: 1),
        ].filter { $0.program != nil }

        @Test(arguments: variants) func everySampleOfPrometheusIsThere(_ variant: Variant) throws {
            let folder = try TemporaryDirectory()
            let server = try WeirProcess(data: "\(folder.path)/weir")
            var settings = ["name: weir"]
            if variant.isPeer { settings.append("send_native_histograms: true") }
            if variant.version == 2 {
                settings.append("protobuf_message: io.prometheus.write.v2.Request")
            }
            let prometheus = try PrometheusProcess(
                #require(variant.program),
                folder: "\(folder.path)/prometheus",
                configuration: """
                    global: {scrape_interval: 1s, external_labels: {via: test}}
                    scrape_configs:
                      - {job_name: self, static_configs: [{targets: ['SELF']}]}
                    remote_write:
                      - url: '\(server.base)/api/v1/write'
                        \(settings.joined(separator: "\n    "))
                        metadata_config: {send: true, send_interval: 1s}
                        queue_config: {batch_send_deadline: 300ms}
                    """,
                variant.isPeer
                    ? ["--enable-feature=native-histograms,metadata-wal-records"] : []
            )
            let weir = WeirClient(server)
            let source = WeirClient(prometheus.base)
            // Eight scrapes, the last of which has come to Weir whole.
            var end: Int64 = 0
            try EndToEnd.eventually("eight scrapes are there") {
                let now = HostClock().nowNanoseconds() / 1_000_000
                let samples = try weir.samples("up[1m]", atMilliseconds: now)
                end = (samples.map(\.time).max() ?? 0) - 1500
                Thread.sleep(nanoseconds: 200_000_000)
                return samples.count >= 8
            }
            let found = try Self.values(weir, atMilliseconds: end)
            let expected = try Self.values(source, atMilliseconds: end)
            #expect(expected.count > 300)
            #expect(found.count == expected.count)
            for (labels, values) in expected { #expect(found[labels] == values, "\(labels)") }
            try Self.compareMetadata(weir, source)
            let lost = try source.value(
                "sum({__name__=~\"prometheus_remote_storage_samples_(failed|dropped)_total\"})"
            )
            #expect(lost == 0, "\(prometheus.log)")
            if variant.isPeer {
                let status = try weir.json("/api/v1/status")
                let kept = status["signals"]?.array?.first {
                    $0["signal"]?.string == "histograms"
                }
                #expect((kept?["rows"]?.int ?? 0) > 0, "native histograms")
            }
        }

        /// The samples of the last six seconds, as texts, by their labels but for the external one.
        private static func values(
            _ client: WeirClient,
            atMilliseconds time: Int64
        ) throws -> [String: [String]] {
            var found: [String: [String]] = [:]
            for series in try client.query("{job=\"self\"}[6s]", atMilliseconds: time) {
                guard let values = series["values"]?.array else { continue }
                let labels = (series["metric"]?.members ?? []).filter { $0.key != "via" }
                let name = Labels(labels.map { ($0.key, $0.value.string ?? "") }).description
                found[name] = values.map { pair in
                    "\(pair.array?.first?.double ?? 0) \(pair.array?.last?.string ?? "")"
                }
            }
            return found
        }

        /// What both say of every family that Prometheus knows and Weir was told of.
        private static func compareMetadata(_ weir: WeirClient, _ source: WeirClient) throws {
            var known: [String: JSONValue] = [:]
            try EndToEnd.eventually("metadata comes") {
                let data = try weir.json("/api/v1/metadata")["data"]?.members ?? []
                known = Dictionary(data.map { ($0.key, $0.value) }) { $1 }
                return known.count > 50
            }
            let expected = try source.json("/api/v1/metadata")["data"]?.members ?? []
            for family in expected {
                guard let found = known[family.key]?.array?.first,
                    let wanted = family.value.array?.first
                else { continue }
                for member in ["type", "help", "unit"] {
                    #expect(found[member]?.string == wanted[member]?.string, "\(family.key)")
                }
            }
            let names = Set(expected.map(\.key))
            #expect(Double(names.intersection(known.keys).count) > 0.9 * Double(names.count))
            let one = try weir.json("/api/v1/metadata?metric=go_goroutines")["data"]?.members
            #expect(one?.map(\.key) == ["go_goroutines"])
            #expect(try weir.json("/api/v1/metadata?limit=2")["data"]?.members?.count == 2)
        }
    }
}
