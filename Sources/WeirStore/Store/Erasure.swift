package import WeirCore
internal import WeirPattern

/// Rows that are to go: those of series that satisfy one of the selectors, at `times`.
struct ErasedRows: Hashable, Sendable {
    /// Each a list of matchers, all of which a series must satisfy.
    let selectors: [[LabelMatcher]]
    /// Nanoseconds, inclusive.
    let times: ClosedRange<Int64>
}

/// What is to be erased: those of the rows that `through` covers.
struct Erasure: Hashable, Sendable {
    /// The catalog's number of it.
    let id: Int64
    let tenant: String
    let rows: ErasedRows
    /// The last batch that is erased from: later rows stay.
    let through: UInt64

    /// The signals that are erased from.
    ///
    /// Rollups whose samples are there are made anew of what is left; of others the rows go that stand
    /// for a sample at the times.
    static let signals: [Signal] = [.metrics, .histograms, .exemplars, .rollups5m, .rollups1h]
}

/// What an erasure did.
///
/// Sizes are bytes.
package struct ErasureReceipt: Hashable, Sendable {
    /// Different series of which rows were erased.
    package var series = 0
    /// By signal.
    package var rows: [Signal: Int] = [:]
    /// Segments that were written anew without the rows.
    package var segmentsRewritten = 0
    /// Segments in which no other rows were.
    package var segmentsRemoved = 0
    /// What the segments took that were rewritten or removed.
    package var bytesBefore = 0
    /// What stands in their place.
    package var bytesAfter = 0
    /// Segments that may hold such rows, but are set aside: the rows go before they are read again.
    package var segmentsUnreadable = 0
}

/// An erasure that waits for the merge thread.
struct ErasureRequest: Sendable {
    let tenant: String
    let rows: ErasedRows
    let completion: @Sendable (Result<ErasureReceipt, StoreError>) -> Void
}
