/// Whole numbers less the smallest of them, in as many bits as the largest needs.
struct PackingCodec: SeriesCodec {
    let name = "bit packing"

    func encode(_ values: [Double], to bytes: inout [UInt8]) {
        let whole = DecimalIntegers(values)
        bytes.append(whole.tag)
        Self.append(whole.integers, to: &bytes)
    }

    func decode(_ bytes: [UInt8], at place: inout Int, count: Int, to values: inout [Double]) {
        let tag = bytes[place]
        place += 1
        let integers = Self.integers(bytes, at: &place, count: count)
        DecimalIntegers.append(integers, tag: tag, to: &values)
    }

    static func append(_ integers: [Int64], to bytes: inout [UInt8]) {
        let minimum = integers.min() ?? 0
        let range = UInt64(bitPattern: (integers.max() ?? 0) &- minimum)
        let width = 64 - range.leadingZeroBitCount
        RawCodec.append(UInt64(bitPattern: minimum), to: &bytes)
        bytes.append(UInt8(width))
        var writer = BitWriter()
        for integer in integers { writer.put(UInt64(bitPattern: integer &- minimum), width) }
        writer.finish()
        bytes.append(contentsOf: writer.bytes)
    }

    static func integers(_ bytes: [UInt8], at place: inout Int, count: Int) -> [Int64] {
        let minimum = Int64(bitPattern: RawCodec.word(bytes, at: &place))
        let width = Int(bytes[place])
        place += 1
        var reader = BitReader(bytes, at: place)
        var integers: [Int64] = []
        integers.reserveCapacity(count)
        for _ in 0..<count {
            integers.append(minimum &+ Int64(bitPattern: reader.take(width)))
        }
        place = reader.end
        return integers
    }
}
