/// A parsed JSON text (RFC 8259).
///
/// Object members keep their order; duplicate keys are all kept.
package indirect enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// The number as it was written, so that no digit is lost.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([JSONMember])

    /// The first member called `key`, or nil when there is none or this is no object.
    package subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    package var string: String? {
        if case .string(let text) = self { return text }
        return nil
    }

    package var double: Double? {
        if case .number(let text) = self { return Double(text) }
        return nil
    }

    package var int: Int? {
        if case .number(let text) = self { return Int(text) }
        return nil
    }

    package var bool: Bool? {
        if case .bool(let flag) = self { return flag }
        return nil
    }

    package var array: [JSONValue]? {
        if case .array(let items) = self { return items }
        return nil
    }

    package var members: [JSONMember]? {
        if case .object(let members) = self { return members }
        return nil
    }
}

/// One `"key": value` of an object.
package struct JSONMember: Hashable, Sendable {
    package let key: String
    package let value: JSONValue

    package init(key: String, value: JSONValue) {
        self.key = key
        self.value = value
    }
}

/// Why a text is not JSON.
///
/// `offset` counts bytes from its start.
package enum JSONError: Error, Hashable {
    case unexpectedEnd(offset: Int)
    case unexpectedByte(offset: Int, byte: UInt8)
    case badEscape(offset: Int)
    case badNumber(offset: Int)
    case controlInString(offset: Int)
    case tooDeep(offset: Int, limit: Int)
    case trailingBytes(offset: Int)
}
