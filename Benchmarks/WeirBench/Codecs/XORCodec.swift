/// Each value xored with the one before: a bit for equal ones, else where the significant bits are, and
/// they.
///
/// Source: Pelkonen and others, "Gorilla: a fast, scalable, in-memory time series database", 2015.
struct XORCodec: SeriesCodec {
    let name = "xor bit stream"

    func encode(_ values: [Double], to bytes: inout [UInt8]) {
        var writer = BitWriter()
        var previous: UInt64 = 0
        var (leading, significant) = (0, 0)
        for value in values {
            let bits = value.bitPattern ^ previous
            previous = value.bitPattern
            guard bits != 0 else {
                writer.put(0, 1)
                continue
            }
            writer.put(1, 1)
            let zeros = min(bits.leadingZeroBitCount, 31)
            let trailing = bits.trailingZeroBitCount
            if significant > 0, zeros >= leading, trailing >= 64 - leading - significant {
                writer.put(0, 1)
            } else {
                writer.put(1, 1)
                leading = zeros
                significant = 64 - zeros - trailing
                writer.put(UInt64(leading), 5)
                writer.put(UInt64(significant - 1), 6)
            }
            writer.put(bits >> UInt64(64 - leading - significant), significant)
        }
        writer.finish()
        bytes.append(contentsOf: writer.bytes)
    }

    func decode(_ bytes: [UInt8], at place: inout Int, count: Int, to values: inout [Double]) {
        var reader = BitReader(bytes, at: place)
        var previous: UInt64 = 0
        var (leading, significant) = (0, 0)
        for _ in 0..<count {
            if reader.take(1) == 1 {
                if reader.take(1) == 1 {
                    leading = Int(reader.take(5))
                    significant = Int(reader.take(6)) + 1
                }
                previous ^= reader.take(significant) << UInt64(64 - leading - significant)
            }
            values.append(Double(bitPattern: previous))
        }
        place = reader.end
    }
}
