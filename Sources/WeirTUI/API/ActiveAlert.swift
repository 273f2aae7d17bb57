internal import WeirCore

/// A pending or firing alert.
package struct ActiveAlert: Hashable, Sendable {
    package enum State: String, Sendable {
        case firing
        case pending
        case inactive
    }

    package let state: State
    package let labels: [QueryResult.LabelPair]
    package let annotations: [QueryResult.LabelPair]
    /// Milliseconds since 1970; nil when the server does not say.
    package let activeAt: Int64?
    package let value: Double?

    package var name: String { label("alertname") ?? "alert" }
    package var severity: String { label("severity") ?? "" }
    package var summary: String {
        for name in ["summary", "description", "message"] {
            if let found = annotations.first(where: { $0.name == name }) { return found.value }
        }
        return ""
    }

    package func label(_ name: String) -> String? {
        labels.first { $0.name == name }?.value
    }

    /// Asks for those of all rules; firing first, then by severity, then the oldest first.
    static func fetch(_ api: any QueryAPI) throws(APIError) -> [ActiveAlert] {
        let data = try api.data("/api/v1/alerts")
        guard let items = data["alerts"]?.array else { throw .malformed("no list of alerts") }
        return items.map(ActiveAlert.init).sorted { left, right in
            let (a, b) = (left.rank, right.rank)
            return a == b
                ? (left.activeAt ?? .max, left.name) < (right.activeAt ?? .max, right.name) : a < b
        }
    }

    private init(_ json: JSONValue) {
        func pairs(_ value: JSONValue?) -> [QueryResult.LabelPair] {
            (value?.members ?? []).map { QueryResult.LabelPair($0.key, $0.value.string ?? "") }
        }
        state = State(rawValue: json["state"]?.string ?? "") ?? .inactive
        labels = pairs(json["labels"])
        annotations = pairs(json["annotations"])
        activeAt = json["activeAt"]?.string.flatMap { MomentText.milliseconds($0) }
        value = json["value"]?.string.flatMap { Double($0) } ?? json["value"]?.double
    }

    private var rank: Int {
        let stateRank = state == .firing ? 0 : state == .pending ? 10 : 20
        let severities = ["critical", "page", "error", "warning", "info"]
        return stateRank + (severities.firstIndex(of: severity.lowercased()) ?? severities.count)
    }
}

/// Moments as people and APIs write them.
package enum MomentText {
    /// Reads seconds since 1970 (`1700000000.5`), or RFC 3339 (`2026-11-24T10:04:05Z`).
    ///
    /// - Returns: Milliseconds since 1970.
    package static func milliseconds(_ text: String) -> Int64? {
        if let seconds = Double(text), abs(seconds) < 1e12 {
            return Int64((seconds * 1000).rounded())
        }
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count else { return nil }
            var value = 0
            for byte in bytes[range] {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                value = value * 10 + Int(byte - UInt8(ascii: "0"))
            }
            return value
        }
        guard bytes.count >= 20, let year = number(0..<4), let month = number(5..<7),
            let day = number(8..<10), let hour = number(11..<13), let minute = number(14..<16),
            let second = number(17..<19), bytes[4] == UInt8(ascii: "-"),
            bytes[7] == UInt8(ascii: "-"), bytes[10] | 0x20 == UInt8(ascii: "t"),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61
        else { return nil }
        var index = 19
        var fraction = 0.0
        if bytes[index] == UInt8(ascii: ".") {
            index += 1
            var scale = 100.0
            while index < bytes.count, let digit = number(index..<(index + 1)) {
                fraction += Double(digit) * scale
                scale /= 10
                index += 1
            }
        }
        guard index < bytes.count else { return nil }
        var offset = 0
        if bytes[index] | 0x20 != UInt8(ascii: "z") {
            guard bytes.count >= index + 6, let hours = number((index + 1)..<(index + 3)),
                let minutes = number((index + 4)..<(index + 6)), hours < 24, minutes < 60
            else { return nil }
            let isEast = bytes[index] == UInt8(ascii: "+")
            guard isEast || bytes[index] == UInt8(ascii: "-") else { return nil }
            offset = (hours * 60 + minutes) * (isEast ? 60_000 : -60_000)
        }
        let days = daysSince1970(year: year, month: month, day: day)
        let clock = ((hour * 60 + minute) * 60 + second) * 1000
        return Int64(days * 86_400_000 + clock - offset) + Int64(fraction.rounded(.down))
    }

    /// Source: Howard Hinnant, "chrono-compatible low-level date algorithms".
    private static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
