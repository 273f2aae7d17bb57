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
        var exceptions: [Exception] = []
        let exponent = wholeNumbers(values, into: &scratch.integers, exceptions: &exceptions)
        if let exponent {
            head.append(
                Kind.decimal.rawValue | UInt8(exponent) << 2 | (exceptions.isEmpty ? 0 : 0x40)
            )
            if !exceptions.isEmpty { append(exceptions, to: &head) }
        } else {
            head.append(Kind.bits.rawValue)
            head.append(UInt8(shiftedBits(values, into: &scratch.integers)))
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

    private static func append(_ exceptions: [Exception], to head: inout [UInt8]) {
        UInt64(exceptions.count).appendVarint(to: &head)
        var previous = 0
        for exception in exceptions {
            UInt64(exception.index - previous).appendVarint(to: &head)
            head.appendLittleEndian(exception.bits)
            previous = exception.index
        }
    }

    /// The whole number that `value` becomes at `power`, when it divides back to the same bits.
    @inline(__always)
    private static func integer(_ value: Double, power: Double) -> Int64? {
        let scaled = value * power
        // Beyond 2^51 adding 1.5 × 2^52 does not round to a whole number. NaN fails the comparison.
        guard abs(scaled) < 0x1p51 else { return nil }
        let integer = Int64((scaled + 0x1.8p52) - 0x1.8p52)
        return (Double(integer) / power).bitPattern == value.bitPattern ? integer : nil
    }

    /// The same at a power of one.
    @inline(__always)
    private static func integer(_ value: Double) -> Int64? {
        // Beyond 2^53 neighbouring whole numbers are not all doubles. NaN fails the comparison.
        guard abs(value) < 0x1p53 else { return nil }
        let integer = Int64(value)
        return Double(integer).bitPattern == value.bitPattern ? integer : nil
    }

    /// Fills `integers` with whole numbers at the smallest exponent at which nearly all values are such;
    /// an exception's place repeats the value before, so that it costs nothing.
    ///
    /// - Returns: The exponent; nil when too many values are whole at none.
    private static func wholeNumbers(
        _ values: Span<Double>,
        into integers: inout [Int64],
        exceptions: inout [Exception]
    ) -> Int? {
        let exceptionsMax = values.count / 16 + 1
        var exponent = 0
        while true {
            var higher: Int?
            var exceptional: [Exception] = []
            let power = powers[exponent]
            integers.removeAll(keepingCapacity: true)
            integers.append(addingCapacity: values.count) { free in
                var previous: Int64 = 0
                for index in values.indices {
                    // SAFETY: index < values.count.
                    let value = unsafe values[unchecked: index]
                    let whole = exponent == 0 ? integer(value) : integer(value, power: power)
                    if let whole {
                        previous = whole
                    } else {
                        higher = exponentAbove(exponent, value)
                        guard higher == nil else { return }
                        exceptional.append(Exception(index: index, bits: value.bitPattern))
                        guard exceptional.count <= exceptionsMax else { return }
                    }
                    free.append(previous)
                }
            }
            guard exceptional.count <= exceptionsMax else { return nil }
            guard let next = higher else {
                exceptions = exceptional
                return exponent
            }
            exponent = next
        }
    }

    /// The next exponent at which `value` is whole; nil when there is none.
    private static func exponentAbove(_ exponent: Int, _ value: Double) -> Int? {
        guard !value.isZero, value.isFinite, exponent < exponentMax else { return nil }
        return ((exponent + 1)...exponentMax).first { integer(value, power: powers[$0]) != nil }
    }

    /// Fills `integers` with the bits of the values, without the zeros that all of them end in.
    ///
    /// - Returns: How many zeros that is.
    private static func shiftedBits(_ values: Span<Double>, into integers: inout [Int64]) -> Int {
        var all: UInt64 = 0
        for index in values.indices { all |= values[index].bitPattern }
        let shift = min(all.trailingZeroBitCount, 63)
        integers.removeAll(keepingCapacity: true)
        integers.append(addingCapacity: values.count) { free in
            for index in values.indices {
                free.append(Int64(bitPattern: values[index].bitPattern >> UInt64(shift)))
            }
        }
        return shift
    }
}
