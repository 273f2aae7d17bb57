package import WeirCore
package import WeirPattern

/// Where the executor reads metric samples from: the store, or a test's arrays.
///
/// Times are milliseconds since the Unix epoch and inclusive at both ends. Implementations check
/// `context` while they work, and count what they read in it.
package protocol SampleSource: Sendable {
    /// Finds the series that satisfy every matcher and have a sample in the range.
    func select(
        _ matchers: [LabelMatcher],
        fromMilliseconds: Int64,
        throughMilliseconds: Int64,
        context: QueryContext
    ) throws(QueryError) -> any SeriesSelection

    /// Finds the series that satisfy every matcher, to be read as rows of rollups.
    ///
    /// `resolutions` are those that the reader can use, the best first; where samples are gone, any will
    /// do. Nil when samples are the better answer, as they are where there are no rollups or where all
    /// series have histograms.
    func selectRollups(
        _ matchers: [LabelMatcher],
        fromMilliseconds: Int64,
        throughMilliseconds: Int64,
        resolutions: [RollupResolution],
        context: QueryContext
    ) throws(QueryError) -> (any RollupSeries)?

    /// The label sets of series that satisfy any one of `matcherSets` (all series when it is
    /// empty) and have a sample in the range; each once, in no order.
    func series(
        _ matcherSets: [[LabelMatcher]],
        fromMilliseconds: Int64,
        throughMilliseconds: Int64,
        context: QueryContext
    ) throws(QueryError) -> [Labels]

    /// The values of `label`, and the names of all labels when it is nil, of the series that
    /// `series` finds: each once, in ascending order of their bytes.
    func labelTexts(
        _ label: String?,
        _ matcherSets: [[LabelMatcher]],
        fromMilliseconds: Int64,
        throughMilliseconds: Int64,
        context: QueryContext
    ) throws(QueryError) -> [String]
}

extension SampleSource {
    package func selectRollups(
        _ matchers: [LabelMatcher],
        fromMilliseconds: Int64,
        throughMilliseconds: Int64,
        resolutions: [RollupResolution],
        context: QueryContext
    ) throws(QueryError) -> (any RollupSeries)? { nil }
}

/// The series one selector found, ready to be read.
package protocol SeriesSelection: Sendable {
    /// One label set per series; the index is the series' number below. No two are equal.
    var labels: [Labels] { get }

    /// Calls `body` once for each series that has samples in range, with all its samples: times
    /// ascending, one value each. `body` may be called from several threads at once, for
    /// different series; the spans live only inside the call. Series without samples are skipped.
    ///
    /// - Throws: What `body` threw first, or the source's own error; remaining work is dropped.
    func scan(
        _ body:
            @escaping @Sendable (_ series: Int, _ times: Span<Int64>, _ values: Span<Double>)
            throws(QueryError) -> Void
    ) throws(QueryError)

    /// The series that have histograms too, or only them, ascending; empty when none was found.
    var histogramSeries: [Int] { get }

    /// Calls `body` once for each of `histogramSeries` that has histograms in range, as `scan` does
    /// for plain samples; a series may be in both.
    func scanHistograms(
        _ body:
            @escaping @Sendable (_ series: Int, _ histograms: HistogramSamples)
            throws(QueryError) -> Void
    ) throws(QueryError)
}

extension SeriesSelection {
    package var histogramSeries: [Int] { [] }

    package func scanHistograms(
        _ body:
            @escaping @Sendable (_ series: Int, _ histograms: HistogramSamples)
            throws(QueryError) -> Void
    ) throws(QueryError) {}
}
