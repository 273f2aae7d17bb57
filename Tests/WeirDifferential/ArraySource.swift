internal import Dispatch
internal import Synchronization
package import WeirCore
package import WeirPattern
package import WeirQuery

/// Series in arrays, as a store would give them.
package struct ArraySource: SampleSource {
    /// A native histogram as a sample; one whose sum is the staleness marker ends the series.
    package struct Histogram: Sendable {
        package let time: Int64
        package let sample: NativeHistogram

        package init(time: Int64, sample: NativeHistogram) {
            self.time = time
            self.sample = sample
        }
    }

    package struct Series: Sendable {
        package let labels: Labels
        package var times: [Int64]
        package var values: [Double]
        /// Beside the plain samples, in order of time; at no time of theirs.
        package var histograms: [Histogram] = []

        package init(labels: Labels, times: [Int64], values: [Double]) {
            self.labels = labels
            self.times = times
            self.values = values
        }
    }

    package var all: [Series]
    /// Hand out all samples of a series, not only those in range: a store may do that.
    package var isGenerous = false
    /// Call the scan's body from several threads at once.
    package var isConcurrent = false

    package init(all: [Series] = []) { self.all = all }

    package func find(
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
                let histograms = one.histograms.filter { $0.time >= from && $0.time <= through }
                guard !inRange.isEmpty || !histograms.isEmpty else { continue }
                if isGenerous {
                    found.append(one)
                    continue
                }
                var part = Series(
                    labels: one.labels,
                    times: inRange.map { one.times[$0] },
                    values: inRange.map { one.values[$0] }
                )
                part.histograms = histograms
                found.append(part)
            }
        } catch {
            throw .storage(reason: "\(error)")
        }
        return found
    }

    package func select(
        _ matchers: [LabelMatcher],
        fromMilliseconds: Int64,
        throughMilliseconds: Int64,
        context: QueryContext
    ) throws(QueryError) -> any SeriesSelection {
        ArraySelection(
            series: try find(matchers, fromMilliseconds, throughMilliseconds),
            isConcurrent: isConcurrent,
            context: context
        )
    }

    package func series(
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

    package func labelTexts(
        _ label: String?,
        _ matcherSets: [[LabelMatcher]],
        fromMilliseconds: Int64,
        throughMilliseconds: Int64,
        context: QueryContext
    ) throws(QueryError) -> [String] {
        var texts: Set<String> = []
        for matchers in matcherSets.isEmpty ? [[]] : matcherSets {
            for one in try find(matchers, fromMilliseconds, throughMilliseconds) {
                for pair in one.labels.pairs where label == nil || pair.name == label {
                    texts.insert(label == nil ? pair.name : pair.value)
                }
            }
        }
        return texts.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}

struct ArraySelection: SeriesSelection {
    let series: [ArraySource.Series]
    let isConcurrent: Bool
    let context: QueryContext
    var labels: [Labels] { series.map(\.labels) }

    func scan(
        _ body:
            @escaping @Sendable (_ series: Int, _ times: Span<Int64>, _ values: Span<Double>)
            throws(QueryError) -> Void
    ) throws(QueryError) {
        if isConcurrent {
            let failure = Mutex<QueryError?>(nil)
            DispatchQueue.concurrentPerform(iterations: series.count) { index in
                guard !series[index].times.isEmpty else { return }
                do throws(QueryError) {
                    let one = series[index]
                    try body(index, one.times.span, one.values.span)
                } catch {
                    failure.withLock { $0 = error }
                }
            }
            if let error = failure.withLock({ $0 }) { throw error }
            return
        }
        for (index, one) in series.enumerated() where !one.times.isEmpty {
            try context.count(rows: one.times.count, blocks: 1, bytes: one.times.count * 16)
            try body(index, one.times.span, one.values.span)
        }
    }

    var histogramSeries: [Int] { series.indices.filter { !series[$0].histograms.isEmpty } }

    func scanHistograms(
        _ body:
            @escaping @Sendable (_ series: Int, _ histograms: HistogramSamples)
            throws(QueryError) -> Void
    ) throws(QueryError) {
        for index in histogramSeries {
            var samples = HistogramSamples()
            for one in series[index].histograms {
                samples.append(one.time, FloatHistogram(one.sample))
            }
            try body(index, samples)
        }
    }
}
