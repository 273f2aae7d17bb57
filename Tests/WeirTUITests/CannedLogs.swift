import WeirCore

/// Log lines made from arithmetic alone.
enum CannedLogs {
    /// Oldest first, one a second up to `CannedAPI.now`.
    static let lines: [[UInt8]] = (0..<60).map { line(59 - $0) }

    /// The line of so many seconds ago.
    static func line(_ age: Int) -> [UInt8] {
        let time = CivilTime(milliseconds: CannedAPI.now - Int64(age) * 1000)
        let clock = [time.hour, time.minute, time.second].map { $0 < 10 ? "0\($0)" : "\($0)" }
        let moment = "2025-11-24T" + clock.joined(separator: ":") + ".25Z"
        let level = age % 17 == 3 ? "error" : age % 5 == 2 ? "warn" : "info"
        let service = age % 3 == 0 ? "pay" : "cart"
        let message =
            level == "error"
            ? #"order 41\#(age) failed: no answer\nshop.Timeout: 30 s\n\tat shop.Pay.charge(Pay.java:12)"#
            : "served /\(service)/items/\(age * 37 % 90) for user \(1000 + age)"
        return Array(
            """
            {"_time":"\(moment)","_stream":{"service":"\(service)","host":"node-\(age % 4)"},\
            "_msg":"\(message)","level":"\(level)","duration_ms":\(age * 13 % 200).5,\
            "trace_id":"4bf92f3577b34da6a3ce929d0e0e47\(age + 10)","tags":["a","b"]}
            """.utf8
        )
    }

    static let hits: JSONValue = {
        func series(_ level: String, _ counts: [Int]) -> String {
            let values = counts.map { String($0) }.joined(separator: ",")
            return "{\"fields\":{\"level\":\"\(level)\"},\"total\":0,\"values\":[\(values)]}"
        }
        let quiet = (0..<120).map { 20 + $0 * 7 % 13 }
        let bad = (0..<120).map { (70..<90).contains($0) ? 25 : 0 }
        let odd = (0..<120).map { $0 % 6 }
        return parse(
            "{\"start\":\"1763996400000000000\",\"step\":\"30s\",\"hits\":["
                + [series("info", quiet), series("error", bad), series("warn", odd)]
                .joined(separator: ",") + "]}"
        )
    }()

    static let facets = parse(
        """
        {"rows":60,"facets":[
        {"field_name":"level","distinct":3,"values":[{"field_value":"info","hits":44},
        {"field_value":"warn","hits":12},{"field_value":"error","hits":4}]},
        {"field_name":"service","distinct":2,"values":[{"field_value":"cart","hits":40},
        {"field_value":"pay","hits":1234567}]}]}
        """
    )

    static let patterns = parse(
        """
        {"patterns":[{"pattern":"served <_> for user <_>","level":"info","total":56,"values":[]},
        {"pattern":"order <_> failed: no answer","level":"error","total":4,"values":[]}]}
        """
    )

    private static func parse(_ text: String) -> JSONValue {
        (try? JSONParser.parse(Array(text.utf8))) ?? .null
    }
}
