package import WeirCore

/// A vector at every step of a grid: one row of numbers per series, `Double.absent` where a series
/// has no value.
///
/// Rows that are absent throughout do not count as series.
package struct SeriesGrid: Sendable {
    /// One per row of `values`.
    package var labels: [Labels]
    package var values: GridBuffer
    /// The histograms of series that have any; nil when none was selected.
    package var histograms: HistogramCells?

    package static let duplicateLabels = "vector cannot contain metrics with the same labelset"

    package init(labels: [Labels], values: GridBuffer, histograms: HistogramCells? = nil) {
        precondition(labels.count == values.rows)
        self.labels = labels
        self.values = values
        self.histograms = histograms
    }

    package var count: Int { labels.count }
    package var steps: Int { values.steps }

    /// Whether there is a number or a histogram.
    @inline(__always)
    package func isPresent(_ row: Int, _ step: Int) -> Bool {
        if !values[row, step].isAbsent { return true }
        guard let histograms else { return false }
        return histograms[row, step] != nil
    }

    /// Whether the row has a number or a histogram at some step.
    package func hasValues(row: Int) -> Bool {
        values.hasValues(row: row) || histograms?.hasValues(row: row) ?? false
    }

    /// Without the rows that have no value.
    package func compacted(context: QueryContext) throws(QueryError) -> SeriesGrid {
        let kept = labels.indices.filter { hasValues(row: $0) }
        guard kept.count < count else { return self }
        let target = try GridBuffer(rows: kept.count, steps: steps, context: context)
        for (row, source) in kept.enumerated() {
            for step in 0..<steps { target[row, step] = values[source, step] }
        }
        return SeriesGrid(
            labels: kept.map { labels[$0] },
            values: target,
            histograms: try histograms?.rearranged(kept)
        )
    }

    /// Joins rows with equal labels into one, as long as they never have a value at one step.
    ///
    /// - Throws: `.invalid(conflict)` when they have.
    package func merged(
        conflict: String = Self.duplicateLabels,
        context: QueryContext
    ) throws(QueryError) -> SeriesGrid {
        guard Set(labels).count < count else { return self }
        var rowOf: [Labels: Int] = [:]
        var result = try compacted(context: context)
        var isEmptied = false
        for row in 0..<result.count {
            guard let first = rowOf[result.labels[row]] else {
                rowOf[result.labels[row]] = row
                continue
            }
            for step in 0..<steps where result.isPresent(row, step) {
                guard !result.isPresent(first, step) else { throw .invalid(reason: conflict) }
                result.values[first, step] = result.values[row, step]
                result.values[row, step] = .absent
            }
            try result.histograms?.move(row, into: first)
            isEmptied = true
        }
        if isEmptied { result = try result.compacted(context: context) }
        return result
    }

    /// Refuses two series with equal labels, even if they never meet at one step.
    package func unique(context: QueryContext) throws(QueryError) -> SeriesGrid {
        guard Set(labels).count < count else { return self }
        let result = try compacted(context: context)
        guard Set(result.labels).count == result.count else {
            throw .invalid(reason: Self.duplicateLabels)
        }
        return result
    }

    /// Replaces every present number; histograms stay.
    @inline(__always)
    package func update(_ body: (_ value: Double, _ step: Int) -> Double) {
        for row in 0..<count {
            values.withRow(row) { numbers in
                for step in numbers.indices where !numbers[step].isAbsent {
                    numbers[step] = body(numbers[step], step)
                }
            }
        }
    }

    /// Calls `body` for every histogram.
    package func forEachHistogram(
        _ body: (_ histogram: FloatHistogram, _ row: Int, _ step: Int) -> Void
    ) {
        guard let histograms else { return }
        for row in histograms.rowIndexes {
            guard let boxes = histograms.row(row) else { continue }
            for step in boxes.indices {
                if let box = boxes[step] { body(box.histogram, row, step) }
            }
        }
    }

    package mutating func dropMetricNames() {
        for row in labels.indices { labels[row] = labels[row].droppingMetricName }
    }
}
