package import WeirCore

/// The series one selector found, ready to be read as rows of rollups.
///
/// Where some of the times have no rollups, rows are made of the samples.
package protocol RollupSeries: Sendable {
    /// One label set per series; the index is the series' number below. No two are equal.
    var labels: [Labels] { get }

    /// Whether the samples of some of the times are gone: rollups are all there is.
    var isAlone: Bool { get }

    /// Calls `body` once for each series that has rows, as `SeriesSelection.scan` does with samples:
    /// times in milliseconds and the columns in `columns`. It is not called again after it returned
    /// false.
    ///
    /// - Returns: Whether all was read: false when `body` said so, or rollups were damaged whose samples
    ///   are there.
    func scan(
        columns: Set<Int>,
        _ body:
            @escaping @Sendable (_ series: Int, _ rows: RollupRows) throws(QueryError) -> Bool
    ) throws(QueryError) -> Bool

    /// The samples of some of the series, ascending; each one's number is its place in `series`.
    func samples(of series: [Int]) throws(QueryError) -> any SeriesSelection
}

/// When rollups answer in the place of samples.
///
/// Where samples are gone they do in any case.
package enum RollupUse: String, Hashable, Sendable {
    /// When the answer is the same to the last bit.
    case exact
    /// Also when sums and means may be rounded otherwise.
    case rounded
    /// Never.
    case off
}
