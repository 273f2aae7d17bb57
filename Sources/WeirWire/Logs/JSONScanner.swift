internal import WeirCore

/// Walks over JSON text without making anything of it: values are ranges of the bytes.
///
/// Strict as RFC 8259, but that bytes in strings need not be UTF-8. Every error's place counts from
/// `origin`.
struct JSONScanner {
    var offset: Int
    let end: Int
    /// Where the record began.
    var origin: Int
    let depthMax: Int

    /// What stands between a string's quotes.
    struct Text {
        let range: Range<Int>
        let isEscaped: Bool
    }

    init(_ range: Range<Int>, depthMax: Int) {
        offset = range.lowerBound
        end = range.upperBound
        origin = range.lowerBound
        self.depthMax = depthMax
    }

    @inline(__always)
    mutating func skipSpace(_ bytes: Span<UInt8>) {
        while offset < end {
            // SAFETY: offset < end <= bytes.count.
            let byte = unsafe bytes[unchecked: offset]
            guard byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else {
                return
            }
            offset &+= 1
        }
    }

    /// The byte here, 0 at the end.
    @inline(__always)
    func peek(_ bytes: Span<UInt8>) -> UInt8 {
        // SAFETY: offset < end <= bytes.count.
        offset < end ? unsafe bytes[unchecked: offset] : 0
    }

    func unexpected(_ bytes: Span<UInt8>, _ expected: String) -> LogError {
        offset < end
            ? .unexpectedByte(at: offset - origin, byte: bytes[offset], expected: expected)
            : .unexpectedEnd(at: offset - origin, expected: expected)
    }

    @inline(__always)
    mutating func expect(
        _ byte: UInt8,
        _ bytes: Span<UInt8>,
        _ expected: @autoclosure () -> String
    ) throws(LogError) {
        guard offset < end, peek(bytes) == byte else { throw unexpected(bytes, expected()) }
        offset &+= 1
    }

    /// Skips a string whose opening quote is here.
    @inline(__always)
    mutating func string(_ bytes: Span<UInt8>) throws(LogError) -> Text {
        let start = offset &+ 1
        let stop = ByteWords.endOfPlainText(bytes, from: start, end: end)
        // SAFETY: stop < end <= bytes.count.
        if stop < end, unsafe bytes[unchecked: stop] == UInt8(ascii: "\"") {
            offset = stop &+ 1
            return Text(range: start..<stop, isEscaped: false)
        }
        return try escapedString(bytes, start: start, from: stop)
    }

    private mutating func escapedString(
        _ bytes: Span<UInt8>,
        start: Int,
        from stop: Int
    ) throws(LogError) -> Text {
        var cursor = stop
        while cursor < end {
            switch bytes[cursor] {
            case UInt8(ascii: "\""):
                offset = cursor + 1
                return Text(range: start..<cursor, isEscaped: true)
            case UInt8(ascii: "\\"):
                cursor += 1
                guard cursor < end else { break }
                switch bytes[cursor] {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
                    UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
                    cursor += 1
                case UInt8(ascii: "u"):
                    guard end - cursor > 4, JSONText.hex(bytes, cursor + 1) != nil else {
                        throw .badEscape(at: cursor - 1 - origin)
                    }
                    cursor += 5
                default: throw .badEscape(at: cursor - 1 - origin)
                }
                cursor = ByteWords.endOfPlainText(bytes, from: cursor, end: end)
            default:
                throw .controlInString(at: cursor - origin, byte: bytes[cursor])
            }
        }
        throw .unexpectedEnd(at: end - origin, expected: "the end of a string")
    }

