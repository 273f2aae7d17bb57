internal import WeirCore

/// What aggregations do with the histograms among their series.
extension GridAggregation {
    /// Completes an aggregation of numbers by what `operation` makes of histograms; where a group
    /// has both at one step, it has no sum and no mean.
    func withHistograms(
        _ numbers: GridBuffer,
        _ operation: AggregationOperator
    ) throws(QueryError) -> SeriesGrid {
        guard let cells = input.histograms, !cells.isEmpty else {
            return SeriesGrid(labels: groups, values: numbers)
        }
        var result = SeriesGrid(labels: groups, values: numbers)
        switch operation {
        case .sum, .avg:
            result.histograms = try totals(cells, numbers, isMean: operation == .avg)
        case .count:
            input.forEachHistogram { _, row, step in
                let held = numbers[groupOf[row], step]
                numbers[groupOf[row], step] = held.isAbsent ? 1 : held + 1
            }
        case .group: input.forEachHistogram { _, row, step in numbers[groupOf[row], step] = 1 }
        default: noteIgnored(operation)
        }
        return result
    }

    /// Says that histograms were left out, if there are any.
    func noteIgnored(_ operation: AggregationOperator) {
        if let cells = input.histograms, !cells.isEmpty {
            context.note(.ignoredInAggregation(operation.rawValue), at: place)
        }
    }

    private func totals(
        _ cells: HistogramCells,
        _ numbers: GridBuffer,
        isMean: Bool
    ) throws(QueryError) -> HistogramCells {
        let result = HistogramCells(steps: input.steps, context: context)
        // In order of labels: which comes first may change the last bit.
        var members: [Int: [Int]] = [:]
        let rows = cells.rowIndexes
        for place in LabelOrder.sortedIndices(rows.map { input.labels[$0] }) {
            members[groupOf[rows[place]], default: []].append(rows[place])
        }
        for (group, rows) in members {
            try context.check()
            var totals = [HistogramTotal?](repeating: nil, count: input.steps)
            for row in rows {
                guard let boxes = cells.row(row) else { continue }
                for step in boxes.indices {
                    guard let box = boxes[step] else { continue }
                    var total = totals[step] ?? HistogramTotal(isMean: isMean)
                    totals[step] = nil
                    if !total.isFailed {
                        do throws(HistogramMismatch) {
                            try total.add(box.histogram)
                        } catch {
                            let metric = input.labels[row][Labels.metricNameLabel] ?? ""
                            context.note(HistogramNote(error, metric: metric), at: place)
                        }
                    }
                    totals[step] = total
                }
            }
            var found = [HistogramCells.Box?](repeating: nil, count: input.steps)
            for step in totals.indices {
                guard let total = totals[step] else { continue }
                if !numbers[group, step].isAbsent {
                    context.note(.mixedWithFloatsInAggregation, at: place)
                    numbers[group, step] = .absent
                } else if let value = total.value {
                    found[step] = HistogramCells.Box(value.compacted())
                }
            }
            try result.set(group, found)
        }
        return result
    }

    /// How often each histogram occurs, by its text.
    func countHistograms(
        _ body: (_ group: Int, _ step: Int, _ text: String) throws(QueryError) -> Void
    ) throws(QueryError) {
        guard let cells = input.histograms else { return }
        for row in cells.rowIndexes {
            try context.check()
            guard let boxes = cells.row(row) else { continue }
            for step in boxes.indices {
                guard let box = boxes[step] else { continue }
                let text = box.histogram.text
                try context.reserve(bytes: text.utf8.count)
                try body(groupOf[row], step, text)
            }
        }
    }
}
