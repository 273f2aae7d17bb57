package import WeirCore

/// How a run of doubles is kept: as decimals where that is exactly invertible, else as the integers that
/// their bits are.
///
/// Every value comes back bit for bit, NaN payloads, infinities and -0 among them.
/// Layout: docs/format/columns.md, version 2.
package struct FloatRun: Hashable, Sendable {
    enum Kind: UInt8, Hashable, Sendable {
        /// `value × 10^exponent` is a whole number that divides back to the same bits.
        case decimal = 0
        /// The bits, shifted right by the zeros that all of them end in.
        ///
        /// Neighbours of one sign and size are near each other as integers too.
        case bits = 3
    }

    /// A value that is no decimal of this run's exponent, kept whole at its place.
    struct Exception: Hashable, Sendable {
        let index: Int
        let bits: UInt64
    }

    /// The largest power of ten tried: beyond it doubles have no more decimal places to show.
    static let exponentMax = 15

    package let count: Int
    let kind: Kind
    let exponent: Int
    /// The zero bits at the end of all values, which are left out; for `bits`.
    let shift: Int
    let exceptions: [Exception]
    let integers: IntegerRun

    /// The bytes this run takes in its body page.
    package var bodyCount: Int { integers.bodyCount }

    static let powers: [Double] = (0...exponentMax).map { exponent in
        (0..<exponent).reduce(1) { power, _ in power * 10 }
    }
}

// MARK: - Reading

extension FloatRun {
    /// Reads a head.
    ///
    /// `count` comes from the row counts and has been checked by the caller.
    package init(count: Int, from head: inout ByteReader) throws(DecodeError) {
        let tag = try head.readByte()
        guard let kind = Kind(rawValue: tag & 3), tag & 0x80 == 0,
            kind == .decimal || tag & 0x7C == 0
        else { throw .unknownValue(offset: head.offset - 1, value: UInt64(tag)) }
        self.count = count
        self.kind = kind
        guard kind == .decimal else {
            shift = Int(try head.readByte())
            guard shift < 64 else {
                throw .unknownValue(offset: head.offset - 1, value: UInt64(shift))
            }
            exponent = 0
            exceptions = []
            integers = try IntegerRun(count: count, from: &head)
            return
        }
        shift = 0
        exponent = Int(tag >> 2 & 15)
        var exceptions: [Exception] = []
        if tag & 0x40 != 0 {
            let exceptionCount = try head.readCount(limit: count)
            var index = 0
            for _ in 0..<exceptionCount {
                index += try head.readCount(limit: count)
                guard index < count else {
                    throw .countTooLarge(offset: head.offset, count: UInt64(index), limit: count)
                }
                exceptions.append(Exception(index: index, bits: try head.readUInt64()))
            }
        }
        self.exceptions = exceptions
        integers = try IntegerRun(count: count, from: &head)
    }

    /// Decodes the values and appends them.
    ///
    /// `body` is exactly this run's part of the body page; `scratch` is the caller's, to be reused.
    package func decode(
        _ body: Span<UInt8>,
        appendingTo output: inout [Double],
        scratch: inout [Int64]
    ) throws(DecodeError) {
        guard body.count == bodyCount else { throw .truncated(offset: 0, needed: bodyCount) }
        let start = output.count
        scratch.removeAll(keepingCapacity: true)
        try integers.decode(body, appendingTo: &scratch)
        let source = scratch.span
        let scale = Self.powers[exponent]
        output.append(addingCapacity: count) { free in
            if kind == .bits {
                let shift = UInt64(shift)
                for index in source.indices {
                    let bits = UInt64(bitPattern: unsafe source[unchecked: index])
                    free.append(Double(bitPattern: bits &<< shift))
                }
            } else if exponent == 0 {
                for index in source.indices {
                    free.append(Double(unsafe source[unchecked: index]))
                }
            } else {
                for index in source.indices {
                    free.append(Double(unsafe source[unchecked: index]) / scale)
                }
            }
        }
        for exception in exceptions {
            output[start + exception.index] = Double(bitPattern: exception.bits)
        }
    }
}