    /// Skips a number that begins here.
    @inline(__always)
    mutating func number(_ bytes: Span<UInt8>) throws(LogError) -> Range<Int> {
        let start = offset
        var cursor = offset
        if cursor < end, bytes[cursor] == UInt8(ascii: "-") { cursor &+= 1 }
        let whole = cursor
        cursor = skipDigits(bytes, cursor)
        guard cursor > whole, bytes[whole] != UInt8(ascii: "0") || cursor == whole + 1 else {
            throw .badNumber(at: start - origin)
        }
        if cursor < end {
            if bytes[cursor] == UInt8(ascii: ".") {
                let fraction = cursor + 1
                cursor = skipDigits(bytes, fraction)
                guard cursor > fraction else { throw .badNumber(at: start - origin) }
            }
            if cursor < end, bytes[cursor] | 0x20 == UInt8(ascii: "e") {
                cursor += 1
                let isSigned =
                    cursor < end
                    && (bytes[cursor] == UInt8(ascii: "+") || bytes[cursor] == UInt8(ascii: "-"))
                if isSigned { cursor += 1 }
                let exponent = cursor
                cursor = skipDigits(bytes, exponent)
                guard cursor > exponent else { throw .badNumber(at: start - origin) }
            }
        }
        offset = cursor
        return start..<cursor
    }

    @inline(__always)
    private func skipDigits(_ bytes: Span<UInt8>, _ start: Int) -> Int {
        var cursor = start
        // SAFETY: cursor < end <= bytes.count.
        while cursor < end, unsafe bytes[unchecked: cursor] &- UInt8(ascii: "0") <= 9 {
            cursor &+= 1
        }
        return cursor
    }

    /// Skips `true`, `false` or `null`.
    mutating func word(_ word: StaticString, _ bytes: Span<UInt8>) throws(LogError) -> Range<Int> {
        let start = offset
        let count = word.utf8CodeUnitCount
        guard end - start >= count else { throw unexpected(bytes, "a value") }
        for index in 0..<count {
            // SAFETY: index < the string's length.
            guard unsafe bytes[start + index] == word.utf8Start[index] else {
                throw unexpected(bytes, "a value")
            }
        }
        offset = start + count
        return start..<offset
    }

    /// Skips any value, within `depth` open objects and arrays; returns where it lies.
    mutating func value(_ bytes: Span<UInt8>, depth: Int) throws(LogError) -> Range<Int> {
        let start = offset
        switch peek(bytes) {
        case UInt8(ascii: "\""): _ = try string(bytes)
        case UInt8(ascii: "{"):
            try members(bytes, depth: depth) { (scanner, _) throws(LogError) in
                _ = try scanner.value(bytes, depth: depth + 1)
            }
        case UInt8(ascii: "["):
            try items(bytes, depth: depth) { (scanner) throws(LogError) in
                _ = try scanner.value(bytes, depth: depth + 1)
            }
        case UInt8(ascii: "t"): _ = try word("true", bytes)
        case UInt8(ascii: "f"): _ = try word("false", bytes)
        case UInt8(ascii: "n"): _ = try word("null", bytes)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): _ = try number(bytes)
        default: throw unexpected(bytes, "a value")
        }
        return start..<offset
    }

    /// Walks over the object that begins here: `body` is called where each value begins, and
    /// leaves the scanner where it ends.
    mutating func members(
        _ bytes: Span<UInt8>,
        depth: Int,
        _ body: (inout JSONScanner, Text) throws(LogError) -> Void
    ) throws(LogError) {
        guard depth < depthMax else { throw .tooDeep(limit: depthMax) }
        try expect(UInt8(ascii: "{"), bytes, "an object")
        skipSpace(bytes)
        if peek(bytes) == UInt8(ascii: "}") {
            offset += 1
            return
        }
        while true {
            skipSpace(bytes)
            guard peek(bytes) == UInt8(ascii: "\"") else { throw unexpected(bytes, "a key") }
            let key = try string(bytes)
            skipSpace(bytes)
            try expect(UInt8(ascii: ":"), bytes, "\":\"")
            skipSpace(bytes)
            try body(&self, key)
            skipSpace(bytes)
            if peek(bytes) == UInt8(ascii: ",") {
                offset += 1
                continue
            }
            try expect(UInt8(ascii: "}"), bytes, "\",\" or \"}\"")
            return
        }
    }

    /// Walks over the array that begins here, as `members` does over an object.
    mutating func items(
        _ bytes: Span<UInt8>,
        depth: Int,
        _ body: (inout JSONScanner) throws(LogError) -> Void
    ) throws(LogError) {
        guard depth < depthMax else { throw .tooDeep(limit: depthMax) }
        try expect(UInt8(ascii: "["), bytes, "an array")
        skipSpace(bytes)
        if peek(bytes) == UInt8(ascii: "]") {
            offset += 1
            return
        }
        while true {
            skipSpace(bytes)
            try body(&self)
            skipSpace(bytes)
            if peek(bytes) == UInt8(ascii: ",") {
                offset += 1
                continue
            }
            try expect(UInt8(ascii: "]"), bytes, "\",\" or \"]\"")
            return
        }
    }
}

