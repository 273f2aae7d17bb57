import Synchronization
import Testing
import WeirCore
import WeirHTTP
import WeirSystem
import WeirTestSupport

extension EndToEnd {
    /// Prometheus 3.5 and Weir scrape targets that expose odd things, and make the same of them.
    @Suite struct ScrapeExpositionTests {
        /// Answers by path, and remembers what it was asked with.
        private final class Target: HTTPHandler {
            let start = HostClock().nowNanoseconds() / 1_000_000
            let headers = Mutex<[String: [String: String]]>([:])

            func accept(_ head: HTTPRequestHead) -> HTTPAdmission { .read(bodyBytesMax: 0) }

            func handle(_ exchange: HTTPExchange) {
                let head = exchange.head
                let agent = head.header("user-agent") ?? ""
                headers.withLock { headers in
                    headers[agent.hasPrefix("Weir/") ? "weir" : "prometheus"] = [
                        "accept": head.header("accept") ?? "",
                        "timeout": head.header("x-prometheus-scrape-timeout-seconds") ?? "",
                    ]
                }
                if head.path == "/secret", head.header("authorization") != "Basic dTpw" {
                    exchange.respond(.text("no", status: 401))
                    return
                }
                let (type, body) = Self.answer(head.path, start)
                var response = HTTPResponse.text(body, status: head.path == "/500" ? 500 : 200)
                response.headers = type.isEmpty ? [] : [("Content-Type", type)]
                exchange.respond(response.gzipped(for: head))
            }

            private static func answer(_ path: String, _ start: Int64) -> (String, String) {
                let text = "text/plain; version=0.0.4"
                let open = "application/openmetrics-text; version=1.0.0; charset=utf-8"
                switch path {
                case "/open":
                    return (
                        open,
                        """
                        # TYPE c counter
                        # UNIT c_bytes bytes
                        # HELP c counts
                        c_total{x="1"} 5 # {trace_id="abc"} 0.5
                        # TYPE h histogram
                        h_bucket{le="1"} 1
                        h_bucket{le="+Inf"} 2
                        h_sum 3
                        h_count 2
                        timed 7 \(start / 1000).25
                        # EOF

                        """
                    )
                case "/noend": return (open, "a 1\n")
                case "/bad": return (text, "a 1\nb{ 2\n")
                case "/html": return ("text/html", "a 1\n")
                case "/untyped": return ("", "a 1\n")
                default:
                    return (
                        text,
                        """
                        # HELP h some \\n help
                        # TYPE h histogram
                        h_bucket{le="1"} 1
                        h_bucket{le="+Inf"} 2
                        h_sum 3
                        h_count 2
                        # TYPE s summary
                        s{quantile="0.5"} 1
                        s{quantile="1"} 2
                        s_sum 1
                        s_count 1
                        g{job="x",instance="y"} 1
                        g{exported_job="z",job="w"} 2
                        timed 5 \(start)
                        later 6 \(start + 3_600_000)
                        nan NaN
                        infinite +Inf
                        twice 1
                        twice 2
                        {"utf8.name","label.name"="v"} 4
                        empty{a="",b="c"} 1

                        """
                    )
                }
            }
        }

        private static let jobs = """
            {job_name: plain}
            {job_name: honoured, honor_labels: true}
            {job_name: untimed, honor_timestamps: false}
            {job_name: tracked, track_timestamps_staleness: true}
            {job_name: open, metrics_path: /open}
            {job_name: noend, metrics_path: /noend}
            {job_name: bad, metrics_path: /bad}
            {job_name: html, metrics_path: /html}
            {job_name: fallback, metrics_path: /html, fallback_scrape_protocol: PrometheusText0.0.4}
            {job_name: untyped, metrics_path: /untyped}
            {job_name: failing, metrics_path: /500}
            {job_name: denied, metrics_path: /secret}
            {job_name: allowed, metrics_path: /secret, basic_auth: {username: u, password_file: password}}
            {job_name: samples, sample_limit: 10}
            {job_name: large, body_size_limit: 100B}
            {job_name: labels, label_limit: 4}
            {job_name: many, target_limit: 1, static_configs: [{targets: ['ADDRESS', 'localhost:1']}]}
            """

