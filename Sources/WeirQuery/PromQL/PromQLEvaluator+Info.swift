internal import WeirCore
internal import WeirPattern

/// `info`: labels of what a series belongs to, taken over from info metrics.
extension PromQLEvaluator {
    /// The labels by which a series and its info series are known to belong together.
    private static let identifyingLabels = ["instance", "job"]

    private struct InfoKey: Hashable {
        let name: String
        let identity: [String?]

        init(name: String, _ labels: Labels) {
            self.name = name
            self.identity = identifyingLabels.map { labels[$0] }
        }
    }

    func info(_ call: PromQLCall, on grid: StepGrid) throws(QueryError) -> SeriesGrid {
        let base = try vector(call.arguments[0], on: grid).compacted(context: context)
        var asked: [LabelMatcher] = []
        if call.arguments.count > 1, case .selector(let selector) = call.arguments[1].unwrapped {
            asked = selector.matchers
        }
        let byDefault = LabelMatcher(
            name: Labels.metricNameLabel,
            operation: .equal,
            value: "target_info"
        )
        var nameMatchers = asked.filter { $0.name == Labels.metricNameLabel }
        let dataMatchers = asked.filter { $0.name != Labels.metricNameLabel }
        if call.arguments.count == 1 { nameMatchers = [byDefault] }
        var isInfoItself = [Bool](repeating: false, count: base.count)
        if !nameMatchers.isEmpty {
            for row in 0..<base.count {
                isInfoItself[row] = try matches(nameMatchers, base.labels[row])
            }
        }
        let found = try infoSeries(
            of: base,
            isInfoItself,
            (nameMatchers.isEmpty ? [byDefault] : nameMatchers) + dataMatchers,
            on: grid
        )
        let mayBeMissing = try matches(dataMatchers, .empty)
        return try joined(
            base,
            found,
            isInfoItself: isInfoItself,
            dataLabels: Set(dataMatchers.map(\.name)),
            mayBeMissing: mayBeMissing
        )
    }

    private func matches(
        _ matchers: [LabelMatcher],
        _ labels: Labels
    ) throws(QueryError) -> Bool {
        do throws(PatternError) {
            for matcher in matchers {
                if try !CompiledMatcher(matcher).matches(labels) { return false }
            }
            return true
        } catch {
            throw .invalid(reason: error.reason)
        }
    }

    /// The times of the latest samples of info series that share an identity with `base`.
    private func infoSeries(
        of base: SeriesGrid,
        _ isInfoItself: [Bool],
        _ matchers: [LabelMatcher],
        on grid: StepGrid
    ) throws(QueryError) -> SeriesGrid {
        var known: Set<[String?]> = []
        for row in 0..<base.count where !isInfoItself[row] {
            known.insert(InfoKey(name: "", base.labels[row]).identity)
        }
        let hasIdentity = known.contains { $0.contains { $0 != nil } }
        guard hasIdentity else {
            let none = try GridBuffer(rows: 0, steps: grid.count, context: context)
            return SeriesGrid(labels: [], values: none)
        }
        let selector = PromQLSelector(name: nil, matchers: matchers)
        let all = try instantVector(selector, on: grid, content: .times).collected()
        let kept = all.labels.indices.filter {
            known.contains(InfoKey(name: "", all.labels[$0]).identity)
        }
        let buffer = try GridBuffer(rows: kept.count, steps: grid.count, context: context)
        for (row, from) in kept.enumerated() {
            for step in 0..<grid.count { buffer[row, step] = all.values[from, step] }
        }
        return SeriesGrid(labels: kept.map { all.labels[$0] }, values: buffer)
    }

    private func joined(
        _ base: SeriesGrid,
        _ found: SeriesGrid,
        isInfoItself: [Bool],
        dataLabels: Set<String>,
        mayBeMissing: Bool
    ) throws(QueryError) -> SeriesGrid {
        let infoNames = Set(found.labels.map { $0[Labels.metricNameLabel] ?? "" }).sorted()
        let keys = found.labels.map { InfoKey(name: $0[Labels.metricNameLabel] ?? "", $0) }
        struct Slot: Hashable {
            let row: Int
            let labels: Labels
        }
        var rowOf: [Slot: Int] = [:]
        var labels: [Labels] = []
        var cells: [(row: Int, step: Int, value: Double)] = []
        var boxes: [Int: [HistogramCells.Box?]] = [:]
        for step in 0..<base.steps {
            try context.check()
            let current = try newest(found, keys, step: step)
            for row in 0..<base.count where base.isPresent(row, step) {
                var own = base.labels[row]
                if !isInfoItself[row] {
                    let infos = infoNames.compactMap { current[InfoKey(name: $0, own)] }
                    if infos.isEmpty, !mayBeMissing { continue }
                    own = try taking(own, from: infos.map { found.labels[$0] }, dataLabels)
                }
                let slot = Slot(row: row, labels: own)
                let target = rowOf[slot] ?? labels.count
                if target == labels.count {
                    guard target < context.seriesMax else {
                        throw .limit(name: "query series", limit: context.seriesMax)
                    }
                    rowOf[slot] = target
                    labels.append(own)
                }
                cells.append((target, step, base.values[row, step]))
                if let histogram = base.histograms?[row, step] {
                    var own = boxes[target] ?? Array(repeating: nil, count: base.steps)
                    own[step] = HistogramCells.Box(histogram)
                    boxes[target] = own
                }
            }
            try context.reserve(bytes: base.count * 32)
        }
        let result = try GridBuffer(rows: labels.count, steps: base.steps, context: context)
        for cell in cells { result[cell.row, cell.step] = cell.value }
        var joined = SeriesGrid(labels: labels, values: result)
        if !boxes.isEmpty {
            let histograms = HistogramCells(steps: base.steps, context: context)
            for (row, own) in boxes { try histograms.set(row, own) }
            joined.histograms = histograms
        }
        return try joined.merged(context: context)
    }

    /// The row of the newest info sample of each identity at a step.
    private func newest(
        _ found: SeriesGrid,
        _ keys: [InfoKey],
        step: Int
    ) throws(QueryError) -> [InfoKey: Int] {
        var newest: [InfoKey: Int] = [:]
        for row in 0..<found.count where !found.values[row, step].isAbsent {
            guard let known = newest[keys[row]] else {
                newest[keys[row]] = row
                continue
            }
            let (old, new) = (found.values[known, step], found.values[row, step])
            guard old != new else {
                let time = Int64((new * 1000).rounded())
                throw .invalid(
                    reason: "found duplicate series for info metric: existing "
                        + LabelOrder.text(found.labels[known]) + " @ \(time), new "
                        + LabelOrder.text(found.labels[row]) + " @ \(time)"
                )
            }
            if new > old { newest[keys[row]] = row }
        }
        return newest
    }

    private func taking(
        _ base: Labels,
        from infos: [Labels],
        _ dataLabels: Set<String>
    ) throws(QueryError) -> Labels {
        var taken: [String: String] = [:]
        for info in infos {
            for pair in info.pairs where pair.name != Labels.metricNameLabel {
                if !dataLabels.isEmpty, !dataLabels.contains(pair.name) { continue }
                if let other = taken[pair.name], other != pair.value {
                    throw .invalid(reason: "conflicting label: \(pair.name)")
                }
                if base[pair.name] == nil { taken[pair.name] = pair.value }
            }
        }
        return taken.isEmpty
            ? base
            : Labels(base.pairs.map { ($0.name, $0.value) } + taken.map { ($0.key, $0.value) })
    }
}
