internal import Glibc

/// Reads decimal numbers as logs have them: `12`, `-0.5`, `1e3`.
package enum DecimalParser {
    /// The number `bytes` are, all of them; nil for anything else, hexadecimal and `inf` too.
    package static func double(_ bytes: Span<UInt8>) -> Double? {
        guard bytes.count > 0, bytes.count <= 64 else { return nil }
        var mantissa: UInt64 = 0
        var digitCount = 0
        var fractionCount = 0
        var isFraction = false
        var index = 0
        let isNegative = bytes[0] == 0x2D
        if isNegative || bytes[0] == 0x2B { index = 1 }
        let start = index
        while index < bytes.count {
            let byte = bytes[index]
            if byte >= 0x30, byte <= 0x39 {
                digitCount += 1
                if digitCount <= 19 { mantissa = mantissa &* 10 &+ UInt64(byte &- 0x30) }
                if isFraction { fractionCount += 1 }
            } else if byte == 0x2E, !isFraction {
                isFraction = true
            } else {
                return byte == 0x65 || byte == 0x45
                    ? scientific(bytes, digitCount: digitCount) : nil
            }
            index += 1
        }
        guard digitCount > 0, index > start else { return nil }
        // Exact by one correctly rounded division while both parts are exact doubles.
        guard digitCount <= 19, mantissa <= 1 << 53, fractionCount < powers.count else {
            return scientific(bytes, digitCount: digitCount)
        }
        let value = Double(mantissa) / powers[fractionCount]
        return isNegative ? -value : value
    }

    private static let powers: [Double] = (0...22).map { exponent in
        (0..<exponent).reduce(1.0) { value, _ in value * 10 }
    }

    private static func scientific(_ bytes: Span<UInt8>, digitCount: Int) -> Double? {
        guard digitCount > 0 else { return nil }
        for index in 0..<bytes.count {
            switch bytes[index] {
            case 0x30...0x39, 0x2B, 0x2D, 0x2E, 0x45, 0x65: continue
            default: return nil
            }
        }
        let text = unsafe bytes.withUnsafeBufferPointer {
            unsafe String(decoding: $0, as: UTF8.self)
        }
        return Double(text)
    }
}
