internal import WeirCore

/// The parameters of a log request: those of the URL and of a form body together, in order.
struct LokiParameters {
    private let items: [(String, String)]
    let now: Int64

    init(_ items: [(String, String)], nowNanoseconds: Int64) {
        self.items = items
        now = nowNanoseconds
    }

    /// The value called `name`, when it is there and not empty.
    subscript(name: String) -> String? {
        guard let value = items.first(where: { $0.0 == name })?.1, !value.isEmpty else {
            return nil
        }
        return value
    }

    /// A time as Prometheus takes it where it need not be given; nil when it is not.
    func milliseconds(_ name: String) throws(PrometheusError) -> Int64? {
        try PrometheusAPI.time(items, name, isOptional: true)
    }

    func all(_ name: String) -> [String] { items.filter { $0.0 == name }.map(\.1) }

    /// Names separated by commas; nil when the parameter is missing.
    func list(_ name: String) -> [String]? {
        self[name].map { text in
            text.split(separator: ",").map { String($0.drop { $0 == " " }) }
        }
    }

    func time(_ name: String) throws(LokiError) -> Int64? {
        guard let text = self[name] else { return nil }
        guard let time = LogTimestamp.nanoseconds(text) else {
            throw LokiError(
                "could not parse '\(name)' parameter: \(PromQLStringLiteral.quote(text)) is "
                    + "neither nanoseconds, seconds nor RFC 3339"
            )
        }
        return time
    }

    /// Nanoseconds; a bare number counts seconds.
    func duration(_ name: String) throws(LokiError) -> Int64? {
        guard let text = self[name] else { return nil }
        let bytes = Array(text.utf8)
        let nanoseconds =
            Double(text).map { $0 * 1e9 } ?? LogQLUnits.nanoseconds(bytes.span) ?? .nan
        guard nanoseconds >= 0, nanoseconds < 0x1p62 else {
            throw LokiError(
                "could not parse '\(name)' parameter: \(PromQLStringLiteral.quote(text)) is no "
                    + "duration such as 5m"
            )
        }
        return Int64(nanoseconds)
    }

    func count(_ name: String, default: Int) throws(LokiError) -> Int {
        guard let text = self[name] else { return `default` }
        guard let count = Int(text), count >= 0 else {
            throw LokiError(
                "could not parse '\(name)' parameter: \(PromQLStringLiteral.quote(text)) is no "
                    + "whole number of 0 or more"
            )
        }
        return count
    }

    /// `start` and `end`, with `since` and `default` in their place; end may not be before start.
    func span(default length: Int64) throws(LokiError) -> (start: Int64, end: Int64) {
        let end = try time("end") ?? now
        let since = try duration("since") ?? length
        let (early, overflow) = end.subtractingReportingOverflow(since)
        let start = try time("start") ?? (overflow ? .min : early)
        guard end >= start else {
            throw LokiError("invalid query, through < from (\(end) < \(start))")
        }
        return (start, end)
    }

    func direction() throws(LokiError) -> LogSearch.Direction {
        guard let text = self["direction"] else { return .backward }
        guard let direction = LogSearch.Direction(rawValue: text.lowercased()) else {
            throw LokiError("invalid direction '\(text)': it is forward or backward")
        }
        return direction
    }

    /// The step asked for, or a 250th of the span, a second at least.
    func step(_ start: Int64, _ end: Int64) throws(LokiError) -> Int64 {
        if let step = try duration("step") {
            guard step > 0 else {
                throw LokiError(
                    "zero or negative query resolution step widths are not accepted. Try a "
                        + "positive integer"
                )
            }
            return step
        }
        let (span, overflow) = end.subtractingReportingOverflow(start)
        let seconds = (overflow ? Int64.max : span) / 1_000_000_000
        return max(1, seconds / 250) * 1_000_000_000
    }
}
