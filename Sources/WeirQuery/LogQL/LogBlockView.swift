internal import WeirColumns
internal import WeirCore

/// One block as a query sees it: names resolved, columns fetched once.
///
/// Used by one thread.
final class LogBlockView {
    let block: any RowSourceBlock
    let streams: LogStreams
    let context: QueryContext
    /// The block's place among the selection's.
    let index: Int
    private var fields: [String: FieldValues?] = [:]
    private var resolved: [String: [FieldValues]] = [:]
    private var heldTimes: [Int64]?
    private var heldStreams: [Int32]?
    private var heldNames: [String]?
    private var heldSanitized: [String: [String]]?

    init(_ block: any RowSourceBlock, index: Int, streams: LogStreams, context: QueryContext) {
        self.block = block
        self.index = index
        self.streams = streams
        self.context = context
    }

    func times() throws(QueryError) -> [Int64] {
        if let heldTimes { return heldTimes }
        let times = try block.times()
        heldTimes = times
        return times
    }

    func streamNumbers() throws(QueryError) -> [Int32] {
        if let heldStreams { return heldStreams }
        let numbers = try block.streamNumbers()
        heldStreams = numbers
        return numbers
    }

    func fieldNames() throws(QueryError) -> [String] {
        if let heldNames { return heldNames }
        let names = try block.fieldNames()
        heldNames = names
        return names
    }

    func field(_ name: String) throws(QueryError) -> FieldValues? {
        if let known = fields[name] { return known }
        let values = try block.field(name)
        fields[name] = .some(values)
        return values
    }

    var rowCount: Int { block.rowCount }

    func body() throws(QueryError) -> FieldValues? { try field(FieldTable.bodyName) }

    /// Whether every row has a body.
    func isBodyComplete() throws(QueryError) -> Bool {
        try body()?.presentCount == rowCount
    }

    /// Whether it is certain that every row has some field besides its body.
    func isTakenApart() throws(QueryError) -> Bool {
        for name in try fieldNames() where !name.isEmpty {
            if try field(name)?.presentCount == rowCount { return true }
        }
        return false
    }

    /// The names of the fields that `name` may mean, the first that a row has wins.
    func fieldNames(meaning name: String) throws(QueryError) -> [String] {
        let names = try fieldNames()
        var found: [String] = []
        if !name.isEmpty, names.contains(name) { found.append(name) }
        for alias in LogNames.aliases(of: name) where alias != name && names.contains(alias) {
            found.append(alias)
        }
        if heldSanitized == nil {
            var table: [String: [String]] = [:]
            for field in names where !field.isEmpty && !LogNames.isPlain(field) {
                table[LogNames.sanitized(field), default: []].append(field)
            }
            heldSanitized = table
        }
        for other in heldSanitized?[name] ?? [] where !found.contains(other) { found.append(other) }
        return found
    }

    /// The fields that `name` may mean, in order.
    func columns(meaning name: String) throws(QueryError) -> [FieldValues] {
        if let known = resolved[name] { return known }
        var columns: [FieldValues] = []
        for field in try fieldNames(meaning: name) {
            guard let values = try self.field(field) else { continue }
            columns.append(values)
            // No row goes on to look for another.
            if values.presentCount == rowCount { break }
        }
        resolved[name] = columns
        return columns
    }

    /// A label's value in a row before any stage has run.
    func value(_ name: String, row: Int) throws(QueryError) -> [UInt8]? {
        let column = streams.column(name)
        if !column.isAbsent {
            let number = Int(try streamNumbers()[row])
            if number >= 0, let value = column.values[number] { return value }
        }
        for values in try columns(meaning: name) {
            var text: [UInt8] = []
            if values.appendText(at: row, to: &text) != nil { return text }
        }
        return nil
    }

    /// A row's line: its body, or its fields as a JSON object.
    func line(row: Int) throws(QueryError) -> [UInt8] {
        var text: [UInt8] = []
        if let body = try body(), body.appendText(at: row, to: &text) != nil { return text }
        return try madeLine(row: row)
    }

