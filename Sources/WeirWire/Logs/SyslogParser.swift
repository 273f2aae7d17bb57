internal import WeirCore

/// Reads syslog messages of RFC 5424 and RFC 3164, one by one, into one batch.
///
/// Nothing is refused for its form: what follows no known header is the body.
package struct SyslogParser {
    private static let facilities = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron",
        "authpriv", "ftp", "ntp", "audit", "alert", "clock", "local0", "local1", "local2",
        "local3", "local4", "local5", "local6", "local7",
    ]
    private static let severities = [
        "emergency", "alert", "critical", "error", "warning", "notice", "info", "debug",
    ]
    private static let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]

    private var rows: LogRows
    /// The time of arrival of the message at hand, nanoseconds.
    private var now: Int64
    private var labels: [(name: String, value: String)] = []

    package init(options: LogOptions) {
        rows = LogRows(options)
        now = options.now
    }

    /// The rows so far.
    package var rowCount: Int { rows.result.batch.rowCount }
    package var refusedCount: Int { rows.result.refusedCount }

    /// What was taken.
    package func finished() -> LogResult { rows.finished() }

    /// Takes one message without its framing.
    ///
    /// `arrival`, in nanoseconds, is the time of a message that names none.
    package mutating func parse(_ message: [UInt8], arrival: Int64) {
        parse(message.span, 0..<message.count, arrival: arrival)
    }

    package mutating func parse(_ bytes: Span<UInt8>, _ message: Range<Int>, arrival: Int64) {
        var range = message
        while let last = range.last,
            bytes[last] == 0 || bytes[last] == 0x0A || bytes[last] == 0x0D
        {
            range.removeLast()
        }
        guard !range.isEmpty else { return }
        now = arrival
        labels = []
        rows.begin()
        do throws(LogError) {
            let time = try read(bytes, range)
            let stream = try rows.stream(labels, line: 0)
            rows.commit(time: time, stream: stream)
        } catch {
            rows.result.refuse(line: 0, error)
        }
    }

    private mutating func read(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(LogError) -> Int64 {
        var rest = range
        guard let priority = Self.priority(bytes, &rest) else {
            try setBody(bytes, range)
            return now
        }
        try rows.set("facility", .text, Self.facilities[priority >> 3])
        try rows.set("severity", .text, Self.severities[priority & 7])
        // RFC 5424's version, which RFC 3164 lacks.
        if rest.count >= 2, bytes[rest.lowerBound] == UInt8(ascii: "1"),
            bytes[rest.lowerBound + 1] == UInt8(ascii: " ")
        {
            let header = rest.dropFirst(2)
            if let time = try readNew(bytes, header) { return time }
            labels = []
        }
        return try readOld(bytes, rest)
    }

    /// Reads `<13>`, a number up to 191.
    private static func priority(_ bytes: Span<UInt8>, _ range: inout Range<Int>) -> Int? {
        guard let first = range.first, bytes[first] == UInt8(ascii: "<") else { return nil }
        var cursor = first + 1
        var value = 0
        while cursor < range.upperBound, cursor < first + 4,
            bytes[cursor] &- UInt8(ascii: "0") <= 9
        {
            value = value * 10 + Int(bytes[cursor] - UInt8(ascii: "0"))
            cursor += 1
        }
        guard cursor > first + 1, cursor < range.upperBound, bytes[cursor] == UInt8(ascii: ">"),
            value <= 191
        else { return nil }
        range = (cursor + 1)..<range.upperBound
        return value
    }

    private mutating func setBody(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(LogError) {
        try rows.set(FieldTable.bodyName, .text, bytes.extracting(range))
    }

    private static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        var text: [UInt8] = []
        text.append(bytes, range)
        return String(decoding: text, as: UTF8.self)
    }

    // MARK: RFC 5424

    /// `TIMESTAMP HOST APP PROCID MSGID STRUCTURED-DATA [MSG]`; nil when it is not of this form.
    private mutating func readNew(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(LogError) -> Int64? {
        var cursor = range.lowerBound
        let end = range.upperBound
        var words: [Range<Int>] = []
        for _ in 0..<5 {
            let start = cursor
            while cursor < end, bytes[cursor] != UInt8(ascii: " ") { cursor += 1 }
            guard cursor > start, cursor < end else { return nil }
            words.append(start..<cursor)
            cursor += 1
        }
        func isAbsent(_ word: Range<Int>) -> Bool {
            word.count == 1 && bytes[word.lowerBound] == UInt8(ascii: "-")
        }
        var time = now
        if !isAbsent(words[0]) {
            let text = Self.text(bytes, words[0])
            switch LogTime.read(bytes, words[0]) {
            case .time(let moment):
                try rows.check(time: moment, text: text)
                time = moment
            case .outOfRange: throw .timeOutOfRange(field: "timestamp", text: text)
            case .notATime: return nil
            }
        }
        guard let (parameters, dataEnd) = Self.structuredData(bytes, cursor..<end) else {
            return nil
        }
        if !isAbsent(words[1]) { labels.append(("host", Self.text(bytes, words[1]))) }
        if !isAbsent(words[2]) { labels.append(("app", Self.text(bytes, words[2]))) }
        if !isAbsent(words[3]) {
            try rows.set("procid", .text, bytes.extracting(words[3]))
        }
        if !isAbsent(words[4]) { try rows.set("msgid", .text, bytes.extracting(words[4])) }
        for parameter in parameters {
            try rows.set(parameter.name.span, .text, parameter.value.span)
        }
        var body = min(dataEnd + 1, end)..<end
        if body.count >= 3, bytes[body.lowerBound] == 0xEF, bytes[body.lowerBound + 1] == 0xBB,
            bytes[body.lowerBound + 2] == 0xBF
        {
            body = body.dropFirst(3)
        }
        if !body.isEmpty { try setBody(bytes, body) }
        return time
    }

    private struct Parameter {
        let name: [UInt8]
        let value: [UInt8]
    }

    /// `-`, or `[id name="value" …]` one after another; nil when it is neither.
    private static func structuredData(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) -> (parameters: [Parameter], end: Int)? {
        var cursor = range.lowerBound
        let end = range.upperBound
        guard cursor < end else { return nil }
        if bytes[cursor] == UInt8(ascii: "-") {
            let isWhole = cursor + 1 == end || bytes[cursor + 1] == UInt8(ascii: " ")
            return isWhole ? ([], cursor + 1) : nil
        }
        var parameters: [Parameter] = []
        while cursor < end, bytes[cursor] == UInt8(ascii: "[") {
            cursor += 1
            let start = cursor
            while cursor < end, bytes[cursor] > 0x20, bytes[cursor] != UInt8(ascii: "]") {
                cursor += 1
            }
            let identifier = start..<cursor
            guard !identifier.isEmpty else { return nil }
            while cursor < end, bytes[cursor] == UInt8(ascii: " ") {
                cursor += 1
                let nameStart = cursor
                while cursor < end, bytes[cursor] > 0x20, bytes[cursor] != UInt8(ascii: "=") {
                    cursor += 1
                }
                let name = nameStart..<cursor
                guard !name.isEmpty, cursor + 1 < end, bytes[cursor] == UInt8(ascii: "="),
                    bytes[cursor + 1] == UInt8(ascii: "\"")
                else { return nil }
                cursor += 2
                var value: [UInt8] = []
                while cursor < end, bytes[cursor] != UInt8(ascii: "\"") {
                    if bytes[cursor] == UInt8(ascii: "\\"), cursor + 1 < end,
                        [UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "]")]
                            .contains(bytes[cursor + 1])
                    {
                        cursor += 1
                    }
                    value.append(bytes[cursor])
                    cursor += 1
                }
                guard cursor < end else { return nil }
                cursor += 1
                var full: [UInt8] = []
                full.append(bytes, identifier)
                full.append(UInt8(ascii: "."))
                full.append(bytes, name)
                parameters.append(Parameter(name: full, value: value))
            }
            guard cursor < end, bytes[cursor] == UInt8(ascii: "]") else { return nil }
            cursor += 1
        }
        guard cursor == end || bytes[cursor] == UInt8(ascii: " ") else { return nil }
        return (parameters, cursor)
    }

    // MARK: RFC 3164

    /// `[TIMESTAMP [HOST]] [TAG[pid]:] MSG`, every part of which many leave out.
    private mutating func readOld(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(LogError) -> Int64 {
        var rest = range
        var time = now
        if let (moment, end) = oldTime(bytes, rest) {
            time = moment
            rest = end..<rest.upperBound
            // A host is a word that is no tag.
            var cursor = rest.lowerBound
            while cursor < rest.upperBound, bytes[cursor] > 0x20 { cursor += 1 }
            let word = rest.lowerBound..<cursor
            let isTag =
                word.isEmpty || bytes[cursor - 1] == UInt8(ascii: ":")
                || bytes[cursor - 1] == UInt8(ascii: "]")
            if !isTag, cursor < rest.upperBound {
                labels.append(("host", Self.text(bytes, word)))
                rest = (cursor + 1)..<rest.upperBound
            }
        }
        if let (app, process, end) = Self.tag(bytes, rest) {
            labels.append(("app", Self.text(bytes, app)))
            if let process { try rows.set("procid", .text, bytes.extracting(process)) }
            rest = end..<rest.upperBound
        }
        try setBody(bytes, rest)
        return time
    }

    /// `app: `, `app[pid]: ` or `app[pid] `.
    private static func tag(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) -> (app: Range<Int>, process: Range<Int>?, end: Int)? {
        var cursor = range.lowerBound
        let end = range.upperBound
        while cursor < end, cursor - range.lowerBound < 64, bytes[cursor] > 0x20,
            bytes[cursor] != UInt8(ascii: ":"), bytes[cursor] != UInt8(ascii: "[")
        {
            cursor += 1
        }
        let app = range.lowerBound..<cursor
        guard !app.isEmpty, cursor < end else { return nil }
        var process: Range<Int>?
        if bytes[cursor] == UInt8(ascii: "[") {
            let start = cursor + 1
            cursor = start
            while cursor < end, bytes[cursor] > 0x20, bytes[cursor] != UInt8(ascii: "]") {
                cursor += 1
            }
            guard cursor < end, bytes[cursor] == UInt8(ascii: "]"), cursor > start else {
                return nil
            }
            process = start..<cursor
            cursor += 1
        }
        let hasColon = cursor < end && bytes[cursor] == UInt8(ascii: ":")
        if hasColon { cursor += 1 }
        guard hasColon || process != nil else { return nil }
        guard cursor == end || bytes[cursor] == UInt8(ascii: " ") else { return nil }
        return (app, process, min(cursor + 1, end))
    }

    /// `Oct 11 22:14:15 `, or an RFC 3339 time as newer daemons write.
    private func oldTime(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) -> (time: Int64, end: Int)? {
        let start = range.lowerBound
        if range.count >= 20, bytes[start] &- UInt8(ascii: "0") <= 9 {
            var cursor = start
            while cursor < range.upperBound, bytes[cursor] > 0x20 { cursor += 1 }
            guard cursor < range.upperBound,
                case .time(let moment) = LogTime.read(bytes, start..<cursor),
                bytes[start + 4] == UInt8(ascii: "-")
            else { return nil }
            return (moment, cursor + 1)
        }
        guard range.count >= 16, bytes[start + 3] == UInt8(ascii: " "),
            bytes[start + 6] == UInt8(ascii: " "), bytes[start + 9] == UInt8(ascii: ":"),
            bytes[start + 12] == UInt8(ascii: ":"), bytes[start + 15] == UInt8(ascii: " "),
            let month = Self.months.firstIndex(
                of: Self.text(bytes, start..<(start + 3)).lowercased()
            ),
            let day = Int(Self.text(bytes, (start + 4)..<(start + 6)).drop { $0 == " " }),
            let hour = Int(Self.text(bytes, (start + 7)..<(start + 9))), hour <= 23,
            let minute = Int(Self.text(bytes, (start + 10)..<(start + 12))), minute <= 59,
            let second = Int(Self.text(bytes, (start + 13)..<(start + 15))), second <= 60
        else { return nil }
        // There is no year and no zone: UTC, and the year that leaves it not far in the future.
        let ahead = min(rows.options.limits.futureMax, 28 * 86_400_000_000_000)
        let today = CivilTime(seconds: now.floorDivided(by: 1_000_000_000))
        for year in [today.year + 1, today.year, today.year - 1] {
            guard day >= 1, day <= CivilTime.daysIn(month: month + 1, of: year) else { continue }
            let moment = CivilTime(
                year: year,
                month: month + 1,
                day: day,
                hour: hour,
                minute: minute,
                second: second
            )
            let time = moment.seconds.multipliedOrClamped(by: 1_000_000_000)
            if time <= now || time - now <= ahead {
                return (time, start + 16)
            }
        }
        return nil
    }
}