        @Test(.enabled(if: PrometheusProcess.peer("prometheus") != nil))
        func whatTargetsExposeIsTakenAsPrometheusTakesIt() throws {
            let folder = try TemporaryDirectory()
            let target = Target()
            let server = try HTTPServer(
                HTTPServerConfiguration(listen: "127.0.0.1:0"),
                handler: target
            )
            defer { server.stop(drainSeconds: 0) }
            let place = "\(folder.path)/prometheus"
            try HostFileSystem().createDirectories(place)
            try HostFileSystem().writeFileAtomically(
                Array("p\n".utf8),
                to: "\(place)/password",
                inDirectory: place
            )
            let jobs = Self.jobs.split(separator: "\n").map { job in
                job.contains("static_configs")
                    ? "  - \(job)"
                    : "  - \(job.dropLast()), static_configs: [{targets: ['ADDRESS']}]}"
            }.joined(separator: "\n").split(separator: "ADDRESS").joined(separator: server.address)
            let prometheus = try PrometheusProcess(
                #require(PrometheusProcess.peer("prometheus")),
                folder: place,
                configuration: "global: {scrape_interval: 1s, scrape_timeout: 750ms}\n"
                    + "scrape_configs:\n\(jobs)\n"
            )
            let process = try WeirProcess(
                data: "\(folder.path)/weir",
                ["--scrape-config", "\(place)/prometheus.yml"]
            )
            let weir = WeirClient(process)
            let source = WeirClient(prometheus.base)
            try EndToEnd.eventually("both scraped all targets thrice") {
                Thread.sleep(nanoseconds: 200_000_000)
                return try [weir, source].allSatisfy { client in
                    try client.query("count_over_time(up[1m]) >= 3").count == 18
                }
            }
            let found = try Self.values(weir)
            let expected = try Self.values(source)
            #expect(expected.count > 100)
            for (series, value) in expected { #expect(found[series] == value, "\(series)") }
            for series in found.keys { #expect(expected[series] != nil, "\(series)") }
            #expect(try weir.json("/api/v1/targets/metadata?metric=c")["data"] != .array([]))
            for path in ["plain\"}&metric=h", "tracked\"}&metric=s", "open\"}&metric=c"] {
                let path = "/api/v1/targets/metadata?match_target={job=\"\(path)"
                #expect(try weir.json(path) == source.json(path), "\(path)")
            }
            let headers = target.headers.withLock { $0 }
            #expect(headers["weir"] != nil && headers["weir"] == headers["prometheus"])
            try Self.reload(process, place, weir)
        }

        private static func values(_ client: WeirClient) throws -> [String: String] {
            var values: [String: String] = [:]
            for series in try client.query(
                "{job!=\"\",__name__!~\"scrape_duration_seconds|scrape_series_added\"}"
            ) {
                let labels = (series["metric"]?.members ?? []).map {
                    ($0.key, $0.value.string ?? "")
                }
                values[Labels(labels).description] = series["value"]?.array?.last?.string
            }
            return values
        }

        /// A damaged file changes nothing; one with fewer jobs ends the others' series.
        private static func reload(
            _ process: WeirProcess,
            _ place: String,
            _ weir: WeirClient
        ) throws {
            func write(_ text: String) throws {
                try HostFileSystem().writeFileAtomically(
                    Array(text.utf8),
                    to: "\(place)/prometheus.yml",
                    inDirectory: place
                )
            }
            try write("scrape_configs: [{job_nam: a}]")
            let refusal = try weir.post("/-/reload")
            #expect(refusal.status == 400)
            #expect(String(decoding: refusal.body, as: UTF8.self).contains("job_nam"))
            #expect(try weir.query("up").count == 18)
            try write("rule_files: [a]\nscrape_configs: []")
            process.send(signal: 1)
            try EndToEnd.eventually("all targets' series ended") {
                try weir.query("{job!=\"\"}").allSatisfy {
                    ["timed", "later"].contains($0["metric"]?["__name__"]?.string)
                }
            }
            #expect(process.log.contains("prometheus.yml:1: rule_files of the file is not served"))
            #expect(try weir.json("/api/v1/scrape_pools")["data"]?["scrapePools"] == .array([]))
            let listed = try EndToEnd.run(
                ["targets", "--base", process.base],
                outputPath: "\(place)/targets.txt"
            )
            #expect(listed.code == 0 && listed.output == "nothing is scraped\n")
        }
    }
}
