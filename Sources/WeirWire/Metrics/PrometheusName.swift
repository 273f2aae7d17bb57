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

    /// A metric's name with the suffixes of its unit and its kind.
    static func metric(_ name: String, unit: String, isCounter: Bool, isGauge: Bool) -> String {
        var words = words(name)
        func add(_ suffix: String) {
            for word in Self.words(suffix) where !words.contains(word) { words.append(word) }
        }
        let parts = unit.split(separator: "/", maxSplits: 1).map { part in
            part.trimming { $0 == " " }
        }
        if let main = parts.first, !main.contains("{") { add(units[main] ?? main) }
        if parts.count > 1, !parts[1].isEmpty, !parts[1].contains("{") {
            let per = perUnits[parts[1]] ?? parts[1]
            if !words.contains(per) { words += ["per"] + Self.words(per) }
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

    /// A label's name: what is not a letter, a digit or `_` becomes `_`.
    static func label(_ name: String) -> String {
        var text = ""
        for scalar in name.unicodeScalars {
            text.unicodeScalars.append(isWord(scalar) || scalar == "_" ? scalar : "_")
        }
        if text.utf8.first.map(isDigit) == true { text = "key_" + text }
        return text
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
