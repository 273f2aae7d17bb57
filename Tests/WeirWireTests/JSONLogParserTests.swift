import Testing
import WeirCore
import WeirTestSupport
import WeirWire

@Suite struct JSONLogParserTests {
    struct Case: Sendable {
        let name: String
        let body: String
        var rows: [String] = []
        var refusals: [String] = []
    }

    static let cases: [Case] = [
        Case(name: "nothing", body: ""),
        Case(name: "blank lines", body: "\n \r\n\t\n"),
        Case(
            name: "kinds",
            body:
                #"{"message":"hi","n":1,"f":-0.50e+3,"t":true,"f2":false,"z":null,"a":[1, "x"],"s":""}"#,
            rows: [#"{}|now|body="hi" n=1 f=-0.50e+3 t=true f2=false a=[1, "x"] s="""#]
        ),
        Case(
            name: "nested objects",
            body: #"{"a":{"b":{"c":1},"d":"x"},"e":{},"f":{"g":[{"h":{}}]}}"#,
            rows: [#"{}|now|a.b.c=1 a.d="x" e={} f.g=[{"h":{}}]"#]
        ),
        Case(
            name: "streams",
            body: """
                {"service":"web","host":"a","msg":"1"}
                {"host":"a","service":"web","msg":"2"}
                {"service":{"name":"api"},"host":{"name":"b"},"msg":"3"}
                {"service":"","env":7,"app":null,"msg":"4"}
                """,
            rows: [
                #"{host="a", service="web"}|now|body="1""#,
                #"{host="a", service="web"}|now|body="2""#,
                #"{host.name="b", service.name="api"}|now|body="3""#,
                #"{env="7"}|now|body="4""#,
            ]
        ),
        Case(
            name: "the first body name wins",
            body: #"{"log":"a","msg":"b","message":"c"}"# + "\n" + #"{"log":"a","_msg":"b"}"# + "\n"
                + #"{"log":{"level":"error"},"message":"m"}"#,
            rows: [
                #"{}|now|body="c" log="a" msg="b""#,
                #"{}|now|body="b" log="a""#,
                #"{}|now|body="m" log.level="error""#,
            ]
        ),
        Case(
            name: "times",
            body: """
                {"time":"1970-01-01T00:00:01.5Z","m":1}
                {"timestamp":1790000000,"m":2}
                {"ts":1790000000.123456789,"m":3}
                {"_time":"1790000000123","m":4}
                {"@timestamp":"2026-09-21 14:13:20,5","m":5}
                {"time":null,"ts":1790000000000000,"m":6}
                {"ts":2,"time":1,"m":7}
                {"date":1790000000.25,"m":8}
                {"date":"tomorrow","m":9}
                """,
            rows: [
                "{}|1500000000|m=1", "{}|now|m=2", "{}|1790000000123456789|m=3",
                "{}|1790000000123000000|m=4", "{}|1790000000500000000|m=5", "{}|now|m=6",
                "{}|1000000000|m=7 ts=2", "{}|1790000000250000000|m=8",
                #"{}|now|m=9 date="tomorrow""#,
            ]
        ),
        Case(
            name: "of equal keys the last wins",
            body:
                #"{"a":1,"msg":"x","service":"p","time":5,"a":"2","msg":"y","service":"q","time":6}"#,
            rows: [#"{service="q"}|6000000000|body="y" a="2""#]
        ),
        Case(
            name: "escapes",
            body:
                #"{"m":"a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\ud800x\u0000","\u006b\n":"v","serv\u0069ce":"\u0041"}"#,
            rows: [
                #"{service="A"}|now|m="a\"\\/\u0008\u000c\n\r\té😀�x\u0000" k\#n="v""#
            ]
        ),
        Case(
            name: "an array, on one line and on many",
            body: #"[{"m":1},{"m":2}]"# + "\n" + "[\n {\"m\":3},\n\n {\"m\":4}\n]\n[]\n{\"m\":5}",
            rows: ["{}|now|m=1", "{}|now|m=2", "{}|now|m=3", "{}|now|m=4", "{}|now|m=5"]
        ),
        Case(
            name: "objects one after another",
            body: #"{"m":1}{"m":2} {"m":"# + "\n3}",
            rows: ["{}|now|m=1", "{}|now|m=2", "{}|now|m=3"]
        ),
        Case(
            name: "a byte order mark",
            body: "\u{FEFF}{\"m\":1}",
            rows: ["{}|now|m=1"]
        ),
        Case(
            name: "an empty key",
            body: #"{"":1,"a":{"":2}}"#,
            rows: ["{}|now|_empty=1 a.=2"]
        ),
        Case(
            name: "bad lines among good ones",
            body: """
                {"m":1}
                plain text
                {"m":2}
                {"m":"cut
                {"m":3,}
                {"m":4}
                {"m":01}
                {"m" 5}
                {"m":tru}
                {"m":"\\x"}
                {}
                {"m":6} {"m":
                {"m":7}
                "text"
                {"m":8}
                """,
            rows: [
                "{}|now|m=1", "{}|now|m=2", "{}|now|m=4", "{}|now|m=6", "{}|now|m=7", "{}|now|m=8",
            ],
            refusals: [
                #"2: byte 1: "p" where an object is expected"#,
                "4: byte 10: control byte end of line in a string; it must be escaped",
                #"5: byte 8: "}" where a key is expected"#,
                "7: byte 6: no number of JSON",
                #"8: byte 6: "5" where ":" is expected"#,
                #"9: byte 6: "t" where a value is expected"#,
                "10: byte 7: no escape of JSON",
                "11: no fields",
                #"12: byte 15: """ where "," or "}" is expected"#,
                #"14: byte 1: """ where an object is expected"#,
            ]
        ),
        Case(
            name: "bad elements of an array",
            body: #"[{"m":1},7,{"m":2},"x",{"m":3}]"#,
            rows: ["{}|now|m=1", "{}|now|m=2", "{}|now|m=3"],
            refusals: [
                #"1: byte 1: "7" where an object is expected"#,
                #"1: byte 1: """ where an object is expected"#,
            ]
        ),
        Case(
            name: "a broken array",
            body: "[{\"m\":1},\n{\"m\":\n{\"m\":2},\n{\"m\":3}",
            rows: ["{}|now|m=1", "{}|now|m=2", "{}|now|m=3"],
            refusals: [
                #"2: byte 16: "{" where a key is expected"#,
                #"4: byte 8: the end where "," or "]" is expected"#,
            ]
        ),
        Case(
            name: "times that are none",
            body: """
                {"time":"0001-01-01T00:00:00Z","m":1}
                {"time":"9999-12-31T23:59:59Z","m":2}
                {"time":"soon","m":3}
                {"time":true,"m":4}
                {"time":"2027-01-01T00:00:00Z","m":5}
                {"time":99999999999999999999,"m":6}
                {"m":7}
                """,
            rows: ["{}|now|m=7"],
            refusals: [
                #"1: field "time": "0001-01-01T00:00:00Z" is outside of the years 1678 to 2261"#,
                #"2: field "time": "9999-12-31T23:59:59Z" is outside of the years 1678 to 2261"#,
                #"3: field "time": "soon" is no time"#,
                #"4: field "time": "true" is no time"#,
                #"5: time "2027-01-01T00:00:00Z" is more than 2d in the future"#,
                #"6: field "time": "99999999999999999999" is outside of the years 1678 to 2261"#,
            ]
        ),
    ]

    @Test(arguments: cases) func linesBecomeRows(_ example: Case) {
        let result = JSONLogParser.parse(Array(example.body.utf8), options: LogRendering.options())
        #expect(LogRendering.rows(result).map(sorted) == example.rows.map(sorted))
        #expect(LogRendering.refusals(result) == example.refusals)
        #expect(LogRendering.isConsistent(result))
    }

    /// Fields come in the order their names were first seen, which is not what is asked here.
    private func sorted(_ row: String) -> String {
        let parts = row.split(separator: "|", maxSplits: 2, omittingEmptySubsequences: false)
        return parts.dropLast().joined(separator: "|") + "|"
            + (parts.last ?? "").split(separator: " ").sorted().joined(separator: " ")
    }

    @Test func bytesThatAreNoUTF8AreKept() {
        let body =
            Array(#"{"message":"a"#.utf8) + [0xFF, 0xC3] + Array(#"","service":"x"#.utf8)
            + [0xFE] + Array(#""}"#.utf8)
        let result = JSONLogParser.parse(body, options: LogRendering.options())
        #expect(result.batch.fields[""]?.values[0] == [0x61, 0xFF, 0xC3])
        #expect(result.batch.streams == [Labels(["service": "x\u{FFFD}"])])
    }

    @Test func longValuesAreCutAndMarked() {
        let long = String(repeating: "ä", count: 5_000_000)
        let body =
            "{\"message\":\"\(long)\",\"a\":1}\n{\"message\":\"short\"}\n{\"x\":[\"\(long)\"]}"
        let result = JSONLogParser.parse(Array(body.utf8), options: LogRendering.options())
        #expect(result.refusedCount == 0)
        #expect(result.cutCount == 2)
        let body0 = result.batch.fields[""]?.values[0]
        #expect(body0?.count == 256 << 10)
        #expect(body0?.last == 0xA4, "no character is split")
        let mark = result.batch.fields[LogOptions.truncatedName]
        #expect(mark?.rows == [0, 2])
        #expect(mark?.values[0].elementsEqual("10000000".utf8) == true)
        #expect(result.batch.fields["x"]?.kinds == [FieldKind.text.rawValue])
    }

    @Test func limitsRefuseByName() {
        var options = LogRendering.options()
        options.limits.fieldsMax = 3
        options.limits.depthMax = 4
        options.limits.nameBytesMax = 10
        options.limits.labelValueBytesMax = 5
        let body = """
            {"a":1,"b":2,"c":3}
            {"a":1,"b":2,"c":3,"d":4}
            {"a":{"a":{"a":{"a":1}}}}
            {"a":{"a":{"a":{"a":{"a":1}}}}}
            {"a":[[[1]]]}
            {"a":[[[[1]]]]}
            {"12345678901":1}
            {"12345":{"67890":1}}
            {"service":"123456"}
            """
        let result = JSONLogParser.parse(Array(body.utf8), options: options)
        #expect(
            LogRendering.refusals(result) == [
                "2: more than 3 fields in a row (log-fields-max)",
                "4: more than 4 objects or arrays within each other",
                "6: more than 4 objects or arrays within each other",
                "7: a name of 11 bytes where at most 10 are allowed",
                "8: a name of 11 bytes where at most 10 are allowed",
                #"9: value of label "service" has 6 bytes where at most 5 are allowed"#,
            ]
        )
        #expect(result.batch.rowCount == 3)
    }

    @Test func tenThousandFieldsAreRefusedAndTheNeighboursKept() {
        let fields = (0..<10_000).map { "\"f\($0)\":\($0)" }.joined(separator: ",")
        let body = "{\"m\":1}\n{\(fields)}\n{\"m\":2}"
        let result = JSONLogParser.parse(Array(body.utf8), options: LogRendering.options())
        #expect(LogRendering.rows(result) == ["{}|now|m=1", "{}|now|m=2"])
        #expect(result.refusedCount == 1)
        #expect(LogRendering.isConsistent(result))
    }

    @Test func deepNestingIsRefusedAndTheNeighboursKept() {
        let deep = String(repeating: "[", count: 100_000)
        let objects = String(repeating: "{\"a\":", count: 100_000)
        let body = "{\"m\":1}\n{\"a\":\(deep)\n\(objects)\n{\"m\":2}\n[{\"a\":\(deep)\n]\n{\"m\":3}"
        let result = JSONLogParser.parse(Array(body.utf8), options: LogRendering.options())
        #expect(LogRendering.rows(result) == ["{}|now|m=1", "{}|now|m=2", "{}|now|m=3"])
        #expect(
            LogRendering.refusals(result).prefix(2) == [
                "2: more than 32 objects or arrays within each other",
                "3: more than 32 objects or arrays within each other",
            ]
        )
    }

    @Test func differentNamesAreLimitedToo() {
        var options = LogRendering.options()
        options.limits.namesMax = 100
        let body = (0..<300).map { "{\"f\($0)\":1}\n" }.joined() + "{\"f0\":2}"
        let result = JSONLogParser.parse(Array(body.utf8), options: options)
        #expect(result.batch.rowCount == 101)
        #expect(result.batch.fields.columns.count == 100)
        #expect(result.refusedCount == 200)
        #expect(result.refusals.count == LogResult.refusalsMax)
    }

    @Test func tooManyRowsAreRefusedAsAWhole() {
        var options = LogRendering.options()
        options.limits.rowsMax = 2
        let fits = JSONLogParser.parse(Array("{\"m\":1}\n{\"m\":2}\n".utf8), options: options)
        #expect(!fits.isTooLarge && fits.batch.rowCount == 2)
        let body = Array("[{\"m\":1},{\"m\":2},{\"m\":3}]".utf8)
        let result = JSONLogParser.parse(body, options: options)
        #expect(result.isTooLarge && result.batch.rowCount == 0)
    }

    @Test func namedFieldsAreUsedInsteadOfTheUsual() {
        var options = LogRendering.options()
        options.streamFields = ["kubernetes.pod"]
        options.timeFields = ["when"]
        options.softTimeFields = []
        options.bodyFields = ["text.en"]
        options.extraLabels = [("site", "x")]
        let body =
            #"{"kubernetes":{"pod":"p"},"when":1,"text":{"en":"hi"},"service":"s","time":2,"msg":"m"}"#
        let result = JSONLogParser.parse(Array(body.utf8), options: options)
        #expect(
            LogRendering.rows(result) == [
                #"{kubernetes.pod="p", site="x"}|1000000000|body="hi" service="s" time=2 msg="m""#
            ]
                || LogRendering.rows(result) == [
                    #"{kubernetes.pod="p", site="x"}|1000000000|service="s" time=2 msg="m" body="hi""#
                ]
        )
    }

    /// Whatever is cut out of, or put into, good lines: the rows that come out hold together, and
    /// lines that were left alone are there.
    @Test(arguments: 0..<40) func damagedBodiesKeepTheirNeighbours(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let lines = (0..<40).map { number in
            #"{"time":"2026-09-21T00:00:0\#(number % 10).5Z","service":"s\#(number % 3)","msg":"line \#(number)","http":{"status":\#(number)},"tags":["a",{"b":[1]}]}"#
        }
        let hurt = Int.random(in: 0..<lines.count, using: &random)
        var bytes: [UInt8] = []
        for (number, line) in lines.enumerated() {
            var line = Array(line.utf8)
            if number == hurt {
                for _ in 0..<3 {
                    let place = Int.random(in: 0..<line.count, using: &random)
                    // Anything but a line feed or brackets, with which it might swallow others.
                    let byte = UInt8.random(in: 0...255, using: &random)
                    if Array("\n{}[],:\"".utf8).contains(byte) { continue }
                    line[place] = byte
                }
            }
            bytes += line + [0x0A]
        }
        let result = JSONLogParser.parse(bytes, options: LogRendering.options())
        #expect(LogRendering.isConsistent(result))
        #expect(result.batch.rowCount >= lines.count - 1, "seed \(seed)")
        #expect(result.batch.rowCount + result.refusedCount == lines.count)
    }
}
