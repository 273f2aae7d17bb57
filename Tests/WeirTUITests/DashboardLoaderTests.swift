import Testing
import WeirCore
import WeirTUI
import WeirTerminal
import WeirYAML

@Suite struct DashboardLoaderTests {
    private static func panel(_ lines: String) -> String {
        "title: T\nrows:\n  - panels:\n      - title: P\n        kind: timeseries\n"
            + "        queries: [up]\n" + lines
    }

    @Test func readsTheWholeFormat() throws {
        let dashboard = try ScreenGoldenTests.exampleDashboards().dashboard("example")
        #expect(dashboard.title == "Checkout")
        #expect(dashboard.rangeMilliseconds == 3_600_000)
        #expect(dashboard.intervalMilliseconds == 10_000)
        #expect(dashboard.variables.map { $0.name } == ["service", "quantile"])
        #expect(dashboard.variables[0].hasAll)
        #expect(dashboard.rows.map { $0.height } == [13, 8, 9])
        #expect(
            dashboard.panels.map { $0.kind } == [
                .timeseries, .stat, .timeseries, .gauge, .bar, .table, .text,
            ]
        )
        #expect(dashboard.panels[1].thresholds.map { $0.level } == [.warning, .critical])
        #expect(dashboard.panels[0].queries[0].legend == "{{route}}")
    }

    @Test(
        arguments: [
            (
                panel("        unti: bytes\n"),
                .unknownKey(line: 7, key: "unti", place: "a panel", nearest: "unit")
            ),
            (
                "titel: T\nrows: []\n",
                .unknownKey(line: 1, key: "titel", place: "a dashboard", nearest: "title")
            ),
            (
                "rows:\n  - panels:\n      - kind: text\n",
                .missingKey(line: 3, key: "title", place: "a panel")
            ),
            ("title: T\n", .missingKey(line: 1, key: "rows", place: "a dashboard")),
            (
                panel("        unit: byte\n"),
                .unknownChoice(
                    line: 7,
                    key: "unit",
                    value: "byte",
                    nearest: "bytes",
                    choices: ValueUnit.allCases.map { $0.rawValue }
                )
            ),
            (
                panel("        width: 13\n"),
                .wrongValue(line: 7, key: "width", expected: "a whole number from 1 to 12")
            ),
            (panel("        min: low\n"), .wrongValue(line: 7, key: "min", expected: "a number")),
            (
                panel("        min: 2\n        max: 1\n"),
                .wrongValue(line: 4, key: "max", expected: "greater than `min`")
            ),
            (
                panel("        text: x\n"),
                .wrongValue(line: 7, key: "text", expected: "in a text panel only")
            ),
            (
                "title: T\nrange: soon\nrows: [{panels: [{title: a, kind: text, text: b}]}]\n",
                .wrongValue(line: 2, key: "range", expected: "a duration of 10s at least")
            ),
            (
                "title: T\nrows:\n- panels:\n  - title: L\n    kind: heatmap\n",
                .notYet(line: 5, key: "kind", value: "heatmap")
            ),
            (
                "title: T\nrows:\n- panels:\n  - title: L\n    kind: stat\n    queries:\n    - expr: up\n      language: traceql\n",
                .wrongValue(line: 8, key: "language", expected: "`promql` or `logql` here")
            ),
            (
                "title: T\nvariables:\n- name: host\n  values: [a]\nrows:\n- panels:\n  - title: L\n    kind: stat\n    queries:\n    - up{host=\"$hots\"}\n",
                .unknownVariable(line: 10, name: "hots", nearest: "host")
            ),
            (
                "title: T\nvariables:\n- name: 1x\n  values: [a]\nrows: [1]\n",
                .wrongValue(
                    line: 3,
                    key: "name",
                    expected: "letters, digits and `_`, a letter first"
                )
            ),
            (
                "title: T\nrows: [1]\n",
                .wrongValue(line: 2, key: "a row", expected: "a mapping of keys")
            ),
            ("[1]", .wrongValue(line: 1, key: "a dashboard", expected: "a mapping of keys")),
            ("a: 1\na: 2\n", .yaml(.duplicateKey(line: 2, key: "a"))),
        ] as [(String, DashboardError)]
    )
    func refusesWithTheLine(_ text: String, _ expected: DashboardError) {
        #expect(throws: expected) { try DashboardLoader.load(text, name: "x") }
    }

    @Test func errorsReadWell() {
        let findings = DashboardLinter.lint(Self.panel("        unti: bytes\n"), path: "a.yaml")
        #expect(
            findings.map { $0.description }
                == ["a.yaml:7: error: unknown key `unti` in a panel; did you mean `unit`?"]
        )
        let kind = DashboardLinter.lint(
            "title: T\nrows:\n- panels:\n  - title: L\n    kind: heatmap\n",
            path: "b"
        )
        #expect(
            kind.map { $0.description }
                == ["b:5: error: `kind: heatmap` is reserved for a later version: not yet"]
        )
    }

    @Test func linterWarnsOfWhatIsProbablyWrong() {
        let text = """
            title: T
            variables:
            - {name: host, label: host, all: true}
            - {name: idle, values: [a]}
            rows:
            - panels:
              - {title: A, kind: stat, queries: ['up{host="$host"}']}
              - title: A
                kind: bar
                reduce: max
                thresholds: [{value: 2, level: ok}, {value: 1, level: critical}]
                queries: [up]
            """
        #expect(
            DashboardLinter.lint(text, path: "x").map { $0.text } == [
                "variable `idle` is not used",
                "`$host` may stand for all values: use `=~` in up{host=\"$host\"}",
                "two panels are called `A`",
                "thresholds of `A` are not in ascending order",
                "`reduce` of `A` has no effect on this kind",
            ]
        )
    }

    @Test(
        arguments: [
            ("up{a=\"$a\"}[$__interval]", "up{a=\"x.y\"}[22s785ms]"),
            ("${a}b $ab $1 \"foo$\" $", "x.yb $ab $1 \"foo$\" $"),
            ("rate(x{s=~\"$s\"}[$__rate_interval])", "rate(x{s=~\"a\\\\.b\"}[1m])"),
            ("x{s=~\"$all\"}[$__range]", "x{s=~\".*\"}[1h]"),
            ("x{q=\"$quote\"}", "x{q=\"a\\\"b\\\\\"}"),
        ] as [(String, String)]
    )
    func namesAreSubstituted(_ text: String, _ expected: String) {
        let scope = QueryScope(
            from: 0,
            to: 3_600_000,
            now: 3_600_000,
            intervalMilliseconds: 15_000,
            variables: [
                .init(name: "a", value: "x.y", isPattern: false),
                .init(name: "s", value: "a.b", isPattern: true),
                .init(name: "all", value: ".*", isPattern: true),
                .init(name: "quote", value: "a\"b\\", isPattern: false),
            ]
        )
        #expect(scope.expand(text, stepMilliseconds: 22_785) == expected)
    }

    @Test(
        arguments: [
            ("{{route}} {{ code }}", "/pay 500"), ("{{nothing}}-{{__name__}}", "-http"),
            ("plain {{", "plain {{"), ("", ""),
        ] as [(String, String)]
    )
    func legendsNameLabels(_ template: String, _ expected: String) {
        let series = QueryResult.Series(
            labels: [.init("__name__", "http"), .init("route", "/pay"), .init("code", "500")],
            points: []
        )
        #expect(TemplateText.legend(template, series) == expected)
    }

    @Test func unnamedSeriesShowWhereTheyDiffer() {
        func series(_ labels: [(String, String)]) -> QueryResult.Series {
            QueryResult.Series(labels: labels.map { .init($0.0, $0.1) }, points: [])
        }
        let names = SeriesNaming.names(
            [
                series([("__name__", "up"), ("job", "a"), ("zone", "1")]),
                series([("__name__", "up"), ("job", "a"), ("zone", "2")]),
            ],
            fallback: "f"
        )
        #expect(names == ["zone=1", "zone=2"])
        #expect(SeriesNaming.names([series([])], fallback: "f") == ["f"])
    }

    @Test(
        arguments: [
            ("unti", "unit"), ("titel", "title"), ("xyzzy", nil), ("Kind", "kind"),
        ] as [(String, String?)]
    )
    func nearestNames(_ name: String, _ nearest: String?) {
        #expect(
            EditDistance.nearest(to: name, among: ["unit", "title", "kind", "queries"]) == nearest
        )
    }
}
