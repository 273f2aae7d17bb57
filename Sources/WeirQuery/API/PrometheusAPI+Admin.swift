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
            return PrometheusJSON.success(
                tree: try run { () throws(QueryError) in try erase(selectors, from, through) }
            )
        }
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
    package static func success(data: [UInt8]) -> PrometheusAnswer {
        PrometheusJSON.success(tree: data)
    }
}
