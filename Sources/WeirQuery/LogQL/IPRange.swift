/// Addresses from one to another: `10.0.0.1`, `10.0.0.1-10.0.0.9`, `10.0.0.0/8`, `2001:db8::/32`.
package struct IPRange: Hashable, Sendable {
    /// Sixteen bytes, four for IPv4.
    private let first: [UInt8]
    private let last: [UInt8]

    /// Nil when the text is none of those.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        if let slash = bytes.firstIndex(of: UInt8(ascii: "/")) {
            guard let address = Self.address(bytes[..<slash]),
                let length = Int(String(decoding: bytes[(slash + 1)...], as: UTF8.self)),
                length >= 0, length <= address.count * 8
            else { return nil }
            var first = address
            var last = address
            for index in address.indices {
                let kept = min(8, max(0, length - index * 8))
                let mask = UInt8(truncatingIfNeeded: 0xFF00 >> kept)
                first[index] = address[index] & mask
                last[index] = address[index] | ~mask
            }
            self.first = first
            self.last = last
        } else if let dash = bytes.firstIndex(of: UInt8(ascii: "-")) {
            guard let first = Self.address(bytes[..<dash]),
                let last = Self.address(bytes[(dash + 1)...]), first.count == last.count,
                !last.lexicographicallyPrecedes(first)
            else { return nil }
            self.first = first
            self.last = last
        } else {
            guard let address = Self.address(bytes[...]) else { return nil }
            first = address
            last = address
        }
    }

    private func contains(_ address: [UInt8]) -> Bool {
        address.count == first.count && !address.lexicographicallyPrecedes(first)
            && !last.lexicographicallyPrecedes(address)
    }

    /// Whether any address in `text` lies in the range.
    package func occurs(in text: Span<UInt8>) -> Bool {
        var index = 0
        while index < text.count {
            guard Self.isPart(text[index]) else {
                index += 1
                continue
            }
            let start = index
            while index < text.count, Self.isPart(text[index]) { index += 1 }
            guard index - start <= 46, index - start >= 2 else { continue }
            var run: [UInt8] = []
            for place in start..<index { run.append(text[place]) }
            // `10.0.0.1:80` and `10.0.0.1.`: an address with something behind it.
            if first.count == 4 {
                for part in run.split(whereSeparator: { !PromQLLexer.isDigit($0) && $0 != 0x2E }) {
                    var part = part
                    while part.last == 0x2E { part = part.dropLast() }
                    if let address = Self.address(part), contains(address) { return true }
                }
            } else if let address = Self.address(run[...]), contains(address) {
                return true
            }
        }
        return false
    }

    private static func isPart(_ byte: UInt8) -> Bool {
        PromQLLexer.isDigit(byte) || (0x61...0x66).contains(byte | 0x20) || byte == 0x2E
            || byte == 0x3A
    }

    private static func address(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        text.contains(0x3A) ? version6(text) : version4(text)
    }

    private static func version4(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let parts = text.split(separator: 0x2E, omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var address: [UInt8] = []
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy(PromQLLexer.isDigit) else {
                return nil
            }
            let value = part.reduce(0) { $0 * 10 + Int($1 - 0x30) }
            guard value <= 255 else { return nil }
            address.append(UInt8(value))
        }
        return address
    }

    private static func version6(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let string = String(decoding: text, as: UTF8.self)
        let halves = string.split(separator: "::", omittingEmptySubsequences: false)
        guard halves.count <= 2 else { return nil }
        func groups(_ half: Substring) -> [UInt8]? {
            guard !half.isEmpty else { return [] }
            var bytes: [UInt8] = []
            let parts = half.split(separator: ":", omittingEmptySubsequences: false)
            for (index, part) in parts.enumerated() {
                if index == parts.count - 1, part.contains(".") {
                    guard let tail = version4(Array(part.utf8)[...]) else { return nil }
                    bytes += tail
                } else {
                    guard (1...4).contains(part.utf8.count), let value = UInt16(part, radix: 16)
                    else { return nil }
                    bytes += [UInt8(value >> 8), UInt8(value & 255)]
                }
            }
            return bytes
        }
        guard let head = groups(halves[0]) else { return nil }
        if halves.count == 1 { return head.count == 16 ? head : nil }
        guard let tail = groups(halves[1]), head.count + tail.count <= 14 else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }
}
