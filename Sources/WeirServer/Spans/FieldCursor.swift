internal import WeirCore

/// Walks down a field's column with the rows of a batch.
struct FieldCursor {
    private let rows: [UInt32]
    private let ends: [UInt32]
    /// What the ranges are of.
    let bytes: [UInt8]
    private var next = 0

    init(_ column: FieldColumn?) {
        rows = column?.rows ?? []
        ends = column?.values.ends ?? []
        bytes = column?.values.bytes ?? []
    }

    /// Where the value of `row` lies, which is not before the row asked for last; nil where it has
    /// none.
    @inline(__always)
    mutating func range(_ row: Int) -> Range<Int>? {
        while next < rows.count, Int(rows[next]) < row { next += 1 }
        guard next < rows.count, Int(rows[next]) == row else { return nil }
        return (next == 0 ? 0 : Int(ends[next - 1]))..<Int(ends[next])
    }

    /// A hash of what lies at `range`; 0 for nothing.
    @inline(__always)
    func hash(_ range: Range<Int>?, seed: UInt64) -> UInt64 {
        guard let range, !range.isEmpty, range.upperBound <= bytes.count else { return 0 }
        return unsafe bytes.withUnsafeBytes { buffer in
            var hash = Self.mix(seed ^ UInt64(range.count))
            var index = range.lowerBound
            while index &+ 8 <= range.upperBound {
                // SAFETY: index + 8 <= range.upperBound <= buffer.count.
                let word = unsafe buffer.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                hash = Self.mix(hash ^ word)
                index &+= 8
            }
            var rest: UInt64 = 1
            while index < range.upperBound {
                rest = rest &<< 8 | UInt64(unsafe buffer[index])
                index &+= 1
            }
            return Self.mix(hash ^ rest)
        }
    }

    @inline(__always)
    static func mix(_ value: UInt64) -> UInt64 {
        let product = (value ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(
            by: 0xA076_1D64_78BD_642F
        )
        return product.high ^ product.low
    }

    /// The text at `range`, at most `bytesMax` bytes of it.
    func text(_ range: Range<Int>?, bytesMax: Int = 1024) -> String {
        guard let range else { return "" }
        return String(decoding: bytes[range.prefix(bytesMax)], as: UTF8.self)
    }
}
