/// A gauge with one decimal place and a whole-numbered counter of each of many places, every 15 s.
struct HourlyData {
    static let intervalSeconds: Int64 = 15

    private var numbers: SeededNumbers
    private var gauges: [Int]
    private var counters: [Int]
    private let heads: [[UInt8]]

    /// Two series each of `places`.
    init(places: Int, seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        heads = (0..<places).map { place in
            Array("bench,host=host_\(place),region=r\(place % 9) load=".utf8)
        }
        gauges = (0..<places).map { _ in numbers.index(below: 1000) }
        counters = (0..<places).map { _ in numbers.index(below: 1_000_000) }
        self.numbers = numbers
    }

    /// One hour from `start`, the first sample at its very begin.
    mutating func hour(from start: Int64) -> [[UInt8]] {
        var bodies = LineBodies(linesPerBody: 40_000, lineBytes: 100)
        let step = Self.intervalSeconds * DataSet.second
        for time in stride(from: start, to: start + DataSet.hour, by: Int(step)) {
            for place in heads.indices {
                let word = numbers.next()
                gauges[place] = min(1000, max(0, gauges[place] + Int(word % 21) - 10))
                counters[place] += Int((word >> 32) % 50)
                bodies.append(heads[place])
                bodies.append(gauges[place] / 10)
                bodies.append(UInt8(ascii: "."))
                bodies.append(gauges[place] % 10)
                bodies.append(",requests_total=")
                bodies.append(counters[place])
                bodies.append(UInt8(ascii: "i"))
                bodies.endLine(at: time)
            }
        }
        return bodies.finish()
    }
}
