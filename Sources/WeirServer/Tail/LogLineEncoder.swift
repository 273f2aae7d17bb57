internal import WeirCore

/// Writes log rows as JSON lines, the format of `/api/v1/logs/tail` and `/api/v1/logs/query`:
/// `{"_time":"…","_stream":{…},"_msg":"…", then the row's fields}`.
///
/// Walks the columns of a batch side by side, so that a row costs no search.
struct LogLineEncoder {
    private let batch: RowBatch
    private let body: FieldColumn?
    private let fields: [FieldColumn]
    private let names: [[UInt8]]
    private var streams: [[UInt8]?]
    private var bodyCursor = 0
    private var cursors: [Int]
    private var clock = LogClockText()

    init(_ batch: RowBatch) {
        self.batch = batch
        body = batch.fields[FieldTable.bodyName]
        fields = batch.fields.columns.filter { $0.name != FieldTable.bodyName }
        names = fields.map { field in
            var name: [UInt8] = [UInt8(ascii: ",")]
            JSONWriter.appendString(field.name, to: &name)
            name.append(UInt8(ascii: ":"))
            return name
        }
        streams = Array(repeating: nil, count: batch.streams.count)
        cursors = [Int](repeating: 0, count: fields.count)
    }

    /// Appends one row's line; rows must be asked for in ascending order.
    mutating func appendLine(_ row: Int, to output: inout [UInt8]) {
        output.append(contentsOf: #"{"_time":""#.utf8)
        clock.append(batch.times[row], to: &output)
        output.append(contentsOf: #"","_stream":"#.utf8)
        appendStream(Int(batch.streamIndexes[row]), to: &output)
        // A row without a line of its own is its fields.
        if let body, let index = Self.advance(&bodyCursor, in: body, to: row) {
            output.append(contentsOf: #","_msg":"#.utf8)
            LogBytes.appendString(body.values[index], to: &output)
        }
        for place in fields.indices {
            guard let index = Self.advance(&cursors[place], in: fields[place], to: row) else {
                continue
            }
            output.append(contentsOf: names[place])
            Self.appendValue(index, of: fields[place], to: &output)
        }
        output.append(contentsOf: [UInt8(ascii: "}"), 0x0A])
    }

    /// Appends a row's line alone, as a JSON string.
    mutating func appendBody(_ row: Int, to output: inout [UInt8]) {
        if let body, let index = Self.advance(&bodyCursor, in: body, to: row) {
            LogBytes.appendString(body.values[index], to: &output)
        } else {
            LogBytes.appendString(fieldsText(row)[...], to: &output)
        }
    }

    /// Appends a stream's labels as a JSON object.
    mutating func appendStream(_ index: Int, to output: inout [UInt8]) {
        if let known = streams[index] {
            output.append(contentsOf: known)
            return
        }
        var writer = JSONWriter()
        writer.beginObject()
        for pair in batch.streams[index].pairs { writer.member(pair.name, pair.value) }
        writer.endObject()
        streams[index] = writer.bytes
        output.append(contentsOf: writer.bytes)
    }

    /// What stands for the line of a row without one: its fields as a JSON object.
    private func fieldsText(_ row: Int) -> [UInt8] {
        var text: [UInt8] = [UInt8(ascii: "{")]
        for (place, field) in fields.enumerated() {
            guard let index = field.index(ofRow: row) else { continue }
            text.append(contentsOf: text.count == 1 ? names[place][1...] : names[place][...])
            Self.appendValue(index, of: field, to: &text)
        }
        text.append(UInt8(ascii: "}"))
        return text
    }

    private static func appendValue(
        _ index: Int,
        of field: FieldColumn,
        to output: inout [UInt8]
    ) {
        let value = field.values[index]
        switch FieldKind(rawValue: field.kind(at: index)) {
        case .number where LogBytes.isJSONNumber(value), .boolean, .json:
            output.append(contentsOf: value)
        default: LogBytes.appendString(value, to: &output)
        }
    }

    /// Moves a cursor to `row`; nil when the row lacks the field.
    private static func advance(_ cursor: inout Int, in field: FieldColumn, to row: Int) -> Int? {
        while cursor < field.count, field.row(at: cursor) < UInt32(row) { cursor += 1 }
        return cursor < field.count && field.row(at: cursor) == UInt32(row) ? cursor : nil
    }
}

/// Moments in RFC 3339 with as many digits of the second as are not zero; spells each second once.
struct LogClockText {
    private var second: Int64 = .min
    private var prefix: [UInt8] = []

    mutating func append(_ nanoseconds: Int64, to output: inout [UInt8]) {
        let whole = nanoseconds.floorDivided(by: 1_000_000_000)
        if whole != second || prefix.isEmpty {
            second = whole
            let text = TimeText.rfc3339(milliseconds: whole &* 1000)
            prefix = Array(text.utf8.dropLast())
        }
        output.append(contentsOf: prefix)
        let rest = nanoseconds &- whole &* 1_000_000_000
        if rest > 0 { appendFraction(rest, to: &output) }
        output.append(UInt8(ascii: "Z"))
    }

    private func appendFraction(_ nanoseconds: Int64, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "."))
        var rest = nanoseconds
        var digits: (UInt64) = 0
        for _ in 0..<9 {
            digits = digits << 4 | UInt64(rest % 10)
            rest /= 10
        }
        // The last digit taken is the first to be written.
        for _ in 0..<9 {
            output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digits & 15))
            digits >>= 4
        }
        while output.last == UInt8(ascii: "0") { output.removeLast() }
    }
}
