package import WeirCore

/// How a run of integers is kept: what was taken out, and how wide the rest is.
///
/// Its head is kept; who needs a run only once reads an `IntegerPacking`.
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
        /// Two to eight bytes: all lowest bytes, then all next ones, and so on; no marks.
        ///
        /// Version 1 wrote these; they are only read.
        case planes(count: Int)
        /// So many bits each, 1 to 64, the lowest first; all ones mark one kept in the head.
        case packed(bits: Int)

        static let packedTag: UInt8 = 10

        /// What stands in the mode.
        var tag: UInt8 {
            switch self {
            case .none: 0
            case .nibble: 1
            case .byte: 2
            case .planes(let count): UInt8(truncatingIfNeeded: count + 1)
            case .packed: Self.packedTag
            }
        }

        /// The residual that marks one kept in the head; nil where there are none.
        var mark: UInt64? {
            switch self {
            case .none, .planes: nil
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
            case .planes(let count): residualCount * count
            case .packed(let bits): (residualCount * bits + 7) / 8
            }
        }
    }

    /// Zeros that are left out of the body, and how many residuals stand there before the next.
    struct Stretch: Hashable, Sendable {
        let zeroCount: Int
        let literalCount: Int
    }

    let packing: IntegerPacking
    let lists: IntegerLists

    package var count: Int { packing.count }

    /// The bytes this run takes in its body page.
    package var bodyCount: Int { packing.bodyCount }

    /// Whether all values are equal steps apart, so that no body is needed to know them.
    package var isRegular: Bool { packing.width == .none }

    /// Reads a head.
    ///
    /// `count` comes from the row counts and has been checked by the caller.
    package init(count: Int, from head: inout ByteReader) throws(DecodeError) {
        var lists = IntegerLists()
        packing = try IntegerPacking(count: count, from: &head, lists: &lists)
        self.lists = lists
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
        try packing.decode(body, lists, appendingTo: &output)
    }
}
