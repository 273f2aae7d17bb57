internal import WeirCore

/// Reads Graphite's plaintext protocol: `path;tag=value number seconds`.
///
/// The path's dots become `_`; a time of -1, or none, is the time of arrival. docs/metrics-in.md.
package struct GraphiteParser {
    private let limits: MetricOptions
    package private(set) var batches = MetricBatches()
    /// By everything before the value.
    private var streams: [Substring: UInt32] = [:]
    private var byLabels: [Labels: UInt32] = [:]

    package init(limits: MetricOptions) { self.limits = limits }

    package var rowCount: Int { batches.samples.rowCount }

    /// Parses whole lines.
    ///
    /// `arrival`: Nanoseconds since the Unix epoch.
    package mutating func parse(_ lines: [UInt8], arrival: Int64) {
        for line in lines.split(separator: 0x0A) {
            do throws(PushError) {
                guard let text = String(validating: line, as: UTF8.self) else { throw .notUTF8 }
                try parseLine(text, arrival: arrival)
            } catch {
                batches.refuse(line: 0, error.description)
            }
        }
    }

    private mutating func parseLine(_ text: String, arrival: Int64) throws(PushError) {
        let words = text.utf8.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
        guard let path = words.first else { return }
        guard words.count >= 2 else { throw .noValue }
        let value = Array(words[1])
        guard let number = NumberText.float(value.span, 0..<value.count) else {
            throw .badValue(String(Substring(words[1]).prefix(64)))
        }
        var time = arrival
        if words.count > 2, !words[2].elementsEqual("-1".utf8), !words[2].elementsEqual("N".utf8) {
            let text = Array(words[2])
            guard let seconds = NumberText.seconds(text.span, 0..<text.count), words.count == 3
            else { throw .badTime(String(Substring(words[2]).prefix(64))) }
            time = seconds
        }
        guard time <= arrival || time - arrival <= limits.futureMax else {
            throw .tooFarInFuture(limit: limits.futureMax)
        }
        let stream = try stream(Substring(path))
        batches.samples.append(number, stream: stream, time: time)
    }

    private mutating func stream(_ path: Substring) throws(PushError) -> UInt32 {
        if let known = streams[path] { return known }
        var parts = path.split(separator: ";", omittingEmptySubsequences: false)[...]
        let name = PushName.metric((parts.popFirst() ?? "").utf8)
        guard name.utf8.contains(where: { $0 != UInt8(ascii: "_") }) else { throw .noName }
        guard name.utf8.count <= limits.labelNameBytesMax else {
            throw .tooLong(limit: limits.labelNameBytesMax)
        }
        guard parts.count <= limits.labelsMax else {
            throw .tooManyLabels(limit: limits.labelsMax)
        }
        var pairs = [(Labels.metricNameLabel, name)]
        for part in parts {
            guard let equals = part.firstIndex(of: "="), equals > part.startIndex else {
                throw .badTag(String(part.prefix(64)))
            }
            let label = PushName.label(part[..<equals].utf8)
            let value = part[part.index(after: equals)...]
            guard label.utf8.count <= limits.labelNameBytesMax,
                value.utf8.count <= limits.labelValueBytesMax
            else { throw .tooLong(limit: limits.labelValueBytesMax) }
            pairs.append((label == Labels.metricNameLabel ? "_name" : label, String(value)))
        }
        let labels = Labels(pairs)
        // Two paths may become one series.
        let stream = byLabels[labels] ?? batches.samples.addStream(labels)
        byLabels[labels] = stream
        streams[path] = stream
        return stream
    }
}
