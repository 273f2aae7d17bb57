internal import WeirCore

/// An attribute's value in OpenTelemetry's terms (`AnyValue`).
indirect enum SpanAnyValue {
    case none
    case string(String)
    case boolean(Bool)
    case integer(Int64)
    case double(Double)
    case array([SpanAnyValue])
    case map([(name: String, value: SpanAnyValue)])
    /// Base64 text.
    case bytes(String)

    init(_ text: ArraySlice<UInt8>, _ kind: FieldKind) {
        switch kind {
        case .text: self = .string(String(decoding: text, as: UTF8.self))
        case .number: self.init(number: String(decoding: text, as: UTF8.self))
        case .boolean: self = .boolean(text.first == UInt8(ascii: "t"))
        case .bytes: self = .bytes(String(decoding: text, as: UTF8.self))
        case .json:
            if let tree = try? JSONParser.parse(Array(text)) {
                self.init(tree)
            } else {
                self = .string(String(decoding: text, as: UTF8.self))
            }
        }
    }

    /// Digits and a sign alone are an integer.
    private init(number text: String) {
        if let integer = Int64(text) {
            self = .integer(integer)
        } else if let double = Double(text) {
            self = .double(double)
        } else {
            self = .string(text)
        }
    }

    init(_ tree: JSONValue) {
        switch tree {
        case .null: self = .none
        case .bool(let flag): self = .boolean(flag)
        case .number(let text): self.init(number: text)
        case .string(let text): self = .string(text)
        case .array(let items): self = .array(items.map { SpanAnyValue($0) })
        case .object(let members):
            if members.count == 1, members[0].key == "bytes", let text = members[0].value.string {
                self = .bytes(text)
            } else {
                self = .map(members.map { ($0.key, SpanAnyValue($0.value)) })
            }
        }
    }

    /// As protobuf's JSON mapping has it: whole numbers are strings.
    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        switch self {
        case .none: break
        case .string(let text): writer.member("stringValue", text)
        case .boolean(let flag): writer.member("boolValue", flag)
        case .integer(let number): writer.member("intValue", number.description)
        case .double(let number):
            if number.isFinite {
                writer.member("doubleValue", number)
            } else {
                let text = number.isNaN ? "NaN" : number > 0 ? "Infinity" : "-Infinity"
                writer.member("doubleValue", text)
            }
        case .bytes(let text): writer.member("bytesValue", text)
        case .array(let items):
            writer.key("arrayValue")
            writer.beginObject()
            writer.key("values")
            writer.beginArray()
            for item in items { item.write(to: &writer) }
            writer.endArray()
            writer.endObject()
        case .map(let members):
            writer.key("kvlistValue")
            writer.beginObject()
            writer.key("values")
            writer.beginArray()
            for (name, value) in members { Self.write(name, value, to: &writer) }
            writer.endArray()
            writer.endObject()
        }
        writer.endObject()
    }

    /// `{"key":…,"value":…}`.
    static func write(_ name: String, _ value: SpanAnyValue, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("key", name)
        writer.key("value")
        value.write(to: &writer)
        writer.endObject()
    }

    /// The fields of `AnyValue` (opentelemetry-proto, common/v1).
    func write(to writer: inout ProtobufWriter) {
        switch self {
        case .none: break
        case .string(let text): writer.bytes(1, Array(text.utf8))
        case .boolean(let flag): writer.varint(2, flag ? 1 : 0)
        case .integer(let number): writer.varint(3, UInt64(bitPattern: number))
        case .double(let number): writer.fixed64(4, number.bitPattern)
        case .bytes(let text): writer.bytes(7, Base64.decode(text.utf8) ?? [])
        case .array(let items):
            var list = ProtobufWriter()
            for item in items {
                var inner = ProtobufWriter()
                item.write(to: &inner)
                list.bytes(1, inner.bytes)
            }
            writer.bytes(5, list.bytes)
        case .map(let members):
            var list = ProtobufWriter()
            for (name, value) in members { Self.write(1, name, value, to: &list) }
            writer.bytes(6, list.bytes)
        }
    }

    /// A `KeyValue` as field `number`.
    static func write(
        _ number: Int,
        _ name: String,
        _ value: SpanAnyValue,
        to writer: inout ProtobufWriter
    ) {
        var inner = ProtobufWriter()
        value.write(to: &inner)
        var pair = ProtobufWriter()
        pair.bytes(1, Array(name.utf8))
        pair.bytes(2, inner.bytes)
        writer.bytes(number, pair.bytes)
    }
}
