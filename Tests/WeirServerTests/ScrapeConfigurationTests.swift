import Testing
import WeirCore
import WeirSystem
import WeirTestSupport

@testable import WeirServer

@Suite struct ScrapeConfigurationTests {
    private static func parse(_ text: String) throws -> ScrapeConfiguration {
        try ScrapeConfigurationReader.parse(text, path: "/etc/prometheus.yml")
    }

    @Test func defaultsAreThoseOfPrometheus() throws {
        let configuration = try Self.parse(
            """
            global: {scrape_interval: 5s, body_size_limit: 10MB}
            scrape_configs:
              - job_name: a
              - {job_name: b, scrape_interval: 1m, scrape_timeout: 20s, body_size_limit: 1KB}
            """
        )
        #expect(configuration.jobs.map(\.interval) == [5_000_000_000, 60_000_000_000])
        #expect(configuration.jobs.map(\.timeout) == [5_000_000_000, 20_000_000_000])
        #expect(configuration.jobs.map(\.bodyBytesMax) == [10 << 20, 1 << 10])
        #expect(
            ScrapeProtocol.accept(configuration.jobs[0].protocols)
                == "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                + "application/openmetrics-text;version=0.0.1;q=0.5,"
                + "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
                + "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
        )
    }

    @Test func whatIsNotServedIsNamed() throws {
        let configuration = try Self.parse(
            """
            rule_files: [a.yml]
            remote_write: [{url: 'http://x'}]
            scrape_configs:
              - job_name: a
                kubernetes_sd_configs: [{role: pod}]
            """
        )
        #expect(
            configuration.warnings == [
                "/etc/prometheus.yml:1: rule_files of the file is not served",
                "/etc/prometheus.yml:2: remote_write of the file is not served",
                "/etc/prometheus.yml:5: kubernetes_sd_configs of job \"a\" is not served",
            ]
        )
    }

    @Test(arguments: [
        ("scrape_config: []", 1, "unknown key \"scrape_config\" in the file; did you mean"),
        ("scrape_configs:\n- job_name: a\n  honor_label: true", 3, "unknown key \"honor_label\""),
        ("scrape_configs:\n- {job_name: a}\n- {job_name: a}", 3, "there are two jobs"),
        ("scrape_configs:\n- {scheme: http}", 2, "job_name of job \"\" is missing"),
        ("scrape_configs:\n- job_name: a\n  scheme: ftp", 3, "scheme of job \"a\" must be"),
        ("scrape_configs:\n- job_name: a\n  scrape_interval: 5", 3, "scrape_interval of"),
        (
            "scrape_configs:\n- job_name: a\n  scrape_interval: 1s\n  scrape_timeout: 2s", 4,
            "scrape_timeout of job \"a\" is longer"
        ),
        (
            "scrape_configs:\n- job_name: a\n  relabel_configs:\n  - action: hashmod", 4,
            "action hashmod needs a target_label"
        ),
        (
            "scrape_configs:\n- job_name: a\n  relabel_configs:\n  - regex: '('\n    target_label: b",
            4, "regex of relabel_configs cannot be used"
        ),
        (
            "scrape_configs:\n- job_name: a\n  file_sd_configs:\n  - files: ['*/a.yml']", 4,
            "files of file_sd_configs has"
        ),
        (
            "scrape_configs:\n- job_name: a\n  basic_auth: {}\n  authorization: {}", 4,
            "authorization of job \"a\" stands beside basic_auth"
        ),
    ])
    func mistakesAreRefusedWithTheirLine(_ text: String, _ line: Int, _ reason: String) throws {
        let error = try #require(throws: ScrapeConfigurationError.self) { try Self.parse(text) }
        #expect(error.line == line)
        #expect(error.reason.hasPrefix(reason), "\(error)")
    }

    @Test func targetsAreMadeAsPrometheusMakesThem() throws {
        let job = try #require(
            try Self.parse(
                """
                scrape_configs:
                  - job_name: probe
                    metrics_path: /probe
                    params: {module: [http, second], target: ['x y']}
                    relabel_configs:
                      - {source_labels: [__address__], target_label: __param_target}
                      - {source_labels: [__param_target], target_label: instance}
                      - {target_label: __address__, replacement: 'prober:9115'}
                """
            ).jobs.first
        )
        guard
            case .active(let target) = ScrapeTarget.make(
                job,
                address: "https://a.b",
                groupLabels: ["__meta_x": "1", "zone": "z"]
            )
        else {
            Issue.record("no target")
            return
        }
        #expect(target.labels == Labels(["job": "probe", "instance": "https://a.b", "zone": "z"]))
        #expect(
            target.url
                == "http://prober:9115/probe?module=http&module=second&target=https%3A%2F%2Fa.b"
        )
        #expect(target.discovered["__scrape_timeout__"] == "10s")
        let now: Int64 = 1_790_000_000_123_456_789
        let due = target.due(after: now)
        #expect(due > now && due <= now + target.interval)
        #expect(target.due(after: due) == due + target.interval)
    }

    @Test func aDamagedTargetFileStandsForWhatItHeld() throws {
        let folder = try TemporaryDirectory()
        func write(_ text: String) throws {
            try HostFileSystem().writeFileAtomically(
                Array(text.utf8),
                to: "\(folder.path)/a.json",
                inDirectory: folder.path
            )
        }
        var discovery = FileDiscovery()
        let patterns = ["\(folder.path)/*.json"]
        #expect(discovery.groups(patterns).isEmpty)
        try write("[{\"targets\": [\"a:1\"], \"labels\": {\"x\": \"y\"}}]")
        let groups = discovery.groups(patterns)
        #expect(groups.map(\.addresses) == [["a:1"]])
        #expect(groups.first?.labels == ["x": "y", "__meta_filepath": "\(folder.path)/a.json"])
        #expect(discovery.takeProblems().isEmpty)
        try write("[{\"targets\": 1}")
        #expect(discovery.groups(patterns) == groups)
        #expect(discovery.takeProblems().count == 1)
        #expect(discovery.groups(patterns) == groups)
        #expect(discovery.takeProblems().isEmpty)
        try HostFileSystem().removeFile("\(folder.path)/a.json")
        #expect(discovery.groups(patterns).isEmpty)
    }
}
