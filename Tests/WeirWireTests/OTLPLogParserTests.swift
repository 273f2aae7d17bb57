import Testing
import WeirCore
import WeirTestSupport
import WeirWire

@Suite struct OTLPLogParserTests {
    private static func value(_ text: String) -> Message { Message().text(1, text) }

    private static func pair(_ key: String, _ value: Message) -> Message {
        Message().text(1, key).message(2, value)
    }

    static let nested = Message().message(
        6,
        Message().message(1, pair("k", value("v"))).message(
            1,
            pair(
                "list",
                Message().message(
                    5,
                    Message().message(1, Message().varint(3, 1))
                        .message(1, Message().varint(2, 1)).message(1, Message())
                )
            )
        )
    )

    static let request: Message = {
        let resource = Message().message(1, pair("service.name", value("web")))
            .message(1, pair("k8s.pod.name", value("p1")))
            .message(1, pair("kit.run", value("r")))
        let scope = Message().text(1, "kit.logger").text(2, "1.2.3")
        let first = Message().fixed64(1, 1_000_000_000).fixed64(11, 2_000_000_000)
            .varint(2, 17).text(3, "ERROR").message(5, value("disk \"sda\""))
            .message(6, pair("ratio", Message().fixed64(4, (0.5).bitPattern)))
            .message(6, pair("count", Message().varint(3, UInt64(bitPattern: -7))))
            .message(6, pair("fatal", Message().varint(2, 0)))
            .message(6, pair("raw", Message().bytes(7, [1, 2, 255])))
            .message(6, pair("map", nested))
            .message(6, pair("unset", Message()))
            .fixed32(8, 1).bytes(9, Array(repeating: 0xAB, count: 16))
            .bytes(10, [0, 0, 0, 0, 0, 0, 0, 1]).text(12, "event")
        let second = Message().message(5, nested).fixed64(11, 3_000_000_000)
            .bytes(9, Array(repeating: 0, count: 16))
        return Message().message(
            1,
            Message().message(2, Message().message(1, scope).message(2, first).message(2, second))
                .message(1, resource)
        )
    }()

    static let rows = [
        #"{k8s.pod.name="p1", service.name="web"}|1000000000|body="disk \"sda\"" severity_text="ERROR" severity_number=17 kit.run="r" scope.name="kit.logger" scope.version="1.2.3" ratio=0.5 count=-7 fatal=false raw="AQL/" map.k="v" map.list=[1,true,null] trace_id="abababababababababababababababab" span_id="0000000000000001" flags=1 event_name="event" observed_time_unix_nano=2000000000"#,
        #"{k8s.pod.name="p1", service.name="web"}|3000000000|body={"k":"v","list":[1,true,null]} kit.run="r" scope.name="kit.logger" scope.version="1.2.3""#,
    ]

    @Test func protobufRecordsBecomeRows() throws {
        let result = try OTLPLogParser.parse(Self.request.bytes, options: LogRendering.options())
        #expect(LogRendering.rows(result) == Self.rows)
        #expect(LogRendering.isConsistent(result))
    }

    @Test func jsonRecordsBecomeTheSameRows() throws {
        let body = #"""
            {"resourceLogs":[{"resource":{"attributes":[
              {"key":"service.name","value":{"stringValue":"web"}},
              {"key":"k8s.pod.name","value":{"stringValue":"p1"}},
              {"key":"kit.run","value":{"stringValue":"r"}}]},
              "scopeLogs":[{"scope":{"name":"kit.logger","version":"1.2.3"},"logRecords":[
              {"timeUnixNano":"1000000000","observedTimeUnixNano":2000000000,"severityNumber":"SEVERITY_NUMBER_ERROR",
               "severityText":"ERROR","body":{"stringValue":"disk \"sda\""},"attributes":[
                {"key":"ratio","value":{"doubleValue":0.5}},{"key":"count","value":{"intValue":"-7"}},
                {"key":"fatal","value":{"boolValue":false}},{"key":"raw","value":{"bytesValue":"AQL/"}},
                {"key":"map","value":{"kvlistValue":{"values":[{"key":"k","value":{"stringValue":"v"}},
                  {"key":"list","value":{"arrayValue":{"values":[{"intValue":1},{"boolValue":true},{}]}}}]}}},
                {"key":"unset","value":{}}],
               "flags":1,"traceId":"ABABABABABABABABABABABABABABABAB","spanId":"0000000000000001","eventName":"event","new":[]},
              {"observedTimeUnixNano":"3000000000","traceId":"","body":{"kvlistValue":{"values":[
                {"key":"k","value":{"stringValue":"v"}},
                {"key":"list","value":{"arrayValue":{"values":[{"intValue":"1"},{"boolValue":true},{}]}}}]}}}]}]}]}
            """#
        let result = try OTLPLogJSONParser.parse(Array(body.utf8), options: LogRendering.options())
        #expect(LogRendering.rows(result) == Self.rows)
    }

    @Test func recordsThatBreakALimitAreRefusedAlone() throws {
        var deep = Self.value("x")
        for _ in 0..<200 { deep = Message().message(5, Message().message(1, deep)) }
        var options = LogRendering.options()
        options.limits.fieldsMax = 5
        var many = Message().message(5, Self.value("many"))
        for number in 0..<6 { many = many.message(6, Self.pair("a\(number)", Self.value("v"))) }
        let logs = Message().message(2, Message().message(5, deep)).message(2, many)
            .message(2, Message().fixed64(1, .max).message(5, Self.value("late")))
            .message(2, Message()).message(2, Message().message(5, Self.value("good")))
        let request = Message().message(1, Message().message(2, logs))
        let result = try OTLPLogParser.parse(request.bytes, options: options)
        #expect(LogRendering.rows(result) == [#"{}|now|body="good""#])
        #expect(
            LogRendering.refusals(result) == [
                "#1: more than 32 objects or arrays within each other",
                "#2: more than 5 fields in a row (log-fields-max)",
                "#3: field \"time_unix_nano\": \"18446744073709551615\" is outside of the years 1678 to 2261",
                "#4: no fields",
            ]
        )
    }

    @Test func truncatedMessagesAreRefusedOrWhole() {
        let bytes = Self.request.bytes
        for count in 1..<bytes.count {
            #expect(throws: LogError.self) {
                try OTLPLogParser.parse(Array(bytes[..<count]), options: LogRendering.options())
            }
        }
        #expect(throws: LogError.self) {
            try OTLPLogJSONParser.parse(
                Array("{\"resourceLogs\":".utf8),
                options: LogRendering.options()
            )
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
            if let result = try? OTLPLogParser.parse(bytes, options: LogRendering.options()) {
                #expect(LogRendering.isConsistent(result), "seed \(seed)")
            }
        }
    }

    @Test func whatIsSentOnceForManyRowsIsLimited() throws {
        var options = LogRendering.options()
        options.limits.batchBytesMax = 10_000
        let resource = Message().message(
            1,
            Self.pair("big", Self.value(String(repeating: "x", count: 1000)))
        )
        var logs = Message()
        for _ in 0..<100 { logs = logs.message(2, Message().message(5, Self.value("m"))) }
        let request = Message().message(1, Message().message(1, resource).message(2, logs))
        #expect(try OTLPLogParser.parse(request.bytes, options: options).isTooLarge)
    }
}
