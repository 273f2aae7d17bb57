/// Times as text.
enum Timestamps {
    /// `2026-11-24T05:15:27.131Z`: RFC 3339, with no more digits after the second than needed.
    static func rfc3339(milliseconds: Int64) -> String {
        let seconds = milliseconds.floorDivided(by: 1000)
        let time = CivilTime(seconds: seconds)
        var text =
            "\(padded(time.year, 4))-\(padded(time.month, 2))-\(padded(time.day, 2))T"
            + "\(padded(time.hour, 2)):\(padded(time.minute, 2)):\(padded(time.second, 2))"
        let rest = Int(milliseconds - seconds * 1000)
        if rest != 0 {
            var digits = padded(rest, 3)
            while digits.hasSuffix("0") { digits.removeLast() }
            text += "." + digits
        }
        return text + "Z"
    }

    /// The zero time of Go, which stands for "not yet".
    static let zero = "0001-01-01T00:00:00Z"

    /// `2015-06-23 13:19:44.128 +0000 UTC`, as Go prints a time.
    static func goText(nanoseconds: Int64) -> String {
        let seconds = nanoseconds.floorDivided(by: 1_000_000_000)
        let time = CivilTime(seconds: seconds)
        var text =
            "\(padded(time.year, 4))-\(padded(time.month, 2))-\(padded(time.day, 2)) "
            + "\(padded(time.hour, 2)):\(padded(time.minute, 2)):\(padded(time.second, 2))"
        let rest = Int(nanoseconds - seconds * 1_000_000_000)
        if rest != 0 {
            var digits = padded(rest, 9)
            while digits.hasSuffix("0") { digits.removeLast() }
            text += "." + digits
        }
        return text + " +0000 UTC"
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
