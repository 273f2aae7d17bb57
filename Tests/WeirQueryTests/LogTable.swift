import WeirColumns
import WeirCore
import WeirPattern
import WeirQuery

/// Log rows written by hand, as a batch.
struct LogTable {
    var batch = RowBatch(signal: .logs)

    /// Adds a row; a field called "" is the body.
    mutating func add(
        _ time: Int64,
        _ stream: KeyValuePairs<String, String>,
        _ body: String?,
        _ fields: KeyValuePairs<String, String> = [:]
    ) {
        let labels = Labels(stream)
        let place: Int
        if let known = batch.streams.firstIndex(of: labels) {
            place = known
        } else {
            place = batch.streams.count
            batch.streams.append(labels)
            batch.firstLines.append(0)
        }
        let row = batch.rowCount
        batch.streamIndexes.append(UInt32(place))
        batch.times.append(time)
        if let body { batch.fields.set("", row: row, kind: .text, value: body) }
        for (name, value) in fields {
            let kind: FieldKind =
                Double(value) != nil
                ? .number : value == "true" || value == "false" ? .boolean : .text
            batch.fields.set(name, row: row, kind: kind, value: value)
        }
    }

    var source: BatchRowSource { BatchRowSource(batch) }
}

/// Several batches as the blocks of one source, in order.
struct BlocksLogSource: RowSource {
    let batches: [RowBatch]

    func select(
        _ matchers: [LabelMatcher],
        times: ClosedRange<Int64>,
        context: QueryContext
    ) throws(QueryError) -> any RowSourceSelection {
        var parts: [any RowSourceSelection] = []
        for batch in batches {
            parts.append(try BatchRowSource(batch).select(matchers, times: times, context: context))
        }
        return Selection(parts: parts)
    }

    func streams(
        _ matcherSets: [[LabelMatcher]],
        times: ClosedRange<Int64>,
        context: QueryContext
    ) throws(QueryError) -> [Labels] {
        var found: Set<Labels> = []
        for batch in batches {
            found.formUnion(
                try BatchRowSource(batch).streams(matcherSets, times: times, context: context)
            )
        }
        return Array(found)
    }

    private struct Selection: RowSourceSelection {
        let parts: [any RowSourceSelection]
        let streams: [Labels]

        init(parts: [any RowSourceSelection]) {
            self.parts = parts
            var known: [Labels] = []
            for part in parts {
                for labels in part.streams where !known.contains(labels) { known.append(labels) }
            }
            streams = known
        }

        var blocks: [RowBlockSummary] {
            parts.map { $0.blocks.first ?? RowBlockSummary(times: 0...0, rowCount: 0) }
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
                let part = parts[index]
                let numbers = part.streams.map { labels in
                    Int32(streams.firstIndex(of: labels) ?? -1)
                }
                let take: @Sendable (Int, any RowSourceBlock) throws(QueryError) -> Void = {
                    (_, block) throws(QueryError) in
                    try body(index, Renumbered(block, numbers))
                }
                try part.scan([0], isWanted: { _ in true }, take)
            }
        }
    }

    private final class Renumbered: RowSourceBlock {
        let block: any RowSourceBlock
        let numbers: [Int32]

        init(_ block: any RowSourceBlock, _ numbers: [Int32]) {
            self.block = block
            self.numbers = numbers
        }

        var rowCount: Int { block.rowCount }
        func rows() throws(QueryError) -> [UInt32] { try block.rows() }
        func times() throws(QueryError) -> [Int64] { try block.times() }
        func streamNumbers() throws(QueryError) -> [Int32] {
            try block.streamNumbers().map { $0 < 0 ? -1 : numbers[Int($0)] }
        }
        func fieldNames() throws(QueryError) -> [String] { try block.fieldNames() }
        func field(_ name: String) throws(QueryError) -> FieldValues? { try block.field(name) }
        func mayPass(_ test: TextTest, field: String) throws(QueryError) -> Bool {
            try block.mayPass(test, field: field)
        }
    }
}

extension RowSource {
    /// All entries of a log query, oldest first.
    func entries(_ text: String) throws -> [LogEntry] {
        try LogSearch(
            LogQLParser.parseLogs(text),
            times: .min...(.max),
            direction: .forward,
            source: self,
            context: QueryContext()
        ).next(.max)
    }

    func lines(_ text: String) throws -> [String] {
        try entries(text).map { String(decoding: $0.line, as: UTF8.self) }
    }
}
