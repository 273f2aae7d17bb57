import WeirCore
import WeirSystem

/// JSON log lines of sixteen kinds of services on four hosts each.
struct LogData {
    private var numbers: SeededNumbers
    private var line: [UInt8] = []
    private let kinds = LogKind.all
    private let kindOfThousand: [Int]

    /// A trace id that some line certainly has, and a phrase that few have.
    private(set) var someTraceID = ""
    static let rarePhrase = "disk quota exceeded"

    private static let methods = ["GET", "GET", "GET", "GET", "POST", "POST", "PUT", "DELETE"]
    private static let statuses = [
        200, 200, 200, 200, 200, 200, 201, 204, 301, 304, 400, 404, 500, 503,
    ]
    private static let words = [
        "amber", "basalt", "cobalt", "delta", "ember", "flint", "garnet", "harbor", "indigo",
        "juniper", "kestrel", "lantern", "maple", "nimbus", "orchid", "pepper",
    ]
    private static let routes = ["orders", "carts", "products", "users", "search", "sessions"]
    private static let agents = [
        "Mozilla/5.0 (X11; Linux x86_64) Firefox/143.0", "okhttp/5.1.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/605.1.15", "curl/8.14.1",
    ]

    init(seed: UInt64) {
        numbers = SeededNumbers(seed: seed)
        var kindOfThousand: [Int] = []
        for (index, kind) in kinds.enumerated() {
            kindOfThousand += Array(repeating: index, count: kind.weight)
        }
        self.kindOfThousand = kindOfThousand
    }

    /// Appends one line, with its line feed.
    mutating func appendLine(at time: Int64, to body: inout [UInt8]) {
        let kind = kinds[kindOfThousand[numbers.index(below: kindOfThousand.count)]]
        let total = kind.messages.reduce(0) { $0 + $1.weight }
        var turn = numbers.index(below: total)
        var message = kind.messages[0]
        for candidate in kind.messages {
            if turn < candidate.weight {
                message = candidate
                break
            }
            turn -= candidate.weight
        }
        append(#"{"ts":""#, to: &body)
        appendTime(time, to: &body)
        append(#"","level":""# + message.level + #"","service":""# + kind.service, to: &body)
        append(#"","host":""# + kind.service + "-\(numbers.index(below: 4))", to: &body)
        append(#"","env":"production","logger":""# + kind.logger, to: &body)
        append(#"","caller":"\#(pick(Self.words)).go:\#(numbers.index(below: 40) * 17)"#, to: &body)
        append(#"","message":""#, to: &body)
        expand(message.text, to: &body)
        body.append(UInt8(ascii: "\""))
        for field in kind.fields {
            append(#",""# + field.name + #"":"# + (field.isText ? "\"" : ""), to: &body)
            expand(field.value, to: &body)
            if field.isText { body.append(UInt8(ascii: "\"")) }
        }
        if numbers.index(below: 10) < 3 {
            let trace = hex(32)
            if someTraceID.isEmpty { someTraceID = trace }
            append(#","trace_id":""# + trace + #"","span_id":""# + hex(16) + #"""#, to: &body)
        }
        append("}\n", to: &body)
    }

    private func append(_ text: String, to body: inout [UInt8]) {
        body.append(contentsOf: text.utf8)
    }

    /// `2026-01-02T03:04:05.678Z`: always three digits, as loggers print.
    private func appendTime(_ time: Int64, to body: inout [UInt8]) {
        let seconds = time / DataSet.second
        append(
            String(TimeText.rfc3339(nanoseconds: seconds * DataSet.second).dropLast()),
            to: &body
        )
        append("." + String(String(time / 1_000_000 % 1000 + 1000).dropFirst()) + "Z", to: &body)
    }

    private mutating func hex(_ digits: Int) -> String {
        var text = ""
        for _ in 0..<digits { text += String(numbers.index(below: 16), radix: 16) }
        return text
    }

    private mutating func pick(_ texts: [String]) -> String {
        texts[numbers.index(below: texts.count)]
    }

    private mutating func expand(_ template: String, to body: inout [UInt8]) {
        var rest = Substring(template)
        while let open = rest.firstIndex(of: "{") {
            append(String(rest[..<open]), to: &body)
            guard let close = rest[open...].firstIndex(of: "}") else { break }
            append(value(rest[rest.index(after: open)..<close]), to: &body)
            rest = rest[rest.index(after: close)...]
        }
        append(String(rest), to: &body)
    }

    private mutating func value(_ placeholder: Substring) -> String {
        let parts = placeholder.split(separator: ":")
        let limit = parts.count > 1 ? Int(parts[1]) ?? 1 : 1
        switch parts[0] {
        case "int": return "\(numbers.index(below: limit))"
        case "float": return decimal(limit)
        case "ip":
            return
                "10.\(numbers.index(below: 4)).\(numbers.index(below: 256)).\(numbers.index(below: 256))"
        case "uuid": return "\(hex(8))-\(hex(4))-4\(hex(3))-a\(hex(3))-\(hex(12))"
        case "hex": return hex(limit)
        case "user": return "user-\(numbers.index(below: 50_000))"
        case "word": return pick(Self.words)
        case "host": return "ip-10-0-\(numbers.index(below: 8))-\(numbers.index(below: 250))"
        case "method": return pick(Self.methods)
        case "status": return "\(Self.statuses[numbers.index(below: Self.statuses.count)])"
        case "agent": return pick(Self.agents)
        case "path":
            return "/api/v1/\(pick(Self.routes))/\(numbers.index(below: 100_000))"
        default: return String(placeholder)
        }
    }

    /// Mostly small, now and then near the limit, as durations are.
    private mutating func decimal(_ limit: Int) -> String {
        let share = numbers.uniform()
        let thousandths = Int(share * share * share * Double(limit) * 1000)
        let rest = String(thousandths % 1000)
        return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }

    /// `count` lines at about a hundred a second, in bodies of 10,000.
    static func set(count: Int, seed: UInt64) -> (data: LogData, set: DataSet) {
        var data = LogData(seed: seed)
        var bodies: [[UInt8]] = []
        let step = DataSet.day / Int64(count) / 2
        let start = DataSet.lastWholeDay()
        var time = start
        var made = 0
        while made < count {
            var body: [UInt8] = []
            body.reserveCapacity(DataSet.linesPerBody * 360)
            for _ in 0..<min(DataSet.linesPerBody, count - made) {
                // Several threads write at once, so lines are not quite in order.
                let early = Int64(data.numbers.index(below: 20)) * step
                data.appendLine(at: max(start, time - early), to: &body)
                time += Int64(data.numbers.index(below: Int(step) * 2))
                made += 1
            }
            bodies.append(body)
        }
        let set = DataSet(
            name: "logs",
            bodies: bodies,
            sampleCount: count,
            seriesCount: LogKind.all.count * 4,
            start: start,
            end: time,
            path: "/api/v1/logs",
            contentType: "application/x-ndjson",
            signal: "logs"
        )
        return (data, set)
    }
}
