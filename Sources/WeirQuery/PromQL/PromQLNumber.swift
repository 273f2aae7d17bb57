/// A number literal.
///
/// Compared by bits, so that NaN equals itself.
package struct PromQLNumber: Hashable, Sendable {
    private let bits: UInt64
    /// Written as a duration: `5m` is 300.
    package let isDuration: Bool

    package var value: Double { Double(bitPattern: bits) }

    package init(_ value: Double, isDuration: Bool = false) {
        self.bits = value.isNaN ? Double.nan.bitPattern : value.bitPattern
        self.isDuration = isDuration
    }

    package var negated: Self { Self(-value, isDuration: isDuration) }

    /// Reads `12`, `1_000`, `.5`, `5.`, `1e-3`, `0x1F`.
    ///
    /// - Returns: Nil when the text is no number; infinity when it is out of range.
    static func parse(_ text: ArraySlice<UInt8>) -> Double? {
        guard let first = text.first, text.last != UInt8(ascii: "_") else { return nil }
        if first == UInt8(ascii: "0"), text.dropFirst().first.map({ $0 | 0x20 }) == 0x78 {
            let digits = text.dropFirst(2).filter { $0 != UInt8(ascii: "_") }
            guard !digits.isEmpty else { return nil }
            var value: UInt64 = 0
            for digit in digits {
                guard let nibble = Character(Unicode.Scalar(digit)).hexDigitValue else {
                    return nil
                }
                guard value < 1 << 59 else { return .infinity }
                value = value << 4 | UInt64(nibble)
            }
            return Double(value)
        }
        var clean: [UInt8] = []
        var previous: UInt8 = 0
        for byte in text {
            if byte == UInt8(ascii: "_") {
                guard PromQLLexer.isDigit(previous) else { return nil }
            } else {
                if previous == UInt8(ascii: "_"), !PromQLLexer.isDigit(byte) { return nil }
                let isAllowed =
                    PromQLLexer.isDigit(byte) || byte | 0x20 == UInt8(ascii: "e")
                    || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "+")
                    || byte == UInt8(ascii: "-")
                guard isAllowed else { return nil }
                clean.append(byte)
            }
            previous = byte
        }
        if clean.last == UInt8(ascii: ".") { clean.append(UInt8(ascii: "0")) }
        return Double(String(decoding: clean, as: UTF8.self))
    }
}
