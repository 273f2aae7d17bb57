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

/// Builds log batches and reads them back.
enum LogHarness {
    static func batch(_ rows: [LogRow]) -> RowBatch {
        var batch = RowBatch(signal: .logs)
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

    static func append(_ rows: [LogRow], to store: Store) throws {
        let outcome = Monitor<Result<AppendOutcome, StoreError>?>(nil)
        store.append(batch(rows)) { result in outcome.update { $0 = result } }
        _ = try #require(outcome.wait { $0 }).get()
    }

    /// All rows by stream, in the order the store says they arrived; of one stream, by time.
    static func read(
        _ store: Store,
        _ matchers: [LabelMatcher] = [],
        times: ClosedRange<Int64> = Int64.min...Int64.max,
        budget: FreeBudget = FreeBudget()
    ) throws -> [Labels: [LogRow]] {
        let selection = try store.selectRows(
            signal: .logs,
            matchers: matchers,
            times: times,
            budget: budget
        )
        let found = Mutex<[Int: [LogRow]]>([:])
        let isWanted: @Sendable (Int) -> Bool = { _ in true }
        try selection.scan(
            Array(selection.blocks.indices),
            budget: budget,
            isWanted: isWanted
        ) { index, block in
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
        var streams: [Labels: [LogRow]] = [:]
        for (_, rows) in found.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            for row in rows { streams[row.stream, default: []].append(row) }
        }
        return streams.mapValues { rows in
            // Stable: rows of one time stay in the order they arrived.
            rows.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
                .map(\.element)
        }
    }

    static func expected(_ rows: [LogRow]) -> [Labels: [LogRow]] {
        Dictionary(grouping: rows, by: \.stream).mapValues { rows in
            rows.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
                .map { row in
                    var row = row.element
                    row.fields.sort { $0.name < $1.name }
                    return row
                }
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
