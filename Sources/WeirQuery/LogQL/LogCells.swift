/// What rows leave behind in cells: totals from which a range aggregation's value is made.
struct LogCells: Sendable {
    enum Kind: Sendable {
        /// The sum of what is added, with the number of rows.
        case sum
        case min
        case max
        case moments
        case first
        case last
        /// Every value, for what needs them in order.
        case values

        init(_ operation: LogQLRangeOperation) {
            switch operation {
            case .min: self = .min
            case .max: self = .max
            case .stddev, .stdvar: self = .moments
            case .first: self = .first
            case .last: self = .last
            case .quantile, .rateCounter: self = .values
            default: self = .sum
            }
        }
    }

    /// A value with its place in the order of rows.
    struct Sample: Sendable {
        let group: Int32
        let time: Int64
        /// Block and row: the order of arrival.
        let order: UInt64
        let value: Double
    }

    let kind: Kind
    let width: Int
    private(set) var counts: [Double] = []
    private(set) var totals: [Double] = []
    private(set) var squares: [Double] = []
    private(set) var times: [Int64] = []
    private(set) var orders: [UInt64] = []
    private(set) var samples: [Sample] = []
    private(set) var groups = 0

    init(_ kind: Kind, width: Int) {
        self.kind = kind
        self.width = width
    }

    /// What one more group takes in memory.
    var bytesPerGroup: Int {
        switch kind {
        case .values: 0
        case .sum, .min, .max: width * 16
        case .moments: width * 24
        case .first, .last: width * 32
        }
    }

    mutating func grow(toGroups count: Int) {
        guard count > groups else { return }
        groups = count
        guard kind != .values else { return }
        let cells = count * width
        func fill<Number: Numeric>(_ array: inout [Number]) {
            array.append(contentsOf: repeatElement(0, count: cells - array.count))
        }
        fill(&counts)
        fill(&totals)
        if kind == .moments { fill(&squares) }
        if kind == .first || kind == .last {
            fill(&times)
            fill(&orders)
        }
    }

    /// Adds `count` rows that sum up to `total` at once: for `.sum` only.
    @inline(__always)
    mutating func addSum(group: Int, cell: Int, count: Double, total: Double) {
        let place = group &* width &+ cell
        counts[place] += count
        totals[place] += total
    }

    @inline(__always)
    mutating func add(group: Int, cell: Int, value: Double, time: Int64, order: UInt64) {
        let place = group &* width &+ cell
        if kind == .values {
            samples.append(
                Sample(
                    group: Int32(truncatingIfNeeded: group),
                    time: time,
                    order: order,
                    value: value
                )
            )
            return
        }
        let count = counts[place] + 1
        counts[place] = count
        switch kind {
        case .sum: totals[place] += value
        case .min:
            if count == 1 || value < totals[place] || totals[place].isNaN { totals[place] = value }
        case .max:
            if count == 1 || value > totals[place] || totals[place].isNaN { totals[place] = value }
        case .moments:
            let delta = value - totals[place]
            totals[place] += delta / count
            squares[place] += delta * (value - totals[place])
        case .first, .last: settle(place, count == 1, value, time, order)
        case .values: break
        }
    }

    private mutating func settle(
        _ place: Int,
        _ isNew: Bool,
        _ value: Double,
        _ time: Int64,
        _ order: UInt64
    ) {
        let isBetter =
            kind == .first
            ? (time, order) < (times[place], orders[place])
            : (time, order) > (times[place], orders[place])
        guard isNew || isBetter else { return }
        totals[place] = value
        times[place] = time
        orders[place] = order
    }

    /// Joins cell `from` of `other` into cell `to`.
    mutating func join(_ to: Int, _ other: LogCells, _ from: Int) {
        let added = other.counts[from]
        guard added > 0 else { return }
        let held = counts[to]
        counts[to] = held + added
        let value = other.totals[from]
        switch kind {
        case .sum: totals[to] += value
        case .min:
            if held == 0 || value < totals[to] || totals[to].isNaN { totals[to] = value }
        case .max:
            if held == 0 || value > totals[to] || totals[to].isNaN { totals[to] = value }
        case .moments:
            let delta = value - totals[to]
            let total = held + added
            totals[to] += delta * added / total
            squares[to] += other.squares[from] + delta * delta * held * added / total
        case .first, .last:
            settle(to, held == 0, value, other.times[from], other.orders[from])
        case .values: break
        }
    }

    /// Joins what a block left, whose group `i` is `map[i]` here and whose cells start at `shift`.
    mutating func merge(_ other: LogCells, map: [Int], shift: Int) {
        if kind == .values {
            samples.reserveCapacity(samples.count + other.samples.count)
            for sample in other.samples {
                samples.append(
                    Sample(
                        group: Int32(map[Int(sample.group)]),
                        time: sample.time,
                        order: sample.order,
                        value: sample.value
                    )
                )
            }
            return
        }
        for (group, target) in map.enumerated() {
            for cell in 0..<other.width {
                join(target * width + shift + cell, other, group * other.width + cell)
            }
        }
    }
}
