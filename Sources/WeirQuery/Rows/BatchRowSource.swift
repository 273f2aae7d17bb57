internal import WeirColumns
package import WeirCore
package import WeirPattern

/// A batch of rows with fields as a source of one block: what has just arrived, for those who follow it.
package struct BatchRowSource: RowSource {
    package let batch: RowBatch

    package init(_ batch: RowBatch) { self.batch = batch }

    package func select(
        _ matchers: [LabelMatcher],
        times: ClosedRange<Int64>,
        context: QueryContext
    ) throws(QueryError) -> any RowSourceSelection {
        var wanted: [Int] = []
        for (stream, labels) in batch.streams.enumerated()
        where try Self.matches(labels, matchers) {
            wanted.append(stream)
        }
        return Selection(batch: batch, wanted: wanted, times: times, context: context)
    }

    package func streams(
        _ matcherSets: [[LabelMatcher]],
        times: ClosedRange<Int64>,
        context: QueryContext
    ) throws(QueryError) -> [Labels] {
        var found: [Labels] = []
        for labels in batch.streams {
            for matchers in matcherSets.isEmpty ? [[]] : matcherSets
            where try Self.matches(labels, matchers) {
                found.append(labels)
                break
            }
        }
        return found
    }

    private static func matches(
        _ labels: Labels,
        _ matchers: [LabelMatcher]
    ) throws(QueryError) -> Bool {
        do throws(PatternError) {
            for matcher in matchers where try !CompiledMatcher(matcher).matches(labels) {
                return false
            }
            return true
        } catch {
            throw .invalid(reason: "\(error)")
        }
    }

    private struct Selection: RowSourceSelection {
        let batch: RowBatch
        let wanted: [Int]
        let times: ClosedRange<Int64>
        let context: QueryContext

        var streams: [Labels] { wanted.map { batch.streams[$0] } }

        var blocks: [RowBlockSummary] {
            guard let first = batch.times.min(), let last = batch.times.max() else { return [] }
            return [RowBlockSummary(times: first...last, rowCount: batch.rowCount)]
        }

        func blocks(ofTrace id: [UInt8]) -> [Int] { Array(blocks.indices) }

        func scan(
            _ indexes: [Int],
            isWanted: @escaping @Sendable (Int) -> Bool,
            _ body:
                @escaping @Sendable (_ index: Int, _ block: any RowSourceBlock) throws(QueryError)
                -> Void
        ) throws(QueryError) {
            for index in indexes where isWanted(index) {
                try context.count(rows: batch.rowCount, blocks: 1, bytes: 0)
                try body(index, BatchRowBlock(batch, wanted: wanted, times: times))
            }
        }
    }
}

/// The rows of a batch, as they were sent.
private final class BatchRowBlock: RowSourceBlock {
    private let batch: RowBatch
    private let numbers: [Int32]
    private let range: ClosedRange<Int64>

    init(_ batch: RowBatch, wanted: [Int], times: ClosedRange<Int64>) {
        self.batch = batch
        range = times
        var numberOfStream = [Int32](repeating: -1, count: batch.streams.count)
        for (number, stream) in wanted.enumerated() { numberOfStream[stream] = Int32(number) }
        numbers = batch.streamIndexes.map { numberOfStream[Int($0)] }
    }

    var rowCount: Int { batch.rowCount }

    func rows() -> [UInt32] {
        (0..<UInt32(batch.rowCount)).filter {
            numbers[Int($0)] >= 0 && range.contains(batch.times[Int($0)])
        }
    }

    func times() -> [Int64] { batch.times }
    func streamNumbers() -> [Int32] { numbers }
    func fieldNames() -> [String] { batch.fields.columns.map(\.name) }

    func field(_ name: String) -> FieldValues? {
        batch.fields[name].map { FieldValues($0, rowCount: batch.rowCount) }
    }

    func mayPass(_ test: TextTest, field: String) -> Bool { true }
}
