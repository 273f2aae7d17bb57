import Synchronization
import Testing
import WeirColumns
import WeirCore
import WeirPattern
import WeirStore
import WeirSystem
import WeirTestSupport

/// A log row as tests compare it.
struct LogRow: Hashable, Sendable {
    var stream: Labels
    var time: Int64
    /// Name, kind and text, by name.
    var fields: [Field]

    struct Field: Hashable, Sendable {
        var name: String
        var kind: FieldKind
        var text: [UInt8]
    }
}

/// Builds batches of rows with fields and reads them back.
enum LogHarness {
    static func batch(_ rows: [LogRow], signal: Signal = .logs) -> RowBatch {
        var batch = RowBatch(signal: signal)
        var indexes: [Labels: UInt32] = [:]
        for (row, log) in rows.enumerated() {
            let index = indexes[log.stream] ?? UInt32(batch.streams.count)
            if indexes[log.stream] == nil {
                indexes[log.stream] = index
                batch.streams.append(log.stream)
                batch.firstLines.append(row + 1)
            }
            batch.streamIndexes.append(index)
            batch.times.append(log.time)
            for field in log.fields {
                let column = batch.fields.index(of: field.name.utf8.span, hint: -1)
                batch.fields.set(column, row: row, kind: field.kind, value: field.text.span)
            }
        }
        return batch
    }

    static func append(_ rows: [LogRow], signal: Signal = .logs, to store: Store) throws {
        let outcome = Monitor<Result<AppendOutcome, StoreError>?>(nil)
        store.append(batch(rows, signal: signal)) { result in outcome.update { $0 = result } }
        _ = try #require(outcome.wait { $0 }).get()
    }

    /// All rows by stream, in the order the store says they arrived; of one stream, by time.
    ///
    /// Spans, which have no order, by time and id, each once.
    static func read(
        _ store: Store,
        _ matchers: [LabelMatcher] = [],
        signal: Signal = .logs,
        times: ClosedRange<Int64> = Int64.min...Int64.max,
        budget: FreeBudget = FreeBudget()
    ) throws -> [Labels: [LogRow]] {
        let selection = try store.selectRows(
            signal: signal,
            matchers: matchers,
            times: times,
            budget: budget
        )
        var streams: [Labels: [LogRow]] = [:]
        for row in try rows(selection, Array(selection.blocks.indices), budget: budget) {
            streams[signal == .traces ? .empty : row.stream, default: []].append(row)
        }
        return streams.mapValues { rows in
            if signal == .traces { return rows.map { $0.asRead(.traces) }.distinctSpans }
            // Stable: rows of one time stay in the order they arrived.
            return rows.enumerated()
                .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
                .map(\.element)
        }
    }

    /// The rows of some blocks, block by block.
    static func rows(
        _ selection: RowSelection,
        _ indexes: [Int],
        budget: FreeBudget = FreeBudget()
    ) throws -> [LogRow] {
        let found = Mutex<[Int: [LogRow]]>([:])
        let isWanted: @Sendable (Int) -> Bool = { _ in true }
        try selection.scan(indexes, budget: budget, isWanted: isWanted) { index, block in
            var rows: [LogRow] = []
            let times = block.times()
            let numbers = block.streamNumbers()
            let names = block.fieldNames().sorted()
            for row in block.rows() {
                var log = LogRow(
                    stream: selection.labels[Int(numbers[Int(row)])],
                    time: times[Int(row)],
                    fields: []
                )
                for name in names {
                    guard let values = block.field(name), let kind = values.kind(at: Int(row))
                    else {
                        continue
                    }
                    log.fields.append(
                        LogRow.Field(name: name, kind: kind, text: values.text(at: Int(row)))
                    )
                }
                rows.append(log)
            }
            let made = rows
            found.withLock { $0[index] = made }
            return true
        }
        return found.withLock { $0 }.sorted { $0.key < $1.key }.flatMap(\.value)
    }

    static func expected(_ rows: [LogRow], signal: Signal = .logs) -> [Labels: [LogRow]] {
        let rows = rows.map { $0.asRead(signal) }
        return Dictionary(grouping: rows, by: \.stream).mapValues { rows in
            if signal == .traces { return rows.distinctSpans }
            return rows.enumerated()
                .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
                .map(\.element)
        }
    }

    /// A row with fields of many shapes.
    static func row(_ random: inout SplitMix64, number: Int) -> LogRow {
        func pick(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }
        let service = ["checkout", "cart", "payments"][pick(3)]
        var fields = [
            LogRow.Field(
                name: "",
                kind: .text,
                text: Array("order \(pick(100_000)) took \(pick(900))ms for user-\(pick(50))".utf8)
            ),
            LogRow.Field(
                name: "level",
                kind: .text,
                text: Array(["info", "warn", "error"][pick(3)].utf8)
            ),
            LogRow.Field(name: "n", kind: .number, text: Array(String(number).utf8)),
        ]
        if pick(3) == 0 {
            let id = (0..<32).map { _ in String(pick(16), radix: 16) }.joined()
            fields.append(LogRow.Field(name: "trace_id", kind: .text, text: Array(id.utf8)))
        }
        if pick(5) == 0 {
            fields.append(
                LogRow.Field(
                    name: "raw",
                    kind: .text,
                    text: (0..<pick(30)).map { _ in UInt8(pick(256)) }
                )
            )
        }
        if pick(40) == 0 {
            fields.append(
                LogRow.Field(name: "rare\(pick(30))", kind: .boolean, text: Array("true".utf8))
            )
        }
        return LogRow(
            stream: Labels([("service", service), ("host", "h\(pick(4))")]),
            time: StoreHarness.start + Int64(pick(20)) * 1000 + Int64(number / 8) * 1_000_000,
            fields: fields
        )
    }
}
