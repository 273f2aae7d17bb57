internal import Glibc
internal import WeirCore

/// Aggregation of a grid's series into groups, step by step.
///
/// Any query language may use it.
package struct GridAggregation {
    let input: SeriesGrid
    let context: QueryContext
    /// Where the input was written.
    let place: PromQLPlace
    private let grouping: Grouping
    private let grouped: LabelGroups
    var groups: [Labels] { grouped.labels }
    var groupOf: [Int] { grouped.groupOf }

    package init(
        _ input: SeriesGrid,
        grouping: Grouping,
        at place: PromQLPlace = PromQLPlace(),
        context: QueryContext
    ) {
        self.place = place
        self.input = input
        self.context = context
        self.grouping = grouping
        self.grouped = LabelGroups(input.labels, grouping)
    }

    private var steps: Int { input.steps }

    private func newBuffer(initial: Double = .absent) throws(QueryError) -> GridBuffer {
        try GridBuffer(rows: groups.count, steps: steps, initial: initial, context: context)
    }

    /// The rows of each group.
    private func members() -> [[Int]] {
        var members = [[Int]](repeating: [], count: groups.count)
        for (row, group) in groupOf.enumerated() { members[group].append(row) }
        return members
    }

    /// Folds every present value into its group's row of `target`.
    @inline(__always)
    private func fold(
        _ body: (_ group: Int, _ step: Int, _ value: Double) throws(QueryError) -> Void
    ) throws(QueryError) {
        for row in 0..<input.count {
            if row & 255 == 0 { try context.check() }
            let group = groupOf[row]
            for step in 0..<steps {
                let value = input.values[row, step]
                if !value.isAbsent { try body(group, step, value) }
            }
        }
    }

    /// `sum avg min max count group stddev stdvar`.
    package func reduce(_ operation: AggregationOperator) throws(QueryError) -> SeriesGrid {
        switch operation {
        case .stddev, .stdvar:
            let result = try newBuffer()
            try deviation(isSquared: operation == .stdvar, into: result)
            return try withHistograms(result, operation)
        case _ where GroupAccumulator.takes(operation):
            return try withHistograms(try totals(operation), operation)
        default: throw .unsupported(name: operation.rawValue)
        }
    }

    private func totals(_ operation: AggregationOperator) throws(QueryError) -> GridBuffer {
        let totals = try GroupAccumulator(
            operation,
            groups: groups.count,
            steps: steps,
            context: context
        )
        for row in 0..<input.count {
            if row & 255 == 0 { try context.check() }
            input.values.withRow(row) { totals.add($0.span, to: grouped.groupOf[row]) }
        }
        let open = totals.finish()
        guard !open.isEmpty else { return totals.result }
        // Sums that overflowed, or infinities: take those means one by one.
        let members = members()
        for cell in open {
            var mean = RunningMean()
            for row in members[cell.group] where !input.values[row, cell.step].isAbsent {
                mean.add(input.values[row, cell.step])
            }
            totals.result[cell.group, cell.step] = mean.value
        }
        return totals.result
    }

    private func deviation(isSquared: Bool, into result: GridBuffer) throws(QueryError) {
        let means = try newBuffer(initial: 0)
        let counts = try newBuffer(initial: 0)
        try fold { group, step, value in
            counts[group, step] += 1
            let held = result[group, step]
            if held.isAbsent {
                means[group, step] = value
                result[group, step] = value.isFinite ? 0 : .nan
                return
            }
            let delta = value - means[group, step]
            means[group, step] += delta / counts[group, step]
            result[group, step] = held + delta * (value - means[group, step])
        }
        for group in groups.indices {
            for step in 0..<steps where !result[group, step].isAbsent {
                let variance = result[group, step] / counts[group, step]
                result[group, step] = isSquared ? variance : variance.squareRoot()
            }
        }
    }

    /// The `phi`-quantile of each group, `phi` given per step.
    package func quantile(_ phi: [Double]) throws(QueryError) -> SeriesGrid {
        noteIgnored(.quantile)
        let result = try newBuffer()
        for (group, rows) in members().enumerated() {
            for step in 0..<steps {
                if step & 63 == 0 { try context.check() }
                var numbers: [Double] = []
                for row in rows where !input.values[row, step].isAbsent {
                    numbers.append(input.values[row, step])
                }
                guard !numbers.isEmpty else { continue }
                result[group, step] = Quantile.of(&numbers, phi[step])
            }
        }
        return SeriesGrid(labels: groups, values: result)
    }

    /// The `count` largest (or smallest) series of each group at each step, with their own labels;
    /// at a single step in order of value.
    package func extremes(count: [Double], isTop: Bool) throws(QueryError) -> SeriesGrid {
        let kept = try GridBuffer(rows: input.count, steps: steps, context: context)
        guard try hasAny(count) else { return SeriesGrid(labels: input.labels, values: kept) }
        noteIgnored(isTop ? .topk : .bottomk)
        var order: [Int] = []
        for rows in members() {
            for step in 0..<steps {
                if step & 63 == 0 { try context.check() }
                guard count[step] >= 1 else { continue }
                let wanted = count[step] < Double(rows.count) ? Int(count[step]) : rows.count
                var heap = ExtremeHeap(capacity: wanted, isTop: isTop)
                for row in rows where !input.values[row, step].isAbsent {
                    heap.offer(.init(value: input.values[row, step], row: row))
                }
                for entry in heap.sorted {
                    kept[entry.row, step] = entry.value
                    if steps == 1 { order.append(entry.row) }
                }
            }
        }
        guard steps == 1 else { return SeriesGrid(labels: input.labels, values: kept) }
        let ordered = try GridBuffer(rows: order.count, steps: 1, context: context)
        for (row, source) in order.enumerated() { ordered[row, 0] = kept[source, 0] }
        return SeriesGrid(labels: order.map { input.labels[$0] }, values: ordered)
    }

    /// Whether counts allow any series; refuses those that are no 64-bit integers, where they are
    /// asked for.
    private func hasAny(_ counts: [Double]) throws(QueryError) -> Bool {
        let isAnyNaN = counts.contains(where: \.isNaN)
        guard isAnyNaN || (counts.max() ?? 0) >= 1 else { return false }
        for (step, number) in counts.enumerated()
        where !(number.magnitude < 0x1p63) && input.hasValues(step: step) {
            throw .invalid(
                reason: "Scalar value \(NumberText.general(number)) overflows int64"
            )
        }
        return true
    }

    /// The first `count` series of each group at each step, with their own labels.
    package func first(count: [Double]) throws(QueryError) -> SeriesGrid {
        let kept = try GridBuffer(rows: input.count, steps: steps, context: context)
        guard try hasAny(count) else { return SeriesGrid(labels: input.labels, values: kept) }
        var histograms: Set<Int> = []
        for rows in members() {
            try context.check()
            for step in 0..<steps {
                guard count[step] >= 1 else { continue }
                var left = count[step] < Double(rows.count) ? Int(count[step]) : rows.count
                for row in rows where left > 0 && input.isPresent(row, step) {
                    kept[row, step] = input.values[row, step]
                    if kept[row, step].isAbsent { histograms.insert(row * steps + step) }
                    left -= 1
                }
            }
        }
        return SeriesGrid(
            labels: input.labels,
            values: kept,
            histograms: try input.histograms?.mapped { histogram, row, step in
                histograms.contains(row * steps + step) ? histogram : nil
            }
        )
    }

    /// A share of the series, chosen by their labels: those of a negative ratio are the ones that
    /// one greater by 1 leaves out.
    package func share(_ ratios: [Double]) throws(QueryError) -> SeriesGrid {
        for (step, ratio) in ratios.enumerated() where ratio.isNaN && input.hasValues(step: step) {
            throw .invalid(reason: "Ratio value NaN is NaN")
        }
        let kept = try GridBuffer(rows: input.count, steps: steps, context: context)
        let places = input.labels.map { Double(LabelHash.of($0)) / Double(UInt64.max) }
        func isKept(_ row: Int, _ step: Int) -> Bool {
            let ratio = Swift.max(-1, Swift.min(1, ratios[step]))
            return ratio >= 0 ? places[row] < ratio : places[row] >= 1 + ratio
        }
        for row in 0..<input.count {
            if row & 255 == 0 { try context.check() }
            for step in 0..<steps where !input.values[row, step].isAbsent && isKept(row, step) {
                kept[row, step] = input.values[row, step]
            }
        }
        return SeriesGrid(
            labels: input.labels,
            values: kept,
            histograms: try input.histograms?.mapped { histogram, row, step in
                isKept(row, step) ? histogram : nil
            }
        )
    }

    /// How often each value occurs in each group; the value becomes the label `name`.
    package func countValues(name: String) throws(QueryError) -> SeriesGrid {
        try context.reserve(bytes: input.count * steps * 24)
        var rowOf: [Labels: Int] = [:]
        var labels: [Labels] = []
        var cells: [(row: Int, step: Int)] = []
        let isNameDropped = grouping.isWithout && grouping.labels.contains(name)
        var known: [[UInt64: Int]] = .init(repeating: [:], count: groups.count)
        func row(of group: Int, _ text: String) throws(QueryError) -> Int {
            let full = isNameDropped ? groups[group] : groups[group].setting(name, to: text)
            if let row = rowOf[full] { return row }
            guard labels.count < context.seriesMax else {
                throw .limit(name: "query series", limit: context.seriesMax)
            }
            rowOf[full] = labels.count
            labels.append(full)
            return labels.count - 1
        }
        try fold { (group, step, value) throws(QueryError) in
            let bits = value.isNaN ? Double.nan.bitPattern : value.bitPattern
            if let row = known[group][bits] {
                cells.append((row, step))
                return
            }
            let row = try row(of: group, NumberText.plain(value))
            known[group][bits] = row
            cells.append((row, step))
        }
        try countHistograms { (group, step, text) throws(QueryError) in
            cells.append((try row(of: group, text), step))
        }
        let result = try GridBuffer(rows: labels.count, steps: steps, context: context)
        for cell in cells {
            let held = result[cell.row, cell.step]
            result[cell.row, cell.step] = held.isAbsent ? 1 : held + 1
        }
        return SeriesGrid(labels: labels, values: result)
    }
}
