/// A trace's id: 16 bytes.
package struct TraceID: Hashable, Comparable, Sendable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads 1 to 32 hexadecimal digits in either case, with zeros put in front; nil for others.
    package init?(_ text: some Collection<UInt8>) {
        guard (1...32).contains(text.count) else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for byte in text {
            guard let digit = Self.nibble(byte) else { return nil }
            high = high << 4 | low >> 60
            low = low << 4 | digit
        }
        self.init(high: high, low: low)
    }

    /// 16 digits as a number, for span ids; nil for other texts.
    static func spanID(_ text: Span<UInt8>) -> UInt64? {
        guard text.count > 0, text.count <= 16 else { return nil }
        var value: UInt64 = 0
        for index in 0..<text.count {
            guard let digit = nibble(text[index]) else { return nil }
            value = value << 4 | digit
        }
        return value
    }

    static func nibble(_ byte: UInt8) -> UInt64? {
        switch byte {
        case 0x30...0x39: UInt64(byte - 0x30)
        case 0x61...0x66: UInt64(byte - 0x57)
        case 0x41...0x46: UInt64(byte - 0x37)
        default: nil
        }
    }

    private static let digits = Array("0123456789abcdef".utf8)

    /// 32 digits in lower case.
    package var hexadecimal: [UInt8] {
        var bytes = [UInt8](repeating: 0x30, count: 32)
        for place in 0..<16 {
            bytes[15 - place] = Self.digits[Int(high >> UInt64(place * 4) & 15)]
            bytes[31 - place] = Self.digits[Int(low >> UInt64(place * 4) & 15)]
        }
        return bytes
    }

    package var text: String { String(decoding: hexadecimal, as: UTF8.self) }

    package static func < (left: TraceID, right: TraceID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}
