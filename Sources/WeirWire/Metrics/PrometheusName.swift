/// OpenTelemetry's names as Prometheus has them.
///
/// Rules: OpenTelemetry's "Prometheus and OpenMetrics Compatibility"; docs/otlp-metrics.md.
enum PrometheusName {
    private static let units: [String: String] = [
        "d": "days", "h": "hours", "min": "minutes", "s": "seconds", "ms": "milliseconds",
        "us": "microseconds", "ns": "nanoseconds", "By": "bytes", "KiBy": "kibibytes",
        "MiBy": "mebibytes", "GiBy": "gibibytes", "TiBy": "tibibytes", "KBy": "kilobytes",
        "MBy": "megabytes", "GBy": "gigabytes", "TBy": "terabytes", "m": "meters", "V": "volts",
        "A": "amperes", "J": "joules", "W": "watts", "g": "grams", "Cel": "celsius",
        "Hz": "hertz", "1": "", "%": "percent",
    ]
    private static let perUnits: [String: String] = [
        "s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month",
        "y": "year",
    ]

    /// A metric's name with the suffixes of its unit and its kind; empty when nothing of the name can
    /// stand in one.
    static func metric(_ name: String, unit: String, isCounter: Bool, isGauge: Bool) -> String {
        var words = words(name)
        guard !words.isEmpty else { return "" }
        let parts = unit.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            .map { part in part.trimming { $0 == " " } }
        if let main = parts.first, !isAnnotation(main) {
            let suffix = Self.words(units[main] ?? main)
            if suffix.count != 1 || !words.contains(suffix[0]) { words += suffix }
        }
        if parts.count > 1, !isAnnotation(parts[1]) {
            let per = Self.words(perUnits[parts[1]] ?? parts[1])
            if !per.isEmpty, !words.reversed().starts(with: (["per"] + per).reversed()) {
                words += ["per"] + per
            }
        }
        if isCounter {
            words.removeAll { $0 == "total" }
            words.append("total")
        } else if isGauge, unit == "1" {
            words.removeAll { $0 == "ratio" }
            words.append("ratio")
        }
        let joined = words.joined(separator: "_")
        return joined.utf8.first.map(isDigit) == true ? "_" + joined : joined
    }

    /// The unit as it stands at a metric's end, without what it is per; empty for none.
    static func unit(_ unit: String) -> String {
        guard !isAnnotation(unit), let main = unit.split(separator: "/").first.map(String.init)
        else { return "" }
        return words(units[main] ?? main).joined(separator: "_")
    }

    /// A label's name: what is not a letter, a digit or `_` becomes `_`.
    ///
    /// A digit, or a single `_`, in front gets `key` before it, as with Prometheus. Empty when only `_`
    /// is left.
    static func label(_ name: String) -> String {
        var text = ""
        for scalar in name.unicodeScalars {
            text.unicodeScalars.append(isWord(scalar) || scalar == "_" ? scalar : "_")
        }
        guard text.utf8.contains(where: { $0 != UInt8(ascii: "_") }) else { return "" }
        if text.utf8.first.map(isDigit) == true { return "key_" + text }
        return text.hasPrefix("_") && !text.hasPrefix("__") ? "key" + text : text
    }

    /// What stands in braces says what is counted, and is no unit.
    private static func isAnnotation(_ unit: String) -> Bool {
        unit.utf8.contains(UInt8(ascii: "{")) || unit.utf8.contains(UInt8(ascii: "}"))
    }

    private static func words(_ name: String) -> [String] {
        name.unicodeScalars.split { !isWord($0) && $0 != ":" }.map { String($0) }
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9": true
        default: false
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
}

extension Substring {
    fileprivate func trimming(_ isTrimmed: (Character) -> Bool) -> String {
        var text = self
        while let first = text.first, isTrimmed(first) { text.removeFirst() }
        while let last = text.last, isTrimmed(last) { text.removeLast() }
        return String(text)
    }
}
