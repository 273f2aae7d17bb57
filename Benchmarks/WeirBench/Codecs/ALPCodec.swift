import WeirCore

/// Vectors of 1,024 values as whole numbers of a power of ten, packed, with exceptions; where there would
/// be too many, the front bits by a dictionary of eight and the others as they are.
///
/// Source: Afroozeh, Kuffo and Boncz, "ALP: adaptive lossless floating-point compression", 2023.
struct ALPCodec: SeriesCodec {
    let name = "ALP"

    private static let vectorCount = 1024
    private static let exponentMax = 18
    private static let powers: [Double] = (0...exponentMax).map { exponent in
        (0..<exponent).reduce(1) { power, _ in power * 10 }
    }
    private static let inversePowers: [Double] = powers.map { 1 / $0 }

    func encode(_ values: [Double], to bytes: inout [UInt8]) {
        for start in stride(from: 0, to: values.count, by: Self.vectorCount) {
            let vector = Array(values[start..<min(start + Self.vectorCount, values.count)])
            if let (exponent, factor) = Self.choose(vector) {
                Self.encode(vector, exponent, factor, to: &bytes)
            } else {
                Self.encodeFront(vector, to: &bytes)
            }
        }
    }

    func decode(_ bytes: [UInt8], at place: inout Int, count: Int, to values: inout [Double]) {
        var rest = count
        while rest > 0 {
            let taken = min(rest, Self.vectorCount)
            let exponent = Int(bytes[place])
            place += 1
            if exponent == 255 {
                Self.decodeFront(bytes, at: &place, count: taken, to: &values)
            } else {
                Self.decode(bytes, exponent, at: &place, count: taken, to: &values)
            }
            rest -= taken
        }
    }

    // MARK: Decimals

    @inline(__always)
    private static func integer(_ value: Double, _ exponent: Int, _ factor: Int) -> Int64? {
        let scaled = value * powers[exponent] * inversePowers[factor]
        guard abs(scaled) < 0x1p51 else { return nil }
        let integer = Int64((scaled + 0x1.8p52) - 0x1.8p52)
        let back = Double(integer) * powers[factor] * inversePowers[exponent]
        return back.bitPattern == value.bitPattern ? integer : nil
    }

    /// The exponent and factor that take the fewest bits on a sample; nil when half of it is no decimal.
    private static func choose(_ values: [Double]) -> (Int, Int)? {
        let step = max(1, values.count / 32)
        let sample = stride(from: 0, to: values.count, by: step).map { values[$0] }
        var best: (pair: (Int, Int), cost: Int)?
        for exponent in 0...exponentMax {
            for factor in 0...exponent {
                let integers = sample.compactMap { integer($0, exponent, factor) }
                guard integers.count * 2 > sample.count, let low = integers.min(),
                    let high = integers.max()
                else { continue }
                let width = 64 - UInt64(bitPattern: high &- low).leadingZeroBitCount
                let cost = width * sample.count + (sample.count - integers.count) * 80
                if cost < best?.cost ?? .max { best = ((exponent, factor), cost) }
            }
        }
        guard let best, best.cost < sample.count * 52 else { return nil }
        return best.pair
    }

