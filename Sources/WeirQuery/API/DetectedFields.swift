internal import WeirColumns
internal import WeirCore

/// Fields found in some lines: those stored, and those `json` or `logfmt` would take out.
struct DetectedFields {
    private struct Field {
        var values: [[UInt8]: Int] = [:]
        var type: String?
        var parser: String?
    }

    private var fields: [String: Field] = [:]

    mutating func add(_ entry: LogEntry) {
        for field in entry.fields {
            add(LogNames.sanitized(field.name), field.value, parser: nil)
        }
        guard !entry.isLineMade else { return }
        let first = entry.line.first { $0 > 0x20 }
        if first == UInt8(ascii: "{"), let object = try? JSONParser.parse(entry.line) {
            flatten(object, "")
        } else {
            addLogfmt(entry.line)
        }
    }

    private mutating func add(_ name: String, _ value: [UInt8], parser: String?) {
        guard fields[name] != nil || fields.count < 1000 else { return }
        var field = fields.removeValue(forKey: name) ?? Field(parser: parser)
        field.values[value, default: 0] += 1
        let type = Self.type(of: value)
        if let known = field.type, known != type {
            let isNumeric = ["int", "float"].contains(known) && ["int", "float"].contains(type)
            field.type = isNumeric ? "float" : "string"
        } else {
            field.type = type
        }
        fields[name] = field
    }

    private mutating func flatten(_ value: JSONValue, _ prefix: String) {
        switch value {
        case .object(let members):
            for member in members {
                flatten(member.value, prefix.isEmpty ? member.key : prefix + "_" + member.key)
            }
        case .string(let text), .number(let text):
            add(LogNames.sanitized(prefix), Array(text.utf8), parser: "json")
        case .bool(let flag):
            add(LogNames.sanitized(prefix), Array((flag ? "true" : "false").utf8), parser: "json")
        case .null, .array: break
        }
    }

    private mutating func addLogfmt(_ line: [UInt8]) {
        var pairs: [(String, [UInt8])] = []
        let words = line.split(separator: 0x20)
        for word in words {
            guard let equals = word.firstIndex(of: UInt8(ascii: "=")), equals > word.startIndex,
                equals + 1 < word.endIndex
            else { continue }
            let name = String(decoding: word[..<equals], as: UTF8.self)
            guard LogNames.isPlain(LogNames.sanitized(name)) else { continue }
            let value = word[(equals + 1)...].filter { $0 != UInt8(ascii: "\"") }
            pairs.append((LogNames.sanitized(name), Array(value)))
        }
        // A stray `=` in a sentence makes no logfmt.
        guard pairs.count * 2 >= words.count else { return }
        for (name, value) in pairs { add(name, value, parser: "logfmt") }
    }

    private static func type(of value: [UInt8]) -> String {
        let text = String(decoding: value, as: UTF8.self)
        if text == "true" || text == "false" { return "boolean" }
        if Int(text) != nil { return "int" }
        if DecimalParser.double(value.span) != nil { return "float" }
        if LogQLUnits.nanoseconds(value.span) != nil { return "duration" }
        if LogQLUnits.bytes(value.span) != nil { return "bytes" }
        return "string"
    }

    func answer(limit: Int) -> LokiAnswer {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("fields")
        writer.beginArray()
        for (name, field) in fields.sorted(by: { $0.key < $1.key }).prefix(limit) {
            writer.beginObject()
            writer.member("label", name)
            writer.member("type", field.type ?? "string")
            writer.member("cardinality", field.values.count)
            writer.key("parsers")
            if let parser = field.parser {
                writer.beginArray()
                writer.value(parser)
                writer.endArray()
            } else {
                writer.null()
            }
            writer.endObject()
        }
        writer.endArray()
        writer.member("limit", limit)
        writer.endObject()
        return LokiAnswer(json: writer.bytes)
    }

    func values(of name: String, limit: Int) -> LokiAnswer {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("values")
        writer.beginArray()
        let values = (fields[name]?.values ?? [:]).keys.sorted {
            $0.lexicographicallyPrecedes($1)
        }
        for value in values.prefix(limit) { writer.value(String(decoding: value, as: UTF8.self)) }
        writer.endArray()
        writer.member("limit", limit)
        writer.endObject()
        return LokiAnswer(json: writer.bytes)
    }
}
