package import WeirCore

/// How a run of doubles is kept: as decimals where that is exactly invertible, else bit by bit.
///
/// Every value comes back bit for bit, NaN payloads, infinities and -0 among them.
/// Layout: docs/format/columns.md, version 1.
package struct FloatRun: Hashable, Sendable {
    enum Kind: UInt8, Hashable, Sendable {
        /// `value × 10^exponent` is a whole number that divides back to the same bits.
        case decimal = 0
        /// Eight planes of the bits as they are.
        case planes = 1
        /// Eight planes of the bits, each xored with the value before.
        case xorPlanes = 2
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
    let exceptions: [Exception]
    let integers: IntegerRun?

    /// The bytes this run takes in its body page.
    package var bodyCount: Int { integers?.bodyCount ?? count * 8 }

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
        guard let kind = Kind(rawValue: tag & 3) else {
            throw .unknownValue(offset: head.offset - 1, value: UInt64(tag))
        }
        self.count = count
        self.kind = kind
        guard kind == .decimal else {
            exponent = 0
            exceptions = []
            integers = nil
            return
        }
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
        guard let integers else { return decodePlanes(body, appendingTo: &output) }
        let start = output.count
        scratch.removeAll(keepingCapacity: true)
        try integers.decode(body, appendingTo: &scratch)
        let source = scratch.span
        let scale = Self.powers[exponent]
        output.append(addingCapacity: count) { free in
            if exponent == 0 {
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

    private func decodePlanes(_ body: Span<UInt8>, appendingTo output: inout [Double]) {
        var previous: UInt64 = 0
        output.reserveCapacity(output.count + count)
        for index in 0..<count {
            var bits: UInt64 = 0
            for plane in 0..<8 {
                bits |= UInt64(body[plane &* count &+ index]) &<< UInt64(8 &* plane)
            }
            if kind == .xorPlanes {
                bits ^= previous
                previous = bits
            }
            output.append(Double(bitPattern: bits))
        }
    }
}
