internal import WeirColumns
internal import WeirCore

/// Spans as rows of columns: a block of the source, or whole traces gathered from several.
///
/// Used by one thread.
final class SpanView {
    let rowCount: Int
    /// The row of each span's parent, -1 without one; nil where traces are not whole.
    private(set) lazy var parents = loadParents?()
    private let loadParents: (() -> [Int32])?
    private let load: (String) throws(QueryError) -> FieldValues?
    private let loadTimes: () throws(QueryError) -> [Int64]
    private var fields: [String: FieldValues?] = [:]
    private var heldTimes: [Int64]?
    private var lists: [String: [Int: JSONValue]] = [:]

    init(
        rowCount: Int,
        parents: (() -> [Int32])? = nil,
        times: @escaping () throws(QueryError) -> [Int64],
        field: @escaping (String) throws(QueryError) -> FieldValues?
    ) {
        self.rowCount = rowCount
        loadParents = parents
        load = field
        loadTimes = times
    }

    convenience init(_ block: any RowSourceBlock) {
        self.init(
            rowCount: block.rowCount,
            times: { () throws(QueryError) in try block.times() },
            field: { (name) throws(QueryError) in try block.field(name) }
        )
    }

    func field(_ name: String) throws(QueryError) -> FieldValues? {
        if let known = fields[name] { return known }
        let values = try load(name)
        fields[name] = .some(values)
        return values
    }

    /// One start per row, nanoseconds.
    func times() throws(QueryError) -> [Int64] {
        if let heldTimes { return heldTimes }
        let times = try loadTimes()
        heldTimes = times
        return times
    }

    var allRows: [UInt32] { Array(0..<UInt32(rowCount)) }

    // MARK: Values of one row

    func value(_ source: SpanSource, row: Int) throws(QueryError) -> TraceQLValue {
        switch source {
        case .attribute(let names): return try value(names, row: row)
        case .parent(let names):
            guard let parent = parents?[row], parent >= 0 else { return .missing }
            return try value(names, row: Int(parent))
        case .inList(let field, let name):
            let items = try list(field, row: row)
            return .list(
                items.compactMap { item in
                    item["attributes"]?[name].map(Self.value)
                }
            )
        case .intrinsic(let intrinsic): return try value(intrinsic, row: row)
        }
    }

    private func value(_ names: [String], row: Int) throws(QueryError) -> TraceQLValue {
        for name in names {
            guard let values = try field(name), let kind = values.kind(at: row) else { continue }
            return Self.value(values.text(at: row), kind)
        }
        return .missing
    }

    private func value(_ intrinsic: TraceQLIntrinsic, row: Int) throws(QueryError) -> TraceQLValue {
        switch intrinsic {
        case .eventName:
            return .list(try list(SpanField.events, row: row).map { Self.text($0["name"]) })
        case .eventTimeSinceStart:
            return .list(
                try list(SpanField.events, row: row).map { .number($0["at"]?.double ?? 0) }
            )
        case .linkTraceID:
            return .list(try list(SpanField.links, row: row).map { Self.text($0["traceID"]) })
        case .linkSpanID:
            return .list(try list(SpanField.links, row: row).map { Self.text($0["spanID"]) })
        default: break
        }
        guard let values = try field(intrinsic.field), values.kind(at: row) != nil else {
            return Self.absent(intrinsic)
        }
        let text = values.text(at: row)
        switch intrinsic.type {
        case .text: return .text(text)
        case .number: return DecimalParser.double(text.span).map(TraceQLValue.number) ?? .missing
        case .status:
            return .status(TraceQLStatus(rawValue: String(decoding: text, as: UTF8.self)) ?? .unset)
        case .kind:
            return .kind(
                TraceQLKind(rawValue: String(decoding: text, as: UTF8.self)) ?? .unspecified
            )
        }
    }

    private static func absent(_ intrinsic: TraceQLIntrinsic) -> TraceQLValue {
        switch intrinsic.type {
        case .status: .status(.unset)
        case .kind: .kind(.unspecified)
        case .number: .missing
        case .text: intrinsic.isOfTrace ? .missing : .text([])
        }
    }

    private static func text(_ value: JSONValue?) -> TraceQLValue {
        .text(Array((value?.string ?? "").utf8))
    }

