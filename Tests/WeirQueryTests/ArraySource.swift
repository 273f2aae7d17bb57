import WeirCore
import WeirPattern
import WeirQuery

/// Series in arrays, as a store would give them.
struct ArraySource: SampleSource {
    struct Series: Sendable {
        let labels: Labels
        var times: [Int64]
        var values: [Double]
    }

    var all: [Series] = []
    /// Hand out all samples of a series, not only those in range: a store may do that.
    var isGenerous = false

    func find(
        _ matchers: [LabelMatcher],
        _ from: Int64,
        _ through: Int64
    ) throws(QueryError) -> [Series] {
        var compiled: [CompiledMatcher] = []
        var found: [Series] = []
        do throws(PatternError) {
            for matcher in matchers { compiled.append(try CompiledMatcher(matcher)) }
            next: for one in all {
                for matcher in compiled where try !matcher.matches(one.labels) { continue next }
                let inRange = one.times.indices.filter {
                    one.times[$0] >= from && one.times[$0] <= through
                }
                guard !inRange.isEmpty else { continue }
                found.append(
                    isGenerous
                        ? one
                        : Series(
                            labels: one.labels,
                            times: inRange.map { one.times[$0] },
                            values: inRange.map { one.values[$0] }
                        )
                )
            }
        } catch {
            throw .storage(reason: "\(error)")
        }
        return found
    }

    func select(
        _ matchers: [LabelMatcher],
        fromMilliseconds: Int64,
        throughMilliseconds: Int64,
        context: QueryContext
    ) throws(QueryError) -> any SeriesSelection {
        ArraySelection(
            series: try find(matchers, fromMilliseconds, throughMilliseconds),
            context: context
        )
    }

    func series(
        _ matcherSets: [[LabelMatcher]],
        fromMilliseconds: Int64,
        throughMilliseconds: Int64,
        context: QueryContext
    ) throws(QueryError) -> [Labels] {
        var found: Set<Labels> = []
        for matchers in matcherSets.isEmpty ? [[]] : matcherSets {
            for one in try find(matchers, fromMilliseconds, throughMilliseconds) {
                found.insert(one.labels)
            }
        }
        return Array(found)
    }
}

struct ArraySelection: SeriesSelection {
    let series: [ArraySource.Series]
    let context: QueryContext
    var labels: [Labels] { series.map(\.labels) }

    func scan(
        _ body:
            @Sendable (_ series: Int, _ times: Span<Int64>, _ values: Span<Double>)
            throws(QueryError) -> Void
    ) throws(QueryError) {
        for (index, one) in series.enumerated() {
            try context.count(rows: one.times.count, blocks: 1, bytes: one.times.count * 16)
            try body(index, one.times.span, one.values.span)
        }
    }
}
