internal import WeirCore

/// A trace's id: 16 bytes.
struct TraceID: Hashable {
    let high: UInt64
    let low: UInt64

    /// Nil unless `digits` are 32 hexadecimal digits in lower case.
    init?(digits: Span<UInt8>) {
        guard digits.count == 32, let high = Self.word(digits.extracting(0..<16)),
            let low = Self.word(digits.extracting(16..<32))
        else { return nil }
        self.high = high
        self.low = low
    }

    /// What the trace index knows a trace by: few traces share one.
    ///
    /// Part of the format: docs/format/segment.md.
    var fingerprint: UInt32 {
        let product = (high ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: 0x9FB2_1C65_1E98_DF25)
        let mixed = (product.low ^ product.high ^ low).multipliedFullWidth(
            by: 0x9FB2_1C65_1E98_DF25
        )
        return UInt32(truncatingIfNeeded: (mixed.low ^ mixed.high) >> 16)
    }

    /// 16 hexadecimal digits as a number, the first the highest.
    static func word(_ digits: Span<UInt8>) -> UInt64? {
        guard digits.count == 16 else { return nil }
        var word: UInt64 = 0
        for index in 0..<16 {
            let byte = digits[index]
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): word = word << 4 | UInt64(byte - 48)
            case UInt8(ascii: "a")...UInt8(ascii: "f"): word = word << 4 | UInt64(byte - 87)
            default: return nil
            }
        }
        return word
    }
}
