internal import WeirCore

/// Quantiles of histograms kept as cumulative buckets: series that differ only in `le`.
enum ClassicHistogram {
    static let boundLabel = "le"
    /// Counts that fall by less than this share are float noise.
    private static let noise = 1e-12

    private struct Bucket {
        let bound: Double
        var count: Double
    }

    /// The `phi`-quantile of each histogram in `input`, `phi` given per step.
    ///
    /// `wasForced` is called when the counts of a histogram fell from one bucket to the next, with
    /// its metric name at its first step, without one later, as Prometheus tells it.
    static func quantiles(
        _ phi: [Double],
        _ input: SeriesGrid,
        context: QueryContext,
        wasForced: (_ name: String) -> Void
    ) throws(QueryError) -> SeriesGrid {
        try each(input, context: context) { buckets, step, name in
            let (value, isForced) = quantile(phi[step], &buckets)
            if isForced { wasForced(name) }
            return value
        }
    }

    /// The share of each histogram's observations between `lower` and `upper`, given per step.
    static func fractions(
        _ lower: [Double],
        _ upper: [Double],
        _ input: SeriesGrid,
        context: QueryContext
    ) throws(QueryError) -> SeriesGrid {
        try each(input, context: context) { buckets, step, _ in
            fraction(lower[step], upper[step], buckets)
        }
    }

    /// One number for each histogram and step, made of its buckets in ascending order of distinct
    /// bounds.
    private static func each(
        _ input: SeriesGrid,
        context: QueryContext,
        _ body: (inout [Bucket], _ step: Int, _ name: String) -> Double
    ) throws(QueryError) -> SeriesGrid {
        var groupOf: [Labels: Int] = [:]
        var labels: [Labels] = []
        var members: [[(bound: Double, row: Int)]] = []
        for row in 0..<input.count {
            guard let text = input.labels[row][boundLabel], let bound = parseBound(text) else {
                continue
            }
            let own = input.labels[row].dropping([boundLabel, Labels.metricNameLabel])
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
            var name = input.labels[members[group][0].row][Labels.metricNameLabel] ?? ""
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
                result[group, step] = body(&buckets, step, name)
                name = ""
            }
        }
        return SeriesGrid(labels: labels, values: result)
    }

    /// A bound as Go reads it; nil for what is no number.
    static func parseBound(_ text: String) -> Double? {
        switch text.lowercased() {
        case "+inf", "inf", "+infinity", "infinity": .infinity
        case "-inf", "-infinity": -.infinity
        case "nan": nil
        default: Double(text)
        }
    }

    private static func quantile(
        _ phi: Double,
        _ buckets: inout [Bucket]
    ) -> (value: Double, isForced: Bool) {
        if phi.isNaN { return (.nan, false) }
        if phi < 0 { return (-.infinity, false) }
        if phi > 1 { return (.infinity, false) }
        guard let top = buckets.last, top.bound == .infinity else { return (.nan, false) }
        let isForced = makeMonotonic(&buckets)
        guard buckets.count >= 2 else { return (.nan, false) }
        return (rankValue(phi, buckets), isForced)
    }

    /// Lets no count be below one before it.
    ///
    /// - Returns: Whether one was, by more than float noise.
    private static func makeMonotonic(_ buckets: inout [Bucket]) -> Bool {
        var isForced = false
        var highest = buckets[0].count
        for index in 1..<max(1, buckets.count) {
            let count = buckets[index].count
            if count == highest { continue }
            let isNoise =
                (count - highest).magnitude < noise * (count.magnitude + highest.magnitude)
            if isNoise {
                buckets[index].count = highest
            } else if count < highest {
                buckets[index].count = highest
                isForced = true
            } else {
                highest = count
            }
        }
        return isForced
    }

    private static func rankValue(_ phi: Double, _ buckets: [Bucket]) -> Double {
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

    private static func fraction(
        _ lower: Double,
        _ upper: Double,
        _ buckets: [Bucket]
    ) -> Double {
        guard let top = buckets.last, top.bound == .infinity, top.count != 0, !lower.isNaN,
            !upper.isNaN
        else { return .nan }
        if lower >= upper { return 0 }
        let share = rank(of: upper, buckets) - rank(of: lower, buckets)
        return share / top.count
    }

    /// How many observations are below `value`, evenly spread within a bucket.
    private static func rank(of value: Double, _ buckets: [Bucket]) -> Double {
        let total = buckets[buckets.count - 1].count
        var rank = 0.0
        for (index, bucket) in buckets.enumerated() {
            // Nothing is known of where the first bucket begins: what lies inside it is NaN.
            let start = index > 0 ? buckets[index - 1].bound : -Double.infinity
            if start >= value { return min(rank, total) }
            if bucket.bound > value {
                let part = (bucket.count - rank) * (value - start) / (bucket.bound - start)
                return min(rank + part, total)
            }
            rank = bucket.count
        }
        return total
    }
}
