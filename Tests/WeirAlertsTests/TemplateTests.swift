import Testing
import WeirCore

@testable import WeirAlerts

/// Templates and what Prometheus 2.42 made of them, for an alert with the labels `a="x"` and
/// `b="y z"`, the external label `cluster="kit"` and the external URL `http://weir.example/pre`.
@Suite struct TemplateTests {
    /// The few queries of the table.
    @Sendable private static func query(
        _ expression: String
    ) throws(RuleEvaluationError) -> [RuleSample] {
        func sample(_ value: Double, _ label: String? = nil) -> RuleSample {
            let labels = label.map { Labels([("l", $0)]) } ?? .empty
            return RuleSample(labels: labels, value: value)
        }
        let z = #"label_replace(vector(3), "l", "z", "", "")"#
        let b = #"label_replace(vector(4), "l", "b", "", "")"#
        switch expression {
        case "vector(1)": return [sample(1)]
        case "vector(3)": return [sample(3)]
        case z: return [sample(3, "z")]
        case "\(z) or \(b)": return [sample(3, "z"), sample(4, "b")]
        case "vector(3) > 5", "vector(1) > 2": return []
        default: throw RuleEvaluationError(reason: "no such query")
        }
    }

    static func context(value: Double, labels: [(String, String)]) -> TemplateContext {
        TemplateContext(
            alertName: "T",
            labels: Labels(labels),
            externalLabels: ["cluster": "kit"],
            externalURL: "http://weir.example/pre",
            value: value,
            query: Self.query
        )
    }

    private static let labels = [("a", "x"), ("b", "y z")]

