package import WeirCore

/// What the head of an integer run lists one by one: seldom anything.
///
/// A reader that keeps no heads uses one from run to run.
package struct IntegerLists: Hashable, Sendable {
    /// Where zeros were left out; empty when none were.
    var stretches: [IntegerRun.Stretch] = []
    /// Residuals too large for the width, in order.
    var escapes: [UInt64] = []

    package init() {}

    @inline(__always)
    mutating func removeAll() {
        if !stretches.isEmpty { stretches.removeAll(keepingCapacity: true) }
        if !escapes.isEmpty { escapes.removeAll(keepingCapacity: true) }
    }
}

/// What the head of an integer run says but for its lists: a plain value, which is read and dropped
/// without an allocation.
///
/// Layout: docs/format/columns.md, version 2.
package struct IntegerPacking: Hashable, Sendable {
    package let count: Int
    let transform: IntegerRun.Transform
    let width: IntegerRun.Width
    /// All differences are multiples of it.
    let unit: Int64
    /// The first value, or the smallest.
    let base: Int64
    /// In units: the first step for `deltaOfDelta`, the typical one for `steadyDelta`.
    let step: Int64
    /// Residuals in the body.
    private let literalCount: Int

    private static func residualCount(_ count: Int, _ transform: IntegerRun.Transform) -> Int {
        switch transform {
        case .minimum: count
        case .delta, .steadyDelta: max(0, count - 1)
        case .deltaOfDelta: max(0, count - 2)
        }
    }

    /// The bytes the run takes in its body page.
    package var bodyCount: Int { width.bodyCount(literalCount) }

    /// Reads a head; what it lists replaces what `lists` held.
    ///
    /// `count` comes from the row counts and has been checked by the caller.
    package init(
        count: Int,
        from head: inout ByteReader,
        lists: inout IntegerLists
    ) throws(DecodeError) {
        lists.removeAll()
        let start = head.offset
        let mode = try head.readByte()
        let hasStretches = mode & 0x80 != 0
        let transform = IntegerRun.Transform(mode: mode)
        self.count = count
        self.transform = transform
        self.unit = mode & 0x40 != 0 ? Int64(bitPattern: try head.readVarint()) : 1
        self.base = Int64(zigZag: try head.readVarint())
        let hasStep = transform == .deltaOfDelta || transform == .steadyDelta
        self.step = hasStep ? Int64(zigZag: try head.readVarint()) : 0
        let residualCount = Self.residualCount(count, transform)
        literalCount =
            hasStretches
            ? try Self.readStretches(from: &head, residualCount: residualCount, &lists)
            : residualCount
        switch mode >> 2 & 15 {
        case 0 where !hasStretches: width = .none
        case 1: width = .nibble
        case 2: width = .byte
        case let tag where (3...9).contains(tag): width = .planes(count: Int(tag) - 1)
        case IntegerRun.Width.packedTag:
            let bits = Int(try head.readByte())
            guard (1...64).contains(bits) else {
                throw .unknownValue(offset: head.offset - 1, value: UInt64(bits))
            }
            width = .packed(bits: bits)
        default: throw .unknownValue(offset: start, value: UInt64(mode))
        }
        guard width.mark != nil else { return }
        let escapeCount = try head.readVarint()
        guard escapeCount > 0 else { return }
        guard escapeCount <= UInt64(literalCount), escapeCount <= UInt64(head.remaining) else {
            throw .countTooLarge(offset: head.offset, count: escapeCount, limit: literalCount)
        }
        lists.escapes.reserveCapacity(Int(escapeCount))
        for _ in 0..<Int(escapeCount) { lists.escapes.append(try head.readVarint()) }
    }

    /// - Returns: The residuals in the body.
    private static func readStretches(
        from head: inout ByteReader,
        residualCount: Int,
        _ lists: inout IntegerLists
    ) throws(DecodeError) -> Int {
        let start = head.offset
        // A stretch takes two bytes or more.
        let count = try head.readCount(limit: min(residualCount, head.remaining / 2))
        lists.stretches.reserveCapacity(count)
        var rest = residualCount
        var literals = 0
        for _ in 0..<count {
            let zeroCount = try head.readCount(limit: rest)
            rest -= zeroCount
            let literalCount = try head.readCount(limit: rest)
            rest -= literalCount
            literals += literalCount
            lists.stretches.append(
                IntegerRun.Stretch(zeroCount: zeroCount, literalCount: literalCount)
            )
        }
        guard rest == 0 else { throw .notCanonical(offset: start) }
        return literals
    }
}

