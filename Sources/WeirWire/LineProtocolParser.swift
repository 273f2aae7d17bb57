internal import Glibc
internal import WeirCore

/// Reads InfluxDB line protocol into a batch of samples.
///
/// `measurement,tag=a field=1,other=2i time` becomes samples of `measurement_field{tag="a"}` and
/// `measurement_other{tag="a"}`. A bad line is refused whole; its neighbours are kept.
/// The table of cases is in `Tests/WeirWireTests`; the mapping in `docs/line-protocol.md`.
///
/// Speed: see `LineSeries`, which outlives a body.
package struct LineProtocolParser {
    /// Refusals kept with their reasons.
    package static let refusalsMax = 100

    private let body: [UInt8]
    let options: LineProtocolOptions
    private var result = LineProtocolResult(batch: RowBatch(signal: .metrics))
    private var series = LineSeries()
    private var streamIndexes: [UInt32] = []
    private var times: [Int64] = []
    private var values: [Double] = []
    private var lineNumber = 0

    /// Parses a whole body.
    package static func parse(
        _ body: [UInt8],
        options: LineProtocolOptions
    ) -> LineProtocolResult {
        var series = LineSeries()
        return parse(body, options: options, series: &series)
    }

    /// Parses a whole body.
    ///
    /// `series` knows those of earlier bodies, and afterwards those of this one.
    package static func parse(
        _ body: [UInt8],
        options: LineProtocolOptions,
        series: inout LineSeries
    ) -> LineProtocolResult {
        var parser = LineProtocolParser(body: body, options: options)
        series.beginBody(options)
        swap(&parser.series, &series)
        parser.reserve()
        parser.parseLines()
        parser.series.endBody(&parser.result.batch)
        swap(&parser.series, &series)
        return parser.finish()
    }

    private init(body: [UInt8], options: LineProtocolOptions) {
        self.body = body
        self.options = options
    }

    /// As much room as the body before took: more is made when it is needed.
    private mutating func reserve() {
        let guess = min(max(series.rowCountBefore, 64), body.count / 4 + 1)
        streamIndexes.reserveCapacity(guess)
        times.reserveCapacity(guess)
        values.reserveCapacity(guess)
    }

    private consuming func finish() -> LineProtocolResult {
        result.batch.streamIndexes = streamIndexes
        result.batch.times = times
        result.batch.columns[0].floats = values
        return result
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
        series.rowCountBefore = times.count
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
        let rowCount = times.count
        let stringCount = result.stringFieldCount
        do throws(LineProtocolError) {
            let (prefix, prefixEnd) = try prefix(bytes, line)
            let fieldsEnd = try parseFields(bytes, prefixEnd..<line.upperBound, prefix: prefix)
            let time = try parseTime(bytes, fieldsEnd..<line.upperBound)
            times.append(contentsOf: repeatElement(time, count: values.count - rowCount))
        } catch {
            values.removeSubrange(rowCount...)
            streamIndexes.removeSubrange(rowCount...)
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

    /// The line's `measurement,tags`, read if they are new, and where they end.
    private mutating func prefix(
        _ bytes: Span<UInt8>,
        _ line: Range<Int>
    ) throws(LineProtocolError) -> (number: Int, end: Int) {
        if let predicted = series.predictedPrefix(bytes, line) {
            series.foundPrefix(predicted.number)
            return predicted
        }
        let range = line.lowerBound..<Self.skipToSpace(bytes, line)
        // What is kept has a space behind it that is no part of it.
        guard range.upperBound < line.upperBound else { throw .missingFields }
        let hash = ByteHash.hash(range, in: bytes)
        let number: Int
        if let known = series.findPrefix(range, hash: hash, in: bytes) {
            number = known
        } else {
            let made = try parsePrefix(bytes, range)
            number = series.insertPrefix(made, range, hash: hash, in: bytes)
        }
        series.foundPrefix(number)
        return (number, range.upperBound)
    }

    // MARK: Fields

    /// Bytes that labels of new series may take in one body.
    private static let madeBytesMax = 512 << 20

    /// Parses the fields behind the space at `range.lowerBound`, and appends their values.
    ///
    /// - Returns: The end of the fields.
    private mutating func parseFields(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        prefix: Int
    ) throws(LineProtocolError) -> Int {
        var cursor = range.lowerBound
        let end = range.upperBound
        while cursor < end, bytes[cursor] == UInt8(ascii: " ") { cursor += 1 }
        guard cursor < end else { throw .missingFields }
        var previous = -1
        var expected = series.firstField(of: prefix)
        while true {
            let keyStart = cursor
            var field = -1
            if expected >= 0,
                let keyEnd = series.end(ofField: expected, at: cursor, before: end, in: bytes)
            {
                field = expected
                cursor = keyEnd
            } else {
                cursor = try endOfKey(bytes, cursor..<end)
            }
            let key = keyStart..<cursor
            if cursor < end, bytes[cursor] == UInt8(ascii: "\"") {
                cursor = try skipString(bytes, cursor..<end, key: keyStart..<(cursor - 1))
                result.stringFieldCount += 1
            } else {
                let value: Double
                if let scanned = NumberText.scan(bytes, cursor..<end) {
                    (value, cursor) = scanned
                } else {
                    let name = keyStart..<(cursor - 1)
                    (value, cursor) = try parseValue(bytes, cursor..<end, key: name)
                }
                if field < 0 {
                    field = try self.field(bytes, key, prefix: prefix)
                    series.foundField(field, after: previous, of: prefix)
                }
                streamIndexes.append(try stream(of: field, prefix: prefix))
                values.append(value)
                previous = field
                expected = series.field(after: field)
            }
            guard cursor < end, bytes[cursor] == UInt8(ascii: ",") else { return cursor }
            cursor += 1
        }
    }

    /// The end of a key that is not the expected one, behind its equals sign.
    private func endOfKey(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(LineProtocolError) -> Int {
        var cursor = range.lowerBound
        while cursor < range.upperBound {
            let byte = bytes[cursor]
            if byte == UInt8(ascii: "=") { break }
            if byte == UInt8(ascii: ",") || byte == UInt8(ascii: " ") {
                throw .missingFieldValue(field: shown(bytes, range.lowerBound..<cursor))
            }
            cursor += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        cursor = min(cursor, range.upperBound)
        guard cursor > range.lowerBound else { throw .missingFieldKey }
        guard cursor < range.upperBound else {
            throw .missingFieldValue(field: shown(bytes, range.lowerBound..<cursor))
        }
        return cursor + 1
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

    /// The field with this key, its equals sign with it, made if it is new.
    private mutating func field(
        _ bytes: Span<UInt8>,
        _ key: Range<Int>,
        prefix: Int
    ) throws(LineProtocolError) -> Int {
        if let known = series.findField(of: prefix, key, in: bytes) { return known }
        guard series.namedCount(of: prefix) < options.fieldsMax else {
            throw .tooManyFields(limit: options.fieldsMax)
        }
        // A few bytes of a field stand for all tags of its line.
        guard series.madeByteCount < Self.madeBytesMax else {
            throw .tooManyNames(bytesMax: Self.madeBytesMax)
        }
        let names = series.prefixes[prefix]
        let name =
            names.measurement + "_" + (try text(bytes, key.lowerBound..<(key.upperBound - 1)))
        guard name.utf8.count <= options.labelNameBytesMax else {
            throw .labelNameTooLong(bytes: name.utf8.count, limit: options.labelNameBytesMax)
        }
        let labels = Labels(metricName: name, before: names.tags)
        return series.insertField(of: prefix, key, labels: labels, in: bytes)
    }

    /// The batch's number for the series of this field.
    @inline(__always)
    private mutating func stream(
        of field: Int,
        prefix: Int
    ) throws(LineProtocolError) -> UInt32 {
        if let known = series.stream(of: field) { return known }
        guard series.namedCount(of: prefix) < options.fieldsMax else {
            throw .tooManyFields(limit: options.fieldsMax)
        }
        return series.name(field, line: lineNumber)
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
