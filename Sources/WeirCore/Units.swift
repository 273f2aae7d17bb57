/// Durations and sizes with units, as flags, files and queries write them.
package enum Units {
    /// Reads `1h30m`, `15s`, `250ms`, `7d`; units `ns us ms s m h d w y`, largest first, each at
    /// most once, as Prometheus does.
    ///
    /// A bare `0` is allowed.
    ///
    /// - Returns: Nanoseconds, or nil when the text is no duration or does not fit.
    package static func nanoseconds(_ text: String) -> Int64? {
        if text == "0" { return 0 }
        let units: [(String, Int64)] = [
            ("y", 31_536_000_000_000_000), ("w", 604_800_000_000_000), ("d", 86_400_000_000_000),
            ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000),
            ("ms", 1_000_000), ("us", 1000), ("ns", 1),
        ]
        var rest = Substring(text)
        var total: Int64 = 0
        var nextUnit = 0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard let count = Int64(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            let name = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(name.count)
            guard let index = units.firstIndex(where: { $0.0 == name }), index >= nextUnit else {
                return nil
            }
            nextUnit = index + 1
            let (part, overflow) = count.multipliedReportingOverflow(by: units[index].1)
            let (sum, sumOverflow) = total.addingReportingOverflow(part)
            guard !overflow, !sumOverflow else { return nil }
            total = sum
        }
        return total
    }

    /// Writes nanoseconds as Prometheus writes a duration: `1h30m`, `0s`.
    package static func text(nanoseconds: Int64) -> String {
        guard nanoseconds != 0 else { return "0s" }
        var rest = nanoseconds.magnitude
        var text = nanoseconds < 0 ? "-" : ""
        let units: [(String, UInt64)] = [
            ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000),
            ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1000), ("ns", 1),
        ]
        for (name, size) in units where rest >= size {
            text += "\(rest / size)\(name)"
            rest %= size
        }
        return text
    }

    /// Reads `64MiB`, `10GB`, `4096`; units `B KB MB GB TB` (powers of 1000) and `KiB MiB GiB TiB`
    /// (powers of 1024).
    ///
    /// - Returns: Bytes, or nil when the text is no size or does not fit.
    package static func bytes(_ text: String) -> Int? {
        let units: [String: Int] = [
            "": 1, "B": 1, "KB": 1000, "MB": 1_000_000, "GB": 1_000_000_000,
            "TB": 1_000_000_000_000, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
            "TiB": 1 << 40,
        ]
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = Int(digits), let unit = units[String(text.dropFirst(digits.count))] else {
            return nil
        }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: unit)
        return overflow ? nil : bytes
    }
}