// MARK: - Decoding

extension IntegerPacking {
    /// Decodes the values and appends them.
    ///
    /// `body` is exactly this run's part of the body page, and `lists` what its head listed.
    ///
    /// - Throws: `DecodeError` when the marks in the body and the escapes disagree.
    package func decode(
        _ body: Span<UInt8>,
        _ lists: IntegerLists,
        appendingTo output: inout [Int64]
    ) throws(DecodeError) {
        guard body.count == bodyCount else { throw .truncated(offset: 0, needed: bodyCount) }
        guard count > 0 else { return }
        var isDamaged = false
        output.append(addingCapacity: count) { free in
            unsafe free.withUnsafeMutableBufferPointer { target, initializedCount in
                unsafe body.withUnsafeBufferPointer { source in
                    // SAFETY: `target` has room for `count`, and `source` has `bodyCount` bytes,
                    // which is what `unpack` reads and writes.
                    isDamaged = unsafe !unpack(source, lists, into: target)
                }
                initializedCount = count
            }
        }
        if isDamaged { throw .notCanonical(offset: 0) }
    }

    /// - Returns: False when the marks and the escapes disagree; `target` is filled all the same.
    private func unpack(
        _ source: UnsafeBufferPointer<UInt8>,
        _ lists: IntegerLists,
        into target: UnsafeMutableBufferPointer<Int64>
    ) -> Bool {
        var start = 0
        switch transform {
        case .minimum: break
        case .delta, .steadyDelta:
            unsafe target[0] = base
            start = 1
        case .deltaOfDelta:
            unsafe target[0] = base
            start = min(2, count)
            if count > 1 { unsafe target[1] = base &+ step &* unit }
        }
        let rest = unsafe UnsafeMutableBufferPointer(rebasing: target[start...])
        let literals = unsafe UnsafeMutableBufferPointer(rebasing: rest[..<literalCount])
        let isSound = unsafe unpackResiduals(source, lists.escapes, into: literals)
        if !lists.stretches.isEmpty { unsafe spread(rest, lists.stretches) }
        switch transform {
        case .minimum:
            for index in rest.indices {
                unsafe rest[index] = base &+ rest[index] &* unit
            }
        case .delta: unsafe integrate(rest)
        case .steadyDelta:
            var value = base
            for index in rest.indices {
                let more = unsafe Int64(zigZag: UInt64(bitPattern: rest[index]))
                value &+= (step &+ more) &* unit
                unsafe rest[index] = value
            }
        case .deltaOfDelta:
            var value = base &+ step &* unit
            var delta = step
            for index in rest.indices {
                delta &+= unsafe Int64(zigZag: UInt64(bitPattern: rest[index]))
                value &+= delta &* unit
                unsafe rest[index] = value
            }
        }
        return isSound
    }

    private func integrate(_ rest: UnsafeMutableBufferPointer<Int64>) {
        var value = base
        if unit == 1 {
            for index in rest.indices {
                value &+= unsafe Int64(zigZag: UInt64(bitPattern: rest[index]))
                unsafe rest[index] = value
            }
        } else {
            for index in rest.indices {
                value &+= unsafe Int64(zigZag: UInt64(bitPattern: rest[index])) &* unit
                unsafe rest[index] = value
            }
        }
    }

    /// Moves the literals at the front of `rest` to where they belong, zeros between them.
    private func spread(
        _ rest: UnsafeMutableBufferPointer<Int64>,
        _ stretches: [IntegerRun.Stretch]
    ) {
        var source = literalCount
        var target = rest.count
        // The sums of the stretches are those of `rest`: the last moves first, and never forward.
        for stretch in stretches.reversed() {
            for _ in 0..<stretch.literalCount {
                source -= 1
                target -= 1
                unsafe rest[target] = unsafe rest[source]
            }
            for _ in 0..<stretch.zeroCount {
                target -= 1
                unsafe rest[target] = 0
            }
        }
    }

