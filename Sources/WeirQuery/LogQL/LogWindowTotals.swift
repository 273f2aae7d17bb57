/// Turns a group's cells into its values at each window.
struct LogWindowTotals {
    let operation: LogQLRangeOperation
    let windows: LogWindows
    let seconds: Double

    func fill(_ values: GridBuffer, _ row: Int, _ cells: LogCells) {
        let base = row * cells.width
        if windows.binWidth == nil {
            for step in 0..<windows.count where cells.counts[base + step] > 0 {
                values[row, step] = value(cells, base + step)
            }
            return
        }
        let isCounting = cells.kind == .sum && operation != .sum && operation != .avg
        if isCounting, isWhole {
            // Whole numbers slide without loss: add what comes, take away what goes.
            slide(values, row, cells, base)
            return
        }
        var joined = LogCells(cells.kind, width: 1)
        for step in 0..<windows.count {
            joined = LogCells(cells.kind, width: 1)
            joined.grow(toGroups: 1)
            for cell in windows.cells(ofWindow: step) { joined.join(0, cells, base + cell) }
            if joined.counts[0] > 0 { values[row, step] = value(joined, 0) }
        }
    }

    /// Counts and lengths are whole; unwrapped numbers need not be.
    private var isWhole: Bool {
        operation == .count || operation == .bytes || operation == .bytesRate
    }

    private func slide(_ values: GridBuffer, _ row: Int, _ cells: LogCells, _ base: Int) {
        var count = 0.0
        var total = 0.0
        var held = windows.cells(ofWindow: 0)
        for cell in held {
            count += cells.counts[base + cell]
            total += cells.totals[base + cell]
        }
        for step in 0..<windows.count {
            let next = windows.cells(ofWindow: step)
            for cell in held.lowerBound..<min(next.lowerBound, held.upperBound) {
                count -= cells.counts[base + cell]
                total -= cells.totals[base + cell]
            }
            for cell in max(
                held.upperBound,
                next.lowerBound
            )..<max(held.upperBound, next.upperBound) {
                count += cells.counts[base + cell]
                total += cells.totals[base + cell]
            }
            held = next
            if count > 0 {
                values[row, step] = operation == .bytesRate ? total / seconds : total
            }
        }
    }

    private func value(_ cells: LogCells, _ place: Int) -> Double {
        let total = cells.totals[place]
        switch operation {
        case .rate, .bytesRate: return total / seconds
        case .avg: return total / cells.counts[place]
        case .stddev: return (cells.squares[place] / cells.counts[place]).squareRoot()
        case .stdvar: return cells.squares[place] / cells.counts[place]
        default: return total
        }
    }
}

/// Turns kept values into values at each window: quantiles and counter rates.
struct LogWindowValues {
    let operation: LogQLRangeOperation
    let parameter: Double
    let windows: LogWindows

    func fill(
        _ values: GridBuffer,
        _ samples: [LogCells.Sample],
        _ context: QueryContext
    ) throws(QueryError) {
        if windows.count == 1, operation == .quantile {
            var numbers = [[Double]](repeating: [], count: values.rows)
            for sample in samples { numbers[Int(sample.group)].append(sample.value) }
            for row in 0..<values.rows where !numbers[row].isEmpty {
                try context.check()
                values[row, 0] = Quantile.of(&numbers[row], parameter)
            }
            return
        }
        var byGroup = [[LogCells.Sample]](repeating: [], count: values.rows)
        for sample in samples { byGroup[Int(sample.group)].append(sample) }
        for row in 0..<values.rows {
            try context.check()
            byGroup[row].sort { ($0.time, $0.order) < ($1.time, $1.order) }
            let held = byGroup[row]
            var first = 0
            var end = 0
            for step in 0..<windows.count {
                let last = windows.end(step)
                while end < held.count, held[end].time <= last { end += 1 }
                while first < end, held[first].time <= last - windows.range { first += 1 }
                guard first < end else { continue }
                if operation == .quantile {
                    var numbers = held[first..<end].map(\.value)
                    values[row, step] = Quantile.of(&numbers, parameter)
                } else {
                    values[row, step] = rate(held[first..<end], end: last)
                }
            }
        }
    }

    /// A counter's growth per second, resets counted, extrapolated to the window's ends as
    /// Prometheus does.
    private func rate(_ samples: ArraySlice<LogCells.Sample>, end: Int64) -> Double {
        guard samples.count >= 2, let first = samples.first, let last = samples.last else {
            return 0
        }
        var growth = last.value - first.value
        var previous = first.value
        for sample in samples {
            if sample.value < previous { growth += previous }
            previous = sample.value
        }
        let seconds = Double(windows.range) / 1e9
        var toStart = Double(first.time - (end - windows.range)) / 1e9
        let toEnd = Double(end - last.time) / 1e9
        let sampled = Double(last.time - first.time) / 1e9
        guard sampled > 0 else { return 0 }
        let average = sampled / Double(samples.count - 1)
        if growth > 0, first.value >= 0 {
            toStart = min(toStart, sampled * (first.value / growth))
        }
        let threshold = average * 1.1
        var extrapolated = sampled
        extrapolated += toStart < threshold ? toStart : average / 2
        extrapolated += toEnd < threshold ? toEnd : average / 2
        return growth * (extrapolated / sampled) / seconds
    }
}