    @Test(
        arguments: [
            (
                7.5, "{{ $value }}",
                "7.5"
            ),
            (
                7.5,
                "v={{ $value | humanize }}|{{ humanize1024 $value }}|{{ humanizeDuration $value }}|{{ humanizePercentage $value }}|{{ humanizeTimestamp $value }}",
                "v=7.5|7.5|7.5s|750%|1970-01-01 00:00:07.5 +0000 UTC"
            ),
            (
                7.5,
                "{{ $labels.a }}|{{ .Labels.a }}|{{ $labels.none }}|{{ $externalLabels.cluster }}|{{ .ExternalLabels.cluster }}",
                "x|x||kit|kit"
            ),
            (
                7.5,
                "{{ if gt $value 5.0 }}big{{ else if eq $value 5.0 }}five{{ else }}small{{ end }}",
                "big"
            ),
            (
                7.5, #"{{ if and (eq $labels.a "x") (ne $labels.b "x") }}yes{{ else }}no{{ end }}"#,
                "yes"
            ),
            (
                7.5, "{{ with $labels.none }}some{{ else }}none{{ end }}",
                "none"
            ),
            (
                7.5, #"a  {{- " b " -}}  c"#,
                "a b c"
            ),
            (
                7.5, "{{/* nothing */}}x{{- /* trim */ -}} y",
                "xy"
            ),
            (
                7.5, #"{{ $x := 5 }}{{ $y := "q" }}{{ $x }}{{ $y }}{{ $x = 6 }}{{ $x }}"#,
                "5q6"
            ),
            (
                7.5, "{{ range $k, $v := $labels }}{{ $k }}={{ $v }};{{ end }}",
                "a=x;b=y z;"
            ),
            (
                7.5, "{{ range $labels }}{{ . }},{{ end }}",
                "x,y z,"
            ),
            (
                7.5, #"{{ range query "vector(3)" }}{{ .Value }}{{ else }}none{{ end }}"#,
                "3"
            ),
            (
                7.5, #"{{ range query "vector(3) > 5" }}{{ .Value }}{{ else }}none{{ end }}"#,
                "none"
            ),
            (
                7.5,
                #"{{ with query "vector(3)" }}{{ . | first | value | printf "%.3f" }}{{ end }}"#,
                "3.000"
            ),
            (
                7.5,
                #"{{ query "label_replace(vector(3), \"l\", \"z\", \"\", \"\")" | first | label "l" }}"#,
                "z"
            ),
            (
                7.5,
                #"{{ range query "label_replace(vector(3), \"l\", \"z\", \"\", \"\") or label_replace(vector(4), \"l\", \"b\", \"\", \"\")" | sortByLabel "l" }}{{ .Labels.l }}={{ .Value }} {{ end }}"#,
                "b=4 z=3 "
            ),
            (
                7.5,
                #"{{ printf "%5.1f|%-6s|%06d|%q|%v|%t|%x|%e|%g|%%" $value "ab" 42 "q\"" $value true 255 $value $value }}"#,
                #"  7.5|ab    |000042|"q\""|7.5|true|ff|7.500000e+00|7.5|%"#
            ),
            (
                7.5, #"{{ printf "%d %s" $value $value }}"#,
                "%!d(float64=7.5) %!s(float64=7.5)"
            ),
            (
                7.5, #"{{ printf "%d" }}"#,
                "%!d(MISSING)"
            ),
            (
                7.5, #"{{ printf "%d" 1 2 }}"#,
                "1%!(EXTRA int=2)"
            ),
            (
                7.5, #"{{ "aB cd" | title }}|{{ toUpper "aB" }}|{{ "aB" | toLower }}"#,
                "AB Cd|AB|ab"
            ),
            (
                7.5,
                #"{{ match "a+" "caat" }}|{{ match "^a+$" "caat" }}|{{ reReplaceAll "(.*):(.*)" "$2-${1}" "host:80" }}|{{ reReplaceAll "a(x*)" "$1y$$" "-ab-axxb-" }}"#,
                "true|false|80-host|-$b-$b-"
            ),
            (
                7.5, #"{{ graphLink "up == 1" }}|{{ tableLink "sum(x{y=\"z\"})" }}"#,
                "/graph?g0.expr=up+%3D%3D+1&g0.tab=0|/graph?g0.expr=sum%28x%7By%3D%22z%22%7D%29&g0.tab=1"
            ),
            (
                7.5,
                #"{{ len "abc" }}|{{ len $labels }}|{{ index $labels "a" }}|{{ not true }}|{{ or "" "b" }}|{{ and "a" "" }}"#,
                "3|2|x|false|b|"
            ),
            (
                7.5, #"{{ print 1 2 "a" "b" 3 }}|{{ println "x" }}"#,
                "1 2ab3|x\n"
            ),
            (
                7.5,
                #"{{ eq 1 1 }}|{{ eq "a" "b" "a" }}|{{ lt 1 2 }}|{{ ge "b" "a" }}|{{ le 2.5 2.5 }}"#,
                "true|true|true|true|true"
            ),
            (
                7.5,
                #"{{ 0x10 }}|{{ 1e3 }}|{{ -3 }}|{{ 'a' }}|{{ true }}|{{ `raw\n` }}|{{ "tab\tq\u00e4" }}"#,
                "16|1000|-3|97|true|raw\\n|tab\tqä"
            ),
            (
                7.5, "{{ $labels }}",
                "map[a:x b:y z]"
            ),
            (
                7.5, #"{{ html "<a & \"b\">" }}|{{ urlquery "a b&c" }}|{{ js "a'b" }}"#,
                #"&lt;a &amp; &#34;b&#34;&gt;|a+b%26c|a\'b"#
            ),
            (
                7.5, #"{{ (printf "%s" "x") }}|{{ (index $labels "a") | toUpper }}"#,
                "x|X"
            ),
            (
                7.5, #"{{ args 1 "b" }}|{{ (args 1 "b").arg1 }}"#,
                "map[arg0:1 arg1:b]|b"
            ),
            (
                7.5, "{{ externalURL }}|{{ pathPrefix }}",
                "http://weir.example/pre|/pre"
            ),
            (
                7.5,
                #"{{ humanizeTimestamp 1435065584.128 }}|{{ humanizeDuration 899.99 }}|{{ humanizeDuration 93784 }}|{{ humanizeDuration 0.0012 }}|{{ humanizeDuration "60" }}|{{ humanize 1234567.0 }}|{{ humanize1024 1048576.0 }}|{{ humanize 0.00012 }}|{{ humanize 0 }}|{{ humanize "1e10" }}|{{ humanizePercentage 0.1234567 }}|{{ humanizeDuration -3700 }}|{{ humanize1024 0.5 }}"#,
                "2015-06-23 13:19:44.128 +0000 UTC|14m 59s|1d 2h 3m 4s|1.2ms|1m 0s|1.235M|1Mi|120u|0|10G|12.35%|-1h 1m 40s|0.5"
            ),
            (
                7.5,
                #"{{ slice "abcdef" 1 3 }}|{{ stripPort "a.b:80" }}|{{ stripDomain "a.b.c:80" }}|{{ parseDuration "1h30m" }}"#,
                "bc|a.b|a:80|5400"
            ),
            (
                7.5, #"{{ range $i, $s := query "vector(3)" }}{{ $i }}:{{ $s.Value }}{{ end }}"#,
                "0:3"
            ),
            (
                7.5, "{{ if $labels.a }}{{ if $labels.none }}1{{ else }}2{{ end }}{{ end }}",
                "2"
            ),
            (
                7.5,
                "{{ 1234567.0 }}|{{ 123456.0 }}|{{ 0.0001 }}|{{ 0.00001 }}|{{ 1e21 }}|{{ 1.5 }}|{{ 100.0 }}",
                "1.234567e+06|123456|0.0001|1e-05|1e+21|1.5|100"
            ),
            (
                7.5, #"{{ safeHtml "<b>" }}|{{ strvalue (query "vector(1)" | first) }}"#,
                "<b>|"
            ),
            (
                7.5, #"{{ range query "vector(1)" }}{{ break }}x{{ end }}done"#,
                "done"
            ),
            (
                1_234_567, "{{ $value }}",
                "1.234567e+06"
            ),
            (
                1_234_567,
                "v={{ $value | humanize }}|{{ humanize1024 $value }}|{{ humanizeDuration $value }}|{{ humanizePercentage $value }}|{{ humanizeTimestamp $value }}",
                "v=1.235M|1.177Mi|14d 6h 56m 7s|1.235e+08%|1970-01-15 06:56:07 +0000 UTC"
            ),
            (
                0.00031, "{{ $value }}",
                "0.00031"
            ),
            (
                0.00031,
                "v={{ $value | humanize }}|{{ humanize1024 $value }}|{{ humanizeDuration $value }}|{{ humanizePercentage $value }}|{{ humanizeTimestamp $value }}",
                "v=310u|0.00031|310us|0.031%|1970-01-01 00:00:00 +0000 UTC"
            ),
            (
                0, "{{ $value }}",
                "0"
            ),
            (
                0,
                "v={{ $value | humanize }}|{{ humanize1024 $value }}|{{ humanizeDuration $value }}|{{ humanizePercentage $value }}|{{ humanizeTimestamp $value }}",
                "v=0|0|0s|0%|1970-01-01 00:00:00 +0000 UTC"
            ),
            (
                -12.25, "{{ $value }}",
                "-12.25"
            ),
            (
                -12.25,
                "v={{ $value | humanize }}|{{ humanize1024 $value }}|{{ humanizeDuration $value }}|{{ humanizePercentage $value }}|{{ humanizeTimestamp $value }}",
                "v=-12.25|-12.25|-12.25s|-1225%|1969-12-31 23:59:47.75 +0000 UTC"
            ),
            (
                1e21, "{{ $value }}",
                "1e+21"
            ),
        ] as [(Double, String, String)]
    )
    func templatesGiveWhatPrometheusGives(
        value: Double,
        text: String,
        expected: String
    ) throws {
        let template = try Template(parsing: text)
        #expect(try template.expand(Self.context(value: value, labels: Self.labels)) == expected)
    }

