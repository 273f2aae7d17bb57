/// The order of texts in which `q9` comes before `q10`: runs of digits count as numbers.
enum NaturalOrder {
    static func precedes(_ left: String, _ right: String) -> Bool {
        let first = parts(left)
        let second = parts(right)
        for (one, other) in zip(first, second) where one != other {
            if let number = Int(one), let otherNumber = Int(other) {
                if number != otherNumber { return number < otherNumber }
                continue
            }
            return one.utf8.lexicographicallyPrecedes(other.utf8)
        }
        return first.count <= second.count
    }

    /// Runs of digits and runs of others, in turn.
    private static func parts(_ text: String) -> [String] {
        var parts: [String] = []
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if let last = bytes.last, PromQLLexer.isDigit(last) != PromQLLexer.isDigit(byte) {
                parts.append(String(decoding: bytes, as: UTF8.self))
                bytes.removeAll()
            }
            bytes.append(byte)
        }
        if !bytes.isEmpty { parts.append(String(decoding: bytes, as: UTF8.self)) }
        return parts
    }
}
