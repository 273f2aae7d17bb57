import Testing
import WeirCore
import WeirQuery

@Suite struct LogPipelineTests {
    static let table: LogTable = {
        var table = LogTable()
        table.add(
            1,
            ["service": "api"],
            "GET /cart took 12ms",
            [
                "level": "info", "status": "200", "duration": "12ms", "size": "1.5KB",
                "ip": "10.1.2.3",
            ]
        )
        table.add(
            2,
            ["service": "api"],
            "POST /pay failed: timeout",
            [
                "level": "error", "status": "503", "duration": "1.5s", "size": "20MB",
                "ip": "192.168.1.9",
            ]
        )
        table.add(
            3,
            ["service": "web", "host.name": "w1"],
            "{\"a\":{\"b\":[7,{\"c\":\"x\"}]},\"n\":1.5,\"t\":true,\"z\":null,\"service\":\"inner\"}"
        )
        table.add(
            4,
            ["service": "web", "host.name": "w2"],
            "ts=1 level=warn msg=\"two words\" took=3ms bare",
            [:]
        )
        table.add(
            5,
            ["service": "db"],
            nil,
            ["http.method": "GET", "n": "4", "ok": "true", "severity": "WARN"]
        )
        table.add(
            6,
            ["service": "db"],
            "10.0.0.7 - \"GET /x\" 200",
            ["severity_text": "debug", "user": "bob"]
        )
        table.add(7, ["service": "old"], "not json at all")
        table.add(8, ["service": "old"], "\u{1B}[31mred\u{1B}[0m text")
        table.add(9, ["service": "old"], "{\"_entry\":\"the line\",\"pod\":\"p1\",\"n\":5}")
        return table
    }()

