internal import Synchronization
package import WeirCore
package import WeirPattern
package import WeirQuery
package import WeirStore

/// Metrics in the store, as the query executor reads them: times in milliseconds.
package struct StoreSampleSource: SampleSource {
    let store: Store
    let tenant: String

    package init(store: Store, tenant: String = "default") {
        self.store = store
        self.tenant = tenant
    }

    package func select(
        _ matchers: [LabelMatcher],
        fromMilliseconds: Int64,
        throughMilliseconds: Int64,
        context: QueryContext
    ) throws(QueryError) -> any SeriesSelection {
        let budget = QueryBudget(context: context)
        do throws(StoreError) {
            let times = Self.nanoseconds(fromMilliseconds, throughMilliseconds)
            func select(_ signal: Signal) throws(StoreError) -> StreamSelection {
                let selection = try store.select(
                    tenant: tenant,
                    signal: signal,
                    matchers: matchers,
                    times: times,
                    budget: budget
                )
                context.segmentsRead.add(selection.sourceCount, ordering: .relaxed)
                return selection
            }
            let metrics = try select(.metrics)
            let selection = StoreSeriesSelection(
                metrics,
                histograms: try select(.histograms),
                context: context,
                budget: budget
            )
            noteRead(selection.labels, context)
            if metrics.hasStandIns { context.inform(Self.aloneNote) }
            return selection
        } catch {
            throw Self.queryError(error, budget)
        }
    }

    package func selectRollups(
        _ matchers: [LabelMatcher],
        fromMilliseconds: Int64,
        throughMilliseconds: Int64,
        resolutions: [RollupResolution],
        context: QueryContext
    ) throws(QueryError) -> (any RollupSeries)? {
        let series = try StoreRollupSeries(
            StoreRollupSeries.Request(
                source: self,
                matchers: matchers,
                times: Self.nanoseconds(fromMilliseconds, throughMilliseconds),
                resolutions: resolutions,
                context: context
            )
        )
        if let series { noteRead(series.labels, context) }
        return series
    }

    /// What is said of answers that no samples are left for.
    static let aloneNote =
        "Weir info: the samples of some of this time are gone; rollups of 5 minutes or an hour stand "
        + "for them"

    /// Notes that a query read the metrics of these series.
    private func noteRead(_ labels: [Labels], _ context: QueryContext) {
        var names: [String] = []
        var last: ArraySlice<UInt8>?
        for labels in labels {
            // Series of one name stand together.
            guard let range = labels.valueRange(of: Labels.metricNameLabel),
                last != labels.bytes[range]
            else { continue }
            last = labels.bytes[range]
            names.append(String(decoding: labels.bytes[range], as: UTF8.self))
        }
        store.reads.note(names, at: store.now)
        context.mark { $0.addMetrics(names) }
    }

    package func series(
        _ matcherSets: [[LabelMatcher]],
        fromMilliseconds: Int64,
        throughMilliseconds: Int64,
        context: QueryContext
    ) throws(QueryError) -> [Labels] {
        var found: Set<Labels> = []
        let budget = QueryBudget(context: context)
        let times = Self.nanoseconds(fromMilliseconds, throughMilliseconds)
        do throws(StoreError) {
            for matchers in matcherSets.isEmpty ? [[]] : matcherSets {
                for signal in [Signal.metrics, .histograms] {
                    guard budget.charge(rows: 0, blocks: 0, bytes: 0) else { throw .budget }
                    let selection = try store.select(
                        tenant: tenant,
                        signal: signal,
                        matchers: matchers,
                        times: times,
                        budget: budget
                    )
                    context.segmentsRead.add(selection.sourceCount, ordering: .relaxed)
                    found.formUnion(selection.labels)
                }
            }
        } catch {
            throw Self.queryError(error, budget)
        }
        return Array(found)
    }

    package func labelTexts(
        _ label: String?,
        _ matcherSets: [[LabelMatcher]],
        fromMilliseconds: Int64,
        throughMilliseconds: Int64,
        context: QueryContext
    ) throws(QueryError) -> [String] {
        let budget = QueryBudget(context: context)
        let times = Self.nanoseconds(fromMilliseconds, throughMilliseconds)
        var found = LabelTexts()
        do throws(StoreError) {
            for matchers in matcherSets.isEmpty ? [[]] : matcherSets {
                for signal in [Signal.metrics, .histograms] {
                    found.formUnion(
                        try store.labelTexts(
                            label,
                            tenant: tenant,
                            signal: signal,
                            matchers: matchers,
                            times: times,
                            budget: budget
                        )
                    )
                }
            }
        } catch {
            throw Self.queryError(error, budget)
        }
        guard label == nil else { return found.strings }
        let names = found.strings.map { $0.isEmpty ? Labels.metricNameLabel : $0 }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// The whole nanoseconds of both milliseconds, clamped to what fits.
    static func nanoseconds(_ first: Int64, _ last: Int64) -> ClosedRange<Int64> {
        func scaled(_ milliseconds: Int64, adding rest: Int64) -> Int64 {
            let (product, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
            if overflow { return milliseconds < 0 ? .min : .max }
            let (sum, carry) = product.addingReportingOverflow(rest)
            return carry ? .max : sum
        }
        let lower = scaled(first, adding: 0)
        return lower...max(lower, scaled(last, adding: 999_999))
    }

    static func queryError(_ error: StoreError, _ budget: QueryBudget) -> QueryError {
        switch error {
        case .pattern(.invalid(let pattern, let offset, let reason)):
            .invalid(reason: "regular expression \"\(pattern)\": \(reason) at byte \(offset)")
        case .pattern(.tooLong(_, let limit)):
            .limit(name: "regular expression bytes", limit: limit)
        case .pattern(.tooExpensive(_, let limit)):
            .limit(name: "regular expression steps", limit: limit)
        case .budget: budget.error ?? .cancelled
        default: .storage(reason: "\(error)")
        }
    }
}

/// Charges a scan to its query, and remembers why it was stopped.
final class QueryBudget: ScanBudget {
    private let context: QueryContext
    private let firstError = Mutex<QueryError?>(nil)

    init(context: QueryContext) { self.context = context }

    var error: QueryError? { firstError.withLock { $0 } }

    func charge(rows: Int, blocks: Int, bytes: Int) -> Bool {
        do throws(QueryError) {
            try context.check()
            try context.count(rows: rows, blocks: blocks, bytes: bytes)
            return true
        } catch {
            stop(error)
            return false
        }
    }

    /// Reserves memory.
    ///
    /// - Returns: False when the query may use no more, and is to stop.
    func reserve(bytes: Int) -> Bool {
        if reserveSpare(bytes: bytes) { return true }
        stop(.limit(name: "query memory bytes", limit: context.memoryBytesMax))
        return false
    }

    func reserveSpare(bytes: Int) -> Bool {
        do throws(QueryError) {
            try context.reserve(bytes: bytes)
            return true
        } catch {
            context.release(bytes: bytes)
            return false
        }
    }

    func release(bytes: Int) { context.release(bytes: bytes) }

    func stop(_ error: QueryError) { firstError.withLock { $0 = $0 ?? error } }

    func noteQuarantined(path: String) {
        context.warnOfLoss("\(path) is damaged and was left out; see /api/v1/status")
    }
}

/// A store's selection as the executor reads it.
struct StoreSeriesSelection: SeriesSelection {
    private let selection: StreamSelection
    private let histograms: StreamSelection
    private let context: QueryContext
    private let budget: QueryBudget
    private let series: JointSeries

    init(
        _ selection: StreamSelection,
        histograms: StreamSelection,
        context: QueryContext,
        budget: QueryBudget
    ) {
        self.selection = selection
        self.histograms = histograms
        self.context = context
        self.budget = budget
        series = JointSeries(plain: selection.labels, histograms: histograms.labels)
    }

    var labels: [Labels] { series.labels }

    var histogramSeries: [Int] { series.histogramsOf }

    func scanHistograms(
        _ body:
            @escaping @Sendable (_ series: Int, _ histograms: HistogramSamples)
            throws(QueryError) -> Void
    ) throws(QueryError) {
        guard !series.histogramsOf.isEmpty else { return }
        let (budget, context, seriesOf) = (budget, context, series.histogramsOf)
        do throws(StoreError) {
            try histograms.scanRows(schema: .histograms, budget: budget) {
                stream,
                times,
                columns,
                rows in
                // Kept while the series is worked on; what stays is paid for by who keeps it.
                var bytes = 0
                defer { context.release(bytes: bytes) }
                var samples = HistogramSamples()
                do throws(QueryError) {
                    for row in rows {
                        guard let stored = try? NativeHistogram(row: row, of: columns) else {
                            throw .storage(reason: "a histogram cannot be read")
                        }
                        let histogram = FloatHistogram(stored)
                        bytes += histogram.byteCount
                        try context.reserve(bytes: histogram.byteCount)
                        let time = times[row]
                        samples.append(
                            time / 1_000_000 - (time % 1_000_000 < 0 ? 1 : 0),
                            histogram
                        )
                    }
                    try body(seriesOf[stream], samples)
                    return true
                } catch {
                    budget.stop(error)
                    return false
                }
            }
        } catch {
            throw StoreSampleSource.queryError(error, budget)
        }
    }

    func scan(
        _ body:
            @escaping @Sendable (_ series: Int, _ times: Span<Int64>, _ values: Span<Double>)
            throws(QueryError) -> Void
    ) throws(QueryError) {
        do throws(StoreError) {
            try selection.scanFloats(timeUnit: 1_000_000, budget: budget) {
                [budget, plainOf = series.plainOf] stream, times, values in
                do throws(QueryError) {
                    try body(plainOf?[stream] ?? stream, times, values)
                    return true
                } catch {
                    budget.stop(error)
                    return false
                }
            }
        } catch {
            throw StoreSampleSource.queryError(error, budget)
        }
    }
}
