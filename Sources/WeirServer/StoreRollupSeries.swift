internal import Synchronization
internal import WeirCore
internal import WeirPattern
internal import WeirQuery
internal import WeirStore

/// A store's rollups as the executor reads them.
struct StoreRollupSeries: RollupSeries {
    private let selection: RollupSelection
    private let source: StoreSampleSource
    private let matchers: [LabelMatcher]
    /// Nanoseconds, inclusive.
    private let times: ClosedRange<Int64>
    private let context: QueryContext
    private let budget: QueryBudget

    init(
        _ selection: RollupSelection,
        _ source: StoreSampleSource,
        _ matchers: [LabelMatcher],
        _ times: ClosedRange<Int64>,
        _ context: QueryContext,
        _ budget: QueryBudget
    ) {
        self.selection = selection
        self.source = source
        self.matchers = matchers
        self.times = times
        self.context = context
        self.budget = budget
    }

    var labels: [Labels] { selection.labels }
    var isAlone: Bool { selection.isAlone }

    func scan(
        columns: Set<Int>,
        _ newBody: @escaping @Sendable () -> RollupBody
    ) throws(QueryError) -> Bool {
        do throws(StoreError) {
            return try selection.scan(columns: columns, budget: budget) { [budget] in
                let body = newBody()
                return { series, rows in
                    do throws(QueryError) {
                        return try body(series, rows)
                    } catch {
                        budget.stop(error)
                        return false
                    }
                }
            }
        } catch {
            // A body wanted no more.
            if error == .budget, budget.error == nil { return false }
            throw StoreSampleSource.queryError(error, budget)
        }
    }

    func samples(of series: [Int]) throws(QueryError) -> any SeriesSelection {
        do throws(StoreError) {
            let samples = try source.store.select(
                tenant: source.tenant,
                signal: .metrics,
                matchers: matchers,
                times: times,
                budget: budget
            )
            context.segmentsRead.add(samples.sourceCount, ordering: .relaxed)
            return StoreSeriesSelection(
                samples.narrowed(to: series.map { labels[$0] }),
                histograms: samples.narrowed(to: []),
                context: context,
                budget: budget
            )
        } catch {
            throw StoreSampleSource.queryError(error, budget)
        }
    }
}