/// The text of JSON strings.
enum JSONText {
    /// Appends what stands between quotes, its escapes (which a `JSONScanner` has checked)
    /// resolved; halves of surrogate pairs become U+FFFD.
    static func appendUnescaped(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        to output: inout [UInt8]
    ) {
        var cursor = range.lowerBound
        while cursor < range.upperBound {
            let run = cursor
            while cursor < range.upperBound, bytes[cursor] != UInt8(ascii: "\\") { cursor += 1 }
            if cursor > run { output.append(bytes, run..<cursor) }
            guard cursor + 1 < range.upperBound else {
                output.append(bytes, cursor..<range.upperBound)
                return
            }
            cursor += 2
            switch bytes[cursor - 1] {
            case UInt8(ascii: "b"): output.append(0x08)
            case UInt8(ascii: "f"): output.append(0x0C)
            case UInt8(ascii: "n"): output.append(0x0A)
            case UInt8(ascii: "r"): output.append(0x0D)
            case UInt8(ascii: "t"): output.append(0x09)
            case UInt8(ascii: "u"):
                var unit = hex(bytes, cursor) ?? 0xFFFD
                cursor += 4
                if (0xD800..<0xDC00).contains(unit), cursor + 6 <= range.upperBound,
                    bytes[cursor] == UInt8(ascii: "\\"), bytes[cursor + 1] == UInt8(ascii: "u"),
                    let low = hex(bytes, cursor + 2), (0xDC00..<0xE000).contains(low)
                {
                    unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)
                    cursor += 6
                }
                let scalar = Unicode.Scalar(unit) ?? "\u{FFFD}"
                output.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            default: output.append(bytes[cursor - 1])
            }
        }
    }

    /// Four hexadecimal digits.
    static func hex(_ bytes: Span<UInt8>, _ start: Int) -> UInt32? {
        guard start + 4 <= bytes.count else { return nil }
        var value: UInt32 = 0
        for index in start..<(start + 4) {
            let byte = bytes[index]
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: return nil
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    /// The text between quotes as a `String`; what is no UTF-8 is repaired.
    static func string(_ bytes: Span<UInt8>, _ text: JSONScanner.Text) -> String {
        var output: [UInt8] = []
        if text.isEscaped {
            appendUnescaped(bytes, text.range, to: &output)
        } else {
            output.append(bytes, text.range)
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Whether the range is a number as JSON writes them.
    static func isNumber(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard let first = range.first, range.count <= 64,
            bytes[first] &- UInt8(ascii: "0") <= 9 || bytes[first] == UInt8(ascii: "-")
        else { return false }
        var scanner = JSONScanner(range, depthMax: 1)
        guard let number = try? scanner.number(bytes) else { return false }
        return number.upperBound == range.upperBound
    }
}

extension [UInt8] {
    mutating func append(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        let piece = bytes.extracting(range)
        // SAFETY: the buffer is copied inside the closure.
        unsafe piece.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }
}
