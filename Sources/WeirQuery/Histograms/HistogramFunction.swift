internal import WeirCore

/// A function of histograms of both kinds: those kept as series of buckets, and native ones.
struct HistogramFunction {
    private let input: SeriesGrid
    private let context: QueryContext
    /// Where the input was written.
    private let place: PromQLPlace
    /// By their series' labels without `le`: the rows of each classic histogram.
    private var classic: [Labels: [(bound: Double, row: Int)]] = [:]
    /// In order of first appearance.
    private var classicLabels: [Labels] = []

    init(_ input: SeriesGrid, at place: PromQLPlace, context: QueryContext) {
        self.place = place
        self.input = input
        self.context = context
        for row in 0..<input.count {
            guard let text = input.labels[row][ClassicHistogram.boundLabel],
                let bound = ClassicHistogram.parseBound(text)
            else { continue }
            let own = input.labels[row].dropping([ClassicHistogram.boundLabel])
            if classic[own] == nil { classicLabels.append(own) }
            classic[own, default: []].append((bound, row))
        }
    }

    /// One number for each histogram, without the metric's name.
    ///
    /// Where a series has both kinds at one step there is none.
    func estimated(
        classic estimate: (inout [ClassicHistogram.Bucket], _ step: Int, _ name: String) -> Double,
        native: (FloatHistogram, _ step: Int) -> Double
    ) throws(QueryError) -> SeriesGrid {
        let nativeRows = input.histograms?.rowIndexes ?? []
        let result = try GridBuffer(
            rows: classicLabels.count + nativeRows.count,
            steps: input.steps,
            context: context
        )
        for (group, own) in classicLabels.enumerated() {
            try context.check()
            let members = (classic[own] ?? []).sorted { $0.bound < $1.bound }
            // Prometheus tells the name at a histogram's first step only.
            var name = own[Labels.metricNameLabel] ?? ""
            for step in 0..<input.steps {
                var buckets = self.buckets(members, step)
                guard !buckets.isEmpty else { continue }
                result[group, step] = estimate(&buckets, step, name)
                name = ""
            }
        }
        var labels = classicLabels
        var groupOf: [Labels: Int] = [:]
        if !nativeRows.isEmpty {
            for (group, own) in classicLabels.enumerated() { groupOf[own] = group }
        }
        for (index, row) in nativeRows.enumerated() {
            try context.check()
            labels.append(input.labels[row])
            guard let boxes = input.histograms?.row(row) else { continue }
            let rival = groupOf[input.labels[row]]
            for step in boxes.indices {
                guard let box = boxes[step] else { continue }
                if let rival, !result[rival, step].isAbsent {
                    result[rival, step] = .absent
                    context.note(
                        .mixedWithClassic(metric: input.labels[row][Labels.metricNameLabel] ?? ""),
                        at: place
                    )
                    continue
                }
                result[classicLabels.count + index, step] = native(box.histogram, step)
            }
        }
        return try SeriesGrid(labels: labels.map(\.droppingMetricName), values: result)
            .merged(context: context)
    }

    private func buckets(
        _ members: [(bound: Double, row: Int)],
        _ step: Int
    ) -> [ClassicHistogram.Bucket] {
        var buckets: [ClassicHistogram.Bucket] = []
        for member in members {
            let count = input.values[member.row, step]
            if count.isAbsent { continue }
            if let last = buckets.last, last.bound == member.bound {
                buckets[buckets.count - 1].count += count
            } else {
                buckets.append(ClassicHistogram.Bucket(bound: member.bound, count: count))
            }
        }
        return buckets
    }
}
