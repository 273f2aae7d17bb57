import Testing
import WeirCore
import WeirTestSupport
import WeirWire

@Suite struct SpanOTLPTests {
    private static func value(_ text: String) -> Message { Message().text(1, text) }

    static func pair(_ key: String, _ value: Message) -> Message {
        Message().text(1, key).message(2, value)
    }

    static let traceID: [UInt8] = (1...16).map { UInt8($0 * 15) }
    static let traceText = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"

    static func span(_ id: UInt8, _ start: UInt64 = 1_000_000_000) -> Message {
        Message().bytes(1, traceID).bytes(2, [0, 0, 0, 0, 0, 0, 0, id]).fixed64(7, start)
    }

    static let request: Message = {
        let resource = Message().message(1, pair("service.name", value("web")))
            .message(1, pair("host.cpus", Message().varint(3, 8))).varint(2, 3)
        let scope = Message().text(1, "kit.tracer").text(2, "1.2.3")
            .message(3, pair("deployment", value("blue"))).varint(4, 1)
        let list = Message().message(
            5,
            Message().message(1, value("x")).message(1, Message().varint(3, 1))
                .message(1, Message().fixed64(4, (2.0).bitPattern)).message(1, Message())
                .message(1, Message().fixed64(4, Double.nan.bitPattern))
                .message(1, Message().bytes(7, [1, 2, 255]))
        )
        let map = Message().message(
            6,
            Message().message(1, pair("a\"b", value("c\n"))).message(1, pair("m", list))
        )
        let event = Message().fixed64(1, 1_000_120_000).text(2, "retry")
            .message(3, pair("n", Message().varint(3, 1))).varint(4, 2)
        let link = Message().bytes(1, Array(repeating: 0xAA, count: 16))
            .bytes(2, Array(repeating: 0xBB, count: 8)).text(3, "k=v")
            .message(4, pair("why", value("retry"))).varint(5, 1).fixed32(6, 257)
        let first = span(1).text(3, "a=b").bytes(4, [0, 0, 0, 0, 0, 0, 0, 9])
            .text(5, "GET /x").varint(6, 2).fixed64(8, 2_000_000_000)
            .message(9, pair("text", value("ü")))
            .message(9, pair("int", Message().varint(3, UInt64(bitPattern: -7))))
            .message(9, pair("double", Message().fixed64(4, (200.0).bitPattern)))
            .message(9, pair("infinite", Message().fixed64(4, (-Double.infinity).bitPattern)))
            .message(9, pair("bool", Message().varint(2, 0)))
            .message(9, pair("raw", Message().bytes(7, [1, 2, 255])))
            .message(9, pair("list", list)).message(9, pair("map", map))
            .message(9, pair("unset", Message())).varint(10, 5)
            .message(11, event).varint(12, 6).message(13, link).varint(14, 7)
            .message(15, Message().text(2, "boom").varint(3, 2)).fixed32(16, 257)
        let second = span(2, 3_000_000_000).text(5, "SELECT").varint(6, 3)
            .fixed64(8, 2_500_000_000).message(9, pair("int", value("now text")))
        let scoped = Message().message(2, first).message(2, second).message(1, scope)
            .text(3, "https://scope")
        return Message().message(
            1,
            Message().message(2, scoped).message(1, resource).text(3, "https://resource")
        )
    }()

    static let shared =
        #"resource.host.cpus=8 resource.service.name="web" resource:droppedAttributes=3 "#
        + #"resource:schemaURL="https://resource" scope.deployment="blue" "#
        + #"scope:droppedAttributes=1 scope:name="kit.tracer" scope:schemaURL="https://scope" "#
        + #"scope:version="1.2.3" "#

    static let rows = [
        "1000000000|" + shared + #"span.bool=false span.double=200.0 span.infinite=-Infinity "#
            + #"span.int=-7 span.list=["x",1,2.0,null,"NaN",{"bytes":"AQL/"}] "#
            + #"span.map={"a\"b":"c\n","m":["x",1,2.0,null,"NaN",{"bytes":"AQL/"}]} "#
            + #"span.raw=bytes:AQL/ span.text="ü" span.unset=null span:droppedAttributes=5 "#
            + #"span:droppedEvents=6 span:droppedLinks=7 span:duration=1000000000 "#
            + #"span:events=[{"at":120000,"name":"retry","attributes":{"n":1},"droppedAttributes":2}] "#
            + #"span:flags=257 span:id="0000000000000001" span:kind="server" "#
            + #"span:links=[{"traceID":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","spanID":"bbbbbbbbbbbbbbbb","#
            + #""traceState":"k=v","flags":257,"attributes":{"why":"retry"},"droppedAttributes":1}] "#
            + #"span:name="GET /x" span:parentID="0000000000000009" span:status="error" "#
            + #"span:statusMessage="boom" span:traceState="a=b" trace:id="\#(traceText)""#,
        "3000000000|" + shared + #"span.int="now text" span:duration=-500000000 "#
            + #"span:id="0000000000000002" span:kind="client" span:name="SELECT" "#
            + #"trace:id="\#(traceText)""#,
    ]

