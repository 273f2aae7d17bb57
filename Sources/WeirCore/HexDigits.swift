/// Lower-case hexadecimal digits, eight at a time: ids of traces and spans.
package enum HexDigits {
    /// Appends sixteen digits, the most significant first.
    @inlinable
    @inline(__always)
    package static func append(_ value: UInt64, to output: inout [UInt8]) {
        var words = (
            digits(UInt32(truncatingIfNeeded: value &>> 32)).littleEndian,
            digits(UInt32(truncatingIfNeeded: value)).littleEndian
        )
        // SAFETY: the buffer is copied inside the closure.
        unsafe withUnsafeBytes(of: &words) { unsafe output.append(contentsOf: $0) }
    }

    /// Calls `body` with sixteen digits for each number, the most significant first.
    @inlinable
    @inline(__always)
    package static func withDigits(
        _ numbers: (UInt64, UInt64),
        _ body: (_ text: Span<UInt8>) -> Void
    ) {
        var words = (
            digits(UInt32(truncatingIfNeeded: numbers.0 &>> 32)).littleEndian,
            digits(UInt32(truncatingIfNeeded: numbers.0)).littleEndian,
            digits(UInt32(truncatingIfNeeded: numbers.1 &>> 32)).littleEndian,
            digits(UInt32(truncatingIfNeeded: numbers.1)).littleEndian
        )
        // SAFETY: the span lives as long as the words do, which is for the call.
        unsafe withUnsafeBytes(of: &words) { bytes in
            body(unsafe Span(_unsafeElements: bytes.bindMemory(to: UInt8.self)))
        }
    }

    /// Sixteen digits as text, the most significant first.
    package static func text(_ value: UInt64) -> String {
        var bytes: [UInt8] = []
        append(value, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Sixteen digits as a number, the first the most significant; nil when they are no such digits.
    @inlinable
    @inline(__always)
    package static func value(_ text: Span<UInt8>) -> UInt64? {
        guard text.count == 16, let high = half(text, at: 0), let low = half(text, at: 8) else {
            return nil
        }
        return UInt64(high) &<< 32 | UInt64(low)
    }

    /// The eight digits from `offset` on as a number, the first the most significant.
    ///
    /// - Returns: Nil where one of them is no lower-case digit, or the text ends before.
    @inlinable
    @inline(__always)
    package static func half(_ text: Span<UInt8>, at offset: Int) -> UInt32? {
        guard offset >= 0, text.count &- offset >= 8 else { return nil }
        // SAFETY: eight bytes from `offset` on lie within the span, by the guard above.
        let word = unsafe text.withUnsafeBytes {
            UInt64(littleEndian: unsafe $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        let letters = (word &>> 6) & 0x0101_0101_0101_0101
        var packed = (word & 0x0F0F_0F0F_0F0F_0F0F) &+ letters &* 9
        packed = (packed &<< 4 | packed &>> 8) & 0x00FF_00FF_00FF_00FF
        packed = (packed | packed &>> 8) & 0x0000_FFFF_0000_FFFF
        packed |= packed &>> 16
        let value = UInt32(truncatingIfNeeded: packed).byteSwapped
        // What is written back as it was read were digits.
        return digits(value) == word ? value : nil
    }

    /// Eight digits, the most significant in the lowest byte.
    @inlinable
    @inline(__always)
    static func digits(_ value: UInt32) -> UInt64 {
        var word = UInt64(value.byteSwapped)
        word = (word | word &<< 16) & 0x0000_FFFF_0000_FFFF
        word = (word | word &<< 8) & 0x00FF_00FF_00FF_00FF
        word = (word &>> 4 | word &<< 8) & 0x0F0F_0F0F_0F0F_0F0F
        let letters = ((word &+ 0x0606_0606_0606_0606) &>> 4) & 0x0101_0101_0101_0101
        return word &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
    }
}
