package import WeirCore

/// How a run of integers is kept: what was taken out, and how wide the rest is.
///
/// Layout: docs/format/columns.md, version 2.
package struct IntegerRun: Hashable, Sendable {
    /// What is taken out of the values before they are packed.
    package enum Transform: UInt8, Hashable, Sendable {
        /// The smallest value; the rest are distances from it.
        case minimum = 0
        /// The value before.
        case delta = 1
        /// The value before and its step.
        case deltaOfDelta = 2
        /// The value before and a step that is typical of the run: for counters.
        case steadyDelta = 3

        /// What the two lowest bits of a mode say.
        init(mode: UInt8) {
            switch mode & 3 {
            case 0: self = .minimum
            case 1: self = .delta
            case 2: self = .deltaOfDelta
            default: self = .steadyDelta
            }
        }
    }

    /// How a residual is packed.
    package enum Width: Hashable, Sendable {
        /// All residuals are 0: there is no body.
        case none
        /// Two to a byte, the first in the low half; 15 marks one kept in the head.
        case nibble
        /// One byte; 255 marks one kept in the head.
        case byte
        /// So many bits each, 1 to 64, the lowest first; all ones mark one kept in the head.
        case packed(bits: Int)

        static let packedTag: UInt8 = 10

        /// What stands in the mode.
        var tag: UInt8 {
            switch self {
            case .none: 0
            case .nibble: 1
            case .byte: 2
            case .packed: Self.packedTag
            }
        }

        /// The residual that marks one kept in the head; nil where there are none.
        var mark: UInt64? {
            switch self {
            case .none: nil
            case .nibble: 15
            case .byte: 255
            case .packed(let bits): UInt64.max >> UInt64(64 - bits)
            }
        }

        func bodyCount(_ residualCount: Int) -> Int {
            switch self {
            case .none: 0
            case .nibble: (residualCount + 1) / 2
            case .byte: residualCount
            case .packed(let bits): (residualCount * bits + 7) / 8
            }
        }
    }

    /// Zeros that are left out of the body, and how many residuals stand there before the next.
    struct Stretch: Hashable, Sendable {
        let zeroCount: Int
        let literalCount: Int
    }

    package let count: Int
    let transform: Transform
    let width: Width
    /// All differences are multiples of it.
    let unit: Int64
    /// The first value, or the smallest.
    let base: Int64
    /// In units: the first step for `deltaOfDelta`, the typical one for `steadyDelta`.
    let step: Int64
    /// Where zeros were left out; empty when none were.
    let stretches: [Stretch]
    /// Residuals in the body.
    private let literalCount: Int
    /// Residuals too large for the width, in order.
    let escapes: [UInt64]

    private static func residualCount(_ count: Int, _ transform: Transform) -> Int {
        switch transform {
        case .minimum: count
        case .delta, .steadyDelta: max(0, count - 1)
        case .deltaOfDelta: max(0, count - 2)
        }
    }

    /// The bytes this run takes in its body page.
    package var bodyCount: Int { width.bodyCount(literalCount) }

    /// Whether all values are equal steps apart, so that no body is needed to know them.
    package var isRegular: Bool { width == .none }
}

// MARK: - Reading

