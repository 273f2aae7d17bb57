import Testing
import WeirCore
import WeirWire

@Suite struct TextLogParserTests {
    @Test func plainLinesAreBodies() {
        var options = LogRendering.options()
        options.extraLabels = [("job", "x")]
        let body = Array("one\r\n\n  two {\n".utf8) + [0x00, 0xFF, 0x0A] + Array("three".utf8)
        let result = TextLogParser.parse(body, options: options)
        #expect(result.refusedCount == 0)
        #expect(result.batch.streams == [Labels(["job": "x"])])
        let bodies = result.batch.fields[""]
        #expect(
            (0..<4).map { Array(bodies?.values[$0] ?? []) } == [
                Array("one".utf8), Array("  two {".utf8), [0x00, 0xFF], Array("three".utf8),
            ]
        )
    }

    static let logfmt: [(String, [String], [String])] = [
        (
            #"time=1970-01-01T00:00:01Z level=info msg="hello \"you\"\n" n=1.50 ok=true dry service=web path=/a?b=c s="1" e="#,
            [
                #"{service="web"}|1000000000|level="info" body="hello \"you\"\n" n=1.50 ok=true dry=true path="/a?b=c" s="1" e="""#
            ],
            []
        ),
        (
            "a=1 a=2\n\nno pairs here\nb=\"open\nc=3 =4\nd=5",
            ["{}|now|a=2", "{}|now|d=5"],
            [
                "3: no pair of key=value",
                "4: byte 8: the end where a closing quote is expected",
                #"5: byte 5: "=" where a key is expected"#,
            ]
        ),
        (
            "ts=0001-01-01T00:00:00Z a=1\nts=x a=1\ndate=x a=1",
            [#"{}|now|date="x" a=1"#],
            [
                #"1: field "ts": "0001-01-01T00:00:00Z" is outside of the years 1678 to 2261"#,
                #"2: field "ts": "x" is no time"#,
            ]
        ),
    ]

    @Test(arguments: logfmt)
    func logfmtBecomesFields(_ body: String, _ rows: [String], _ refusals: [String]) {
        let result = LogfmtParser.parse(Array(body.utf8), options: LogRendering.options())
        #expect(LogRendering.rows(result) == rows)
        #expect(LogRendering.refusals(result) == refusals)
        #expect(LogRendering.isConsistent(result))
    }
}
