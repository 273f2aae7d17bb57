/// A series as whole numbers: of a power of ten, where all values are exact at one, else of their bits.
struct DecimalIntegers {
    private static let bitsTag: UInt8 = 255

    /// The power of ten, or 255 for bits.
    let tag: UInt8
    let integers: [Int64]

    init(_ values: [Double]) {
        var scale = 1.0
        for exponent in 0...15 as ClosedRange<UInt8> {
            var integers: [Int64] = []
            integers.reserveCapacity(values.count)
            for value in values {
                let scaled = (value * scale).rounded()
                guard abs(scaled) < 0x1p53 else { break }
                let integer = Int64(scaled)
                guard (Double(integer) / scale).bitPattern == value.bitPattern else { break }
                integers.append(integer)
            }
            if integers.count == values.count {
                self.tag = exponent
                self.integers = integers
                return
            }
            scale *= 10
        }
        tag = Self.bitsTag
        integers = values.map { Int64(bitPattern: $0.bitPattern) }
    }

    /// Appends the values that `integers` stand for.
    static func append(_ integers: [Int64], tag: UInt8, to values: inout [Double]) {
        if tag == bitsTag {
            for integer in integers {
                values.append(Double(bitPattern: UInt64(bitPattern: integer)))
            }
            return
        }
        var scale = 1.0
        for _ in 0..<tag { scale *= 10 }
        for integer in integers { values.append(Double(integer) / scale) }
    }
}
