import Glibc

/// What real exporters send beside small gauges: per host 15 request counters, 15 counters of
/// bytes, 15 floats of one to three decimals and 15 floats of full precision.
enum MixedData {
    static let fieldsPerKind = 15

    /// A sample every 10 s until noon of the last whole day.
    static func set(hosts: Int = 100, minutes: Int64, seed: UInt64) -> DataSet {
        var numbers = SeededNumbers(seed: seed)
        let heads = (0..<hosts).map { HostTags.head("node", host: $0, &numbers) }
        var fields = (0..<hosts).flatMap { _ in
            (0..<(4 * fieldsPerKind)).map { Field(index: $0, &numbers) }
        }
        let names = (0..<(4 * fieldsPerKind)).map { index in
            (index == 0 ? "" : ",") + Field.name(index) + "="
        }.map { Array($0.utf8) }
        var bodies = LineBodies(linesPerBody: DataSet.linesPerBody / 5, lineBytes: 1800)
        let end = DataSet.lastWholeDay() + 12 * DataSet.hour
        let start = end - minutes * DataSet.minute
        for time in stride(from: start, to: end, by: Int(10 * DataSet.second)) {
            var place = 0
            for head in heads {
                bodies.append(head)
                for name in names {
                    bodies.append(name)
                    fields[place].appendNext(to: &bodies, &numbers)
                    place += 1
                }
                bodies.endLine(at: time + 10 * DataSet.second)
            }
        }
        return DataSet(
            name: "mixed",
            bodies: bodies.finish(),
            sampleCount: bodies.lineCount * names.count,
            seriesCount: hosts * names.count,
            start: start,
            end: end
        )
    }

    /// One series' generator.
    private struct Field {
        private enum Kind: Int {
            case requests
            case bytes
            case decimals
            case precise
        }
        private let kind: Kind
        private let rate: Double
        private let scale: Double
        private var count = 0
        private var level: Double

        init(index: Int, _ numbers: inout SeededNumbers) {
            kind = Kind(rawValue: index / MixedData.fieldsPerKind) ?? .precise
            let place = index % MixedData.fieldsPerKind
            // From one event in a while to thousands a second.
            rate = pow(10, Double(place % 5) - 0.5) * (0.5 + numbers.uniform())
            scale = [10, 100, 1000][place % 3]
            level = numbers.uniform() * 100
            count = numbers.index(below: kind == .bytes ? 1 << 40 : 1 << 20)
        }

        static func name(_ index: Int) -> String {
            let place = index % MixedData.fieldsPerKind
            return switch Kind(rawValue: index / MixedData.fieldsPerKind) ?? .precise {
            case .requests: "requests_\(place)_total"
            case .bytes: "sent_\(place)_bytes_total"
            case .decimals: "temperature_\(place)"
            case .precise: "latency_\(place)_seconds"
            }
        }

        mutating func appendNext(to bodies: inout LineBodies, _ numbers: inout SeededNumbers) {
            switch kind {
            case .requests:
                count += max(0, Int((rate + rate.squareRoot() * numbers.gaussian()).rounded()))
                bodies.append(count)
                bodies.append(UInt8(ascii: "i"))
            case .bytes:
                let packets = max(0, rate + rate.squareRoot() * numbers.gaussian())
                count += Int(packets) * 1460 + numbers.index(below: 1460)
                bodies.append(count)
                bodies.append(UInt8(ascii: "i"))
            case .decimals:
                level += numbers.gaussian() * 0.3
                bodies.append(String((level * scale).rounded() / scale))
            case .precise:
                level = max(0.001, level + numbers.gaussian())
                bodies.append(String(level * (1 + 0.1 * numbers.gaussian())))
            }
        }
    }
}
