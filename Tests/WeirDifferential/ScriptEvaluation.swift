internal import WeirCore
package import WeirQuery

/// The first line of a case: `eval instant at 5m QUERY` or `eval range from 0 to 5m step 1m QUERY`.
package struct ScriptEvaluation: Sendable {
    package let query: String
    /// Milliseconds; at one time they are the same.
    package let from: Int64
    package let through: Int64
    /// Milliseconds; nil at one time.
    package let step: Int64?

    /// - Returns: Nil where the line is none.
    package init?(_ line: String) {
        let words = line.split(separator: " ", maxSplits: 8).map(String.init)
        guard words.count >= 5, words[0] == "eval" else { return nil }
        if words[1] == "instant", let time = PrometheusTime.durationMilliseconds(words[3]) {
            query = line.split(separator: " ", maxSplits: 4).map(String.init)[4]
            (from, through, step) = (time, time, nil)
            return
        }
        guard words.count == 9, words[1] == "range",
            let from = PrometheusTime.durationMilliseconds(words[3]),
            let through = PrometheusTime.durationMilliseconds(words[5]),
            let step = PrometheusTime.durationMilliseconds(words[7])
        else { return nil }
        query = words[8]
        (self.from, self.through, self.step) = (from, through, step)
    }

    package init(_ query: String, from: Int64, through: Int64, step: Int64?) {
        self.query = query
        self.from = from
        self.through = through
        self.step = step
    }

    /// What Weir makes of it.
    package func evaluate(
        _ source: any SampleSource,
        context: QueryContext
    ) throws(QueryError) -> QueryValue {
        var options = PromQLOptions()
        options.hasExperiments = true
        guard let step else {
            return try PromQL.evaluateInstant(
                query,
                atMilliseconds: from,
                source: source,
                context: context,
                options: options
            )
        }
        return try PromQL.evaluateRange(
            query,
            fromMilliseconds: from,
            throughMilliseconds: through,
            stepMilliseconds: step,
            source: source,
            context: context,
            options: options
        )
    }

    /// The same as parameters of the HTTP API.
    var question: DifferentialRun.Question {
        guard let step else {
            return .init(query: query, times: [("time", Self.seconds(from))])
        }
        return .init(
            query: query,
            times: [
                ("start", Self.seconds(from)), ("end", Self.seconds(through)),
                ("step", Self.seconds(step)),
            ]
        )
    }

    private static func seconds(_ milliseconds: Int64) -> String {
        var bytes: [UInt8] = []
        PrometheusTime.append(milliseconds: milliseconds, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
