internal import Synchronization
internal import WeirColumns
internal import WeirCore

/// The log lines that name a trace, or one of its spans, in a field of theirs.
struct TraceLogs: Sendable {
    private static let traceFields = ["trace_id", "traceid", "traceID", "TraceId", "traceId"]
    private static let spanFields = ["span_id", "spanid", "spanID", "SpanId", "spanId"]

    struct Line: Sendable {
        let time: Int64
        let stream: Labels
        let body: [UInt8]
        let fields: [(name: String, kind: FieldKind, text: [UInt8])]
    }

    let trace: TraceID
    /// 16 digits in lower case; nil for the whole trace.
    let span: String?
    let times: ClosedRange<Int64>
    let source: any RowSource
    let context: QueryContext

    /// The earliest lines, in order of time.
    func lines(limit: Int) throws(QueryError) -> [Line] {
        let selection = try source.select([], times: times, context: context)
        let traceTests = tests
        let spanTest = span.map { TextTest.equals(Array($0.utf8)) }
        let found = Mutex<[Line]>([])
        let context = context
        let streams = selection.streams
        let blocks = selection.blocks
        try selection.scan(
            blocks.indices.filter { blocks[$0].times.overlaps(times) },
            isWanted: { _ in true },
            { (_, block) throws(QueryError) in
                try context.check()
                var rows = try Self.rows(block, try block.rows(), Self.traceFields, traceTests)
                if let spanTest, !rows.isEmpty {
                    rows = try Self.rows(block, rows, Self.spanFields, [spanTest])
                }
                guard !rows.isEmpty else { return }
                let lines = try Self.read(rows, block, streams)
                let bytes = lines.reduce(0) { total, line in
                    total + 256 + line.body.count
                        + line.fields.reduce(0) { $0 + $1.text.count + 64 }
                }
                try context.reserve(bytes: bytes)
                found.withLock { $0 += lines }
            }
        )
        let lines = found.withLock { $0 }.enumerated().sorted {
            ($0.element.time, $0.offset) < ($1.element.time, $1.offset)
        }
        return lines.prefix(limit).map(\.element)
    }

    /// A 64-bit id may be written without the zeros in front.
    private var tests: [TextTest] {
        let digits = trace.hexadecimal
        let upper = digits.map { $0 >= 0x61 ? $0 - 0x20 : $0 }
        var texts = [digits]
        if upper != digits { texts.append(upper) }
        if trace.high == 0 { texts.append(Array(digits[16...])) }
        return texts.map { TextTest.equals($0) }
    }

    private static func rows(
        _ block: any RowSourceBlock,
        _ rows: [UInt32],
        _ names: [String],
        _ tests: [TextTest]
    ) throws(QueryError) -> [UInt32] {
        var passed: [UInt32] = []
        for name in names {
            for test in tests where try block.mayPass(test, field: name) {
                guard let values = try block.field(name) else { continue }
                let rest = LogScan.without(passed, rows)
                passed = LogBlockView.merged(passed, values.filter(rest, test))
            }
        }
        return passed
    }

    private static func read(
        _ rows: [UInt32],
        _ block: any RowSourceBlock,
        _ streams: [Labels]
    ) throws(QueryError) -> [Line] {
        let times = try block.times()
        let numbers = try block.streamNumbers()
        var fields: [[(name: String, kind: FieldKind, text: [UInt8])]] = rows.map { _ in [] }
        var bodies = [[UInt8]](repeating: [], count: rows.count)
        for name in try block.fieldNames() {
            guard let values = try block.field(name) else { continue }
            for (place, row) in rows.enumerated() {
                guard let kind = values.kind(at: Int(row)) else { continue }
                let text = values.text(at: Int(row))
                if name == FieldTable.bodyName {
                    bodies[place] = text
                } else {
                    fields[place].append((name, kind, text))
                }
            }
        }
        return rows.enumerated().map { place, row in
            let stream = Int(numbers[Int(row)])
            return Line(
                time: times[Int(row)],
                stream: stream >= 0 ? streams[stream] : .empty,
                body: bodies[place],
                fields: fields[place]
            )
        }
    }
}
