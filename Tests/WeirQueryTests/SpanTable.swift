import WeirCore
import WeirQuery

/// Spans written by hand, each in one of several blocks.
struct SpanTable {
    /// A value of an attribute, with its type.
    enum Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
        ExpressibleByBooleanLiteral
    {
        case text(String)
        case number(String)
        case boolean(Bool)
        case json(String)

        init(stringLiteral value: String) { self = .text(value) }
        init(integerLiteral value: Int) { self = .number(value.description) }
        init(floatLiteral value: Double) { self = .number(value.description) }
        init(booleanLiteral value: Bool) { self = .boolean(value) }
    }

    var batches: [RowBatch]

    init(blocks: Int = 1) {
        batches = (0..<blocks).map { _ in
            var batch = RowBatch(signal: .traces)
            batch.streams = [Labels.empty]
            batch.firstLines = [0]
            return batch
        }
    }

    static func hexadecimal(_ number: UInt64, digits: Int) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    static func traceID(_ number: UInt64) -> String { hexadecimal(number, digits: 32) }
    static func spanID(_ number: UInt64) -> String { hexadecimal(number, digits: 16) }

    /// Adds a span; times are milliseconds, `fields` are named as the store has them.
    mutating func add(
        _ trace: UInt64,
        _ span: UInt64,
        parent: UInt64? = nil,
        _ service: String?,
        _ name: String,
        at start: Int64 = 0,
        for duration: Int64 = 10,
        kind: String? = nil,
        status: String? = nil,
        block: Int = 0,
        _ fields: KeyValuePairs<String, Value> = [:]
    ) {
        let row = batches[block].rowCount
        batches[block].streamIndexes.append(0)
        batches[block].times.append(start * 1_000_000)
        var texts: [(String, Value)] = [
            (SpanField.traceID, .text(Self.traceID(trace))),
            (SpanField.spanID, .text(Self.spanID(span))),
            (SpanField.name, .text(name)),
            (SpanField.duration, .number((duration * 1_000_000).description)),
        ]
        if let parent { texts.append((SpanField.parentID, .text(Self.spanID(parent)))) }
        if let service { texts.append((SpanField.service, .text(service))) }
        if let kind { texts.append((SpanField.kind, .text(kind))) }
        if let status { texts.append((SpanField.status, .text(status))) }
        for (field, value) in fields { texts.append((field, value)) }
        for (field, value) in texts {
            let (kind, text): (FieldKind, String) =
                switch value {
                case .text(let text): (.text, text)
                case .number(let text): (.number, text)
                case .boolean(let flag): (.boolean, flag ? "true" : "false")
                case .json(let text): (.json, text)
                }
            batches[block].fields.set(field, row: row, kind: kind, value: text)
        }
    }

    var source: BlocksLogSource { BlocksLogSource(batches: batches.filter { $0.rowCount > 0 }) }

    /// The spans that a query finds, as trace and span, in order.
    func found(
        _ text: String,
        limit: Int = 1000,
        order: TraceSearch.Order = .recent
    ) throws -> [String] {
        let traces = try TraceSearch(
            TraceQLParser.parse(text),
            times: .min ... .max,
            limit: limit,
            spansPerSet: 1000,
            order: order,
            source: source,
            context: QueryContext()
        ).run()
        var found: [String] = []
        for trace in traces {
            for set in trace.spanSets {
                for span in set.spans {
                    found.append("\(trace.id.low):\(UInt64(span.id, radix: 16) ?? 0)")
                }
            }
        }
        return found.sorted()
    }

    /// The series that a metric comes to: labels and values, in order.
    func series(
        _ text: String,
        from start: Int64 = 0,
        step: Int64 = 60_000,
        count: Int = 1
    ) throws -> [String] {
        let result = try TraceQLMetricsEvaluator(
            TraceQLParser.parse(text),
            start: start * 1_000_000,
            step: step * 1_000_000,
            count: count,
            source: source,
            context: QueryContext()
        ).run()
        return result.series.map { series in
            let labels = series.labels.map {
                "\($0.name)=\($0.kind == nil ? "nil" : String(decoding: $0.text, as: UTF8.self))"
            }
            let values = series.values.map { $0.isNaN ? "-" : NumberText.plain($0) }
            return "{\(labels.joined(separator: ","))} \(values.joined(separator: " "))"
        }
    }

    /// A shop: two whole traces and one without its root, over two blocks, one span twice.
    static let shop: SpanTable = {
        var table = SpanTable(blocks: 2)
        // 1: frontend ─ cart ─ (db, db); frontend ─ pay (error)
        table.add(
            1,
            0x11,
            "frontend",
            "GET /checkout",
            at: 1000,
            for: 900,
            kind: "server",
            ["span.http.status_code": 200, "span.http.route": "/checkout", "resource.zone": "a"]
        )
        table.add(1, 0x12, parent: 0x11, "cart", "load", at: 1010, for: 300, kind: "server")
        table.add(
            1,
            0x13,
            parent: 0x12,
            "cart",
            "select",
            at: 1020,
            for: 50,
            kind: "client",
            ["span.db.system": "pg", "span.rows": 3]
        )
        table.add(
            1,
            0x14,
            parent: 0x12,
            "cart",
            "select",
            at: 1100,
            for: 120,
            kind: "client",
            block: 1,
            ["span.db.system": "pg", "span.rows": 30]
        )
        table.add(
            1,
            0x15,
            parent: 0x11,
            "pay",
            "charge",
            at: 1400,
            for: 450,
            kind: "server",
            status: "error",
            block: 1,
            [
                "span:statusMessage": "card refused", "span.amount": 9.5, "span.retry": true,
                "span:events": .json(
                    #"[{"at":120000,"name":"retry","attributes":{"n":2,"why":"timeout"}}]"#
                ),
                "span:links": .json(
                    #"[{"traceID":"00000000000000000000000000000002","spanID":"0000000000000021"}]"#
                ),
                "scope:name": "kit", "scope:version": "1.2",
            ]
        )
        // The same again, as a retried export sends it.
        table.add(
            1,
            0x12,
            parent: 0x11,
            "cart",
            "load",
            at: 1010,
            for: 300,
            kind: "server",
            block: 1
        )
        // 2: a short one
        table.add(
            2,
            0x21,
            "frontend",
            "GET /",
            at: 2000,
            for: 20,
            kind: "server",
            status: "ok",
            block: 1,
            ["span.http.status_code": "200", "resource.zone": "b"]
        )
        // 3: the root has not come
        table.add(
            3,
            0x32,
            parent: 0x31,
            "cart",
            "load",
            at: 3000,
            for: 40,
            kind: "server",
            block: 1
        )
        table.add(3, 0x33, parent: 0x32, "cart", "select", at: 3005, for: 30, kind: "client")
        return table
    }()
}
