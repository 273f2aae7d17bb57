internal import WeirColumns
internal import WeirCore

/// Counts and totals of spans by group and step, as one thread made them.
struct SpanTally: Sendable {
    /// What is tallied.
    struct Shape: Sendable {
        enum Kind: Sendable {
            case count
            case cells(LogCells.Kind)
            case quantiles
            case histogram
        }

        let kind: Kind
        let grouping: SpanGrouping
        let value: SpanExpression?
        /// Nanoseconds are told in seconds.
        let scale: Double
        let start: Int64
        let step: Int64
        let count: Int

        init(_ evaluator: TraceQLMetricsEvaluator) throws(QueryError) {
            let metrics = evaluator.metrics
            grouping = try SpanGrouping(metrics.by)
            start = evaluator.start
            step = evaluator.step
            count = evaluator.count
            let field: TraceQLField?
            switch metrics.function {
            case .rate, .countOverTime, .compare: (kind, field) = (.count, nil)
            case .minOverTime(let inner): (kind, field) = (.cells(.min), inner)
            case .maxOverTime(let inner): (kind, field) = (.cells(.max), inner)
            case .avgOverTime(let inner), .sumOverTime(let inner):
                (kind, field) = (.cells(.sum), inner)
            case .quantileOverTime(let inner, _): (kind, field) = (.quantiles, inner)
            case .histogramOverTime(let inner): (kind, field) = (.histogram, inner)
            }
            if case .attribute(.intrinsic(let intrinsic))? = field, intrinsic.isDuration {
                scale = 1e9
            } else {
                scale = 1
            }
            value = if let field { try SpanExpression(field, LogTests()) } else { nil }
        }
    }

    private let shape: Shape
    private var numberOfKey: [SpanGroupKey: Int] = [:]
    private var keys: [SpanGroupKey] = []
    private var cells: LogCells
    private var sketch = SpanSketch()
    private var chargedSketchBytes = 0

    init(_ shape: Shape) {
        self.shape = shape
        cells = LogCells(
            { if case .cells(let kind) = shape.kind { kind } else { .sum } }(),
            width: shape.count
        )
    }

    private var hasCells: Bool {
        switch shape.kind {
        case .count, .cells: true
        case .quantiles, .histogram: false
        }
    }

    private mutating func number(
        _ key: SpanGroupKey,
        _ context: QueryContext?
    ) throws(QueryError) -> Int {
        if let known = numberOfKey[key] { return known }
        let number = keys.count
        if let context {
            guard number < context.seriesMax else {
                throw .limit(name: "query series", limit: context.seriesMax)
            }
            try context.reserve(bytes: (hasCells ? cells.bytesPerGroup : 0) + 128)
        }
        numberOfKey[key] = number
        keys.append(key)
        if hasCells { cells.grow(toGroups: number + 1) }
        return number
    }

    /// Adds rows of a view, all within the range of times.
    mutating func add(
        _ rows: [UInt32],
        _ view: SpanView,
        _ context: QueryContext
    ) throws(QueryError) {
        let (codes, blockKeys) = try shape.grouping.groups(of: rows, view)
        var groups = [Int32](repeating: -1, count: blockKeys.count)
        for code in codes where groups[Int(code)] < 0 {
            groups[Int(code)] = Int32(try number(blockKeys[Int(code)], context))
        }
        let times = shape.count == 1 ? [] : try view.times()
        let numbers =
            if let value = shape.value { try view.numbers(value, rows) } else { [Double]() }
        let (start, step, width) = (shape.start, shape.step, shape.count)
        // Neighbours mostly fall into the same step.
        var cell = 0
        var cellStart = start
        for index in 0..<rows.count {
            if width > 1 {
                let offset = times[Int(rows[index])] &- cellStart
                if offset < 0 || offset >= step {
                    cell = min(max(0, Int((times[Int(rows[index])] &- start) / step)), width - 1)
                    cellStart = start &+ Int64(cell) &* step
                }
            }
            let group = Int(groups[Int(codes[index])])
            switch shape.kind {
            case .count: cells.addSum(group: group, cell: cell, count: 1, total: 0)
            case .cells:
                let number = numbers[index]
                if !number.isNaN {
                    cells.add(group: group, cell: cell, value: number, time: 0, order: 0)
                }
            case .quantiles:
                let number = numbers[index]
                if !number.isNaN { sketch.add(number, cell: group &* width &+ cell) }
            case .histogram:
                let number = numbers[index]
                if !number.isNaN {
                    sketch.add(Self.powerOfTwo(number), cell: group &* width &+ cell)
                }
            }
        }
        if sketch.byteCount > chargedSketchBytes {
            try context.reserve(bytes: sketch.byteCount - chargedSketchBytes)
            chargedSketchBytes = sketch.byteCount
        }
    }

