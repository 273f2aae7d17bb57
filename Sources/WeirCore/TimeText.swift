/// Moments written for people and protocols.
package enum TimeText {
    /// RFC 3339 in UTC with as many digits of a second as are needed: `2026-08-01T12:00:00.25Z`.
    package static func rfc3339(nanoseconds: Int64) -> String {
        let milliseconds = nanoseconds.floorDivided(by: 1_000_000)
        return "\(dateAndClock(milliseconds, separator: "T"))\(fraction(nanoseconds))Z"
    }

    /// The same from milliseconds since 1970.
    package static func rfc3339(milliseconds: Int64) -> String {
        let rest = milliseconds - milliseconds.floorDivided(by: 1000) * 1000
        return "\(dateAndClock(milliseconds, separator: "T"))\(fraction(rest * 1_000_000))Z"
    }

    /// `2015-06-23 13:19:44.128`, without a zone.
    package static func plain(nanoseconds: Int64) -> String {
        let milliseconds = nanoseconds.floorDivided(by: 1_000_000)
        return dateAndClock(milliseconds, separator: " ") + fraction(nanoseconds)
    }

    private static func dateAndClock(_ milliseconds: Int64, separator: String) -> String {
        let time = CivilTime(milliseconds: milliseconds)
        let clock = [time.hour, time.minute, time.second].map { $0 < 10 ? "0\($0)" : "\($0)" }
        return "\(time.date)\(separator)\(clock.joined(separator: ":"))"
    }

    /// The part of a second, with its point; empty for none.
    private static func fraction(_ nanoseconds: Int64) -> String {
        let rest = nanoseconds - nanoseconds.floorDivided(by: 1_000_000_000) * 1_000_000_000
        guard rest != 0 else { return "" }
        let digits = String(rest)
        var padded = String(repeating: "0", count: 9 - digits.count) + digits
        while padded.hasSuffix("0") { padded.removeLast() }
        return "." + padded
    }
}