    private static func encode(
        _ values: [Double],
        _ exponent: Int,
        _ factor: Int,
        to bytes: inout [UInt8]
    ) {
        var exceptions: [Int] = []
        var integers: [Int64] = []
        integers.reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            let integer = integer(value, exponent, factor)
            if integer == nil { exceptions.append(index) }
            integers.append(integer ?? integers.last ?? 0)
        }
        bytes.append(UInt8(exponent))
        bytes.append(UInt8(factor))
        UInt64(exceptions.count).appendVarint(to: &bytes)
        for index in exceptions {
            UInt64(index).appendVarint(to: &bytes)
            RawCodec.append(values[index].bitPattern, to: &bytes)
        }
        PackingCodec.append(integers, to: &bytes)
    }

    private static func decode(
        _ bytes: [UInt8],
        _ exponent: Int,
        at place: inout Int,
        count: Int,
        to values: inout [Double]
    ) {
        let factor = powers[Int(bytes[place])]
        place += 1
        var exceptions: [(Int, Double)] = []
        for _ in 0..<VarintCodec.varint(bytes, at: &place) {
            let index = Int(VarintCodec.varint(bytes, at: &place))
            exceptions.append((index, Double(bitPattern: RawCodec.word(bytes, at: &place))))
        }
        let start = values.count
        let inverse = inversePowers[exponent]
        for integer in PackingCodec.integers(bytes, at: &place, count: count) {
            values.append(Double(integer) * factor * inverse)
        }
        for (index, value) in exceptions { values[start + index] = value }
    }

    // MARK: Front bits

    private static func encodeFront(_ values: [Double], to bytes: inout [UInt8]) {
        var best: (cut: Int, dictionary: [UInt64], cost: Int)?
        for cut in 48...60 {
            var counts: [UInt64: Int] = [:]
            for value in values { counts[value.bitPattern >> UInt64(cut), default: 0] += 1 }
            let dictionary = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
                .prefix(8).map(\.key)
            let known = dictionary.reduce(0) { $0 + (counts[$1] ?? 0) }
            let cost =
                values.count * (cut + width(of: dictionary)) + (values.count - known) * 32
            if cost < best?.cost ?? .max { best = (cut, dictionary, cost) }
        }
        guard let best else { return }
        bytes.append(255)
        bytes.append(UInt8(best.cut))
        bytes.append(UInt8(best.dictionary.count))
        for front in best.dictionary {
            bytes.append(UInt8(truncatingIfNeeded: front))
            bytes.append(UInt8(truncatingIfNeeded: front >> 8))
        }
        var exceptions: [UInt8] = []
        var exceptionCount: UInt64 = 0
        var writer = BitWriter()
        for (index, value) in values.enumerated() {
            let front = value.bitPattern >> UInt64(best.cut)
            let code = best.dictionary.firstIndex(of: front)
            if code == nil {
                exceptionCount += 1
                UInt64(index).appendVarint(to: &exceptions)
                front.appendVarint(to: &exceptions)
            }
            writer.put(UInt64(code ?? 0), width(of: best.dictionary))
            writer.put(value.bitPattern, best.cut)
        }
        writer.finish()
        exceptionCount.appendVarint(to: &bytes)
        bytes.append(contentsOf: exceptions)
        bytes.append(contentsOf: writer.bytes)
    }

    private static func width(of dictionary: [UInt64]) -> Int {
        Int.bitWidth - (dictionary.count - 1).leadingZeroBitCount
    }

    private static func decodeFront(
        _ bytes: [UInt8],
        at place: inout Int,
        count: Int,
        to values: inout [Double]
    ) {
        let cut = Int(bytes[place])
        let dictionary = (0..<Int(bytes[place + 1])).map { entry in
            UInt64(bytes[place + 2 + 2 * entry]) | UInt64(bytes[place + 3 + 2 * entry]) << 8
        }
        place += 2 + 2 * dictionary.count
        var exceptions: [(Int, UInt64)] = []
        for _ in 0..<VarintCodec.varint(bytes, at: &place) {
            let index = Int(VarintCodec.varint(bytes, at: &place))
            exceptions.append((index, VarintCodec.varint(bytes, at: &place)))
        }
        let width = width(of: dictionary)
        let start = values.count
        var reader = BitReader(bytes, at: place)
        for _ in 0..<count {
            let front = dictionary[Int(reader.take(width))]
            values.append(Double(bitPattern: front << UInt64(cut) | reader.take(cut)))
        }
        place = reader.end
        let low = UInt64.max >> UInt64(64 - cut)
        for (index, front) in exceptions {
            let bits = values[start + index].bitPattern & low | front << UInt64(cut)
            values[start + index] = Double(bitPattern: bits)
        }
    }
}
