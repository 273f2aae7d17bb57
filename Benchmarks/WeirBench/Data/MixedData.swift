/// What one host's agent sends beside `cpu`: eight tables of 89 fields, in the shape of the Time
/// Series Benchmark Suite's `devops` case: counters, sizes in bytes, values that run into a limit,
/// constants, and three percentages of full precision.
enum MixedData {
    /// A sample every 10 s until noon of the last whole day.
    static func set(hosts: Int = 100, minutes: Int64, seed: UInt64) -> DataSet {
        var numbers = SeededNumbers(seed: seed)
        var agents = (0..<hosts).map { Agent(host: $0, &numbers) }
        var bodies = LineBodies(linesPerBody: DataSet.linesPerBody, lineBytes: 500)
        let end = DataSet.lastWholeDay() + 12 * DataSet.hour
        let start = end - minutes * DataSet.minute
        for time in stride(from: start, to: end, by: Int(10 * DataSet.second)) {
            for index in agents.indices {
                agents[index].appendRound(at: time + 10 * DataSet.second, to: &bodies, &numbers)
            }
        }
        let rounds = Int(minutes) * 6
        return DataSet(
            name: "mixed",
            bodies: bodies.finish(),
            sampleCount: rounds * hosts * MixedTable.fieldCount,
            seriesCount: hosts * MixedTable.fieldCount,
            start: start,
            end: end
        )
    }

    /// One host: the tables with their fields' states, and its memory.
    private struct Agent {
        private var tables: [Table]
        private let memoryHead: [UInt8]
        private var memory: MemoryValues

        private struct Table {
            let head: [UInt8]
            let fieldHeads: [[UInt8]]
            var fields: [MixedField]
        }

        init(host: Int, _ numbers: inout SeededNumbers) {
            var tables: [Table] = []
            for table in MixedTable.all {
                let head = HostTags.head(table.name, host: host, &numbers)
                let fieldHeads = table.fields.enumerated().map { place, field -> [UInt8] in
                    Array((place == 0 ? "\(field.name)=" : "i,\(field.name)=").utf8)
                }
                let fields = table.fields.map(\.field)
                tables.append(Table(head: head, fieldHeads: fieldHeads, fields: fields))
            }
            self.tables = tables
            memoryHead = HostTags.head("mem", host: host, &numbers)
            memory = MemoryValues(&numbers)
        }

        mutating func appendRound(
            at time: Int64,
            to bodies: inout LineBodies,
            _ numbers: inout SeededNumbers
        ) {
            for index in tables.indices {
                bodies.append(tables[index].head)
                for (place, head) in tables[index].fieldHeads.enumerated() {
                    bodies.append(head)
                    bodies.append(tables[index].fields[place].next(&numbers))
                }
                bodies.append(UInt8(ascii: "i"))
                bodies.endLine(at: time)
            }
            bodies.append(memoryHead)
            bodies.append(memory.nextFields(&numbers))
            bodies.endLine(at: time)
        }
    }

    /// The table `mem`: three sizes walk at random, the others follow from them.
    private struct MemoryValues {
        private let total: Double
        private var used: Double
        private var cached: Double
        private var buffered: Double

        init(_ numbers: inout SeededNumbers) {
            total = [8, 12, 16][numbers.index(below: 3)] * 0x1p30
            used = numbers.uniform() * total
            cached = numbers.uniform() * total
            buffered = numbers.uniform() * total
        }

        mutating func nextFields(_ numbers: inout SeededNumbers) -> String {
            func walked(_ size: Double) -> Double {
                min(total, max(0, size + numbers.gaussian() * total / 64))
            }
            used = walked(used)
            cached = walked(cached)
            buffered = walked(buffered)
            let usedBytes = Int(used)
            let free = Int(total) - usedBytes
            return "total=\(Int(total))i,available=\(free)i,used=\(usedBytes)i,free=\(free)i,"
                + "cached=\(Int(cached))i,buffered=\(Int(buffered))i,"
                + "used_percent=\(100 * (Double(usedBytes) / total)),"
                + "available_percent=\(100 * (Double(free) / total)),"
                + "buffered_percent=\(100 * Double(Int(buffered)) / total)"
        }
    }
}
