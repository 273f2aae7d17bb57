internal import WeirCore

/// Quantiles of histograms kept as cumulative buckets: series that differ only in `le`.
enum ClassicHistogram {
    private static let bucketLabel = "le"
    /// Counts that fall by less than this share are float noise.
    private static let noise = 1e-12

    private struct Bucket {
        let bound: Double
        var count: Double
    }

    /// The `phi`-quantile of each histogram in `input`, `phi` given per step.
    static func quantiles(
        _ phi: [Double],
        _ input: SeriesGrid,
        context: QueryContext
    ) throws(QueryError) -> SeriesGrid {
        var groupOf: [Labels: Int] = [:]
        var labels: [Labels] = []
        var members: [[(bound: Double, row: Int)]] = []
        for row in 0..<input.count {
            guard let text = input.labels[row][bucketLabel], let bound = parseBound(text) else {
                continue
            }
            let own = input.labels[row].dropping([bucketLabel, Labels.metricNameLabel])
            let group = groupOf[own] ?? labels.count
            if group == labels.count {
                groupOf[own] = group
                labels.append(own)
                members.append([])
            }
            members[group].append((bound, row))
        }
        let result = try GridBuffer(rows: labels.count, steps: input.steps, context: context)
        for group in labels.indices {
            try context.check()
            members[group].sort { $0.bound < $1.bound }
            for step in 0..<input.steps {
                var buckets: [Bucket] = []
                for member in members[group] {
                    let count = input.values[member.row, step]
                    if count.isAbsent { continue }
                    if let last = buckets.last, last.bound == member.bound {
                        buckets[buckets.count - 1].count += count
                    } else {
                        buckets.append(Bucket(bound: member.bound, count: count))
                    }
                }
                guard !buckets.isEmpty else { continue }
                result[group, step] = quantile(phi[step], &buckets)
            }
        }
        return SeriesGrid(labels: labels, values: result)
    }

    private static func parseBound(_ text: String) -> Double? {
        switch text.lowercased() {
        case "+inf", "inf", "+infinity", "infinity": .infinity
        case "-inf", "-infinity": -.infinity
        case "nan": nil
        default: Double(text)
        }
    }

    /// `buckets` are in ascending order of distinct bounds.
    private static func quantile(_ phi: Double, _ buckets: inout [Bucket]) -> Double {
        if phi.isNaN { return .nan }
        if phi < 0 { return -.infinity }
        if phi > 1 { return .infinity }
        guard let top = buckets.last, top.bound == .infinity, buckets.count >= 2 else {
            return .nan
        }
        var highest = buckets[0].count
        for index in 1..<buckets.count {
            let count = buckets[index].count
            let isNoise =
                count != highest
                && (count - highest).magnitude < noise * (count.magnitude + highest.magnitude)
            if count < highest || isNoise { buckets[index].count = highest }
            if count > highest, !isNoise { highest = count }
        }
        let observations = buckets[buckets.count - 1].count
        if observations == 0 { return .nan }
        var rank = phi * observations
        var index = 0
        while index < buckets.count - 1, !(buckets[index].count >= rank) { index += 1 }
        if index == buckets.count - 1 { return buckets[buckets.count - 2].bound }
        if index == 0, buckets[0].bound <= 0 { return buckets[0].bound }
        var start = 0.0
        var count = buckets[index].count
        if index > 0 {
            start = buckets[index - 1].bound
            count -= buckets[index - 1].count
            rank -= buckets[index - 1].count
        }
        return start + (buckets[index].bound - start) * (rank / count)
    }
}
