internal import WeirCore

/// A place in a JSON text: `a.b[0]["c.d"]`.
package struct JSONPath: Hashable, Sendable {
    private enum Step: Hashable {
        case member(String)
        case item(Int)
    }

    private let steps: [Step]

    /// Nil when the text is no path.
    package init?(_ text: String) {
        var steps: [Step] = []
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "["):
                guard let end = bytes[index...].firstIndex(of: UInt8(ascii: "]")) else {
                    return nil
                }
                let inner = bytes[(index + 1)..<end]
                if inner.first == UInt8(ascii: "\"") {
                    guard inner.count >= 2, inner.last == UInt8(ascii: "\"") else { return nil }
                    let name = String(decoding: inner.dropFirst().dropLast(), as: UTF8.self)
                    steps.append(.member(name))
                } else {
                    guard let number = Int(String(decoding: inner, as: UTF8.self)), number >= 0
                    else { return nil }
                    steps.append(.item(number))
                }
                index = end + 1
                if index < bytes.count, bytes[index] == UInt8(ascii: ".") { index += 1 }
            default:
                let start = index
                while index < bytes.count, bytes[index] != UInt8(ascii: "."),
                    bytes[index] != UInt8(ascii: "[")
                {
                    index += 1
                }
                guard index > start else { return nil }
                steps.append(.member(String(decoding: bytes[start..<index], as: UTF8.self)))
                if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
                    index += 1
                    guard index < bytes.count else { return nil }
                }
            }
        }
        guard !steps.isEmpty else { return nil }
        self.steps = steps
    }

    /// What is there, or nil.
    func value(in tree: JSONValue) -> JSONValue? {
        var value = tree
        for step in steps {
            switch step {
            case .member(let name):
                guard let next = value[name] else { return nil }
                value = next
            case .item(let number):
                guard let items = value.array, number < items.count else { return nil }
                value = items[number]
            }
        }
        return value
    }
}
