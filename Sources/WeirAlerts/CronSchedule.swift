internal import WeirCore

/// Why a text is no schedule.
package struct CronError: Error, Hashable {
    package let reason: String
}

/// A cron expression of five fields: minute, hour, day of month, month, day of week; in UTC.
///
/// Fields take `*`, numbers, names (`jan`, `sun`), ranges `1-5`, lists `1,15` and steps `*/10`,
/// `10-40/15`, `5/20`. Day of week counts 0-7, both ends being Sunday. When day of month and day
/// of week are both restricted, either is enough, as in every cron since Vixie's. `@hourly`,
/// `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly` and `@annually` stand for the usual.
package struct CronSchedule: Hashable, Sendable {
    package let text: String
    private let minutes: UInt64
    private let hours: UInt64
    private let days: UInt64
    private let months: UInt64
    private let weekdays: UInt64
    private let isEitherDay: Bool

    /// The furthest that the next moment is looked for: 29 February may be eight years away, on a
    /// given weekday longer.
    private static let yearsMax = 40

    private static let macros = [
        "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *",
        "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *",
        "@annually": "0 0 1 1 *",
    ]
    private static let monthNames = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
    private static let weekdayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

    package init(parsing text: String) throws(CronError) {
        self.text = text
        let trimmed = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard trimmed.utf8.count <= 1000 else { throw CronError(reason: "longer than 1000 bytes") }
        var expanded = trimmed
        if trimmed.hasPrefix("@") {
            guard let macro = Self.macros[trimmed.lowercased()] else {
                throw CronError(reason: "\(trimmed) is not one of \(Self.macroList)")
            }
            expanded = macro
        }
        let fields = expanded.split(separator: " ")
        guard fields.count == 5 else {
            throw CronError(
                reason: "\(fields.count) fields where minute, hour, day, month and weekday belong"
            )
        }
        minutes = try Self.field(fields[0], "minute", 0...59)
        hours = try Self.field(fields[1], "hour", 0...23)
        days = try Self.field(fields[2], "day of month", 1...31)
        months = try Self.field(fields[3], "month", 1...12, names: Self.monthNames, first: 1)
        var weekdays = try Self.field(
            fields[4],
            "day of week",
            0...7,
            names: Self.weekdayNames,
            first: 0
        )
        if weekdays & 1 << 7 != 0 { weekdays |= 1 }
        self.weekdays = weekdays
        isEitherDay = !fields[2].hasPrefix("*") && !fields[4].hasPrefix("*")
        guard next(afterMilliseconds: 951_782_400_000) != nil else {
            throw CronError(reason: "there is no such day in any year")
        }
    }

    private static var macroList: String { macros.keys.sorted().joined(separator: ", ") }

    private static func field(
        _ text: Substring,
        _ name: String,
        _ range: ClosedRange<Int>,
        names: [String] = [],
        first: Int = 0
    ) throws(CronError) -> UInt64 {
        func number(_ text: Substring) throws(CronError) -> Int {
            if let index = names.firstIndex(of: text.lowercased()) { return index + first }
            guard !text.isEmpty, text.allSatisfy({ $0.isASCII && $0.isNumber }),
                let value = Int(text), range.contains(value)
            else {
                throw CronError(
                    reason: "\(name) \"\(text)\" is not within"
                        + " \(range.lowerBound)-\(range.upperBound)"
                )
            }
            return value
        }
        var bits: UInt64 = 0
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let halves = part.split(separator: "/", omittingEmptySubsequences: false)
            guard halves.count <= 2 else {
                throw CronError(reason: "\(name) \"\(part)\" has more than one step")
            }
            var step = 1
            if halves.count == 2 {
                guard let given = Int(halves[1]), given > 0, given <= range.upperBound + 1 else {
                    throw CronError(reason: "\(name) step \"\(halves[1])\" is no use")
                }
                step = given
            }
            let ends = halves[0].split(separator: "-", omittingEmptySubsequences: false)
            let low: Int
            let high: Int
            switch (halves[0] == "*", ends.count) {
            case (true, _):
                low = range.lowerBound
                // Sunday must not come twice into a stepped week.
                high = range.upperBound == 7 ? 6 : range.upperBound
            case (false, 1):
                low = try number(halves[0])
                high = halves.count == 2 ? range.upperBound : low
            case (false, 2):
                low = try number(ends[0])
                high = try number(ends[1])
            default: throw CronError(reason: "\(name) \"\(part)\" is no range")
            }
            guard low <= high else {
                throw CronError(reason: "\(name) range \(halves[0]) runs backwards")
            }
            for value in stride(from: low, through: high, by: step) { bits |= 1 << UInt64(value) }
        }
        return bits
    }

    private func isDay(_ time: CivilTime) -> Bool {
        let isDay = days >> UInt64(time.day) & 1 == 1
        let isWeekday = weekdays >> UInt64(time.weekday) & 1 == 1
        return isEitherDay ? isDay || isWeekday : isDay && isWeekday
    }

    /// The first moment after the given one; nil when there is none for decades.
    package func next(afterMilliseconds milliseconds: Int64) -> Int64? {
        let minute = milliseconds.floorDivided(by: 60_000) + 1
        guard minute > -1_000_000_000, minute < 1_000_000_000_000 else { return nil }
        var time = CivilTime(seconds: minute * 60)
        let lastYear = time.year + Self.yearsMax
        while time.year <= lastYear {
            if months >> UInt64(time.month) & 1 == 0 {
                time = CivilTime(
                    year: time.month == 12 ? time.year + 1 : time.year,
                    month: time.month == 12 ? 1 : time.month + 1,
                    day: 1
                )
            } else if !isDay(time) {
                let start = CivilTime(year: time.year, month: time.month, day: time.day)
                time = CivilTime(seconds: start.seconds + 86_400)
            } else if hours >> UInt64(time.hour) & 1 == 0 {
                time.minute = 0
                time = CivilTime(seconds: time.seconds + 3600)
            } else if minutes >> UInt64(time.minute) & 1 == 0 {
                time = CivilTime(seconds: time.seconds + 60)
            } else {
                return time.seconds * 1000
            }
        }
        return nil
    }
}
