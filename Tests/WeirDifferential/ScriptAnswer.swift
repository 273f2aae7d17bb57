internal import WeirCore
internal import WeirQuery

/// What a Prometheus answered, as the lines that stand below an `eval`.
///
/// Of a histogram the answer shows bounds and counts, a script a schema: the schema is that of
/// Weir's answer, which must be compared with the other before this.
struct ScriptAnswer {
    let lines: [String]
    let isEmpty: Bool
    let seriesCount: Int

    /// - Returns: Nil for answers that scripts do not hold: whole ranges of notes, many buckets.
    init?(_ theirs: JSONValue, ours: QueryValue?, of evaluation: ScriptEvaluation) {
        guard theirs["status"]?.string == "success" else {
            let message = theirs["error"]?.string ?? ""
            let reason = message.replacing("invalid parameter \"query\": ", with: "")
            lines = ["expect fail msg: \(reason)"]
            (isEmpty, seriesCount) = (false, 0)
            return
        }
        let isOrdered = evaluation.step == nil && AnswerComparison.isOrdered(evaluation.query)
        var lines = isOrdered ? ["expect ordered"] : []
        for (kind, word) in [("warnings", "warn"), ("infos", "info")] {
            for note in (theirs[kind]?.array ?? []).compactMap(\.string).sorted() {
                if note.hasSuffix("omitted") { return nil }
                lines.append("expect \(word) msg: \(note)")
            }
        }
        let result = theirs["data"]?["result"]?.array ?? []
        let histograms = Self.histograms(ours)
        switch theirs["data"]?["resultType"]?.string {
        case "scalar":
            lines.append(result.last?.string ?? "")
            (isEmpty, seriesCount) = (false, 0)
        case "vector", "matrix":
            for one in result {
                guard let text = Self.text(one, histograms, evaluation) else { return nil }
                lines.append(text)
            }
            (isEmpty, seriesCount) = (result.isEmpty, result.count)
        default: return nil
        }
        self.lines = lines
    }

    private static func histograms(_ value: QueryValue?) -> [Labels: [Int64: FloatHistogram]] {
        var found: [Labels: [Int64: FloatHistogram]] = [:]
        switch value {
        case .vector(let time, let samples):
            for sample in samples {
                if let histogram = sample.histogram { found[sample.labels] = [time: histogram] }
            }
        case .matrix(let series):
            for one in series {
                for point in one.histograms {
                    found[one.labels, default: [:]][point.time] = point.histogram
                }
            }
        default: break
        }
        return found
    }

    /// One series with its values: at each step, `_` where there is none, or, of an answer at one
    /// time, one after the other.
    private static func text(
        _ series: JSONValue,
        _ histograms: [Labels: [Int64: FloatHistogram]],
        _ evaluation: ScriptEvaluation
    ) -> String? {
        let labels = Labels(
            (series["metric"]?.members ?? []).map { ($0.key, $0.value.string ?? "") }
        )
        var points: [Int64: String] = [:]
        for member in ["value", "values", "histogram", "histograms"] {
            let single = member.hasSuffix("s") ? nil : series[member].map { [$0] }
            for point in single ?? series[member]?.array ?? [] {
                guard let pair = point.array, pair.count == 2, case .number(let text) = pair[0],
                    let seconds = Double(text)
                else { return nil }
                let time = Int64((seconds * 1000).rounded())
                if member.hasPrefix("value") {
                    points[time] = pair[1].string ?? ""
                } else {
                    guard var histogram = histograms[labels]?[time] else { return nil }
                    // No answer shows it.
                    histogram.resetHint = .unknown
                    guard let text = HistogramLiteral.text(histogram) else { return nil }
                    points[time] = text
                }
            }
        }
        var texts: [String] = []
        for (time, text) in points.sorted(by: { $0.key < $1.key }) {
            if let step = evaluation.step {
                let index = Int((time - evaluation.from) / step)
                while texts.count < index { texts.append("_") }
            }
            texts.append(text)
        }
        return "\(ScriptSeries.text(labels)) \(ScriptValue.line(texts))"
    }
}
