internal import WeirCore

/// Buffers that encoding reuses from run to run.
package struct EncodingScratch {
    var residuals: [UInt64] = []
    var integers: [Int64] = []

    package init() {}
}

extension FloatRun {
    /// Encodes `values`: appends the head to `head` and the packed values to `body`.
    package static func encode(
        _ values: Span<Double>,
        head: inout [UInt8],
        body: inout [UInt8],
        scratch: inout EncodingScratch
    ) {
        guard let exponent = commonExponent(values) else {
            return encodePlanes(values, head: &head, body: &body)
        }
        let exceptions = scale(values, exponent: exponent, into: &scratch.integers)
        head.append(
            Kind.decimal.rawValue | UInt8(exponent) << 2 | (exceptions.isEmpty ? 0 : 0x40)
        )
        if !exceptions.isEmpty {
            UInt64(exceptions.count).appendVarint(to: &head)
            var previous = 0
            for exception in exceptions {
                UInt64(exception.index - previous).appendVarint(to: &head)
                head.appendLittleEndian(exception.bits)
                previous = exception.index
            }
        }
        // Taken out and put back: both buffers cannot be lent from one struct at once.
        var residuals: [UInt64] = []
        swap(&residuals, &scratch.residuals)
        IntegerRun.encode(
            scratch.integers.span,
            findsUnit: exponent == 0,
            head: &head,
            body: &body,
            scratch: &residuals
        )
        swap(&residuals, &scratch.residuals)
    }

    /// The whole number that `value` becomes at `power`, when it divides back to the same bits.
    @inline(__always)
    private static func integer(_ value: Double, power: Double) -> Int64? {
        let scaled = value * power
        // Beyond 2^53 neighbouring whole numbers are not all doubles. NaN fails the comparison.
        guard abs(scaled) < 9_007_199_254_740_992 else { return nil }
        let rounded = scaled.rounded(.toNearestOrEven)
        let integer = Int64(rounded)
        return (Double(integer) / power).bitPattern == value.bitPattern ? integer : nil
    }

    /// The smallest exponent at which nearly all values are whole, or nil when too many never are.
    private static func commonExponent(_ values: Span<Double>) -> Int? {
        var exponent = 0
        var failures = 0
        let failuresMax = values.count / 16 + 1
        for index in values.indices {
            let value = values[index]
            if integer(value, power: powers[exponent]) != nil { continue }
            var higher = exponent + 1
            while higher <= exponentMax, integer(value, power: powers[higher]) == nil {
                higher += 1
            }
            if higher <= exponentMax, !value.isZero {
                exponent = higher
            } else {
                failures += 1
                if failures > failuresMax { return nil }
            }
        }
        return exponent
    }

    /// Fills `integers`; an exception's place repeats the value before, so that it costs nothing.
    private static func scale(
        _ values: Span<Double>,
        exponent: Int,
        into integers: inout [Int64]
    ) -> [Exception] {
        integers.removeAll(keepingCapacity: true)
        integers.reserveCapacity(values.count)
        let power = powers[exponent]
        var exceptions: [Exception] = []
        var previous: Int64 = 0
        for index in values.indices {
            if let whole = integer(values[index], power: power) {
                previous = whole
            } else {
                exceptions.append(Exception(index: index, bits: values[index].bitPattern))
            }
            integers.append(previous)
        }
        return exceptions
    }

    private static func encodePlanes(
        _ values: Span<Double>,
        head: inout [UInt8],
        body: inout [UInt8]
    ) {
        var plainBits = 0
        var xorBits = 0
        var previous: UInt64 = 0
        for index in values.indices {
            let bits = values[index].bitPattern
            plainBits += 52
            xorBits += 64 - (bits ^ previous).leadingZeroBitCount
            previous = bits
        }
        let isXor = xorBits < plainBits
        head.append((isXor ? Kind.xorPlanes : Kind.planes).rawValue)
        for plane in 0..<8 {
            previous = 0
            for index in values.indices {
                let bits = values[index].bitPattern
                let kept = isXor ? bits ^ previous : bits
                body.append(UInt8(truncatingIfNeeded: kept &>> UInt64(8 * plane)))
                previous = bits
            }
        }
    }
}