    private func unpackResiduals(
        _ source: UnsafeBufferPointer<UInt8>,
        _ escapes: [UInt64],
        into rest: UnsafeMutableBufferPointer<Int64>
    ) -> Bool {
        let n = rest.count
        switch width {
        case .none:
            for index in 0..<n { unsafe rest[index] = 0 }
            return true
        case .nibble:
            var markCount = 0
            for pair in 0..<(n / 2) {
                let byte = unsafe source[pair]
                unsafe rest[2 &* pair] = Int64(byte & 15)
                unsafe rest[2 &* pair &+ 1] = Int64(byte &>> 4)
                markCount &+= (byte & 15 == 15 ? 1 : 0) &+ (byte >= 0xF0 ? 1 : 0)
            }
            if n & 1 == 1 {
                let byte = unsafe source[n / 2]
                unsafe rest[n - 1] = Int64(byte & 15)
                markCount += byte & 15 == 15 ? 1 : 0
            }
            return unsafe placeEscapes(escapes, mark: 15, markCount: markCount, in: rest)
        case .byte:
            var markCount = 0
            for index in 0..<n {
                let byte = unsafe source[index]
                unsafe rest[index] = Int64(byte)
                markCount &+= byte == 255 ? 1 : 0
            }
            return unsafe placeEscapes(escapes, mark: 255, markCount: markCount, in: rest)
        case .planes(let count):
            for index in 0..<n { unsafe rest[index] = Int64(source[index]) }
            for plane in 1..<count {
                let shift = Int64(8 * plane)
                for index in 0..<n {
                    unsafe rest[index] |= Int64(source[plane &* n &+ index]) &<< shift
                }
            }
            return true
        case .packed(let bits):
            let mark = UInt64.max >> UInt64(64 - bits)
            let markCount = unsafe unpackBits(source, bits: bits, mark: mark, into: rest)
            return unsafe placeEscapes(
                escapes,
                mark: Int64(bitPattern: mark),
                markCount: markCount,
                in: rest
            )
        }
    }

    /// - Returns: How many are marks.
    private func unpackBits(
        _ source: UnsafeBufferPointer<UInt8>,
        bits: Int,
        mark: UInt64,
        into rest: UnsafeMutableBufferPointer<Int64>
    ) -> Int {
        let bytes = UnsafeRawBufferPointer(source)
        var markCount = 0
        var place = 0
        for index in 0..<rest.count {
            let byte = place &>> 3
            var shift = UInt64(truncatingIfNeeded: place & 7)
            var value: UInt64
            if byte &+ 8 <= bytes.count {
                value =
                    unsafe UInt64(
                        littleEndian: bytes.loadUnaligned(fromByteOffset: byte, as: UInt64.self)
                    ) &>> shift
                // Beyond 57 bits the last few may stand in a ninth byte.
                if shift &+ UInt64(truncatingIfNeeded: bits) > 64, byte &+ 8 < bytes.count {
                    value |= UInt64(unsafe bytes[byte &+ 8]) &<< (64 &- shift)
                }
            } else if bytes.count >= 8 {
                // It ends in the last eight bytes, and begins there too.
                let last = bytes.count &- 8
                shift &+= UInt64(truncatingIfNeeded: byte &- last) &* 8
                value =
                    unsafe UInt64(
                        littleEndian: bytes.loadUnaligned(fromByteOffset: last, as: UInt64.self)
                    ) &>> shift
            } else {
                value = 0
                var offset = 0
                while byte &+ offset < bytes.count {
                    let next = UInt64(unsafe bytes[byte &+ offset])
                    let distance = 8 * offset - Int(shift)
                    value |= distance < 0 ? next >> shift : next << UInt64(distance)
                    offset += 1
                }
            }
            value &= mark
            unsafe rest[index] = Int64(bitPattern: value)
            markCount &+= value == mark ? 1 : 0
            place &+= bits
        }
        return markCount
    }

    private func placeEscapes(
        _ escapes: [UInt64],
        mark: Int64,
        markCount: Int,
        in rest: UnsafeMutableBufferPointer<Int64>
    ) -> Bool {
        guard markCount == escapes.count else { return false }
        guard markCount > 0 else { return true }
        var next = 0
        for index in rest.indices where unsafe rest[index] == mark {
            unsafe rest[index] = Int64(bitPattern: escapes[next])
            next += 1
        }
        return true
    }
}
