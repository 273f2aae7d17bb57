internal import Synchronization
internal import WeirCore
internal import WeirPattern
internal import WeirQuery

/// A log source that knows which batches its last selection saw.
///
/// Batches become visible one after the other, each with the next number; a selection between two
/// looks at the number that read the same has seen exactly the batches up to it.
final class SequencedLogSource: RowSource {
    private static let attemptsMax = 1000

    private let source: any RowSource
    private let visibleSequence: @Sendable () -> UInt64
    private let seen = Mutex<UInt64>(0)

    init(_ source: any RowSource, visibleSequence: @escaping @Sendable () -> UInt64) {
        self.source = source
        self.visibleSequence = visibleSequence
    }

    /// The last batch that the last selection saw.
    var sequence: UInt64 { seen.withLock { $0 } }

    func select(
        _ matchers: [LabelMatcher],
        times: ClosedRange<Int64>,
        context: QueryContext
    ) throws(QueryError) -> any RowSourceSelection {
        for _ in 0..<Self.attemptsMax {
            let before = visibleSequence()
            let selection = try source.select(matchers, times: times, context: context)
            guard visibleSequence() == before else { continue }
            seen.withLock { $0 = before }
            return selection
        }
        throw .invalid(reason: "batches arrive faster than a selection is made")
    }

    func streams(
        _ matcherSets: [[LabelMatcher]],
        times: ClosedRange<Int64>,
        context: QueryContext
    ) throws(QueryError) -> [Labels] {
        try source.streams(matcherSets, times: times, context: context)
    }
}
