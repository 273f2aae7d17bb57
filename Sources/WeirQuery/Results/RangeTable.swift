internal import WeirCore

/// Values of series at consecutive steps, as they are kept between queries; no two series have equal
/// labels.
///
/// Steps have numbers: how many intervals they lie after the first that is not before 1970.
struct RangeTable: Sendable {
    let steps: Range<Int64>
    /// In the order in which answers list series.
    private(set) var labels: [Labels] = []
    /// Row by row; `Double.absent` where there is no number.
    private var values: [Double] = []
    /// By row; one element per step.
    private var histograms: [Int: [HistogramCells.Box?]] = [:]

    /// The rows of a grid that have any value, at steps from `first` on.
    ///
    /// - Returns: Nil when two of them have equal labels.
    init?(_ grid: SeriesGrid, first: Int64) {
        steps = first..<(first + Int64(grid.steps))
        let rows = LabelOrder.sortedIndices(grid.labels).filter { grid.hasValues(row: $0) }
        labels = rows.map { grid.labels[$0] }
        guard Set(labels).count == labels.count else { return nil }
        values.reserveCapacity(rows.count * grid.steps)
        for (place, row) in rows.enumerated() {
            grid.values.withRow(row) { numbers in
                for step in numbers.indices { values.append(numbers[step]) }
            }
            if let cells = grid.histograms?.row(row) { histograms[place] = cells }
        }
    }

    /// Parts of tables, one after the other; series that are in some of them only are absent elsewhere.
    ///
    /// `parts` is not empty, and each part begins where the one before ends.
    init(joining parts: [(table: RangeTable, steps: Range<Int64>)]) {
        let lower = parts.first?.steps.lowerBound ?? 0
        let width = parts.reduce(0) { $0 + $1.steps.count }
        steps = lower..<(lower + Int64(width))
        var rowOf: [Labels: Int] = [:]
        var all: [Labels] = parts.first?.table.labels ?? []
        for (row, labels) in all.enumerated() { rowOf[labels] = row }
        for part in parts.dropFirst() {
            for labels in part.table.labels where rowOf[labels] == nil {
                rowOf[labels] = all.count
                all.append(labels)
            }
        }
        if let first = parts.first, all.count > first.table.labels.count {
            all = LabelOrder.sortedIndices(all).map { all[$0] }
            for (row, labels) in all.enumerated() { rowOf[labels] = row }
        }
        labels = all
        values = [Double](repeating: .absent, count: all.count * width)
        for part in parts {
            let target = Int(part.steps.lowerBound - lower)
            let source = Int(part.steps.lowerBound - part.table.steps.lowerBound)
            let count = part.steps.count
            for (row, labels) in part.table.labels.enumerated() {
                guard let joined = rowOf[labels] else { continue }
                let from = row * part.table.steps.count + source
                let to = joined * width + target
                values.replaceSubrange(
                    to..<(to + count),
                    with: part.table.values[from..<(from + count)]
                )
                guard let cells = part.table.histograms[row] else { continue }
                var whole = histograms[joined] ?? .init(repeating: nil, count: width)
                whole.replaceSubrange(
                    target..<(target + count),
                    with: cells[source..<(source + count)]
                )
                histograms[joined] = whole
            }
        }
    }

    /// What keeping it costs, in bytes.
    var byteCount: Int {
        var bytes = values.count * 8
        for one in labels { bytes += one.bytes.count + 48 }
        for cells in histograms.values {
            bytes += cells.count * 8
            var last: HistogramCells.Box?
            for case let cell? in cells where cell !== last {
                bytes += cell.histogram.byteCount
                last = cell
            }
        }
        return bytes
    }

    /// The series that have a value at some of `window`, which lies within `steps`.
    func series(
        _ window: Range<Int64>,
        time: (Int64) -> Int64,
        context: QueryContext
    ) throws(QueryError) -> [QuerySeries] {
        try context.reserve(bytes: labels.count * window.count * 16)
        let first = Int(window.lowerBound - steps.lowerBound)
        let stepTimes = window.map(time)
        var found: [QuerySeries] = []
        found.reserveCapacity(labels.count)
        for row in labels.indices {
            if row & 63 == 0 { try context.check() }
            let start = row * steps.count + first
            var times: [Int64] = []
            var numbers: [Double] = []
            times.reserveCapacity(window.count)
            numbers.reserveCapacity(window.count)
            for step in 0..<window.count where !values[start + step].isAbsent {
                times.append(stepTimes[step])
                numbers.append(values[start + step])
            }
            var points: [QueryHistogram] = []
            if let cells = histograms[row] {
                for step in 0..<window.count {
                    guard let box = cells[first + step] else { continue }
                    points.append(QueryHistogram(time: stepTimes[step], histogram: box.histogram))
                }
            }
            guard !times.isEmpty || !points.isEmpty else { continue }
            found.append(
                QuerySeries(labels: labels[row], times: times, values: numbers, histograms: points)
            )
        }
        return found
    }
}
