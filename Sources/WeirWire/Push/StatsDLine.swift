package import WeirCore

/// A line of StatsD's, in any of the ways that tags are common in.
///
/// `name:value|type`, then in any order `|@rate`, `|#tag:value,…`, `|Tseconds`. Tags may also follow
/// the name, as `name,tag=value`, `name;tag=value`, `name#tag=value` or `name[tag=value]`. Several
/// values may stand there, `name:1:2:3|type`. Protocols: etsy/statsd, DogStatsD 1.0 to 1.4.
package struct StatsDLine: Sendable {
    package enum Kind: Hashable, Sendable {
        case counter
        case gauge
        /// `ms`: milliseconds, kept as seconds.
        case timer
        /// `h` and `d`: of any unit.
        case distribution
        case set
    }

    package var kind: Kind
    package var labels: Labels
    /// Of all kinds but sets.
    package var values: [Double] = []
    /// Whether each of `values` is added to the gauge: it was written with a sign.
    package var isRelative: [Bool] = []
    /// Of sets.
    package var members: [String] = []
    /// The part of what happened that was sent.
    package var rate = 1.0
    /// Nanoseconds; nil for now.
    package var time: Int64?

    /// What a line may also be.
    package enum Reading: Sendable {
        case metric(StatsDLine)
        /// DogStatsD's events and service checks, which are no metrics.
        case other
    }

    package static func read(
        _ text: String,
        limits: MetricOptions
    ) throws(PushError) -> Reading {
        if text.hasPrefix("_e{") || text.hasPrefix("_sc|") { return .other }
        let parts = text.split(separator: "|", omittingEmptySubsequences: false)
        guard parts.count >= 2 else { throw .noValue }
        // Tags behind the name may hold colons, the values none.
        let head = parts[0]
        let tagsEnd = head.firstIndex(of: "]") ?? head.startIndex
        guard let colon = head[tagsEnd...].firstIndex(of: ":") else { throw .noValue }
        var pairs: [(String, String)] = []
        let name = try readName(head[..<colon], &pairs)
        let kind: Kind
        switch parts[1] {
        case "c", "m": kind = .counter
        case "g": kind = .gauge
        case "ms": kind = .timer
        case "h", "d": kind = .distribution
        case "s": kind = .set
        default: throw .badType(String(parts[1].prefix(64)))
        }
        var line = StatsDLine(kind: kind, labels: .empty)
        for part in parts.dropFirst(2) {
            switch part.first {
            case "@":
                guard let rate = number(part.dropFirst()), rate > 0, rate <= 1 else {
                    throw .badRate(String(part.prefix(64)))
                }
                line.rate = rate
            case "#":
                for tag in part.dropFirst().split(separator: ",") { try add(tag, ":", to: &pairs) }
            case "T":
                guard let seconds = Int64(part.dropFirst()), seconds > 0,
                    case (let time, let overflow) = seconds.multipliedReportingOverflow(
                        by: 1_000_000_000
                    ), !overflow
                else { throw .badTime(String(part.prefix(64))) }
                line.time = time
            // A container's id, and what later versions may add.
            default: continue
            }
        }
        line.labels = try labels(name, pairs, limits)
        try line.readValues(head[head.index(after: colon)...])
        return .metric(line)
    }

    private static func number(_ text: Substring) -> Double? {
        let bytes = Array(text.utf8)
        guard let value = NumberText.float(bytes.span, 0..<bytes.count), value.isFinite else {
            return nil
        }
        return value
    }

    private mutating func readValues(_ text: Substring) throws(PushError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for part in kind == .set ? [text] : parts {
            guard !part.isEmpty else { throw .noValue }
            if kind == .set {
                members.append(String(part))
                continue
            }
            guard let value = Self.number(part) else { throw .badValue(String(part.prefix(64))) }
            values.append(value)
            isRelative.append(part.first == "+" || part.first == "-")
        }
    }

    private static func readName(
        _ head: Substring,
        _ pairs: inout [(String, String)]
    ) throws(PushError) -> String {
        let end = head.firstIndex { ",;#[".contains($0) } ?? head.endIndex
        let name = PushName.metric(head[..<end].utf8)
        guard name.utf8.contains(where: { $0 != UInt8(ascii: "_") }) else { throw .noName }
        guard end < head.endIndex else { return name }
        var tags = head[head.index(after: end)...]
        if head[end] == "[" {
            guard tags.last == "]" else { throw .badTag(String(tags.prefix(64))) }
            tags = tags.dropLast()
        }
        for tag in tags.split(whereSeparator: { $0 == "," || $0 == ";" }) {
            try add(tag, "=", to: &pairs)
        }
        return name
    }

    private static func add(
        _ tag: Substring,
        _ separator: Character,
        to pairs: inout [(String, String)]
    ) throws(PushError) {
        // A tag without a value is there or not.
        let cut = tag.firstIndex(of: separator) ?? tag.endIndex
        guard cut > tag.startIndex else { throw .badTag(String(tag.prefix(64))) }
        let label = PushName.label(tag[..<cut].utf8)
        let value = cut < tag.endIndex ? String(tag[tag.index(after: cut)...]) : "true"
        pairs.append((label == Labels.metricNameLabel ? "_name" : label, value))
    }

    private static func labels(
        _ name: String,
        _ pairs: [(String, String)],
        _ limits: MetricOptions
    ) throws(PushError) -> Labels {
        guard pairs.count <= limits.labelsMax else {
            throw .tooManyLabels(limit: limits.labelsMax)
        }
        for (label, value) in pairs + [(name, "")] {
            guard label.utf8.count <= limits.labelNameBytesMax,
                value.utf8.count <= limits.labelValueBytesMax
            else { throw .tooLong(limit: limits.labelValueBytesMax) }
        }
        return Labels(pairs + [(Labels.metricNameLabel, name)])
    }
}