    @Test func protobufSpansBecomeRows() throws {
        let result = try OTLPSpanParser.parse(Self.request.bytes, options: SpanRendering.options())
        #expect(SpanRendering.rows(result) == Self.rows)
        #expect(SpanRendering.isConsistent(result))
        #expect(result.facts[0].traceHigh == 0x0F1E_2D3C_4B5A_6978)
        #expect(result.facts[0].parentID == 9)
        #expect(result.facts[0].status == .error)
        #expect(result.facts[1].duration == -500_000_000)
    }

    @Test func jsonSpansBecomeTheSameRows() throws {
        let list =
            #"{"arrayValue":{"values":[{"stringValue":"x"},{"intValue":"1"},{"doubleValue":2},{},{"doubleValue":"NaN"},{"bytesValue":"AQL/"}]}}"#
        let body = #"""
            {"new":1,"resourceSpans":[{"scopeSpans":[{"spans":[
              {"traceId":"\#(Self.traceText.uppercased())","spanId":"0000000000000001","traceState":"a=b",
               "parentSpanId":"0000000000000009","name":"GET /x","kind":2,"startTimeUnixNano":"1000000000",
               "endTimeUnixNano":2000000000,"attributes":[
                {"key":"text","value":{"stringValue":"ü"}},{"key":"int","value":{"intValue":"-7"}},
                {"key":"double","value":{"doubleValue":200}},{"key":"infinite","value":{"doubleValue":"-Infinity"}},
                {"key":"bool","value":{"boolValue":false}},{"key":"raw","value":{"bytesValue":"AQL/"}},
                {"key":"list","value":\#(list)},
                {"key":"map","value":{"kvlistValue":{"values":[{"key":"a\"b","value":{"stringValue":"c\n"}},
                  {"key":"m","value":\#(list)}]}}},
                {"key":"unset","value":{}}],"droppedAttributesCount":5,
               "events":[{"timeUnixNano":"1000120000","name":"retry","attributes":[{"key":"n","value":{"intValue":1}}],
                 "droppedAttributesCount":2}],"droppedEventsCount":6,
               "links":[{"traceId":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","spanId":"bbbbbbbbbbbbbbbb","traceState":"k=v",
                 "flags":257,"attributes":[{"key":"why","value":{"stringValue":"retry"}}],"droppedAttributesCount":1}],
               "droppedLinksCount":7,"status":{"message":"boom","code":"STATUS_CODE_ERROR"},"flags":257},
              {"traceId":"\#(Self.traceText)","spanId":"0000000000000002","parentSpanId":"","name":"SELECT",
               "kind":"SPAN_KIND_CLIENT","startTimeUnixNano":3000000000,"endTimeUnixNano":"2500000000",
               "attributes":[{"key":"int","value":{"stringValue":"now text"}}],"status":{}}],
              "scope":{"name":"kit.tracer","version":"1.2.3","droppedAttributesCount":1,
               "attributes":[{"key":"deployment","value":{"stringValue":"blue"}}]},"schemaUrl":"https://scope"}],
              "resource":{"attributes":[{"key":"service.name","value":{"stringValue":"web"}},
               {"key":"host.cpus","value":{"intValue":"8"}}],"droppedAttributesCount":3},
              "schemaUrl":"https://resource"}]}
            """#
        let options = SpanRendering.options()
        let result = try OTLPSpanJSONParser.parse(Array(body.utf8), options: options)
        #expect(SpanRendering.rows(result) == Self.rows)
        #expect(SpanRendering.isConsistent(result))
    }

    private static func request(_ spans: [Message]) -> [UInt8] {
        var scoped = Message()
        for span in spans { scoped = scoped.message(2, span) }
        return Message().message(1, Message().message(2, scoped)).bytes
    }

    @Test func spansWithoutIDsOrTimesAreRefusedAlone() throws {
        let now = UInt64(LogRendering.now)
        let bytes = Self.request([
            Message().bytes(2, [0, 0, 0, 0, 0, 0, 0, 1]).fixed64(7, 1),
            Message().bytes(1, Array(repeating: 0, count: 16)).bytes(2, Array(1...8)).fixed64(7, 1),
            Message().bytes(1, Self.traceID).bytes(2, [1, 2]).fixed64(7, 1),
            Message().bytes(1, Self.traceID).bytes(2, Array(repeating: 0, count: 8)).fixed64(7, 1),
            Self.span(1).bytes(4, [1]),
            Message().bytes(1, Self.traceID).bytes(2, Array(1...8)),
            Self.span(1, .max),
            Self.span(1, now + 3 * 86_400_000_000_000),
            Self.span(7),
        ])
        let result = try OTLPSpanParser.parse(bytes, options: SpanRendering.options())
        #expect(
            SpanRendering.refusals(result) == [
                "#1: trace id: 0 bytes is no id", "#2: trace id: all zero",
                "#3: span id: 2 bytes is no id", "#4: span id: all zero",
                "#5: parent span id: 1 bytes is no id", "#6: start time is missing",
                "#7: start time: \"18446744073709551615\" is outside of the years 1678 to 2261",
                "#8: start 1790259200000000000 is more than 2d in the future",
            ]
        )
        #expect(
            SpanRendering.rows(result) == [
                #"1000000000|span:duration=0 span:id="0000000000000007" trace:id="\#(Self.traceText)""#
            ]
        )
    }

    @Test func whatIsTooLargeIsCutOrDroppedAndNamed() throws {
        var options = SpanRendering.options()
        options.limits.valueBytesMax = 8
        options.limits.spanNameBytesMax = 5
        options.limits.attributesMax = 4
        options.limits.eventsMax = 1
        options.limits.nameBytesMax = 20
        options.limits.depthMax = 3
        var deep = Self.value("x")
        for _ in 0..<200 { deep = Message().message(5, Message().message(1, deep)) }
        let bytes = Self.request([
            Self.span(1).text(5, "1234567").message(9, Self.pair("long", Self.value("1234567é")))
                .message(9, Self.pair("raw", Message().bytes(7, Array(repeating: 0, count: 9))))
                .message(9, Self.pair("deep", deep))
                .message(9, Self.pair(String(repeating: "n", count: 30), Self.value("v")))
                .message(9, Self.pair("late", Self.value("v")))
                .message(11, Message().text(2, "a")).message(11, Message().text(2, "b"))
        ])
        let result = try OTLPSpanParser.parse(bytes, options: options)
        #expect(
            SpanRendering.rows(result) == [
                #"1000000000|span.deep="[[[null]" span.long="1234567" span.raw=bytes:AAAAAAAA "#
                    + #"span:cut=["span:name","span.long","span.raw","span.deep"] "#
                    + #"span:droppedAttributes=2 span:droppedEvents=1 span:duration=0 "#
                    + #"span:events=[{"at":0,"name":"a"}] span:id="0000000000000001" "#
                    + #"span:name="12345" trace:id="\#(Self.traceText)""#
            ]
        )
        #expect(result.cutCount == 1)
        options.limits.batchBytesMax = 100
        let many = Self.request((1...9).map { Self.span($0) })
        #expect(try OTLPSpanParser.parse(many, options: options).isTooLarge)
    }

    @Test func truncatedMessagesAreRefused() {
        let bytes = Self.request.bytes
        for count in 1..<bytes.count {
            #expect(throws: SpanError.self) {
                try OTLPSpanParser.parse(Array(bytes[..<count]), options: SpanRendering.options())
            }
        }
    }

    @Test(arguments: 0..<50) func damagedMessagesNeverTrap(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<40 {
            var bytes = Self.request.bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255,
                    using: &random
                )
            }
            if let result = try? OTLPSpanParser.parse(bytes, options: SpanRendering.options()) {
                #expect(SpanRendering.isConsistent(result), "seed \(seed)")
            }
        }
    }

    @Test(arguments: [
        (#""startTimeUnixNano":"-5""#, #"start time: "-5" is no time"#),
        (#""startTimeUnixNano":[1]"#, #"start time: "[1]" is no time"#),
        (
            #""startTimeUnixNano":"1","links":[{"traceId":"zz"}]"#,
            #"a link's trace id: "zz" is no id"#
        ),
    ])
    func aRefusalOfJSONQuotesWhatWasSent(members: String, reason: String) throws {
        let span =
            #"{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174",\#(members)}"#
        let body = #"{"resourceSpans":[{"scopeSpans":[{"spans":[\#(span)]}]}]}"#
        let result = try OTLPSpanJSONParser.parse(
            Array(body.utf8),
            options: SpanRendering.options()
        )
        #expect(SpanRendering.refusals(result) == ["#1: \(reason)"])
    }
}
