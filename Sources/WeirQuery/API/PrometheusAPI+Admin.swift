package import WeirPattern

/// The part of Prometheus's HTTP API that changes what is stored.
extension PrometheusAPI {
    /// `/api/v1/admin/tsdb/delete_series`: reads what is to go, and has it erased.
    ///
    /// `erase` is given selectors, and milliseconds, inclusive; it returns the answer's `data`.
    package static func deleteSeries(
        parameters: Parameters,
        erase: (
            _ selectors: [[LabelMatcher]], _ fromMilliseconds: Int64, _ throughMilliseconds: Int64
        ) throws(QueryError) -> [UInt8]
    ) -> PrometheusAnswer {
        answer { () throws(PrometheusError) in
            guard value(parameters, "match[]") != nil else {
                throw PrometheusError(.badData, "no match[] parameter provided")
            }
            let selectors = try selectors(parameters)
            let (from, through) = try times(parameters)
            if let start = try time(parameters, "start"), start > from {
                throw PrometheusError(
                    parameter: "end",
                    "end timestamp must not be before start timestamp"
                )
            }
            return PrometheusJSON.success(
                tree: try run { () throws(QueryError) in try erase(selectors, from, through) }
            )
        }
    }

    /// The matchers of selectors that are no part of a query.
    ///
    /// `parameter`: named in the refusal of a bad one; nil where Prometheus does not name it.
    package static func matchers(
        _ texts: [String],
        parameter: String?
    ) throws(PrometheusRefusal) -> [[CompiledMatcher]] {
        var sets: [[CompiledMatcher]] = []
        for text in texts {
            var reason: String
            do throws(QueryError) {
                let selector = try PromQLParser.parseSelector(text)
                do throws(PatternError) {
                    sets.append(
                        try selector.matchers.map { matcher throws(PatternError) in
                            try CompiledMatcher(matcher)
                        }
                    )
                    continue
                } catch {
                    reason = "\(error)"
                }
            } catch {
                reason = error.message(query: text)
            }
            if let parameter { reason = "invalid parameter \"\(parameter)\": \(reason)" }
            throw PrometheusRefusal(answer: badData(reason))
        }
        return sets
    }

    /// The answer while a part of the API is switched off.
    package static func unavailable(_ reason: String) -> PrometheusAnswer {
        PrometheusJSON.failure(PrometheusError(.unavailable, reason))
    }

    /// The answer to a parameter that is wrong.
    package static func badData(_ reason: String) -> PrometheusAnswer {
        PrometheusJSON.failure(PrometheusError(.badData, reason))
    }

    /// The answer to an operator's request that failed.
    package static func failed(_ error: QueryError) -> PrometheusAnswer {
        PrometheusJSON.failure(PrometheusError(error))
    }

    /// An answer with `data` as it is.
    package static func success(data: [UInt8], warnings: [String] = []) -> PrometheusAnswer {
        PrometheusJSON.success(tree: data, warnings: warnings)
    }
}

/// A request that is answered with an error.
package struct PrometheusRefusal: Error {
    package let answer: PrometheusAnswer

    package init(answer: PrometheusAnswer) { self.answer = answer }
}
