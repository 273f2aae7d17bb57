import Testing

@testable import WeirAlerts

@Suite struct RuleFileTests {
    static let example = """
        groups:
          - name: shop
            interval: 15s
            limit: 20
            query_offset: 1m
            labels:
              team: web
              tier: "1"
            rules:
              - record: job:requests:rate5m
                expr: sum by (job) (rate(requests_total[5m]))
                labels:
                  tier: 2
              - alert: HighErrors
                expr: |
                  job:errors:ratio > 0.05
                for: 5m
                keep_firing_for: 10m
                labels:
                  severity: page
                annotations:
                  summary: "{{ $labels.job }} fails {{ $value | humanizePercentage }}"
          - name: nightly
            schedule: "30 2 * * *"
            rules: []
        """

    @Test func aFileIsReadWhole() throws {
        let file = try RuleFile(text: Self.example, path: "shop.yaml")
        #expect(file.groups.map(\.name) == ["shop", "nightly"])
        let group = file.groups[0]
        #expect(group.intervalMilliseconds == 15_000)
        #expect(group.limit == 20)
        #expect(group.queryOffsetMilliseconds == 60_000)
        #expect(file.groups[1].schedule?.text == "30 2 * * *")
        let record = group.rules[0]
        #expect(record.kind == .recording)
        #expect(record.name == "job:requests:rate5m")
        #expect(record.labels.map(\.name) == ["team", "tier"])
        #expect(record.labels.map(\.template.text) == ["web", "2"])
        let alert = group.rules[1]
        #expect(
            alert.kind == .alerting(forMilliseconds: 300_000, keepFiringForMilliseconds: 600_000)
        )
        #expect(alert.expression == "job:errors:ratio > 0.05\n")
        #expect(alert.line == 15)
        #expect(alert.labels.map(\.name) == ["severity", "team", "tier"])
        #expect(alert.annotations.map(\.name) == ["summary"])
    }

    @Test(arguments: ["", "groups:", "groups: []", "# nothing\n"])
    func anEmptyFileHasNoGroups(text: String) throws {
        #expect(try RuleFile(text: text, path: "x").groups.isEmpty)
    }

    @Test(arguments: [
        ("group: []", 1, #"unknown key "group" in the file; did you mean "groups"?"#),
        ("groups: 5", 1, "groups is no list"),
        ("groups:\n- interval: 5s", 2, "a group needs a name"),
        ("groups:\n- name: a\n  intervall: 5s", 3, #"did you mean "interval"?"#),
        ("groups:\n- name: a\n  interval: 5x", 3, #"interval "5x" is no duration"#),
        ("groups:\n- name: a\n  limit: -1", 3, "limit is no whole number"),
        ("groups:\n- name: a\n- name: a", 3, "already in this file"),
        ("groups:\n- name: a\n  schedule: 99 * * * *", 3, "is not within 0-59"),
        ("groups:\n- name: a\n  interval: 5s\n  schedule: '@daily'", 4, "not both"),
        ("groups:\n- name: a\n  rules:\n  - expr: up", 4, #"needs "record" or "alert""#),
        ("groups:\n- name: a\n  rules:\n  - alert: a\n    record: b\n    expr: up", 4, "not both"),
        ("groups:\n- name: a\n  rules:\n  - alert: a", 4, "has no expr"),
        ("groups:\n- name: a\n  rules:\n  - alert: a\n    expr: ' '", 5, "has no expr"),
        (
            "groups:\n- name: a\n  rules:\n  - alert: a\n    exp: up", 5,
            #"unknown key "exp" in a rule; did you mean "expr"?"#
        ),
        ("groups:\n- name: a\n  rules:\n  - record: a\n    expr: up\n    for: 5m", 6, "alerts"),
        ("groups:\n- name: a\n  rules:\n  - record: a-b\n    expr: up", 4, "no metric name"),
        (
            "groups:\n- name: a\n  rules:\n  - alert: a\n    expr: up\n    labels:\n      b-c: d",
            7,
            "may not be a label's name"
        ),
        (
            "groups:\n- name: a\n  rules:\n  - alert: a\n    expr: up\n    labels: {__name__: d}",
            6,
            "may not be a label's name"
        ),
        (
            "groups:\n- name: a\n  rules:\n  - alert: a\n    expr: up\n    annotations:\n      s: '{{ x }}'",
            7, #"function "x" not defined"#
        ),
        (
            "groups:\n- name: a\n  rules:\n  - alert: a\n    expr: up\n    labels:\n      s: [a]",
            7,
            "is no text"
        ),
        ("groups:\n- name: a\n  name: b", 3, #"the key "name" is there twice"#),
        ("groups: [", 1, "no YAML"),
        ("groups:\n- name: &x a\n- name: *x", 3, "aliases are not taken"),
        ("- a", 1, "the file is no mapping"),
    ])
    func whatIsWrongIsNamedWithItsLine(text: String, line: Int, reason: String) {
        #expect {
            _ = try RuleFile(text: text, path: "rules/x.yaml")
        } throws: { error in
            let problems = (error as? RuleFileError)?.problems ?? []
            return problems.contains { problem in
                // libyaml says where it gave up, which is not where the fault began.
                let isThere = problem.line == line || reason == "no YAML"
                return isThere && problem.path == "rules/x.yaml" && problem.reason.contains(reason)
            }
        }
    }

    @Test func everyProblemIsNamedAtOnce() {
        let text = "groups:\n- name: a\n  x: 1\n  rules:\n  - y: 2\n  - alert: z\n"
        #expect {
            _ = try RuleFile(text: text, path: "x")
        } throws: { error in
            (error as? RuleFileError)?.problems.map(\.line) == [3, 5, 5, 6]
        }
    }

    @Test func theLinterLooksIntoExpressions() {
        let evaluator = FakeEvaluator()
        let text = """
            groups:
              - name: a
                rules:
                  - alert: Bad
                    expr: "bad("
                  - alert: Twice
                    expr: up
                  - alert: Twice
                    expr: up == 1
              - name: empty
            """
        let report = RuleLinter.check(text: text, path: "r.yml", evaluator: evaluator)
        #expect(report.groupCount == 2)
        #expect(report.ruleCount == 3)
        #expect(report.problems.map(\.description) == ["r.yml:5: expr of Bad: does not parse"])
        #expect(report.warnings.map(\.line) == [9, 10])
        let good = RuleLinter.check(text: Self.example, path: "r.yml", evaluator: evaluator)
        #expect(good.problems.isEmpty)
    }

    @Test func groupsMayNameTheirLanguage() throws {
        func file(_ language: String) throws(RuleFileError) -> RuleFile {
            try RuleFile(text: "groups: [{name: a\(language), rules: []}]", path: "r.yaml")
        }
        #expect(try file("").groups[0].language == .automatic)
        #expect(try file(", language: logql").groups[0].language == .logql)
        #expect(try file(", language: promql").groups[0].language == .promql)
        #expect(throws: RuleFileError.self) { try file(", language: sql") }
    }
}