    static let kept: [(String, [Int])] = [
        ("{}", [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("{service=\"api\"}", [1, 2]),
        ("{host_name=~\"w.\"}", [3, 4]),
        ("{host_name=\"w2\"}", [4]),
        ("{} |= \"took\"", [1, 4]),
        ("{} |= \"took\" != \"GET\"", [4]),
        ("{} |= \"timeout\" or \"red\"", [2, 8]),
        ("{} != \"a\" or \"e\" or \"o\"", [6]),
        ("{} |~ \"fail(ed|ure)\"", [2]),
        ("{} |~ \"(?i)get\"", [1, 5, 6]),
        ("{} !~ \"[0-9]\"", [2, 7]),
        ("{} |~ \"GET|POST\"", [1, 2, 5, 6]),
        ("{} |= ip(\"10.0.0.0/8\")", [6]),
        ("{} |> \"<_> took <_>\"", [1]),
        ("{service=\"api\"} !> \"<_> took <_>\"", [2]),
        ("{} | level=\"error\"", [2]),
        ("{} | level=~\"(?i)warn|debug\"", [5, 6]),
        ("{} | detected_level=\"info\"", [1]),
        ("{} | severity=\"WARN\"", [5]),
        ("{} | http_method=\"GET\"", [5]),
        ("{} | host_name=\"w1\"", [3]),
        ("{} | msg=\"not json at all\"", [7]),
        ("{} | user=\"\"", [1, 2, 3, 4, 5, 7, 8, 9]),
        ("{} | user!=\"\"", [6]),
        ("{} | status>=500", [2]),
        ("{} | status=200", [1]),
        ("{} | status!=200", [2]),
        ("{} | duration>1s", [2]),
        ("{} | size<2KB", [1]),
        ("{} | ip=ip(\"10.0.0.0/8\")", [1]),
        ("{} | ip!=ip(\"10.0.0.0/8\")", [2]),
        ("{} | status>=500 or n=4", [2, 5]),
        ("{} | (status>=500 or level=\"info\") and size>1MB", [2]),
        ("{} | json | a_b=\"x\"", []),
        ("{} | json | n=1.5", [3, 4, 7, 8]),
        ("{} | json | service_extracted=\"inner\"", [3]),
        ("{} | json x=\"a.b[1].c\" | x=\"x\"", [3]),
        ("{} | json | __error__=\"JSONParserErr\"", [4, 7, 8]),
        ("{service=\"api\"} | json | status=503", [2]),
        ("{} | logfmt | took=3ms", [4]),
        ("{} | logfmt | msg=\"two words\"", [4]),
        ("{} | logfmt m=\"msg\" | m=\"two words\"", [4]),
        ("{} | pattern \"<ip> - \\\"<method> <_>\" | method=\"GET\"", [6]),
        ("{} | regexp \"took (?P<ms>\\\\d+)ms\" | ms=12", [1]),
        ("{} | unpack | pod=\"p1\" |= \"the line\"", [9]),
        ("{} | line_format \"{{.level}}\" |= \"err\"", [2]),
        ("{} | label_format lvl=level | lvl=\"error\"", [2]),
        ("{} | drop status | status=\"200\"", []),
        ("{} | keep level | status=\"200\"", []),
        ("{} | level > 5 | __error__!=\"\"", [1, 2, 5, 6]),
        ("{} | decolorize |= \"red text\"", [8]),
    ]

    @Test(arguments: kept)
    func keepsTheRightRows(_ query: String, _ times: [Int]) throws {
        #expect(try Self.table.source.entries(query).map { Int($0.time) } == times)
    }

    static let made: [(String, String)] = [
        (
            "{service=\"db\"} | n=4",
            "{\"http.method\":\"GET\",\"n\":4,\"ok\":true,\"severity\":\"WARN\"}"
        ),
        (
            "{} | user=\"bob\" | line_format \"{{.user | ToUpper}} {{.nosuch}}|{{printf \\\"%05.1f\\\" 3}}\"",
            "BOB |003.0"
        ),
        (
            "{} | status=200 | line_format \"{{if eq .level \\\"info\\\"}}I{{else if .x}}X{{else}}O{{end}} {{__line__ | trunc 3}}\"",
            "I GET"
        ),
        (
            "{} | status=200 | line_format `{{ regexReplaceAll \"t(oo)k\" __line__ \"${1}\" | replace \"GET\" \"g\" }}`",
            "g /cart oo 12ms"
        ),
        (
            "{} | status=200 | line_format `{{ default \"none\" .nosuch }} {{ add 1 2 }} {{ substr 0 2 .level }}`",
            "none 3 in"
        ),
        ("{} | status=200 | line_format `{{- .level -}}   {{ .status }}`", "info200"),
        ("{} | status=200 | line_format `{{ __timestamp__ }}`", "1970-01-01T00:00:00.000000001Z"),
        (
            "{} | status=200 | line_format `{{ alignRight 6 .level }}{{ alignLeft 6 .level }}|`",
            "  infoinfo  |"
        ),
    ]

    @Test(arguments: made)
    func makesLines(_ query: String, _ line: String) throws {
        #expect(try Self.table.source.lines(query) == [line])
    }

    static let labelled: [(String, String)] = [
        (
            "{service=\"api\"} | status=503",
            "{duration=\"1.5s\", ip=\"192.168.1.9\", level=\"error\", service=\"api\", size=\"20MB\", status=\"503\"}"
        ),
        (
            "{service=\"api\"} | status=503 | keep level, service",
            "{level=\"error\", service=\"api\"}"
        ),
        (
            "{service=\"api\"} | status=503 | drop ip, size, duration=\"x\"",
            "{duration=\"1.5s\", level=\"error\", service=\"api\", status=\"503\"}"
        ),
        (
            "{host_name=\"w1\"} | json",
            "{a_b=\"\", host_name=\"w1\", n=\"1.5\", service=\"web\", service_extracted=\"inner\", t=\"true\"}"
        ),
        (
            "{host_name=\"w2\"} | logfmt",
            "{host_name=\"w2\", level=\"warn\", msg=\"two words\", service=\"web\", took=\"3ms\", ts=\"1\"}"
        ),
        (
            "{} |= \"not json\" | json",
            "{__error__=\"JSONParserErr\", __error_details__=\"the line is no JSON object\", service=\"old\"}"
        ),
        (
            "{} | n=4",
            "{http_method=\"GET\", n=\"4\", ok=\"true\", service=\"db\", severity=\"WARN\"}"
        ),
        (
            "{} | user=\"bob\" | label_format both=\"{{.user}}-{{.service}}\", who=user | keep who, both",
            "{both=\"bob-db\", who=\"bob\"}"
        ),
    ]

    @Test(arguments: labelled)
    func leavesTheRightLabels(_ query: String, _ labels: String) throws {
        let entry = try #require(try Self.table.source.entries(query).first)
        let shown = LabelOrder.pairs(entry.labels).map { "\($0.name)=\"\($0.value)\"" }
        #expect(
            "{" + shown.joined(separator: ", ") + "}" == labels.replacing("a_b=\"\", ", with: "")
        )
    }

    @Test func stopsRunawayPatternsByName() throws {
        var table = LogTable()
        table.add(1, [:], String(repeating: "a", count: 5000) + "!")
        #expect(throws: QueryError.limit(name: "regular expression steps", limit: 1_000_000)) {
            try table.source.lines("{} |~ \"^(a+)+$\"")
        }
        #expect(throws: QueryError.limit(name: "regular expression steps", limit: 1_000_000)) {
            try table.source.lines("{} | msg=~\"(a+)+[bc]\"")
        }
    }

    @Test func keepsInvalidUTF8() throws {
        var table = LogTable()
        table.add(1, [:], nil)
        table.batch.fields.set(
            table.batch.fields.index(of: [UInt8]().span, hint: -1),
            row: 0,
            kind: .text,
            value: [0x61, 0xFF, 0x62].span
        )
        let entries = try table.source.entries("{} |~ \"a.*b|b$\"")
        #expect(entries.first?.line == [0x61, 0xFF, 0x62])
    }

    @Test func findsIdsInFieldsAndLines() throws {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736"
        var table = LogTable()
        table.add(1, [:], "nothing here", ["trace_id": id])
        table.add(2, [:], "trace \(id) ended")
        table.add(3, [:], "nothing here", ["traceId": id])
        table.add(4, [:], "nothing here", ["trace_id": "other"])
        let search = try LogSearch(
            LogText.parse(id),
            times: 0...10,
            direction: .backward,
            source: table.source,
            context: QueryContext()
        )
        #expect(try search.next(10).map(\.time) == [3, 2, 1])
    }
}