    private static func value(_ json: JSONValue) -> TraceQLValue {
        switch json {
        case .null: .missing
        case .bool(let flag): .boolean(flag)
        case .number(let text): number(Array(text.utf8))
        case .string(let text): .text(Array(text.utf8))
        case .array, .object: .opaque
        }
    }

    static func value(_ text: [UInt8], _ kind: FieldKind) -> TraceQLValue {
        switch kind {
        case .text: .text(text)
        case .number: number(text)
        case .boolean: .boolean(text == Array("true".utf8))
        case .json: text == Array("null".utf8) ? .missing : .opaque
        case .bytes: .opaque
        }
    }

    static func number(_ text: [UInt8]) -> TraceQLValue {
        number(text.span).map(TraceQLValue.number) ?? .opaque
    }

    /// Reads a number as spans have it, `NaN` and `Infinity` among them.
    static func number(_ text: Span<UInt8>) -> Double? {
        if let number = DecimalParser.double(text) { return number }
        guard text.count == 3 || text.count == 8 || text.count == 9 else { return nil }
        var copy: [UInt8] = []
        for index in 0..<text.count { copy.append(text[index]) }
        switch String(decoding: copy, as: UTF8.self) {
        case "NaN": return .nan
        case "Infinity": return .infinity
        case "-Infinity": return -.infinity
        default: return nil
        }
    }

    /// The events or links of a row.
    private func list(_ name: String, row: Int) throws(QueryError) -> [JSONValue] {
        if let known = lists[name]?[row] { return known.array ?? [] }
        guard let values = try field(name), values.kind(at: row) != nil else { return [] }
        let parsed = (try? JSONParser.parse(values.text(at: row))) ?? .null
        lists[name, default: [:]][row] = parsed
        return parsed.array ?? []
    }

    /// One number per row of `rows`, NaN where there is none.
    func numbers(
        _ field: SpanExpression,
        _ rows: [UInt32]
    ) throws(QueryError) -> [Double] {
        switch field {
        case .source(.intrinsic(let intrinsic))
        where intrinsic.type == .number && !intrinsic.isInList:
            guard let values = try self.field(intrinsic.field) else { break }
            return values.decimals(at: rows)
        case .source(.attribute(let names)) where names.count == 1:
            guard let values = try self.field(names[0]) else { break }
            var numbers = values.decimals(at: rows)
            for (place, row) in rows.enumerated()
            where !numbers[place].isNaN && values.kind(at: Int(row)) != .number {
                numbers[place] = .nan
            }
            return numbers
        default: break
        }
        var numbers: [Double] = []
        numbers.reserveCapacity(rows.count)
        for row in rows {
            if case .number(let number) = try field.value(self, row: Int(row)) {
                numbers.append(number)
            } else {
                numbers.append(.nan)
            }
        }
        return numbers
    }

    /// The text and the type that a span shows for an attribute; nil when it has none.
    func shown(
        _ source: SpanSource,
        row: Int
    ) throws(QueryError) -> (kind: FieldKind, text: [UInt8])? {
        let names: [String]
        var row = row
        switch source {
        case .attribute(let fields): names = fields
        case .parent(let fields):
            guard let parent = parents?[row], parent >= 0 else { return nil }
            row = Int(parent)
            names = fields
        case .intrinsic(let intrinsic) where !intrinsic.isInList:
            if let values = try field(intrinsic.field), let kind = values.kind(at: row) {
                return (kind, values.text(at: row))
            }
            switch intrinsic.type {
            case .status: return (.text, Array("unset".utf8))
            case .kind: return (.text, Array("unspecified".utf8))
            default: return nil
            }
        default:
            guard case .list(let values) = try value(source, row: row), let first = values.first
            else { return nil }
            return Self.shown(first)
        }
        for name in names {
            if let values = try field(name), let kind = values.kind(at: row) {
                return (kind, values.text(at: row))
            }
        }
        return nil
    }

    static func shown(_ value: TraceQLValue) -> (kind: FieldKind, text: [UInt8])? {
        switch value {
        case .missing, .opaque, .list: nil
        case .text(let text): (.text, text)
        case .number(let number): (.number, Array(NumberText.plain(number).utf8))
        case .boolean(let flag): (.boolean, Array((flag ? "true" : "false").utf8))
        case .status(let status): (.text, Array(status.rawValue.utf8))
        case .kind(let kind): (.text, Array(kind.rawValue.utf8))
        }
    }
}