extension IntegerRun {
    /// Reads a head.
    ///
    /// `count` comes from the row counts and has been checked by the caller.
    package init(count: Int, from head: inout ByteReader) throws(DecodeError) {
        let start = head.offset
        let mode = try head.readByte()
        let hasStretches = mode & 0x80 != 0
        let transform = Transform(mode: mode)
        self.count = count
        self.transform = transform
        self.unit = mode & 0x40 != 0 ? Int64(bitPattern: try head.readVarint()) : 1
        self.base = Int64(zigZag: try head.readVarint())
        let hasStep = transform == .deltaOfDelta || transform == .steadyDelta
        self.step = hasStep ? Int64(zigZag: try head.readVarint()) : 0
        let residualCount = Self.residualCount(count, transform)
        stretches =
            hasStretches ? try Self.readStretches(from: &head, residualCount: residualCount) : []
        literalCount =
            hasStretches ? stretches.reduce(0) { $0 + $1.literalCount } : residualCount
        switch mode >> 2 & 15 {
        case 0 where !hasStretches: width = .none
        case 1: width = .nibble
        case 2: width = .byte
        case Width.packedTag:
            let bits = Int(try head.readByte())
            guard (1...64).contains(bits) else {
                throw .unknownValue(offset: head.offset - 1, value: UInt64(bits))
            }
            width = .packed(bits: bits)
        default: throw .unknownValue(offset: start, value: UInt64(mode))
        }
        var escapes: [UInt64] = []
        if width.mark != nil {
            let escapeCount = try head.readVarint()
            guard escapeCount <= UInt64(literalCount), escapeCount <= UInt64(head.remaining) else {
                throw .countTooLarge(offset: head.offset, count: escapeCount, limit: literalCount)
            }
            escapes.reserveCapacity(Int(escapeCount))
            for _ in 0..<Int(escapeCount) { escapes.append(try head.readVarint()) }
        }
        self.escapes = escapes
    }

    private static func readStretches(
        from head: inout ByteReader,
        residualCount: Int
    ) throws(DecodeError) -> [Stretch] {
        let start = head.offset
        // A stretch takes two bytes or more.
        let count = try head.readCount(limit: min(residualCount, head.remaining / 2))
        var stretches: [Stretch] = []
        stretches.reserveCapacity(count)
        var rest = residualCount
        for _ in 0..<count {
            let zeroCount = try head.readCount(limit: rest)
            rest -= zeroCount
            let literalCount = try head.readCount(limit: rest)
            rest -= literalCount
            stretches.append(Stretch(zeroCount: zeroCount, literalCount: literalCount))
        }
        guard rest == 0 else { throw .notCanonical(offset: start) }
        return stretches
    }

    /// Decodes the values and appends them.
    ///
    /// `body` is exactly this run's part of the body page.
    ///
    /// - Throws: `DecodeError` when the marks in the body and the escapes disagree.
    package func decode(
        _ body: Span<UInt8>,
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
                    isDamaged = unsafe !unpack(source, into: target)
                }
                initializedCount = count
            }
        }
        if isDamaged { throw .notCanonical(offset: 0) }
    }

    /// - Returns: False when the marks and the escapes disagree; `target` is filled all the same.
    private func unpack(
        _ source: UnsafeBufferPointer<UInt8>,
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
        let isSound = unsafe unpackResiduals(source, into: literals)
        if !stretches.isEmpty { unsafe spread(rest) }
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
    private func spread(_ rest: UnsafeMutableBufferPointer<Int64>) {
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
            return unsafe placeEscapes(mark: 15, markCount: markCount, in: rest)
        case .byte:
            var markCount = 0
            for index in 0..<n {
                let byte = unsafe source[index]
                unsafe rest[index] = Int64(byte)
                markCount &+= byte == 255 ? 1 : 0
            }
            return unsafe placeEscapes(mark: 255, markCount: markCount, in: rest)
        case .packed(let bits):
            let mark = UInt64.max >> UInt64(64 - bits)
            let markCount = unsafe unpackBits(source, bits: bits, mark: mark, into: rest)
            return unsafe placeEscapes(
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
            let shift = UInt64(truncatingIfNeeded: place & 7)
            var value: UInt64
            if byte &+ 9 <= bytes.count {
                value =
                    unsafe UInt64(
                        littleEndian: bytes.loadUnaligned(fromByteOffset: byte, as: UInt64.self)
                    ) &>> shift
                // Beyond 57 bits the last few may stand in a ninth byte.
                if shift &+ UInt64(truncatingIfNeeded: bits) > 64 {
                    value |= UInt64(unsafe bytes[byte &+ 8]) &<< (64 &- shift)
                }
            } else {
                value = 0
                var offset = 0
                while byte &+ offset < bytes.count, offset < 9 {
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
