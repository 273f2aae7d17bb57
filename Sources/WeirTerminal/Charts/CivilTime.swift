/// A moment in UTC as people write it.
package struct CivilTime: Hashable, Sendable {
    package let year: Int
    package let month: Int
    package let day: Int
    package let hour: Int
    package let minute: Int
    package let second: Int
    package let millisecond: Int

    /// - Parameter milliseconds: Since 1970, UTC. Held to the years 1 to 9999.
    ///
    /// Source: Howard Hinnant, "chrono-compatible low-level date algorithms".
    package init(milliseconds: Int64) {
        let held = min(max(milliseconds, -62_135_596_800_000), 253_402_300_799_999)
        let days = Int((Double(held) / 86_400_000).rounded(.down))
        let rest = Int(held) - days * 86_400_000
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthIndex + 2) / 5 + 1
        month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        hour = rest / 3_600_000
        minute = rest / 60_000 % 60
        second = rest / 1000 % 60
        millisecond = rest % 1000
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `10:04`
    package var clock: String { "\(Self.two(hour)):\(Self.two(minute))" }
    /// `10:04:05`
    package var clockSeconds: String { "\(clock):\(Self.two(second))" }
    /// `24 Nov`
    package var date: String { "\(day) \(Self.months[month - 1])" }
    /// `2026-11-24 10:04:05`
    package var full: String {
        "\(year)-\(Self.two(month))-\(Self.two(day)) \(clockSeconds)"
    }
}
