internal import WeirCore

/// Reads lines of `key=value key="quoted value" flag`.
///
/// Numbers and booleans that stand without quotes are kept as such; a key alone is `true`. Time,
/// body and stream are found as in JSON logs.
package struct LogfmtParser {
    private struct Pair {
        let name: [UInt8]
        let value: [UInt8]
        let isQuoted: Bool
    }

    private var rows: LogRows
    private let options: LogOptions
    private var number = 0

    /// Parses a whole body; empty lines are none.
    package static func parse(_ body: [UInt8], options: LogOptions) -> LogResult {
        var parser = LogfmtParser(options)
        let bytes = body.span
        var start = 0
        while start < bytes.count {
            parser.number += 1
            let feed = ByteWords.find(UInt8(ascii: "\n"), in: bytes, start..<bytes.count)
            var end = feed
            if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
            if end > start {
                guard parser.rows.hasRoom() else { break }
                parser.parseLine(bytes, start..<end)
            }
            start = feed + 1
        }
        return parser.rows.finished()
    }

    private init(_ options: LogOptions) {
        self.options = options
        rows = LogRows(options)
    }

    private mutating func parseLine(_ bytes: Span<UInt8>, _ line: Range<Int>) {
        rows.begin()
        do throws(LogError) {
            try store(try pairs(bytes, line))
        } catch {
            rows.result.refuse(line: number, error)
        }
    }

    private func pairs(_ bytes: Span<UInt8>, _ line: Range<Int>) throws(LogError) -> [Pair] {
        var pairs: [Pair] = []
        var hasValue = false
        var cursor = line.lowerBound
        while true {
            while cursor < line.upperBound, bytes[cursor] <= 0x20 { cursor += 1 }
            guard cursor < line.upperBound else { break }
            let keyStart = cursor
            while cursor < line.upperBound, bytes[cursor] > 0x20,
                bytes[cursor] != UInt8(ascii: "="), bytes[cursor] != UInt8(ascii: "\"")
            {
                cursor += 1
            }
            guard cursor > keyStart else {
                throw .unexpectedByte(
                    at: cursor - line.lowerBound,
                    byte: bytes[cursor],
                    expected: "a key"
                )
            }
            var name: [UInt8] = []
            name.append(bytes, keyStart..<cursor)
            guard cursor < line.upperBound, bytes[cursor] == UInt8(ascii: "=") else {
                pairs.append(Pair(name: name, value: Array("true".utf8), isQuoted: false))
                continue
            }
            hasValue = true
            cursor += 1
            var value: [UInt8] = []
            let isQuoted = cursor < line.upperBound && bytes[cursor] == UInt8(ascii: "\"")
            if isQuoted {
                cursor = try quoted(bytes, cursor..<line.upperBound, line, into: &value)
            } else {
                let start = cursor
                while cursor < line.upperBound, bytes[cursor] > 0x20 { cursor += 1 }
                value.append(bytes, start..<cursor)
            }
            pairs.append(Pair(name: name, value: value, isQuoted: isQuoted))
            guard pairs.count <= options.limits.fieldsMax else {
                throw .tooManyFields(limit: options.limits.fieldsMax)
            }
        }
        guard hasValue else { throw .noPairs }
        return pairs
    }

    private func quoted(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        _ line: Range<Int>,
        into value: inout [UInt8]
    ) throws(LogError) -> Int {
        var cursor = range.lowerBound + 1
        while cursor < range.upperBound {
            switch bytes[cursor] {
            case UInt8(ascii: "\""): return cursor + 1
            case UInt8(ascii: "\\") where cursor + 1 < range.upperBound:
                let escaped = bytes[cursor + 1]
                if escaped == UInt8(ascii: "u") {
                    guard cursor + 6 <= range.upperBound, JSONText.hex(bytes, cursor + 2) != nil
                    else { throw .badEscape(at: cursor - line.lowerBound) }
                    var end = cursor + 6
                    // The second half of a surrogate pair.
                    if end + 6 <= range.upperBound, bytes[end] == UInt8(ascii: "\\"),
                        bytes[end + 1] == UInt8(ascii: "u"),
                        let low = JSONText.hex(bytes, end + 2), (0xDC00..<0xE000).contains(low)
                    {
                        end += 6
                    }
                    JSONText.appendUnescaped(bytes, cursor..<end, to: &value)
                    cursor = end
                } else {
                    JSONText.appendUnescaped(bytes, cursor..<(cursor + 2), to: &value)
                    cursor += 2
                }
            default:
                value.append(bytes[cursor])
                cursor += 1
            }
        }
        throw .unexpectedEnd(at: cursor - line.lowerBound, expected: "a closing quote")
    }

    private mutating func store(_ pairs: [Pair]) throws(LogError) {
        let timeIndex = first(of: options.timeFields + options.softTimeFields, pairs)
        let bodyIndex = first(of: options.bodyFields, pairs)
        var time = options.now
        var usesTime = false
        if let timeIndex {
            let text = String(decoding: pairs[timeIndex].value.prefix(64), as: UTF8.self)
            let field = String(decoding: pairs[timeIndex].name, as: UTF8.self)
            let value = pairs[timeIndex].value
            switch LogTime.read(value.span, 0..<value.count) {
            case .time(let moment):
                try rows.check(time: moment, text: text)
                time = moment
                usesTime = true
            case .outOfRange: throw .timeOutOfRange(field: field, text: text)
            case .notATime:
                guard options.softTimeFields.contains(field) else {
                    throw .badTime(field: field, text: text)
                }
            }
        }
        var labels: [(name: String, value: String)] = []
        for (index, pair) in pairs.enumerated() {
            let name = String(decoding: pair.name, as: UTF8.self)
            if options.streamFields.contains(name) {
                labels.append((name, String(decoding: pair.value, as: UTF8.self)))
            } else if usesTime, let timeIndex, pairs[timeIndex].name == pair.name {
                continue
            } else if let bodyIndex, pairs[bodyIndex].name == pair.name {
                if index == bodyIndex {
                    try rows.set(FieldTable.bodyName, .text, pair.value.span)
                }
            } else {
                try rows.set(pair.name.span, kind(pair), pair.value.span)
            }
        }
        let stream = try rows.stream(labels, line: number)
        rows.commit(time: time, stream: stream)
    }

    /// The last of the pairs whose name stands first in `names`.
    private func first(of names: [String], _ pairs: [Pair]) -> Int? {
        for name in names {
            let wanted = Array(name.utf8)
            if let index = pairs.lastIndex(where: { $0.name == wanted }) { return index }
        }
        return nil
    }

    private func kind(_ pair: Pair) -> FieldKind {
        guard !pair.isQuoted else { return .text }
        if pair.value == Array("true".utf8) || pair.value == Array("false".utf8) {
            return .boolean
        }
        let bytes = pair.value
        return JSONText.isNumber(bytes.span, 0..<bytes.count) ? .number : .text
    }
}
