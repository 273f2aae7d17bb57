internal import WeirCore

/// Reads what the JSON wires of spans share.
enum SpanJSON {
    /// The whole body as a scanner that stands at its value, once it is known to be JSON.
    static func whole(
        _ bytes: Span<UInt8>,
        depthMax: Int
    ) throws(SpanError) -> JSONScanner {
        do throws(LogError) {
            var scanner = JSONScanner(0..<bytes.count, depthMax: depthMax)
            scanner.skipSpace(bytes)
            let start = scanner.offset
            _ = try scanner.value(bytes, depth: 0)
            scanner.skipSpace(bytes)
            guard scanner.offset == bytes.count else {
                throw scanner.unexpected(bytes, "the end")
            }
            scanner.offset = start
            return scanner
        } catch {
            throw .json(error)
        }
    }

    /// The members of the object at `range`: keys and where their values lie.
    ///
    /// Empty when it is no object.
    static func members(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        depthMax: Int
    ) -> [(key: String, value: Range<Int>)] {
        guard let first = range.first, bytes[first] == UInt8(ascii: "{") else { return [] }
        var members: [(key: String, value: Range<Int>)] = []
        var scanner = JSONScanner(range, depthMax: depthMax)
        try? scanner.members(bytes, depth: 0) { (scanner, key) throws(LogError) in
            let value = try scanner.value(bytes, depth: 1)
            members.append((JSONText.string(bytes, key), value))
        }
        return members
    }

    /// Where the items of the array at `range` lie; empty when it is none.
    static func items(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        depthMax: Int
    ) -> [Range<Int>] {
        guard let first = range.first, bytes[first] == UInt8(ascii: "[") else { return [] }
        var items: [Range<Int>] = []
        var scanner = JSONScanner(range, depthMax: depthMax)
        try? scanner.items(bytes, depth: 0) { (scanner) throws(LogError) in
            items.append(try scanner.value(bytes, depth: 1))
        }
        return items
    }

    /// The tree of what lies at `range`.
    static func tree(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        depthMax: Int
    ) throws(SpanError) -> JSONValue {
        var copy: [UInt8] = []
        copy.append(bytes, range)
        do throws(JSONError) {
            return try JSONParser.parse(copy, depthMax: depthMax)
        } catch {
            throw .tooDeep(limit: depthMax)
        }
    }

    static func bytes(_ value: JSONValue?) -> [UInt8] { Array((value?.string ?? "").utf8) }

    /// A count or a time, as a number or a text that is one; nil when it is neither.
    static func unsigned(_ value: JSONValue?) -> UInt64? {
        switch value {
        case .string(let text), .number(let text):
            UInt64(text) ?? Double(text).flatMap { UInt64(exactly: $0.rounded()) }
        default: nil
        }
    }

    /// A plain JSON value as an attribute: objects and arrays stay JSON.
    static func attribute(_ name: String, _ value: JSONValue) -> OTLPAttribute {
        let kind: FieldKind
        let text: [UInt8]
        switch value {
        case .string(let string):
            kind = .text
            text = Array(string.utf8)
        case .bool(let flag):
            kind = .boolean
            text = Array((flag ? "true" : "false").utf8)
        case .number(let number):
            kind = .number
            text = Array(number.utf8)
        case .object(let members) where members.count == 1 && members[0].key == "bytes":
            guard case .string(let base64) = members[0].value else { fallthrough }
            kind = .bytes
            text = Array(base64.utf8)
        case .null, .array, .object:
            var writer = JSONWriter()
            writer.value(value)
            kind = .json
            text = writer.bytes
        }
        return OTLPAttribute(name: Array(name.utf8), kind: kind, value: text)
    }
}
