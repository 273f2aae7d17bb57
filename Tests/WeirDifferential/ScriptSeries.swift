package import WeirCore
internal import WeirPattern
internal import WeirQuery

/// A line of a script that names a series and its values.
package struct ScriptSeries: Sendable {
    package let labels: Labels
    package let values: [ScriptValue]

    /// - Returns: Nil where the line cannot be read.
    package init?(_ line: String) {
        let end = Self.selectorEnd(line)
        guard let values = ScriptValue.list(line[end...]) else { return nil }
        self.values = values
        let selector = String(line[..<end])
        if selector == "{}" {
            labels = .empty
            return
        }
        do throws(QueryError) {
            let matchers = try PromQLParser.parseSelector(selector).matchers
            labels = Labels(matchers.map { ($0.name, $0.value) })
        } catch {
            return nil
        }
    }

    package init(_ labels: Labels, _ values: [ScriptValue]) {
        self.labels = labels
        self.values = values
    }

    /// As a line; nil where a histogram has too many buckets.
    package var text: String? {
        let texts = values.compactMap(\.text)
        guard texts.count == values.count else { return nil }
        return "\(Self.text(labels)) \(ScriptValue.line(texts))"
    }

    /// A line of values alone, as answers of one number have, has no selector.
    private static func selectorEnd(_ line: String) -> String.Index {
        var inBraces = false
        var inQuotes = false
        var isEscaped = false
        for index in line.indices {
            let character = line[index]
            if character == "\"", !isEscaped { inQuotes.toggle() }
            isEscaped = character == "\\" && !isEscaped
            if !inQuotes, character == "{" { inBraces = true }
            if !inQuotes, character == "}" { inBraces = false }
            if character == " ", !inBraces { return index }
        }
        return line.endIndex
    }

    /// With a sample every `step` milliseconds from the epoch on.
    package func loaded(stepMilliseconds step: Int64) -> ArraySource.Series {
        var series = ArraySource.Series(labels: labels, times: [], values: [])
        for (index, value) in values.enumerated() {
            let time = Int64(index) * step
            switch value {
            case .none: continue
            case .number(let number):
                series.times.append(time)
                series.values.append(number)
            case .histogram(let histogram):
                series.histograms.append(.init(time: time, sample: histogram.stored))
            }
        }
        return series
    }

    /// `name{a="b"}` as scripts write series.
    package static func text(_ labels: Labels) -> String {
        var pairs = LabelOrder.pairs(labels)
        var name = ""
        if let own = labels[Labels.metricNameLabel], PromQLPrinter.label(own) == own {
            name = own
            pairs.removeAll { $0.name == Labels.metricNameLabel }
        }
        let matchers = pairs.map { pair in
            PromQLPrinter.label(pair.name) + "=" + PromQLStringLiteral.quote(pair.value)
        }
        if matchers.isEmpty, !name.isEmpty { return name }
        return "\(name){\(matchers.joined(separator: ","))}"
    }
}
