internal import WeirCore

/// Reads a label set as Loki's protobuf carries it: `{app="web", path="/a\"b"}`.
enum LabelsText {
    static func read(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(LogError) -> [(name: String, value: String)] {
        var pairs: [(name: String, value: String)] = []
        var cursor = range.lowerBound
        let end = range.upperBound
        func skipSpace() {
            while cursor < end, bytes[cursor] == 0x20 || bytes[cursor] == 0x09 { cursor += 1 }
        }
        func bad() -> LogError {
            var text: [UInt8] = []
            text.append(bytes, range.lowerBound..<min(end, range.lowerBound + 100))
            return .badLabels(text: String(decoding: text, as: UTF8.self))
        }
        skipSpace()
        guard cursor < end, bytes[cursor] == UInt8(ascii: "{") else { throw bad() }
        cursor += 1
        while true {
            skipSpace()
            guard cursor < end else { throw bad() }
            if bytes[cursor] == UInt8(ascii: "}") {
                cursor += 1
                break
            }
            let nameStart = cursor
            while cursor < end, bytes[cursor] != UInt8(ascii: "="), bytes[cursor] > 0x20,
                bytes[cursor] != UInt8(ascii: "\"")
            {
                cursor += 1
            }
            let name = nameStart..<cursor
            skipSpace()
            guard !name.isEmpty, cursor + 1 < end, bytes[cursor] == UInt8(ascii: "=") else {
                throw bad()
            }
            cursor += 1
            skipSpace()
            guard cursor < end,
                bytes[cursor] == UInt8(ascii: "\"") || bytes[cursor] == UInt8(ascii: "`")
            else { throw bad() }
            let quote = bytes[cursor]
            cursor += 1
            var value: [UInt8] = []
            var isClosed = false
            while cursor < end, !isClosed {
                let byte = bytes[cursor]
                if byte == quote {
                    isClosed = true
                    cursor += 1
                } else if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                    guard cursor + 1 < end else { throw bad() }
                    let isLong = bytes[cursor + 1] == UInt8(ascii: "u")
                    let count = isLong ? 6 : 2
                    guard cursor + count <= end, !isLong || JSONText.hex(bytes, cursor + 2) != nil
                    else { throw bad() }
                    JSONText.appendUnescaped(bytes, cursor..<(cursor + count), to: &value)
                    cursor += count
                } else {
                    value.append(byte)
                    cursor += 1
                }
            }
            guard isClosed else { throw bad() }
            var nameBytes: [UInt8] = []
            nameBytes.append(bytes, name)
            pairs.append(
                (String(decoding: nameBytes, as: UTF8.self), String(decoding: value, as: UTF8.self))
            )
            skipSpace()
            if cursor < end, bytes[cursor] == UInt8(ascii: ",") { cursor += 1 }
        }
        skipSpace()
        guard cursor == end else { throw bad() }
        return pairs
    }
}
