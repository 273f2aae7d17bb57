import WeirCore

/// One way to keep a series of doubles, bit for bit.
///
/// The bench's own, to be held against Weir's: it reads back what it wrote, and nothing else.
protocol SeriesCodec {
    var name: String { get }
    /// Appends the series; it says itself where it ends, but not how many values it has.
    func encode(_ values: [Double], to bytes: inout [UInt8])
    /// Appends the `count` values that were encoded at `place`, and moves it behind them.
    func decode(_ bytes: [UInt8], at place: inout Int, count: Int, to values: inout [Double])
}

/// The bytes as they are.
struct RawCodec: SeriesCodec {
    let name = "raw"

    func encode(_ values: [Double], to bytes: inout [UInt8]) {
        for value in values { Self.append(value.bitPattern, to: &bytes) }
    }

    func decode(_ bytes: [UInt8], at place: inout Int, count: Int, to values: inout [Double]) {
        for _ in 0..<count { values.append(Double(bitPattern: Self.word(bytes, at: &place))) }
    }

    static func append(_ word: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: 0, to: 64, by: 8) as StrideTo<UInt64> {
            bytes.append(UInt8(truncatingIfNeeded: word >> shift))
        }
    }

    static func word(_ bytes: [UInt8], at place: inout Int) -> UInt64 {
        var word: UInt64 = 0
        for offset in 0..<8 { word |= UInt64(bytes[place + offset]) << UInt64(8 * offset) }
        place += 8
        return word
    }
}

/// Each value once, with how often it stands there.
struct RunLengthCodec: SeriesCodec {
    let name = "run length"

    func encode(_ values: [Double], to bytes: inout [UInt8]) {
        var index = 0
        while index < values.count {
            let bits = values[index].bitPattern
            var end = index + 1
            while end < values.count, values[end].bitPattern == bits { end += 1 }
            UInt64(end - index).appendVarint(to: &bytes)
            RawCodec.append(bits, to: &bytes)
            index = end
        }
    }

    func decode(_ bytes: [UInt8], at place: inout Int, count: Int, to values: inout [Double]) {
        var rest = count
        while rest > 0 {
            let times = Int(VarintCodec.varint(bytes, at: &place))
            let value = Double(bitPattern: RawCodec.word(bytes, at: &place))
            for _ in 0..<times { values.append(value) }
            rest -= times
        }
    }
}
