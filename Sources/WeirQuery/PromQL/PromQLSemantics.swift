/// Where versions of Prometheus answer differently, which one is followed.
///
/// Weir answers as version 3 does; version 2 exists so that tests can compare with a Prometheus of
/// that age.
package struct PromQLSemantics: Hashable, Sendable {
    /// Windows and the look-back hold a sample exactly at their start.
    package let isRangeClosed: Bool
    /// `rate` and `increase` stop at a counter's zero before they judge the distance to the
    /// window's start, not after.
    package let cutsAtZeroFirst: Bool
    /// Series that dropping the metric name made equal may be aggregated, as under version 3's
    /// delayed name removal; else they are refused wherever they arise.
    package let aggregatesRepeats: Bool

    /// Warnings and infos are given on parts of queries that may not mean what they say.
    package let hasNotes: Bool

    package static let version3 = Self(
        isRangeClosed: false,
        cutsAtZeroFirst: false,
        aggregatesRepeats: true,
        hasNotes: true
    )
    package static let version2 = Self(
        isRangeClosed: true,
        cutsAtZeroFirst: true,
        aggregatesRepeats: false,
        hasNotes: false
    )
}

/// What a query is evaluated under.
package struct PromQLOptions: Hashable, Sendable {
    /// How long a sample counts as current.
    package var lookbackMilliseconds: Int64 = 300_000
    /// The step of subqueries that give none.
    package var subqueryStepMilliseconds: Int64 = 60000
    package var semantics = PromQLSemantics.version3
    /// From this many numbers on, series times steps, an aggregation runs while series are read
    /// instead of after: it holds its groups only, but adds in no fixed order.
    package var streamedCellsMin = 4 << 20

    /// When rollups answer in the place of samples.
    package var rollups = RollupUse.exact

    /// Functions and aggregations that Prometheus calls experimental are answered.
    package var hasExperiments = false

    package init() {}
}
