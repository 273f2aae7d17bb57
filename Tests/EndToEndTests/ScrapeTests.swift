import Testing
import WeirCore
import WeirHTTP
import WeirSystem
import WeirTestSupport

extension EndToEnd {
    /// Prometheus 3.5 and Weir scrape the same node exporter by the same configuration file.
    @Suite struct ScrapeTests {
        private static let configuration = """
            global:
              scrape_interval: 1s
              scrape_timeout: 900ms
              external_labels: {region: test}
            scrape_configs:
              - job_name: node
                file_sd_configs:
                  - files: ['targets/*.yml', 'targets/*.json']
                params: {'collect[]': [cpu, loadavg, meminfo, filesystem, uname, time, vmstat]}
                relabel_configs:
                  - {source_labels: [__meta_filepath], regex: '.*/([^/]+)', target_label: file}
                  - {source_labels: [__address__], regex: 'drop\\.me:.*', action: drop}
                  - {source_labels: [__address__], modulus: 7, target_label: shard, action: hashmod}
                  - {regex: team_(.+), action: labelmap}
                  - {regex: team_.+, action: labeldrop}
                metric_relabel_configs:
                  - {source_labels: [__name__], regex: 'go_.*|node_vmstat_pg.*', action: drop}
                  - {source_labels: [mode], target_label: mode, action: uppercase}
                  - {source_labels: [__name__, cpu], separator: '@', regex: '(.+)@(.+)', target_label: unit}
              - job_name: nobody
                static_configs: [{targets: ['127.0.0.1:1']}]
            """

        private struct Setting {
            let folder: TemporaryDirectory
            let exporter: ChildProcess
            let port: Int
            let prometheus: PrometheusProcess
            let weir: WeirProcess

            init(program: String, exporterProgram: String) throws {
                folder = try TemporaryDirectory()
                port = Int(try #require(LoopbackHTTP.freePort()))
                exporter = try #require(
                    ChildProcess(
                        exporterProgram,
                        ["--web.listen-address=127.0.0.1:\(port)"],
                        outputPath: "\(folder.path)/exporter.log"
                    )
                )
                let place = "\(folder.path)/prometheus"
                try HostFileSystem().createDirectories("\(place)/targets")
                try Self.write(
                    "- {targets: ['127.0.0.1:\(port)', 'drop.me:1'], labels: {team_name: ops}}\n",
                    "a.yml",
                    place
                )
                try Self.write(
                    "[{\"targets\": [\"localhost:\(port)\"], \"labels\": {\"mode\": \"mine\"}}]",
                    "b.json",
                    place
                )
                prometheus = try PrometheusProcess(
                    program,
                    folder: place,
                    configuration: ScrapeTests.configuration
                )
                weir = try WeirProcess(
                    data: "\(folder.path)/weir",
                    ["--scrape-config", "\(place)/prometheus.yml"]
                )
            }

            static func write(_ text: String, _ name: String, _ place: String) throws {
                try HostFileSystem().writeFileAtomically(
                    Array(text.utf8),
                    to: "\(place)/targets/\(name)",
                    inDirectory: "\(place)/targets"
                )
            }

            func replaceTargets(_ text: String) throws {
                try Self.write(text, "b.json", "\(folder.path)/prometheus")
            }
        }

        @Test(
            .enabled(
                if: PrometheusProcess.peer("prometheus") != nil
                    && PrometheusProcess.peer("prometheus-node-exporter") != nil
            )
        )
        func theSameFileGivesTheSameSeries() throws {
            let setting = try Setting(
                program: #require(PrometheusProcess.peer("prometheus")),
                exporterProgram: #require(PrometheusProcess.peer("prometheus-node-exporter"))
            )
            defer { setting.exporter.stop() }
            let weir = WeirClient(setting.weir)
            let source = WeirClient(setting.prometheus.base)
            try EndToEnd.eventually("both scraped both targets thrice") {
                Thread.sleep(nanoseconds: 300_000_000)
                return try [weir, source].allSatisfy { client in
                    let sums = try client.query("sum_over_time(up{job=\"node\"}[1m])")
                    return sums.count == 2
                        && sums.allSatisfy {
                            ($0["value"]?.array?.last?.string).flatMap(Double.init) ?? 0 >= 3
                        }
                }
            }
            try EndToEnd.eventually("the same series are there", seconds: 20) {
                Thread.sleep(nanoseconds: 300_000_000)
                return try Self.series(weir) == Self.series(source)
            }
            let series = try Self.series(weir)
            #expect(series.count > 100)
            #expect(series.contains { $0.contains("exported_mode=") })
            #expect(
                series.contains { $0.contains("file=\"a.yml\"") && $0.contains("name=\"ops\"") }
            )
            try Self.compareTargets(weir, source)
            try Self.compareValues(weir, source)
            setting.exporter.stop()
            for client in [weir, source] {
                try EndToEnd.eventually("the targets are down and their series ended") {
                    Thread.sleep(nanoseconds: 100_000_000)
                    let ups = try client.query("up{job=\"node\"} == 0").count
                    return try ups == 2 && client.query("node_load1").isEmpty
                }
                // Markers, and not the end of the look-back.
                #expect(try !client.query("last_over_time(node_load1[1m])").isEmpty)
            }
            try setting.replaceTargets("[]")
            try EndToEnd.eventually("the target's own series ended") {
                Thread.sleep(nanoseconds: 100_000_000)
                return try weir.query("up{job=\"node\"}").count == 1
            }
        }