    /// The fields of a row that has no body, as a JSON object in the order of the columns.
    private func madeLine(row: Int) throws(QueryError) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        for name in try fieldNames() where !name.isEmpty {
            var text: [UInt8] = []
            guard let kind = try field(name)?.appendText(at: row, to: &text) else { continue }
            writer.key(name)
            LogJSON.value(text, kind, to: &writer)
        }
        writer.endObject()
        return writer.bytes
    }

    // MARK: Whole lists of rows

    /// The rows among `rows` in two lists: those that have the field and those that lack it.
    static func split(
        _ rows: [UInt32],
        _ values: FieldValues
    ) -> (present: [UInt32], absent: [UInt32]) {
        if values.presentCount == values.rowCount { return (rows, []) }
        if values.presentCount == 0 { return ([], rows) }
        var present: [UInt32] = []
        var absent: [UInt32] = []
        for row in rows {
            if values.kind(at: Int(row)) == nil {
                absent.append(row)
            } else {
                present.append(row)
            }
        }
        return (present, absent)
    }

    /// Two ascending lists in one.
    static func merged(_ left: [UInt32], _ right: [UInt32]) -> [UInt32] {
        if left.isEmpty { return right }
        if right.isEmpty { return left }
        var result: [UInt32] = []
        result.reserveCapacity(left.count + right.count)
        var (a, b) = (0, 0)
        while a < left.count, b < right.count {
            if left[a] < right[b] {
                result.append(left[a])
                a += 1
            } else {
                result.append(right[b])
                b += 1
            }
        }
        result += left[a...]
        result += right[b...]
        return result
    }

    /// The rows whose line passes.
    func filterLines(_ rows: [UInt32], _ test: TextTest) throws(QueryError) -> [UInt32] {
        guard let body = try body() else {
            return try filterMadeLines(rows, test)
        }
        let (present, absent) = Self.split(rows, body)
        let passed = body.filter(present, test)
        return Self.merged(passed, try filterMadeLines(absent, test))
    }

    private func filterMadeLines(
        _ rows: [UInt32],
        _ test: TextTest
    ) throws(QueryError) -> [UInt32] {
        var passed: [UInt32] = []
        for (count, row) in rows.enumerated() {
            if count & 1023 == 0 { try context.check() }
            let line = try madeLine(row: Int(row))
            if test.passes(line) { passed.append(row) }
        }
        return passed
    }

    /// The rows whose label passes, before any stage has run.
    func filter(_ rows: [UInt32], _ name: String, _ test: TextTest) throws(QueryError) -> [UInt32] {
        let column = streams.column(name)
        if column.isAbsent { return try filterFields(rows, name, test) }
        var passes: [Bool?] = []
        for value in column.values { passes.append(value.map(test.passes)) }
        let numbers = try streamNumbers()
        var passed: [UInt32] = []
        var others: [UInt32] = []
        for row in rows {
            let number = Int(numbers[Int(row)])
            switch number >= 0 ? passes[number] : nil {
            case true?: passed.append(row)
            case false?: break
            case nil: others.append(row)
            }
        }
        return Self.merged(passed, try filterFields(others, name, test))
    }

    private func filterFields(
        _ rows: [UInt32],
        _ name: String,
        _ test: TextTest
    ) throws(QueryError) -> [UInt32] {
        guard !rows.isEmpty else { return [] }
        let columns = try columns(meaning: name)
        if columns.count == 1 { return columns[0].filter(rows, test) }
        var rest = rows
        var passed: [UInt32] = []
        for values in columns {
            let (present, absent) = Self.split(rest, values)
            passed = Self.merged(passed, values.filter(present, test))
            rest = absent
        }
        return test.passesAbsent ? Self.merged(passed, rest) : passed
    }
}

extension TextTest {
    /// Whether the text `bytes` passes.
    func passes(_ bytes: [UInt8]) -> Bool { passes(bytes.span) }
}
