import Glibc

/// Hosts with ten whole-numbered gauges each, walking at random in 0...100 as the Time Series
/// Benchmark Suite's `cpu` table does.
struct GaugeData {
    static let fieldNames = [
        "usage_user", "usage_system", "usage_idle", "usage_nice", "usage_iowait", "usage_irq",
        "usage_softirq", "usage_steal", "usage_guest", "usage_guest_nice",
    ]

    private var numbers: SeededNumbers
    private var values: [Double]
    private let heads: [[UInt8]]
    /// `usage_user=`, `i,usage_system=`, ….
    private let fieldHeads: [[UInt8]]

    init(hosts: Int, seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        heads = (0..<hosts).map { HostTags.head("cpu", host: $0, &numbers) }
        fieldHeads = Self.fieldNames.enumerated().map { index, name in
            Array(((index == 0 ? "" : "i,") + name + "=").utf8)
        }
        values = (0..<(hosts * Self.fieldNames.count)).map { _ in numbers.uniform() * 100 }
        self.numbers = numbers
    }

    /// One sample of every gauge, at one time.
    mutating func appendRound(at time: Int64, to bodies: inout LineBodies) {
        var place = 0
        for head in heads {
            bodies.append(head)
            for fieldHead in fieldHeads {
                bodies.append(fieldHead)
                bodies.append(Int(values[place].rounded()))
                values[place] = min(100, max(0, values[place] + numbers.gaussian()))
                place += 1
            }
            bodies.append(UInt8(ascii: "i"))
            bodies.endLine(at: time)
        }
    }

    /// The first set: a sample every 10 s until noon of the last whole day.
    ///
    /// `minutes`: 720 for the whole set.
    static func set(
        hosts: Int = 100,
        minutes: Int64,
        seed: UInt64,
        linesPerBody: Int = DataSet.linesPerBody
    ) -> DataSet {
        var data = Self(hosts: hosts, seed: seed)
        var bodies = LineBodies(linesPerBody: linesPerBody, lineBytes: 400)
        let end = DataSet.lastWholeDay() + 12 * DataSet.hour
        let start = end - minutes * DataSet.minute
        for time in stride(from: start, to: end, by: Int(10 * DataSet.second)) {
            data.appendRound(at: time + 10 * DataSet.second, to: &bodies)
        }
        let series = hosts * fieldNames.count
        return DataSet(
            name: "gauges",
            bodies: bodies.finish(),
            sampleCount: bodies.lineCount * fieldNames.count,
            seriesCount: series,
            start: start,
            end: end
        )
    }
}
