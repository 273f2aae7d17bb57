internal import WeirColumns
internal import WeirCore

/// `json`, `logfmt` and `unpack`.
extension LogRowState {
    /// Whether the row has a field besides its body: it was taken apart when it came in.
    private func isTakenApart() throws(QueryError) -> Bool {
        for name in try view.fieldNames() where !name.isEmpty {
            if try view.field(name)?.kind(at: row) != nil { return true }
        }
        return false
    }

    /// The line as a JSON object; nil, and an error set where one is due, when it is none.
    private func object() throws(QueryError) -> JSONValue? {
        let line = try line()
        let first = line.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }
        guard first == UInt8(ascii: "{") else {
            if try !isTakenApart() { fail("JSONParserErr", "the line is no JSON object") }
            return nil
        }
        do throws(JSONError) {
            return try JSONParser.parse(line)
        } catch {
            if try !isTakenApart() { fail("JSONParserErr", "\(error)") }
            return nil
        }
    }

    func parseJSON(
        _ extractions: [LogStep.Extraction],
        _ wanted: Set<String>?
    ) throws(QueryError) {
        let object = try object()
        guard extractions.isEmpty else {
            for one in extractions {
                let value = object.flatMap { one.path.value(in: $0) }
                if let value {
                    try extract(one.label, Self.text(value), wanted: nil)
                } else if object != nil, try view.value(one.label, row: row) == nil {
                    try extract(one.label, [], wanted: nil)
                }
            }
            return
        }
        if let object { try flatten(object, prefix: "", wanted) }
    }

    private func flatten(
        _ value: JSONValue,
        prefix: String,
        _ wanted: Set<String>?
    ) throws(QueryError) {
        switch value {
        case .object(let members):
            for member in members {
                let name = prefix.isEmpty ? member.key : prefix + "_" + member.key
                try flatten(member.value, prefix: name, wanted)
            }
        case .null, .array: break
        default: try extract(prefix, Self.text(value), wanted: wanted)
        }
    }

    private static func text(_ value: JSONValue) -> [UInt8] {
        switch value {
        case .null: return []
        case .bool(let flag): return Array((flag ? "true" : "false").utf8)
        case .number(let text), .string(let text): return Array(text.utf8)
        case .array, .object:
            var writer = JSONWriter()
            writer.value(value)
            return writer.bytes
        }
    }

    func unpack() throws(QueryError) {
        guard let members = try object()?.members else { return }
        for member in members {
            guard case .string(let text) = member.value else { continue }
            if member.key == "_entry" {
                setLine(Array(text.utf8))
            } else {
                try extract(member.key, Array(text.utf8), wanted: nil)
            }
        }
    }

    /// Reads `key=value key="quoted value"`; words without `=` are passed over.
    func parseLogfmt(
        _ extractions: [(label: String, key: [UInt8])],
        _ isStrict: Bool,
        _ keepsEmpty: Bool,
        _ wanted: Set<String>?
    ) throws(QueryError) {
        let line = try line()
        var index = 0
        while index < line.count {
            while index < line.count, line[index] <= 0x20 { index += 1 }
            let start = index
            while index < line.count, line[index] > 0x20, line[index] != UInt8(ascii: "=") {
                index += 1
            }
            let key = line[start..<index]
            var value: [UInt8] = []
            if index < line.count, line[index] == UInt8(ascii: "=") {
                index += 1
                if index < line.count, line[index] == UInt8(ascii: "\"") {
                    guard let end = Self.quoted(line, index, into: &value) else {
                        if isStrict, try !isTakenApart() {
                            fail("LogfmtParserErr", "unterminated quoted value")
                            return
                        }
                        break
                    }
                    index = end
                } else {
                    let valueStart = index
                    while index < line.count, line[index] > 0x20 { index += 1 }
                    value = Array(line[valueStart..<index])
                }
            } else if isStrict, !key.isEmpty, !keepsEmpty, try !isTakenApart() {
                fail("LogfmtParserErr", "a key without a value")
                return
            }
            guard !key.isEmpty, keepsEmpty || !value.isEmpty else { continue }
            if extractions.isEmpty {
                try extract(String(decoding: key, as: UTF8.self), value, wanted: wanted)
            } else {
                for one in extractions where key.elementsEqual(one.key) {
                    try extract(one.label, value, wanted: nil)
                }
            }
        }
    }

    /// Reads a quoted value that starts at `start`.
    ///
    /// - Returns: Where it ends; nil when it does not.
    private static func quoted(_ line: [UInt8], _ start: Int, into value: inout [UInt8]) -> Int? {
        var index = start + 1
        while index < line.count {
            switch line[index] {
            case UInt8(ascii: "\""): return index + 1
            case UInt8(ascii: "\\"):
                index += 1
                guard index < line.count else { return nil }
                switch line[index] {
                case UInt8(ascii: "n"): value.append(0x0A)
                case UInt8(ascii: "t"): value.append(0x09)
                case UInt8(ascii: "r"): value.append(0x0D)
                default: value.append(line[index])
                }
            default: value.append(line[index])
            }
            index += 1
        }
        return nil
    }
}
