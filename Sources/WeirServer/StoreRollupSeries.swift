internal import Synchronization
internal import WeirCore
internal import WeirPattern
internal import WeirQuery
internal import WeirStore

/// A store's rollups as the executor reads them.
struct StoreRollupSeries: RollupSeries {
    /// What is asked for.
    struct Request {
        let source: StoreSampleSource
        let matchers: [LabelMatcher]
        /// Nanoseconds, inclusive.
        let times: ClosedRange<Int64>
        /// Those that can be used, the best first.
        let resolutions: [RollupResolution]
        let context: QueryContext
    }

    private let request: Request
    /// Without series that have histograms.
    private let selection: RollupSelection
    private let histograms: StreamSelection
    private let series: JointSeries
    private let budget: QueryBudget

    /// Nil where samples are the better answer.
    init?(_ request: Request) throws(QueryError) {
        let budget = QueryBudget(context: request.context)
        do throws(StoreError) {
            guard let selection = try Self.select(request, budget) else { return nil }
            let histograms = try request.source.store.select(
                tenant: request.source.tenant,
                signal: .histograms,
                matchers: request.matchers,
                times: request.times,
                budget: budget
            )
            request.context.segmentsRead.add(histograms.sourceCount, ordering: .relaxed)
            guard !histograms.labels.isEmpty else {
                self.init(request, selection, histograms, budget)
                return
            }
            let withHistograms = Set(histograms.labels)
            let plain = selection.labels.filter { !withHistograms.contains($0) }
            guard !plain.isEmpty else { return nil }
            self.init(request, selection.narrowed(to: plain), histograms, budget)
        } catch {
            throw StoreSampleSource.queryError(error, budget)
        }
    }

    private init(
        _ request: Request,
        _ selection: RollupSelection,
        _ histograms: StreamSelection,
        _ budget: QueryBudget
    ) {
        self.request = request
        self.selection = selection
        self.histograms = histograms
        self.budget = budget
        series = JointSeries(plain: selection.labels, histograms: histograms.labels)
    }

    private static func select(
        _ request: Request,
        _ budget: QueryBudget
    ) throws(StoreError) -> RollupSelection? {
        let selection = try request.source.store.selectRollups(
            tenant: request.source.tenant,
            matchers: request.matchers,
            times: request.times,
            resolutions: request.resolutions,
            budget: budget
        )
        guard let selection else { return nil }
        request.context.segmentsRead.add(selection.sourceCount, ordering: .relaxed)
        if !selection.alone.isEmpty { request.context.inform(StoreSampleSource.aloneNote) }
        return selection
    }

    var labels: [Labels] { series.labels }
    var alone: [ClosedRange<Int64>] { selection.alone }
    var histogramSeries: [Int] { series.histogramsOf }

    func scan(
        columns: Set<Int>,
        _ newBody: @escaping @Sendable () -> RollupBody
    ) throws(QueryError) -> RollupReading {
        do throws(StoreError) {
            let isWhole = try selection.scan(columns: columns, budget: budget) {
                [budget, plainOf = series.plainOf] in
                let body = newBody()
                return { stream, rows in
                    do throws(QueryError) {
                        return try body(plainOf?[stream] ?? stream, rows)
                    } catch {
                        budget.stop(error)
                        return false
                    }
                }
            }
            return isWhole ? .whole : .damaged
        } catch {
            // A body wanted no more.
            if error == .budget, budget.error == nil { return .stopped }
            throw StoreSampleSource.queryError(error, budget)
        }
    }

    func samples(of wanted: [Int]) throws(QueryError) -> any SeriesSelection {
        seriesSelection(try samples(), wanted)
    }

    func samplesBesideRows(of wanted: [Int]) throws(QueryError) -> (any SeriesSelection)? {
        let samples = try samples()
        guard samples.standInDays.isSubset(of: selection.aloneDays) else { return nil }
        return seriesSelection(samples, wanted)
    }

    /// The samples of all series there are now.
    private func samples() throws(QueryError) -> StreamSelection {
        let (source, context) = (request.source, request.context)
        do throws(StoreError) {
            let samples = try source.store.select(
                tenant: source.tenant,
                signal: .metrics,
                matchers: request.matchers,
                times: request.times,
                budget: budget
            )
            context.segmentsRead.add(samples.sourceCount, ordering: .relaxed)
            if samples.hasStandIns { context.inform(StoreSampleSource.aloneNote) }
            return samples
        } catch {
            throw StoreSampleSource.queryError(error, budget)
        }
    }

    private func seriesSelection(
        _ samples: StreamSelection,
        _ wanted: [Int]
    ) -> any SeriesSelection {
        let wanted = wanted.map { labels[$0] }
        let withHistograms = Set(histograms.labels)
        return StoreSeriesSelection(
            samples.narrowed(to: wanted),
            histograms: histograms.narrowed(to: wanted.filter(withHistograms.contains)),
            context: request.context,
            budget: budget
        )
    }

    func again() throws(QueryError) -> (any RollupSeries)? {
        do throws(StoreError) {
            guard let anew = try Self.select(request, budget) else { return nil }
            return Self(request, anew.narrowed(to: selection.labels), histograms, budget)
        } catch {
            throw StoreSampleSource.queryError(error, budget)
        }
    }
}
