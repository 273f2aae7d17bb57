internal import WeirCore

/// A trace's id: 16 bytes.
struct TraceID: Hashable {
    let high: UInt64
    let low: UInt64

    /// Nil unless `digits` are 32 hexadecimal digits in lower case.
    init?(digits: Span<UInt8>) {
        guard digits.count == 32, let high = HexDigits.value(digits.extracting(0..<16)),
            let low = HexDigits.value(digits.extracting(16..<32))
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
}