        @Test(.enabled(if: PrometheusProcess.peer("prometheus") != nil))
        func nativeHistogramsComeByProtobuf() throws {
            let folder = try TemporaryDirectory()
            let prometheus = try PrometheusProcess(
                #require(PrometheusProcess.peer("prometheus")),
                folder: "\(folder.path)/prometheus",
                configuration: """
                    global: {scrape_interval: 1s, scrape_protocols: [PrometheusProto]}
                    scrape_configs:
                      - {job_name: node, static_configs: [{targets: ['SELF']}]}
                    """,
                ["--enable-feature=native-histograms"]
            )
            let process = try WeirProcess(
                data: "\(folder.path)/weir",
                ["--scrape-config", "\(folder.path)/prometheus/prometheus.yml"]
            )
            let weir = WeirClient(process)
            let source = WeirClient(prometheus.base)
            try EndToEnd.eventually("the same series are there") {
                Thread.sleep(nanoseconds: 300_000_000)
                let found = try Self.series(weir)
                return try found.count > 300 && found == Self.series(source)
            }
            let count = "count(histogram_count(prometheus_http_request_duration_seconds))"
            let found = try #require(try weir.value(count))
            #expect(try found > 0 && source.value(count) == found)
            #expect(
                try weir.query("prometheus_http_request_duration_seconds_bucket").isEmpty
            )
            #expect(try weir.value("up") == 1)
        }

        /// All series' labels.
        private static func series(_ client: WeirClient) throws -> Set<String> {
            let data = try client.json("/api/v1/series?match[]={job=~\"node|nobody\"}")["data"]
            return Set(
                (data?.array ?? []).map { series in
                    Labels((series.members ?? []).map { ($0.key, $0.value.string ?? "") })
                        .description
                }
            )
        }

        private static func compareTargets(_ weir: WeirClient, _ source: WeirClient) throws {
            let volatile = ["lastScrape", "lastScrapeDuration", "lastError"]
            var answers: [[[JSONMember]]] = []
            for client in [weir, source] {
                let targets = try client.json("/api/v1/targets?state=active")["data"]
                let active = (targets?["activeTargets"]?.array ?? []).map { target in
                    (target.members ?? []).map { member in
                        volatile.contains(member.key)
                            ? JSONMember(key: member.key, value: .null) : member
                    }
                }
                #expect(active.count == 3)
                answers.append(
                    active.sorted { "\($0)" < "\($1)" }
                )
            }
            #expect(answers[0] == answers[1])
            let paths = [
                "/api/v1/scrape_pools", "/api/v1/targets?state=dropped",
                "/api/v1/targets?scrapePool=nobody&state=dropped",
            ]
            for path in paths { #expect(try weir.json(path) == source.json(path), "\(path)") }
            let path = "/api/v1/targets/metadata?match_target={file=\"a.yml\"}&metric=node_load1"
            #expect(try weir.json(path) == source.json(path))
        }

        private static func compareValues(_ weir: WeirClient, _ source: WeirClient) throws {
            for expression in [
                "node_memory_MemTotal_bytes{file=\"a.yml\"}",
                "node_memory_MemTotal_bytes{file=\"b.json\"}",
                "count(node_cpu_seconds_total)", "sum(node_uname_info)",
                "count({job=\"node\",mode=\"IDLE\"})", "max(scrape_series_added{job=\"nobody\"})",
            ] {
                let found = try weir.value(expression)
                #expect(found != nil, "\(expression)")
                #expect(try found == source.value(expression), "\(expression)")
            }
            for expression in [
                "sum(node_cpu_seconds_total)", "max(scrape_samples_scraped)",
                "max(scrape_samples_post_metric_relabeling)", "node_time_seconds{file=\"a.yml\"}",
            ] {
                let found = try #require(try weir.value(expression))
                let expected = try #require(try source.value(expression))
                #expect(abs(found - expected) <= 0.02 * expected, "\(expression)")
            }
        }
    }
}
