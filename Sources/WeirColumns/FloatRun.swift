package import WeirCore

/// How a run of doubles is kept: as decimals where that is exactly invertible, else as the integers that
/// their bits are.
///
/// Every value comes back bit for bit, NaN payloads, infinities and -0 among them.
/// Its head is kept; who needs a run only once reads a `FloatPacking`.
/// Layout: docs/format/columns.md, version 2.
package struct FloatRun: Hashable, Sendable {
    enum Kind: UInt8, Hashable, Sendable {
        /// `value × 10^exponent` is a whole number that divides back to the same bits.
        case decimal = 0
        /// Eight planes of the bits as they are: only read.
        case planes = 1
        /// Eight planes of the bits, each xored with the value before: only read.
        case xorPlanes = 2
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

    let packing: FloatPacking
    let lists: FloatLists

    package var count: Int { packing.count }

    /// The bytes this run takes in its body page.
    package var bodyCount: Int { packing.bodyCount }

    static let powers: [Double] = (0...exponentMax).map { exponent in
        (0..<exponent).reduce(1) { power, _ in power * 10 }
    }

    /// Reads a head.
    ///
    /// `count` comes from the row counts and has been checked by the caller.
    package init(count: Int, from head: inout ByteReader) throws(DecodeError) {
        var lists = FloatLists()
        packing = try FloatPacking(count: count, from: &head, lists: &lists)
        self.lists = lists
    }

    /// Decodes the values and appends them.
    ///
    /// `body` is exactly this run's part of the body page; `scratch` is the caller's, to be reused.
    package func decode(
        _ body: Span<UInt8>,
        appendingTo output: inout [Double],
        scratch: inout [Int64]
    ) throws(DecodeError) {
        try packing.decode(body, lists, appendingTo: &output, scratch: &scratch)
    }
}
