import WeirColumns
import WeirCore
import WeirTestSupport

/// Spans as rows with fields, for tests.
enum SpanRows {
    /// The id of a trace that tests know by a number.
    static func traceID(_ number: Int) -> String {
        var random = SplitMix64(seed: UInt64(number) &* 0x9E37_79B9 &+ 5)
        return hex(random.next()) + hex(random.next())
    }

    static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The stream of a process: what its spans share, each value with its kind's digit in front.
    static func process(_ number: Int) -> Labels {
        Labels([
            ("resource.service.name", "1\(["cart", "checkout", "payments"][number % 3])"),
            ("resource.host.cpus", "2\(number + 1)"),
            ("resource.tags", #"4["a",\#(number)]"#), ("resource.raw", "5AQL/"),
            ("resource.is.spot", "3\(number % 2 == 0)"), ("resource.empty", "1"),
            ("scope:name", "1tracer.\(number % 2)"),
        ])
    }

    static func minimal(trace: Int, span: Int, time: Int64, process: Int = 0) -> LogRow {
        LogRow(
            stream: Self.process(process),
            time: time,
            fields: [
                field(SpanField.traceID, .text, traceID(trace)),
                field(SpanField.spanID, .text, hex(UInt64(span + 1))),
                field(SpanField.name, .text, "op \(span % 7)"),
                field(SpanField.duration, .number, "\(span % 1000)"),
            ]
        )
    }

    /// Fields of many shapes; `number` is the span's, and no other has it.
    static func row(_ random: inout SplitMix64, trace: Int, number: Int) -> LogRow {
        func pick(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }
        var row = minimal(
            trace: trace,
            span: number,
            time: StoreHarness.start + Int64(trace) * 50_000_000 + Int64(pick(2_000_000_000)),
            process: pick(5)
        )
        if pick(4) != 0 {
            row.fields.append(field(SpanField.parentID, .text, hex(UInt64(pick(1000) + 1))))
        }
        if pick(3) != 0 {
            row.fields.append(field(SpanField.kind, .text, ["server", "client"][pick(2)]))
        }
        row.fields.append(field("span.http.status", .number, "\([200, 404, 500][pick(3)])"))
        if pick(3) == 0 { row.fields.append(field("span.ratio", .number, "\(pick(9)).50")) }
        if pick(3) == 0 { row.fields.append(field("span.ok", .boolean, "\(pick(2) == 0)")) }
        if pick(5) == 0 {
            row.fields.append(field(SpanField.events, .json, #"[{"at":\#(pick(900)),"name":"x"}]"#))
        }
        if pick(6) == 0 { row.fields.append(field("span.body", .bytes, "AAEC/w==")) }
        if pick(9) == 0 {
            row.fields.append(
                LogRow.Field(
                    name: "span.raw",
                    kind: .text,
                    text: (0..<pick(40)).map { _ in UInt8(pick(256)) }
                )
            )
        }
        // Its own field has the name of one that it shares.
        if pick(12) == 0 {
            row.fields.append(field("resource.service.name", .text, "own-\(pick(3))"))
        }
        if pick(20) == 0 { row.fields.append(field("resource.host.cpus", .text, "many")) }
        return row
    }

    static func field(_ name: String, _ kind: FieldKind, _ text: String) -> LogRow.Field {
        LogRow.Field(name: name, kind: kind, text: Array(text.utf8))
    }
}

extension LogRow {
    func text(_ name: String) -> String {
        fields.first { $0.name == name }.map { String(decoding: $0.text, as: UTF8.self) } ?? ""
    }

    /// What tells spans apart.
    var spanKey: [String] {
        [SpanField.traceID, SpanField.spanID, SpanField.duration, SpanField.kind].map(text)
            + ["\(time)"]
    }

    /// As it is read back: fields by name, of spans also those that were labels of the stream.
    func asRead(_ signal: Signal) -> LogRow {
        var row = self
        if signal == .traces {
            for (name, value) in stream.pairs where !fields.contains(where: { $0.name == name }) {
                guard let digit = value.utf8.first, let kind = FieldKind(rawValue: digit - 48)
                else { continue }
                row.fields.append(
                    Field(name: name, kind: kind, text: Array(value.utf8.dropFirst()))
                )
            }
            row.stream = .empty
        }
        row.fields.sort { Array($0.name.utf8).lexicographicallyPrecedes(Array($1.name.utf8)) }
        return row
    }
}

extension [LogRow] {
    /// Spans by start and id, each once: of those that are there twice the first.
    var distinctSpans: [LogRow] {
        var known: Set<[String]> = []
        return filter { known.insert($0.spanKey).inserted }
            .map { ($0.time, $0.spanKey, $0) }
            .sorted { ($0.0, $0.1.joined()) < ($1.0, $1.1.joined()) }
            .map(\.2)
    }
}
