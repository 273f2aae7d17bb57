package import WeirCore

/// What the head of a float run lists one by one: seldom anything.
///
/// A reader that keeps no heads uses one from run to run, of integers too.
package struct FloatLists: Hashable, Sendable {
    /// Values that are no decimals of the run's exponent, ascending.
    var exceptions: [FloatRun.Exception] = []
    package var integers = IntegerLists()

    package init() {}
}

/// What the head of a float run says but for its lists: a plain value, which is read and dropped
/// without an allocation.
///
/// Layout: docs/format/columns.md, version 2.
package struct FloatPacking: Hashable, Sendable {
    package let count: Int
    let kind: FloatRun.Kind
    let exponent: Int
    /// The zero bits at the end of all values, which are left out; for `bits`.
    let shift: Int
    /// Nil for planes.
    let integers: IntegerPacking?

    /// The bytes the run takes in its body page.
    package var bodyCount: Int { integers?.bodyCount ?? count * 8 }

    /// Reads a head; what it lists replaces what `lists` held.
    ///
    /// `count` comes from the row counts and has been checked by the caller.
    package init(
        count: Int,
        from head: inout ByteReader,
        lists: inout FloatLists
    ) throws(DecodeError) {
        if !lists.exceptions.isEmpty { lists.exceptions.removeAll(keepingCapacity: true) }
        let tag = try head.readByte()
        guard let kind = FloatRun.Kind(rawValue: tag & 3), tag & 0x80 == 0,
            kind == .decimal || tag & 0x7C == 0
        else { throw .unknownValue(offset: head.offset - 1, value: UInt64(tag)) }
        self.count = count
        self.kind = kind
        switch kind {
        case .planes, .xorPlanes:
            shift = 0
            exponent = 0
            integers = nil
        case .bits:
            shift = Int(try head.readByte())
            guard shift < 64 else {
                throw .unknownValue(offset: head.offset - 1, value: UInt64(shift))
            }
            exponent = 0
            integers = try IntegerPacking(count: count, from: &head, lists: &lists.integers)
        case .decimal:
            shift = 0
            exponent = Int(tag >> 2 & 15)
            if tag & 0x40 != 0 { try Self.readExceptions(count, from: &head, &lists) }
            integers = try IntegerPacking(count: count, from: &head, lists: &lists.integers)
        }
    }

    private static func readExceptions(
        _ count: Int,
        from head: inout ByteReader,
        _ lists: inout FloatLists
    ) throws(DecodeError) {
        let exceptionCount = try head.readCount(limit: count)
        var index = 0
        for _ in 0..<exceptionCount {
            index += try head.readCount(limit: count)
            guard index < count else {
                throw .countTooLarge(offset: head.offset, count: UInt64(index), limit: count)
            }
            lists.exceptions.append(
                FloatRun.Exception(index: index, bits: try head.readUInt64())
            )
        }
    }

    /// Decodes the values and appends them.
    ///
    /// `body` is exactly this run's part of the body page, and `lists` what its head listed; `scratch`
    /// is the caller's, to be reused.
    package func decode(
        _ body: Span<UInt8>,
        _ lists: FloatLists,
        appendingTo output: inout [Double],
        scratch: inout [Int64]
    ) throws(DecodeError) {
        guard body.count == bodyCount else { throw .truncated(offset: 0, needed: bodyCount) }
        guard let integers else { return decodePlanes(body, appendingTo: &output) }
        let start = output.count
        scratch.removeAll(keepingCapacity: true)
        try integers.decode(body, lists.integers, appendingTo: &scratch)
        let source = scratch.span
        let scale = FloatRun.powers[exponent]
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
        for exception in lists.exceptions {
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
