internal import Glibc
internal import WeirCore

/// Reads InfluxDB line protocol into a batch of samples.
///
/// `measurement,tag=a field=1,other=2i time` becomes samples of `measurement_field{tag="a"}` and
/// `measurement_other{tag="a"}`. A bad line is refused whole; its neighbours are kept.
/// The table of cases is in `Tests/WeirWireTests`; the mapping in `docs/line-protocol.md`.
///
/// Speed: a producer sends the same `measurement,tags` again and again, with its fields in the
/// same order. So that prefix is looked up as raw bytes, and each field first compared with the
/// one that stood at its place the last time; names are parsed once per batch.
package struct LineProtocolParser {
    /// Refusals kept with their reasons.
    package static let refusalsMax = 100

    private let body: [UInt8]
    private let options: LineProtocolOptions
    private var result = LineProtocolResult(batch: RowBatch(signal: .metrics))
    private var prefixes = PrefixTable()
    private var entries: [Entry] = []
    private var lineNumber = 0

    /// One `measurement,tags`, and the series its fields have named so far.
    private struct Entry {
        let measurement: String
        /// The canonical bytes of the tags, without the name.
        let tags: [UInt8]
        var fields: [Field] = []
    }

    private struct Field {
        /// Where the key stands, escaped, in the body.
        let key: Range<Int>
        let stream: UInt32
    }

    /// Parses a whole body.
    package static func parse(
        _ body: [UInt8],
        options: LineProtocolOptions
    ) -> LineProtocolResult {
        var parser = LineProtocolParser(body: body, options: options)
        parser.parseLines()
        return parser.result
    }

    private init(body: [UInt8], options: LineProtocolOptions) {
        self.body = body
        self.options = options
        // A sample takes some 20 bytes of text; more room is made when it is needed.
        let guess = min(body.count / 24, 1 << 20)
        result.batch.streamIndexes.reserveCapacity(guess)
        result.batch.times.reserveCapacity(guess)
        result.batch.columns[0].floats.reserveCapacity(guess)
    }

    private mutating func parseLines() {
        let body = self.body
        let bytes = body.span
        var start = 0
        while start < bytes.count {
            lineNumber += 1
            var end = Self.endOfLine(bytes, from: start)
            let next = end + 1
            if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
            while start < end, bytes[start] == UInt8(ascii: " ") || bytes[start] == 0x09 {
                start += 1
            }
            if start < end, bytes[start] != UInt8(ascii: "#") {
                parseLine(bytes, start..<end)
            }
            start = next
        }
    }

    /// The line feed that ends the line: one inside a quoted string value does not.
    private static func endOfLine(_ bytes: Span<UInt8>, from start: Int) -> Int {
        let lineFeed = find(UInt8(ascii: "\n"), in: bytes, start..<bytes.count)
        let quote = find(UInt8(ascii: "\""), in: bytes, start..<lineFeed)
        return quote == lineFeed ? lineFeed : endOfQuotedLine(bytes, from: start) ?? lineFeed
    }

    /// The first `byte` in `range`, or its end.
    private static func find(
        _ byte: UInt8,
        in bytes: Span<UInt8>,
        _ range: Range<Int>
    ) -> Int {
        guard !range.isEmpty else { return range.upperBound }
        return unsafe bytes.withUnsafeBytes { buffer in
            // SAFETY: memchr reads `range`, which lies inside the buffer.
            guard let start = buffer.baseAddress,
                let found = unsafe memchr(start + range.lowerBound, CInt(byte), range.count)
            else { return range.upperBound }
            return unsafe UnsafeRawPointer(found) - start
        }
    }

    /// The same for a line with quotes in it; nil when a string never closes, so that it does not
    /// swallow the lines after it.
    private static func endOfQuotedLine(_ bytes: Span<UInt8>, from start: Int) -> Int? {
        var index = start
        var isQuoted = false
        var isInFields = false
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\n"): if !isQuoted { return index }
            case UInt8(ascii: "\\"):
                let isEscape =
                    isQuoted || (index + 1 < bytes.count && bytes[index + 1] != UInt8(ascii: "\n"))
                if isEscape { index += 1 }
            case UInt8(ascii: " "): isInFields = true
            case UInt8(ascii: "\""):
                // Quotes mean something only where a field's value begins or ends.
                if isQuoted {
                    isQuoted = false
                } else if isInFields, bytes[index - 1] == UInt8(ascii: "=") {
                    isQuoted = true
                }
            default: break
            }
            index += 1
        }
        return isQuoted ? nil : bytes.count
    }

    private mutating func parseLine(_ bytes: Span<UInt8>, _ line: Range<Int>) {
        result.lineCount += 1
        let rowCount = result.batch.times.count
        let stringCount = result.stringFieldCount
        do throws(LineProtocolError) {
            let prefixEnd = Self.skipToSpace(bytes, line)
            let entry = try entry(bytes, line.lowerBound..<prefixEnd)
            let fieldsEnd = try parseFields(bytes, prefixEnd..<line.upperBound, entry: entry)
            let time = try parseTime(bytes, fieldsEnd..<line.upperBound)
            let added = result.batch.columns[0].floats.count - rowCount
            for _ in 0..<added { result.batch.times.append(time) }
        } catch {
            result.batch.columns[0].floats.removeSubrange(rowCount...)
            result.batch.streamIndexes.removeSubrange(rowCount...)
            result.stringFieldCount = stringCount
            result.refusedLineCount += 1
            if result.refusals.count < Self.refusalsMax {
                result.refusals.append(LineRefusal(line: lineNumber, error: error))
            }
        }
    }

    // MARK: Measurement and tags

    private static func skipToSpace(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        var index = range.lowerBound
        while index < range.upperBound {
            // SAFETY: index < range.upperBound <= bytes.count.
            let byte = unsafe bytes[unchecked: index]
            if byte == UInt8(ascii: " ") { return index }
            index += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        return range.upperBound
    }

    /// The place of the line's `measurement,tags` in `entries`, parsed if it is new.
    private mutating func entry(
        _ bytes: Span<UInt8>,
        _ prefix: Range<Int>
    ) throws(LineProtocolError) -> Int {
        if let known = prefixes.find(prefix, in: bytes) { return known }
        let made = try parsePrefix(bytes, prefix)
        entries.append(made)
        prefixes.insert(prefix, entry: entries.count - 1, in: bytes)
        return entries.count - 1
    }

    private func parsePrefix(
        _ bytes: Span<UInt8>,
        _ prefix: Range<Int>
    ) throws(LineProtocolError) -> Entry {
        var cursor = prefix.lowerBound
        let measurementEnd = Self.skip(bytes, cursor..<prefix.upperBound, to: UInt8(ascii: ","))
        guard measurementEnd > cursor else { throw .missingMeasurement }
        let measurement = try text(bytes, cursor..<measurementEnd)
        cursor = measurementEnd
        var pairs: [(String, String)] = []
        while cursor < prefix.upperBound {
            cursor += 1
            let tagEnd = Self.skip(bytes, cursor..<prefix.upperBound, to: UInt8(ascii: ","))
            let keyEnd = Self.skip(bytes, cursor..<tagEnd, to: UInt8(ascii: "="))
            guard keyEnd < tagEnd, keyEnd > cursor else {
                throw .badTag(at: cursor - prefix.lowerBound)
            }
            let key = try text(bytes, cursor..<keyEnd)
            guard keyEnd + 1 < tagEnd else { throw .missingTagValue(tag: key) }
            let value = try text(bytes, (keyEnd + 1)..<tagEnd)
            try check(key: key, value: value)
            pairs.append((key, value))
            cursor = tagEnd
        }
        for label in options.extraLabels { pairs.append((label.name, label.value)) }
        guard pairs.count <= options.labelsMax else {
            throw .tooManyLabels(count: pairs.count, limit: options.labelsMax)
        }
        let tags = Labels(pairs).bytes
        // The series' name, of measurement and field, comes to it.
        let limit = Labels.bytesMax - 8 - 2 * options.labelNameBytesMax
        guard tags.count <= limit else { throw .labelsTooLong(bytes: tags.count, limit: limit) }
        return Entry(measurement: measurement, tags: tags)
    }

    private func check(key: String, value: String) throws(LineProtocolError) {
        guard key != Labels.metricNameLabel else { throw .reservedTag(tag: key) }
        guard key.utf8.count <= options.labelNameBytesMax else {
            throw .labelNameTooLong(bytes: key.utf8.count, limit: options.labelNameBytesMax)
        }
        guard value.utf8.count <= options.labelValueBytesMax else {
            throw .labelValueTooLong(
                tag: key,
                bytes: value.utf8.count,
                limit: options.labelValueBytesMax
            )
        }
    }

    /// The first unescaped `stop` in `range`, or its end.
    private static func skip(_ bytes: Span<UInt8>, _ range: Range<Int>, to stop: UInt8) -> Int {
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = bytes[index]
            if byte == stop { return index }
            index += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        return range.upperBound
    }

    /// The text of a name: a backslash is taken away before a comma, an equals sign or a space.
    private func text(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(LineProtocolError) -> String {
        var plain: [UInt8] = []
        plain.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            if bytes[index] == UInt8(ascii: "\\"), index + 1 < range.upperBound {
                let next = bytes[index + 1]
                let isEscape =
                    next == UInt8(ascii: ",") || next == UInt8(ascii: "=")
                    || next == UInt8(ascii: " ")
                if isEscape { index += 1 }
            }
            plain.append(bytes[index])
            index += 1
        }
        guard let text = String(validating: plain, as: UTF8.self) else { throw .invalidUTF8 }
        return text
    }

    // MARK: Fields

    /// Parses the fields behind the space at `range.lowerBound`, and appends their values.
    ///
    /// - Returns: The end of the fields.
    private mutating func parseFields(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        entry: Int
    ) throws(LineProtocolError) -> Int {
        var cursor = range.lowerBound
        let end = range.upperBound
        while cursor < end, bytes[cursor] == UInt8(ascii: " ") { cursor += 1 }
        guard cursor < end else { throw .missingFields }
        var place = 0
        while true {
            let keyStart = cursor
            while cursor < end {
                // SAFETY: cursor < end <= bytes.count.
                let byte = unsafe bytes[unchecked: cursor]
                if byte == UInt8(ascii: "=") { break }
                if byte == UInt8(ascii: ",") || byte == UInt8(ascii: " ") {
                    throw .missingFieldValue(field: shown(bytes, keyStart..<cursor))
                }
                cursor += byte == UInt8(ascii: "\\") ? 2 : 1
            }
            cursor = min(cursor, end)
            guard cursor > keyStart else { throw .missingFieldKey }
            let key = keyStart..<cursor
            guard cursor < end else { throw .missingFieldValue(field: shown(bytes, key)) }
            cursor += 1
            if cursor < end, bytes[cursor] == UInt8(ascii: "\"") {
                cursor = try skipString(bytes, cursor..<end, key: key)
                result.stringFieldCount += 1
            } else {
                let (value, valueEnd) = try parseValue(bytes, cursor..<end, key: key)
                let stream = try stream(bytes, key, place: place, entry: entry)
                result.batch.streamIndexes.append(stream)
                result.batch.columns[0].floats.append(value)
                cursor = valueEnd
                place += 1
            }
            guard cursor < end, bytes[cursor] == UInt8(ascii: ",") else { return cursor }
            cursor += 1
        }
    }

    /// Skips a quoted string, in which `\"` and `\\` are escapes.
    private func skipString(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        key: Range<Int>
    ) throws(LineProtocolError) -> Int {
        var cursor = range.lowerBound + 1
        while cursor < range.upperBound, bytes[cursor] != UInt8(ascii: "\"") {
            cursor += bytes[cursor] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard cursor < range.upperBound else {
            throw .unterminatedString(field: shown(bytes, key))
        }
        cursor += 1
        let isEnd =
            cursor == range.upperBound || bytes[cursor] == UInt8(ascii: ",")
            || bytes[cursor] == UInt8(ascii: " ")
        guard isEnd else {
            throw .badValue(
                field: shown(bytes, key),
                text: shown(bytes, range.lowerBound..<(cursor + 1))
            )
        }
        return cursor
    }

    private func parseValue(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        key: Range<Int>
    ) throws(LineProtocolError) -> (value: Double, end: Int) {
        var end = range.lowerBound
        while end < range.upperBound {
            // SAFETY: end < range.upperBound <= bytes.count.
            let byte = unsafe bytes[unchecked: end]
            if byte == UInt8(ascii: ",") || byte == UInt8(ascii: " ") { break }
            end += 1
        }
        let text = range.lowerBound..<end
        guard !text.isEmpty else { throw .missingFieldValue(field: shown(bytes, key)) }
        switch NumberText.value(bytes, text) {
        case .number(let value): return (value, end)
        case .outOfRange:
            throw .integerOutOfRange(field: shown(bytes, key), text: shown(bytes, text))
        case .notANumber: throw .badValue(field: shown(bytes, key), text: shown(bytes, text))
        }
    }

    /// The batch's number for the series of this field.
    private mutating func stream(
        _ bytes: Span<UInt8>,
        _ key: Range<Int>,
        place: Int,
        entry: Int
    ) throws(LineProtocolError) -> UInt32 {
        if place < entries[entry].fields.count {
            let field = entries[entry].fields[place]
            if Self.areEqual(bytes, field.key, key) { return field.stream }
        }
        for field in entries[entry].fields where Self.areEqual(bytes, field.key, key) {
            return field.stream
        }
        guard entries[entry].fields.count < options.fieldsMax else {
            throw .tooManyFields(limit: options.fieldsMax)
        }
        let name = entries[entry].measurement + "_" + (try text(bytes, key))
        guard name.utf8.count <= options.labelNameBytesMax else {
            throw .labelNameTooLong(bytes: name.utf8.count, limit: options.labelNameBytesMax)
        }
        let labels = Labels(
            trusted: Labels([(Labels.metricNameLabel, name)]).bytes + entries[entry].tags
        )
        let stream = UInt32(result.batch.streams.count)
        result.batch.streams.append(labels)
        result.batch.firstLines.append(lineNumber)
        entries[entry].fields.append(Field(key: key, stream: stream))
        return stream
    }

    @inline(__always)
    private static func areEqual(
        _ bytes: Span<UInt8>,
        _ left: Range<Int>,
        _ right: Range<Int>
    ) -> Bool {
        guard left.count == right.count else { return false }
        for offset in 0..<left.count {
            // SAFETY: both ranges lie inside `bytes`.
            let isEqual =
                unsafe bytes[unchecked: left.lowerBound &+ offset]
                == bytes[unchecked: right.lowerBound &+ offset]
            if !isEqual { return false }
        }
        return true
    }

    // MARK: Time

    private func parseTime(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(LineProtocolError) -> Int64 {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, bytes[start] == UInt8(ascii: " ") { start += 1 }
        while end > start, bytes[end - 1] == UInt8(ascii: " ") { end -= 1 }
        guard start < end else { return options.now }
        let units: Int64
        switch NumberText.integer(bytes, start..<end) {
        case .notANumber: throw .badTimestamp(text: shown(bytes, start..<end))
        case .outOfRange: throw .timestampOutOfRange(text: shown(bytes, start..<end))
        case .number(let value): units = value
        }
        let (time, overflow) = units.multipliedReportingOverflow(by: options.nanosecondsPerUnit)
        guard !overflow else { throw .timestampOutOfRange(text: shown(bytes, start..<end)) }
        guard time <= options.now || time - options.now <= options.futureMax else {
            throw .tooFarInFuture(text: shown(bytes, start..<end), limit: options.futureMax)
        }
        return time
    }

    /// A piece of the body for a message, cut to what a person reads.
    private func shown(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        let cut = range.lowerBound..<min(range.upperBound, range.lowerBound + 64)
        return String(decoding: body[cut], as: UTF8.self) + (cut.count < range.count ? "…" : "")
    }
}
