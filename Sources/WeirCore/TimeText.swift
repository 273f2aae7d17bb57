/// Moments written for people and protocols.
package enum TimeText {
    /// RFC 3339 in UTC with as many digits of a second as are needed: `2026-08-01T12:00:00.25Z`.
    package static func rfc3339(nanoseconds: Int64) -> String {
        let day = nanoseconds >= 0
            ? nanoseconds / 86_400_000_000_000 : (nanoseconds + 1) / 86_400_000_000_000 - 1
        var rest = nanoseconds &- day &* 86_400_000_000_000
        let fraction = rest % 1_000_000_000
        rest /= 1_000_000_000
        let clock = [rest / 3600, rest / 60 % 60, rest % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }
        var text = "\(CivilDate(daysSinceEpoch: Int(day)))T\(clock.joined(separator: ":"))"
        if fraction > 0 {
            let digits = String(fraction)
            var padded = String(repeating: "0", count: 9 - digits.count) + digits
            while padded.hasSuffix("0") { padded.removeLast() }
            text += "." + padded
        }
        return text + "Z"
    }
}