    @Test(
        arguments: [
            (7.5, "{{ title 5 }}"),
            (7.5, "{{ .Nope }}"),
            (7.5, #"{{ first (query "vector(1) > 2") }}"#),
            (7.5, "{{ $value | $labels.a }}"),
            (7.5, "{{ index $labels 1 }}"),
            (
                1e21,
                "v={{ $value | humanize }}|{{ humanize1024 $value }}|{{ humanizeDuration $value }}|{{ humanizePercentage $value }}|{{ humanizeTimestamp $value }}"
            ),
            (1, #"{{ query "bad(" }}"#),
            (1, #"{{ len 5 }}"#),
            (1, #"{{ slice "abc" 2 1 }}"#),
            (1, #"{{ index (query "vector(3)") 7 }}"#),
            (1, #"{{ lt "a" 5 }}"#),
            (1, #"{{ humanize "x" }}"#),
            (1, #"{{ reReplaceAll "(" "" "x" }}"#),
            (1, #"{{ range 5.5 }}{{ end }}"#),
            (1, #"{{ first "x" }}"#),
            (1, #"{{ 1 | 2.5 | print }}"#),
        ] as [(Double, String)]
    )
    func failuresBecomeAnExplanation(value: Double, text: String) {
        let context = Self.context(value: value, labels: Self.labels)
        guard let template = try? Template(parsing: text) else { return }
        #expect(throws: TemplateError.self) { try template.expand(context) }
        #expect(
            template.expandOrExplain(context)
                .hasPrefix("<error expanding template: error executing template __alert_T: ")
        )
    }

    @Test(arguments: [
        "{{", "{{ }}", "{{ nope }}", "{{ $nope }}", "{{ if }}x{{ end }}", "{{ if true }}x",
        "{{ end }}", "{{ else }}", "{{ range }}{{ end }}", "{{ 'ab' }}", "{{ \"a }}", "{{ `a }}",
        "{{/* a }}", "{{ (1 }}", "{{ 1) }}", "{{ | print }}", "{{ print | }}", "{{ 1 | 2 }}",
        "{{ break }}", "{{ template \"x\" }}", "{{ define \"x\" }}{{ end }}", "{{ 1x }}",
        "{{ $x = 5 }}", "{{ \"\\q\" }}", "{{ if true }}{{ else }}{{ else }}{{ end }}",
        "{{ a := 5 }}",
        "{{ # }}", "{{ if true }}{{ $x := 1 }}{{ end }}{{ $x }}",
    ])
    func whatIsNoTemplateIsRefused(text: String) {
        #expect(throws: TemplateError.self) { try Template(parsing: text) }
    }

    @Test func numbersAndFloatsMayBeCompared() throws {
        let template = try Template(parsing: "{{ if gt $value 5 }}more{{ end }}")
        #expect(try template.expand(Self.context(value: 7.5, labels: [])) == "more")
    }

    @Test func aTemplateCannotRunAway() throws {
        let loop = "{{ range 1000 }}{{ range 1000 }}x{{ end }}{{ end }}"
        let template = try Template(parsing: loop)
        #expect(throws: TemplateError.self) {
            try template.expand(Self.context(value: 1, labels: []))
        }
        let nested =
            String(repeating: "{{ if true }}", count: 100)
            + String(repeating: "{{ end }}", count: 100)
        #expect(throws: TemplateError.self) { try Template(parsing: nested) }
        let parentheses =
            "{{ " + String(repeating: "(", count: 500) + "1"
            + String(repeating: ")", count: 500) + " }}"
        #expect(throws: TemplateError.self) { try Template(parsing: parentheses) }
    }

    @Test func aPlainTextIsNeverParsed() throws {
        #expect(Template(plain: "{{ nope }}").text == "{{ nope }}")
        let context = Self.context(value: 1, labels: [])
        #expect(try Template(plain: "{{ nope }}").expand(context) == "{{ nope }}")
    }
}
