import Testing
import WeirCore
import WeirWire

@Suite struct LokiPushParserTests {
    private static func json(_ text: String) throws -> LogResult {
        try LokiPushParser.parseJSON(Array(text.utf8), options: LogRendering.options())
    }

    @Test func jsonEntriesBecomeRows() throws {
        let result = try Self.json(
            #"""
            {"streams":[
              {"stream":{"app":"a","n":1},"extra":[{}],"values":[
                ["1790000000000000001","line \"one\"\n"],
                ["5", "two", {"trace_id":"abc","n":2,"ok":true}, "more"],
                [1790000000000000000, "three"]]},
              {"values":[["1","four"]],"stream":{"app":"b"}},
              {"stream":{"app":"none"}}
            ],"other":1}
            """#
        )
        #expect(
            LogRendering.rows(result) == [
                #"{app="a", n="1"}|1790000000000000001|body="line \"one\"\n""#,
                #"{app="a", n="1"}|5|body="two" trace_id="abc" n=2 ok=true"#,
                #"{app="a", n="1"}|now|body="three""#,
                #"{app="b"}|1|body="four""#,
            ]
        )
        #expect(LogRendering.isConsistent(result))
    }

    @Test func badEntriesAreRefusedAndTheirNeighboursKept() throws {
        let result = try Self.json(
            #"""
            {"streams":[{"stream":{"app":"a"},"values":[["x","one"],["1","two"],["1"],7,["1",2],
              ["2000000000000000000","far"],["2","three"]]}]}
            """#
        )
        #expect(
            LogRendering.rows(result).map { $0.suffix(7) }
                == [#"y="two""#, #"="three""#].map { $0.suffix(7) }
        )
        #expect(
            LogRendering.refusals(result) == [
                #"#1: field "time": "x" is no time"#,
                "#3: a time or a line of an entry is missing",
                #"#4: byte 1: "7" where an array is expected"#,
                #"#5: byte 6: "2" where a line is expected"#,
                #"#6: time "2000000000000000000" is more than 2d in the future"#,
            ]
        )
    }

    @Test(arguments: ["", "[]", "{}", "{\"streams\":[}", "{\"streams\":[]}x", "{\"streams\":7}"])
    func whatIsNoPushIsRefused(_ text: String) {
        #expect(throws: LogError.self) { try Self.json(text) }
    }

    @Test func bytesThatAreNoUTF8AreKept() throws {
        let body =
            Array(#"{"streams":[{"stream":{},"values":[["1",""#.utf8) + [0xFF]
            + Array(#""]]}]}"#.utf8)
        let result = try LokiPushParser.parseJSON(body, options: LogRendering.options())
        #expect(result.batch.fields[""]?.values[0] == [0xFF])
    }

    private static func entry(_ seconds: UInt64, _ line: String) -> Message {
        Message().message(1, Message().varint(1, seconds).varint(2, 500)).text(2, line)
            .message(3, Message().text(1, "span").text(2, "s"))
    }

    private static func push(_ labels: String) -> Message {
        Message().message(
            1,
            Message().text(1, labels).message(2, entry(1, "one")).message(2, entry(2, "two"))
                .varint(3, 77)
        )
    }

    private static func proto(_ body: [UInt8], bytesMax: Int = 1 << 20) throws -> LogResult {
        try LokiPushParser.parseProtobuf(
            body,
            bytesMax: bytesMax,
            options: LogRendering.options()
        )
    }

    @Test func protobufEntriesBecomeRows() throws {
        let result = try Self.proto(Self.push(#"{app="a", path="/x\"y\\"}"#).snappy)
        #expect(
            LogRendering.rows(result) == [
                #"{app="a", path="/x\"y\\"}|1000000500|span="s" body="one""#,
                #"{app="a", path="/x\"y\\"}|2000000500|span="s" body="two""#,
            ]
        )
    }

    @Test(arguments: [
        "", "app", "{app}", "{app=}", "{app=\"a}", "{app=\"a\"", "{app=\"a\"}x", "{=\"a\"}",
    ])
    func labelsThatAreNoneRefuseTheirEntries(_ labels: String) throws {
        let result = try Self.proto(Self.push(labels).snappy)
        #expect(result.refusedCount == 2 && result.batch.rowCount == 0)
    }

    @Test func truncatedAndLyingBlocksAreRefused() throws {
        let whole = Self.push("{a=\"b\"}").snappy
        for count in 0..<whole.count {
            #expect(throws: LogError.self) { try Self.proto(Array(whole[..<count])) }
        }
        // A gigabyte claimed by five bytes, and a claim above the limit.
        for claim in [1 << 30, UInt64(UInt32.max)] {
            var lie: [UInt8] = []
            claim.appendVarint(to: &lie)
            #expect(throws: LogError.self) { try Self.proto(lie + [0, 0], bytesMax: .max) }
            #expect(throws: LogError.self) { try Self.proto(lie + [0, 0]) }
        }
    }
}