    /// The least power of two that is not below a number; 0 for what is not above 0.
    static func powerOfTwo(_ number: Double) -> Double {
        guard number > 0, number.isFinite else { return number > 0 ? number : 0 }
        return number.significand == 1 ? number : number.binade * 2
    }

    mutating func merge(_ other: SpanTally) {
        var map: [Int] = []
        for key in other.keys {
            // Nothing is reserved here, and so nothing is refused.
            map.append((try? number(key, nil)) ?? 0)
        }
        if hasCells { cells.merge(other.cells, map: map, shift: 0) }
        let width = shape.count
        sketch.merge(other.sketch) { map[$0 / width] * width + $0 % width }
    }

    // MARK: The answer

    func series(_ evaluator: TraceQLMetricsEvaluator) -> TraceQLSeries {
        var series: [TraceQLSeries.Series] = []
        for (group, key) in keys.enumerated() {
            switch shape.kind {
            case .count, .cells:
                let values = (0..<shape.count).map { value(group, $0, evaluator) }
                series.append(TraceQLSeries.Series(labels: labels(key), values: values))
            case .quantiles, .histogram: break
            }
        }
        if !hasCells { series = sketched(evaluator) }
        series.sort { Self.text($0).lexicographicallyPrecedes(Self.text($1)) }
        return TraceQLSeries(
            start: shape.start,
            step: shape.step,
            count: shape.count,
            series: series.filter { !$0.values.allSatisfy(\.isNaN) }
        )
    }

    private static func text(_ series: TraceQLSeries.Series) -> [UInt8] {
        series.labels.flatMap { $0.text + [0] }
    }

    private func labels(
        _ key: SpanGroupKey
    ) -> [(name: String, kind: FieldKind?, text: [UInt8])] {
        zip(shape.grouping.names, key.values).map { ($0, $1.kind, $1.text) }
    }

    private func value(_ group: Int, _ step: Int, _ evaluator: TraceQLMetricsEvaluator) -> Double {
        let place = group * shape.count + step
        let count = cells.counts[place]
        switch evaluator.metrics.function {
        case .rate: return count / (Double(shape.step) / 1e9)
        case .countOverTime: return count
        case .avgOverTime: return count > 0 ? cells.totals[place] / count / shape.scale : .nan
        default: return count > 0 ? cells.totals[place] / shape.scale : .nan
        }
    }

    private func sketched(_ evaluator: TraceQLMetricsEvaluator) -> [TraceQLSeries.Series] {
        var series: [TraceQLSeries.Series] = []
        var place: [String: Int] = [:]
        func put(_ group: Int, _ label: String, _ number: Double, _ step: Int, _ value: Double) {
            let key = "\(group) \(number)"
            let index: Int
            if let known = place[key] {
                index = known
            } else {
                index = series.count
                place[key] = index
                let text = Array(NumberText.plain(number).utf8)
                series.append(
                    TraceQLSeries.Series(
                        labels: labels(keys[group]) + [(label, .number, text)],
                        values: [Double](repeating: .nan, count: shape.count)
                    )
                )
            }
            series[index].values[step] = value
        }
        for (cell, buckets) in sketch.cells() {
            let (group, step) = (cell / shape.count, cell % shape.count)
            if case .quantileOverTime(_, let quantiles) = evaluator.metrics.function {
                for quantile in quantiles {
                    let value = SpanSketch.quantile(quantile, of: buckets) / shape.scale
                    put(group, "p", quantile, step, value)
                }
            } else {
                for bucket in buckets {
                    put(group, "__bucket", bucket.start / shape.scale, step, Double(bucket.count))
                }
            }
        }
        return series
    }
}
