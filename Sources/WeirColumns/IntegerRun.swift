package import WeirCore

/// How a run of integers is kept: what was taken out, and how wide the rest is.
///
/// Layout: docs/format/columns.md, version 1.
package struct IntegerRun: Hashable, Sendable {
    /// What is taken out of the values before they are packed.
    package enum Transform: UInt8, Hashable, Sendable {
        /// The smallest value; the rest are distances from it.
        case minimum = 0
        /// The value before.
        case delta = 1
        /// The value before and its step.
        case deltaOfDelta = 2
    }

    /// How a residual is packed.
    package enum Width: UInt8, Hashable, Sendable {
        /// All residuals are 0: there is no body.
        case none = 0
        /// Two to a byte, the first in the low half; 15 marks one kept in the head.
        case nibble = 1
        /// One byte; 255 marks one kept in the head.
        case bytes1 = 2
        /// Planes: all lowest bytes, then all next ones, and so on; no marks.
        case bytes2 = 3
        case bytes3 = 4
        case bytes4 = 5
        case bytes5 = 6
        case bytes6 = 7
        case bytes7 = 8
        case bytes8 = 9

        var planeCount: Int { max(0, Int(rawValue) - 1) }

        func bodyCount(_ residualCount: Int) -> Int {
            self == .nibble ? (residualCount + 1) / 2 : planeCount * residualCount
        }
    }

    package let count: Int
    let transform: Transform
    let width: Width
    /// All differences are multiples of it.
    let unit: Int64
    /// The first value, or the smallest.
    let base: Int64
    /// The first step, in units, for `deltaOfDelta`.
    let firstDelta: Int64
    /// Residuals too large for the width, in order.
    let escapes: [UInt64]

    private var residualCount: Int {
        switch transform {
        case .minimum: count
        case .delta: max(0, count - 1)
        case .deltaOfDelta: max(0, count - 2)
        }
    }

    /// The bytes this run takes in its body page.
    package var bodyCount: Int { width.bodyCount(residualCount) }

    /// Whether all values are equal steps apart, so that no body is needed to know them.
    package var isRegular: Bool { width == .none }
}

// MARK: - Reading

extension IntegerRun {
    /// Reads a head.
    ///
    /// `count` comes from the row counts and has been checked by the caller.
    package init(count: Int, from head: inout ByteReader) throws(DecodeError) {
        let mode = try head.readByte()
        guard let transform = Transform(rawValue: mode & 3),
            let width = Width(rawValue: mode >> 2 & 15), mode & 0x80 == 0
        else { throw .unknownValue(offset: head.offset - 1, value: UInt64(mode)) }
        self.count = count
        self.transform = transform
        self.width = width
        self.unit = mode & 0x40 != 0 ? Int64(bitPattern: try head.readVarint()) : 1
        self.base = Int64(zigZag: try head.readVarint())
        self.firstDelta =
            transform == .deltaOfDelta ? Int64(zigZag: try head.readVarint()) : 0
        var escapes: [UInt64] = []
        if width == .nibble || width == .bytes1 {
            let escapeCount = try head.readVarint()
            guard escapeCount <= UInt64(count), escapeCount <= UInt64(head.remaining) else {
                throw .countTooLarge(offset: head.offset, count: escapeCount, limit: count)
            }
            escapes.reserveCapacity(Int(escapeCount))
            for _ in 0..<Int(escapeCount) { escapes.append(try head.readVarint()) }
        }
        self.escapes = escapes
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
        case .delta:
            unsafe target[0] = base
            start = 1
        case .deltaOfDelta:
            unsafe target[0] = base
            start = min(2, count)
            if count > 1 { unsafe target[1] = base &+ firstDelta &* unit }
        }
        let rest = unsafe UnsafeMutableBufferPointer(rebasing: target[start...])
        let isSound = unsafe unpackResiduals(source, into: rest)
        switch transform {
        case .minimum:
            for index in rest.indices {
                unsafe rest[index] = base &+ rest[index] &* unit
            }
        case .delta: unsafe integrate(rest, from: base)
        case .deltaOfDelta:
            var value = base &+ firstDelta &* unit
            var delta = firstDelta
            for index in rest.indices {
                delta &+= unsafe Int64(zigZag: UInt64(bitPattern: rest[index]))
                value &+= delta &* unit
                unsafe rest[index] = value
            }
        }
        return isSound
    }

    private func integrate(_ rest: UnsafeMutableBufferPointer<Int64>, from first: Int64) {
        var value = first
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
        case .bytes1:
            var markCount = 0
            for index in 0..<n {
                let byte = unsafe source[index]
                unsafe rest[index] = Int64(byte)
                markCount &+= byte == 255 ? 1 : 0
            }
            return unsafe placeEscapes(mark: 255, markCount: markCount, in: rest)
        default:
            for index in 0..<n { unsafe rest[index] = Int64(source[index]) }
            for plane in 1..<width.planeCount {
                let shift = Int64(8 * plane)
                let offset = plane * n
                for index in 0..<n {
                    unsafe rest[index] |= Int64(source[offset &+ index]) &<< shift
                }
            }
            return true
        }
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
