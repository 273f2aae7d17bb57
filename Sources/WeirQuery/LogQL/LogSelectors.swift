internal import WeirCore
package import WeirPattern

/// Stream selectors as a source understands them.
package enum LogSelectors {
    /// With the names that streams really have: `service_name` means `service.name` where a
    /// stream is labelled so.
    ///
    /// Names without `_` are what they are, and cost nothing.
    package static func resolved(
        _ matchers: [LabelMatcher],
        times: ClosedRange<Int64>,
        source: any RowSource,
        context: QueryContext
    ) throws(QueryError) -> [LabelMatcher] {
        guard matchers.contains(where: { $0.name.utf8.contains(UInt8(ascii: "_")) }) else {
            return matchers
        }
        var names: Set<String> = []
        for labels in try source.streams([], times: times, context: context) {
            for pair in labels.pairs { names.insert(pair.name) }
        }
        return matchers.map { matcher in
            guard !names.contains(matcher.name),
                let real = names.sorted().first(where: { LogNames.sanitized($0) == matcher.name })
            else { return matcher }
            return LabelMatcher(
                name: real,
                operation: matcher.operation,
                value: matcher.value
            )
        }
    }
}
