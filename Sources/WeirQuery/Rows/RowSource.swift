package import WeirColumns
package import WeirCore
package import WeirPattern

/// Where the executor reads rows with fields (log lines, spans, exemplars) from: the store, a batch that has just arrived, or a test.
///
/// Times are nanoseconds since the Unix epoch and inclusive at both ends.
package protocol RowSource: Sendable {
    /// Finds the streams that satisfy every matcher, and the blocks that may hold rows of theirs
    /// in the range.
    func select(
        _ matchers: [LabelMatcher],
        times: ClosedRange<Int64>,
        context: QueryContext
    ) throws(QueryError) -> any RowSourceSelection

    /// The label sets of streams that satisfy any one of `matcherSets` (all streams when it is
    /// empty) and have a row in the range; each once, in no order.
    func streams(
        _ matcherSets: [[LabelMatcher]],
        times: ClosedRange<Int64>,
        context: QueryContext
    ) throws(QueryError) -> [Labels]
}

/// What one selector found, ready to be read.
package protocol RowSourceSelection: Sendable {
    /// One label set per stream; the index is the stream's number below. No two are equal.
    var streams: [Labels] { get }
    /// In the order the rows arrived, so that of rows with the same time the one in the earlier
    /// block, or earlier in its block, was sent first.
    var blocks: [RowBlockSummary] { get }

    /// The indexes of the blocks that may hold a span of a trace, 32 hexadecimal digits in lower case;
    /// few others.
    func blocks(ofTrace id: [UInt8]) throws(QueryError) -> [Int]

    /// Opens the blocks at `indexes` in that order, some of them at the same time on several
    /// threads, and calls `body` with each.
    ///
    /// - Parameters:
    ///   - indexes: Into `blocks`.
    ///   - isWanted: Asked just before a block would be opened; false skips it.
    ///   - body: Given the block's index and the block, which lives only inside the call and is
    ///     used by one thread.
    /// - Throws: What `body` threw first, or the source's own error; remaining work is dropped.
    func scan(
        _ indexes: [Int],
        isWanted: @escaping @Sendable (Int) -> Bool,
        _ body:
            @escaping @Sendable (_ index: Int, _ block: any RowSourceBlock) throws(QueryError) ->
            Void
    ) throws(QueryError)
}

/// What is known of a block before it is read.
package struct RowBlockSummary: Hashable, Sendable {
    /// Of all its rows, of whatever stream.
    package let times: ClosedRange<Int64>
    /// All its rows, of whatever stream.
    package let rowCount: Int

    package init(times: ClosedRange<Int64>, rowCount: Int) {
        self.times = times
        self.rowCount = rowCount
    }
}

/// Some rows with their fields, each decoded when it is first asked for.
///
/// A row is a number below `rowCount`. Used by one thread.
package protocol RowSourceBlock: AnyObject {
    var rowCount: Int { get }
    /// The rows of selected streams in the selected time range, ascending.
    func rows() throws(QueryError) -> [UInt32]
    /// One time per row of the block, nanoseconds.
    func times() throws(QueryError) -> [Int64]
    /// One stream number per row of the block; -1 for rows of streams that were not selected.
    func streamNumbers() throws(QueryError) -> [Int32]
    /// The names of the fields that some row of the block has; the body's is empty.
    func fieldNames() throws(QueryError) -> [String]
    /// A field's values; nil when no row of the block has it.
    func field(_ name: String) throws(QueryError) -> FieldValues?
    /// False when it is certain, without reading the field, that no row passes.
    func mayPass(_ test: TextTest, field: String) throws(QueryError) -> Bool
}
