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

    /// The times of rows whose samples are gone, so that rollups are all there is: milliseconds,
    /// ascending and apart.
    var alone: [ClosedRange<Int64>] { get }

    /// The series that have histograms too, or only them, ascending: they have no rows, and are read
    /// from samples.
    var histogramSeries: [Int] { get }

    /// Gives each series that has rows, as `SeriesSelection.scan` does with samples, to one of the
    /// bodies that `newBody` makes, each of which one thread uses: times in milliseconds and the columns
    /// in `columns`. None is called again after one returned false.
    func scan(
        columns: Set<Int>,
        _ newBody: @escaping @Sendable () -> RollupBody
    ) throws(QueryError) -> RollupReading

    /// The samples of some of the series, ascending; each one's number is its place in `series`.
    ///
    /// Where samples are gone the last one of each row stands for all.
    func samples(of series: [Int]) throws(QueryError) -> any SeriesSelection

    /// The same, to be read at times that `alone` has not; nil when samples of such times went since
    /// the series were found.
    func samplesBesideRows(of series: [Int]) throws(QueryError) -> (any SeriesSelection)?

    /// The same series, read from what is there when something turned out to be damaged or gone; nil
    /// when there are no rollups among it.
    func again() throws(QueryError) -> (any RollupSeries)?
}

/// How far a scan of rollups came.
package enum RollupReading: Hashable, Sendable {
    case whole
    /// A body wanted no more.
    case stopped
    /// Something could not be read, and its rows are missing.
    case damaged
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
