package import WeirCore

/// What is done with a series and its rows of rollups; false for no more.
package typealias RollupBody =
    (_ series: Int, _ rows: RollupRows) throws(QueryError) -> Bool

/// The series one selector found, ready to be read as rows of rollups.
///
/// Where some of the times have no rollups, rows are made of the samples.
package protocol RollupSeries: Sendable {
    /// One label set per series; the index is the series' number below. No two are equal.
    var labels: [Labels] { get }

    /// Whether the samples of some of the times are gone: rollups are all there is.
    var isAlone: Bool { get }

    /// Gives each series that has rows, as `SeriesSelection.scan` does with samples, to one of the
    /// bodies that `newBody` makes, each of which one thread uses: times in milliseconds and the columns
    /// in `columns`. None is called again after one returned false.
    ///
    /// - Returns: Whether all was read: false when a body said so, or rollups were damaged whose samples
    ///   are there.
    func scan(
        columns: Set<Int>,
        _ newBody: @escaping @Sendable () -> RollupBody
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
