/// Numbers for people, as Prometheus's template functions write them.
enum Humanize {
    private static let small = ["m", "u", "n", "p", "f", "a", "z", "y"]

    /// `1.235M`, `12.3m`.
    static func number(_ value: Double) -> String {
        guard value != 0, value.isFinite else { return four(value) }
        var value = value
        var prefix = ""
        if abs(value) >= 1 {
            for name in ["k", "M", "G", "T", "P", "E", "Z", "Y"] {
                if abs(value) < 1000 { break }
                prefix = name
                value /= 1000
            }
        } else {
            for name in small {
                if abs(value) >= 1 { break }
                prefix = name
                value *= 1000
            }
        }
        return four(value) + prefix
    }

    /// `1Mi`.
    static func binary(_ value: Double) -> String {
        guard abs(value) > 1, value.isFinite else { return four(value) }
        var value = value
        var prefix = ""
        for name in ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"] {
            if abs(value) < 1024 { break }
            prefix = name
            value /= 1024
        }
        return four(value) + prefix
    }

    /// Seconds as `1d 2h 3m 4s`, `899.9ms`.
    static func duration(_ value: Double) -> String {
        guard value.isFinite else { return four(value) }
        if value == 0 { return four(value) + "s" }
        if abs(value) >= 1 {
            let sign = value < 0 ? "-" : ""
            let magnitude = abs(value)
            guard let whole = Int64(exactly: magnitude.rounded(.down)) else {
                return sign + four(magnitude) + "s"
            }
            let seconds = whole % 60
            let minutes = whole / 60 % 60
            let hours = whole / 3600 % 24
            let days = whole / 86_400
            if days != 0 { return "\(sign)\(days)d \(hours)h \(minutes)m \(seconds)s" }
            if hours != 0 { return "\(sign)\(hours)h \(minutes)m \(seconds)s" }
            if minutes != 0 { return "\(sign)\(minutes)m \(seconds)s" }
            return sign + four(magnitude) + "s"
        }
        var value = value
        var prefix = ""
        for name in small {
            if abs(value) >= 1 { break }
            prefix = name
            value *= 1000
        }
        return four(value) + prefix + "s"
    }

    /// `12.35%`.
    static func percentage(_ ratio: Double) -> String { four(ratio * 100) + "%" }

    /// Unix seconds as `2015-06-23 13:19:44.128 +0000 UTC`.
    static func timestamp(_ seconds: Double) throws(TemplateError) -> String {
        guard seconds.isFinite else { return four(seconds) }
        guard let nanoseconds = Int64(exactly: (seconds * 1e9).rounded(.towardZero)) else {
            throw TemplateError(reason: "\(four(seconds)) cannot be represented as a time")
        }
        // Prometheus keeps milliseconds.
        return Timestamps.goText(nanoseconds: nanoseconds / 1_000_000 * 1_000_000)
    }

    private static func four(_ value: Double) -> String {
        GoFormat.formatted(value, verb: "g", precision: 4)
    }
}
