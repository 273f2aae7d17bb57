import WeirCore

/// Steps, or steps of steps, of whole numbers as zigzag varints.
struct VarintCodec: SeriesCodec {
    let isSecondOrder: Bool

    var name: String { isSecondOrder ? "delta of delta, varints" : "delta, varints" }

    func encode(_ values: [Double], to bytes: inout [UInt8]) {
        let whole = DecimalIntegers(values)
        bytes.append(whole.tag)
        var previous: Int64 = 0
        var previousStep: Int64 = 0
        for integer in whole.integers {
            let step = integer &- previous
            UInt64(zigZag: isSecondOrder ? step &- previousStep : step).appendVarint(to: &bytes)
            previous = integer
            previousStep = step
        }
    }

    func decode(_ bytes: [UInt8], at place: inout Int, count: Int, to values: inout [Double]) {
        let tag = bytes[place]
        place += 1
        var integers: [Int64] = []
        integers.reserveCapacity(count)
        var previous: Int64 = 0
        var step: Int64 = 0
        for _ in 0..<count {
            let residual = Int64(zigZag: Self.varint(bytes, at: &place))
            step = isSecondOrder ? step &+ residual : residual
            previous &+= step
            integers.append(previous)
        }
        DecimalIntegers.append(integers, tag: tag, to: &values)
    }

    static func varint(_ bytes: [UInt8], at place: inout Int) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = bytes[place]
            place += 1
            value |= UInt64(byte & 0x7F) << shift
            guard byte >= 0x80 else { return value }
            shift += 7
        }
    }
}
