internal import Glibc
internal import WeirCore
internal import WeirPattern

/// Function calls.
extension PromQLEvaluator {
    func evaluate(
        _ call: PromQLCall,
        on grid: StepGrid,
        mayRepeat: Bool
    ) throws(QueryError) -> Value {
        let arguments = call.arguments
        switch call.function {
        case .time: return .scalar(try seconds(of: grid))
        case .pi: return .scalar(try constant(.pi, on: grid))
        case .scalar: return .scalar(try onlyValues(try vector(arguments[0], on: grid)))
        case .vector: return .vector(try unlabelled(try scalar(arguments[0], on: grid)))
        case .timestamp:
            if case .selector(let selector) = arguments[0].unwrapped {
                return .vector(
                    try dropped(
                        try instantVector(selector, on: grid, content: .times).collected()
                    )
                )
            }
            let input = try vector(arguments[0], on: grid)
            input.update { _, step in Double(grid.time(step)) / 1000 }
            input.forEachHistogram { _, row, step in
                input.values[row, step] = Double(grid.time(step)) / 1000
            }
            return .vector(try dropped(input))
        case .absent:
            let input = try vector(arguments[0], on: grid)
            return .vector(try absence(input, of: arguments[0], on: grid))
        case .sort, .sort_desc:
            return .vector(
                try sorted(
                    try vector(arguments[0], on: grid),
                    isDescending: call.function == .sort_desc
                )
            )
        case .label_replace, .label_join: return .vector(try relabelled(call, on: grid))
        case .histogram_quantile:
            let phi = try scalar(arguments[0], on: grid)
            let buckets = try vector(arguments[1], on: grid)
            for one in phi { noteQuantile(one, at: call.argumentPlaces[0]) }
            noteBadBounds(buckets, at: call.argumentPlaces[1])
            return .vector(
                try HistogramFunction(buckets, at: call.argumentPlaces[1], context: context)
                    .estimated(
                        classic: { buckets, step, name in
                            let (value, isForced) = ClassicHistogram.quantile(phi[step], &buckets)
                            if isForced { noteForcedBuckets(of: name, at: call.argumentPlaces[1]) }
                            return value
                        },
                        native: { histogram, step in
                            let value = histogram.quantile(phi[step])
                            if histogram.hasNaN, histogram.count != 0, (0...1).contains(phi[step]) {
                                context.note(
                                    value.isNaN ? .quantileOfNaN : .quantileSkewedByNaN,
                                    at: call.argumentPlaces[0]
                                )
                            }
                            return value
                        }
                    )
            )
        case .histogram_fraction:
            let lower = try scalar(arguments[0], on: grid)
            let upper = try scalar(arguments[1], on: grid)
            let buckets = try vector(arguments[2], on: grid)
            noteBadBounds(buckets, at: call.argumentPlaces[2])
            return .vector(
                try HistogramFunction(buckets, at: call.argumentPlaces[2], context: context)
                    .estimated(
                        classic: { buckets, step, _ in
                            ClassicHistogram.fraction(lower[step], upper[step], buckets)
                        },
                        native: { histogram, step in
                            if histogram.hasNaN, histogram.count != 0, lower[step] < upper[step] {
                                context.note(.fractionWithoutNaN, at: call.argumentPlaces[0])
                            }
                            return histogram.fraction(from: lower[step], to: upper[step])
                        }
                    )
            )
        case .histogram_count: return .vector(try histogramNumbers(call, on: grid) { $0.count })
        case .histogram_sum: return .vector(try histogramNumbers(call, on: grid) { $0.sum })
        case .histogram_avg:
            return .vector(try histogramNumbers(call, on: grid) { $0.sum / $0.count })
        case .histogram_stddev:
            return .vector(try histogramNumbers(call, on: grid) { $0.variance.squareRoot() })
        case .histogram_stdvar:
            return .vector(try histogramNumbers(call, on: grid) { $0.variance })
        case .info: return .vector(try info(call, on: grid))
        case .sort_by_label, .sort_by_label_desc:
            return .vector(try sortedByLabels(call, on: grid))
        case .clamp, .clamp_min, .clamp_max: return .vector(try clamped(call, on: grid))
        case .round:
            let input = try vector(arguments[0], on: grid)
            let nearest =
                arguments.count > 1
                ? try scalar(arguments[1], on: grid) : try constant(1, on: grid)
            input.update { value, step in
                // Dividing by the inverse keeps 0.1 and its like exact.
                let inverse = 1 / nearest[step]
                return (value * inverse + 0.5).rounded(.down) / inverse
            }
            return .vector(try dropped(input))
        default: break
        }
        if let part = CalendarPart(call.function) {
            let input =
                arguments.isEmpty
                ? try unlabelled(try seconds(of: grid))
                : try vector(arguments[0], on: grid)
            input.update { value, _ in part.value(unixSeconds: value) }
            return .vector(try dropped(input))
        }
        if call.function.signature.arguments.contains(.matrix) {
            return .vector(try overTime(call, on: grid, mayRepeat: mayRepeat))
        }
        guard let function = Self.elementwise(call.function) else {
            throw .unsupported(name: call.function.rawValue)
        }
        let input = try vector(arguments[0], on: grid, mayRepeat: mayRepeat)
        try context.check()
        input.update { value, _ in function(value) }
        return .vector(try dropped(input, mayRepeat: mayRepeat))
    }

    /// One number for each histogram; plain samples are dropped.
    private func histogramNumbers(
        _ call: PromQLCall,
        on grid: StepGrid,
        _ number: (FloatHistogram) -> Double
    ) throws(QueryError) -> SeriesGrid {
        let input = try vector(call.arguments[0], on: grid)
        input.update { _, _ in .absent }
        input.forEachHistogram { histogram, row, step in
            input.values[row, step] = number(histogram)
        }
        return try dropped(input)
    }

    /// The result of a function that gives its input another meaning: without metric names, and of
    /// numbers only.
    private func dropped(
        _ input: SeriesGrid,
        mayRepeat: Bool = false
    ) throws(QueryError) -> SeriesGrid {
        var result = input
        result.histograms = nil
        result.dropMetricNames()
        if mayRepeat { return result }
        return try result.merged(context: context)
    }

    private func seconds(of grid: StepGrid) throws(QueryError) -> [Double] {
        try context.reserve(bytes: grid.count * 16)
        return (0..<grid.count).map { Double(grid.time($0)) / 1000 }
    }

    private func unlabelled(_ numbers: [Double]) throws(QueryError) -> SeriesGrid {
        let buffer = try GridBuffer(rows: 1, steps: numbers.count, context: context)
        for (step, number) in numbers.enumerated() { buffer[0, step] = number }
        return SeriesGrid(labels: [.empty], values: buffer)
    }

    /// The value of the only series at each step; NaN where there is none or more than one.
    private func onlyValues(_ input: SeriesGrid) throws(QueryError) -> [Double] {
        try context.reserve(bytes: input.steps * 16)
        return (0..<input.steps).map { step in
            var only = Double.nan
            var count = 0
            for row in 0..<input.count where !input.values[row, step].isAbsent {
                only = input.values[row, step]
                count += 1
            }
            return count == 1 ? only : .nan
        }
    }

    private func overTime(
        _ call: PromQLCall,
        on grid: StepGrid,
        mayRepeat: Bool
    ) throws(QueryError) -> SeriesGrid {
        let ready = try windowCall(call, on: grid)
        var result = try windows(ready)
        noteQuantiles(of: call, ready, result)
        switch call.function {
        case .absent_over_time:
            return try absence(result, of: call.arguments[0], on: grid)
        default: if call.function.dropsNames { result.dropMetricNames() }
        }
        return mayRepeat ? result : try result.unique(context: context)
    }

    /// One at each step where `input` has nothing, labelled with what its selector asks for.
    private func absence(
        _ input: SeriesGrid,
        of expression: PromQLExpression,
        on grid: StepGrid
    ) throws(QueryError) -> SeriesGrid {
        let result = try GridBuffer(rows: 1, steps: grid.count, initial: 1, context: context)
        for row in 0..<input.count {
            for step in 0..<grid.count where input.isPresent(row, step) {
                result[0, step] = .absent
            }
        }
        let matchers: [LabelMatcher] =
            switch expression {
            case .selector(let selector): selector.matchers
            case .range(let range): range.selector.matchers
            default: []
            }
        var asked: [String: String] = [:]
        var refused: Set<String> = [Labels.metricNameLabel]
        for matcher in matchers {
            if matcher.operation == .equal, asked[matcher.name] == nil {
                asked[matcher.name] = matcher.value
            } else {
                refused.insert(matcher.name)
            }
        }
        let labels = Labels(asked.filter { !refused.contains($0.key) }.map { ($0.key, $0.value) })
        return SeriesGrid(labels: [labels], values: result)
    }

    /// By value at the only step, NaN last; the order of a range result does not depend on values.
    private func sorted(
        _ input: SeriesGrid,
        isDescending: Bool
    ) throws(QueryError) -> SeriesGrid {
        var numbers = input
        numbers.histograms = nil
        guard input.steps == 1 else { return numbers }
        let compact = try numbers.compacted(context: context)
        let order = (0..<compact.count).sorted { first, second in
            let left = compact.values[first, 0]
            let right = compact.values[second, 0]
            if left.isNaN || right.isNaN {
                return right.isNaN && (!left.isNaN || first < second)
            }
            if left == right { return first < second }
            return isDescending ? left > right : left < right
        }
        let buffer = try GridBuffer(rows: compact.count, steps: 1, context: context)
        for (row, from) in order.enumerated() {
            buffer[row, 0] = compact.values[from, 0]
        }
        return SeriesGrid(labels: order.map { compact.labels[$0] }, values: buffer)
    }

    /// By the labels named, then by all, at the only step.
    private func sortedByLabels(
        _ call: PromQLCall,
        on grid: StepGrid
    ) throws(QueryError) -> SeriesGrid {
        var names: [String] = []
        for argument in call.arguments.dropFirst() { names.append(try string(argument)) }
        let input = try vector(call.arguments[0], on: grid)
        guard input.steps == 1 else { return input }
        let compact = try input.compacted(context: context)
        let rank = LabelOrder.sortedIndices(compact.labels)
        var order = rank.sorted { first, second in
            for name in names {
                let left = compact.labels[first][name] ?? ""
                let right = compact.labels[second][name] ?? ""
                if left != right { return NaturalOrder.precedes(left, right) }
            }
            return false
        }
        if call.function == .sort_by_label_desc { order.reverse() }
        let buffer = try GridBuffer(rows: compact.count, steps: 1, context: context)
        for (row, from) in order.enumerated() { buffer[row, 0] = compact.values[from, 0] }
        return SeriesGrid(
            labels: order.map { compact.labels[$0] },
            values: buffer,
            histograms: try compact.histograms?.rearranged(order)
        )
    }

    private func clamped(
        _ call: PromQLCall,
        on grid: StepGrid
    ) throws(QueryError) -> SeriesGrid {
        let input = try vector(call.arguments[0], on: grid)
        let first = try scalar(call.arguments[1], on: grid)
        let function = call.function
        let second = function == .clamp ? try scalar(call.arguments[2], on: grid) : first
        input.update { value, step in
            switch function {
            case .clamp_min: return Self.greater(value, first[step])
            case .clamp_max: return Self.lesser(value, first[step])
            default:
                // Nothing lies between bounds that have changed places.
                if second[step] < first[step] { return .absent }
                return Self.greater(first[step], Self.lesser(second[step], value))
            }
        }
        return try dropped(input)
    }

    /// The greater of two.
    ///
    /// NaN if either is, but for infinity, which nothing can exceed.
    private static func greater(_ left: Double, _ right: Double) -> Double {
        if left == .infinity || right == .infinity { return .infinity }
        return left.isNaN || right.isNaN ? .nan : max(left, right)
    }

    private static func lesser(_ left: Double, _ right: Double) -> Double {
        if left == -.infinity || right == -.infinity { return -.infinity }
        return left.isNaN || right.isNaN ? .nan : min(left, right)
    }

    /// The longest label value that `label_replace` and `label_join` may make, in bytes.
    private static let labelLengthMax = 64 * 1024

    private func relabelled(
        _ call: PromQLCall,
        on grid: StepGrid
    ) throws(QueryError) -> SeriesGrid {
        var result = try vector(call.arguments[0], on: grid)
        var texts: [String] = []
        for argument in call.arguments.dropFirst() { texts.append(try string(argument)) }
        let target = texts[0]
        if call.function == .label_join, let source = texts.dropFirst(2).first(where: \.isEmpty) {
            throw .invalid(reason: "invalid source label name in label_join(): \(source)")
        }
        guard !target.isEmpty else {
            throw .invalid(
                reason: "invalid destination label name in \(call.function.rawValue)(): \(target)"
            )
        }
        if call.function == .label_join {
            for row in result.labels.indices {
                let labels = result.labels[row]
                let lengths = texts.dropFirst(2).map { labels.valueRange(of: $0)?.count ?? 0 }
                let length = lengths.reduce(texts[1].utf8.count * texts.count, +)
                guard length <= Self.labelLengthMax else {
                    throw .limit(name: "label value bytes", limit: Self.labelLengthMax)
                }
                let joined = texts.dropFirst(2).map { labels[$0] ?? "" }.joined(separator: texts[1])
                try relabel(&result, row, target, joined)
            }
            return try result.merged(context: context)
        }
        var rewritten: [(row: Int, value: String)] = []
        do throws(PatternError) {
            let pattern = try CapturePattern(texts[3])
            for row in result.labels.indices {
                let labels = result.labels[row]
                let value = labels[texts[2]] ?? ""
                if let written = try pattern.rewrite(
                    value,
                    as: texts[1],
                    lengthMax: Self.labelLengthMax
                ) {
                    rewritten.append((row, written))
                }
            }
        } catch {
            throw .invalid(
                reason: "invalid regular expression in label_replace(): \(texts[3])"
            )
        }
        for (row, value) in rewritten { try relabel(&result, row, target, value) }
        return try result.merged(context: context)
    }

    /// Sets one label of one series.
    ///
    /// Labels may grow with every call, so they are paid for.
    private func relabel(
        _ grid: inout SeriesGrid,
        _ row: Int,
        _ name: String,
        _ value: String
    ) throws(QueryError) {
        if row & 63 == 0 { try context.check() }
        try context.reserve(bytes: grid.labels[row].bytes.count + value.utf8.count)
        grid.labels[row] = grid.labels[row].setting(name, to: value)
    }

    /// Functions of one number.
    static func elementwise(_ function: PromQLFunction) -> ((Double) -> Double)? {
        switch function {
        case .abs: { $0.magnitude }
        case .ceil: { $0.rounded(.up) }
        case .floor: { $0.rounded(.down) }
        case .sqrt: { $0.squareRoot() }
        case .sgn: { $0 < 0 ? -1 : $0 > 0 ? 1 : $0 }
        case .exp: { Glibc.exp($0) }
        case .ln: { Glibc.log($0) }
        case .log2: { Glibc.log2($0) }
        case .log10: { Glibc.log10($0) }
        case .sin: { Glibc.sin($0) }
        case .cos: { Glibc.cos($0) }
        case .tan: { Glibc.tan($0) }
        case .asin: { Glibc.asin($0) }
        case .acos: { Glibc.acos($0) }
        case .atan: { Glibc.atan($0) }
        case .sinh: { Glibc.sinh($0) }
        case .cosh: { Glibc.cosh($0) }
        case .tanh: { Glibc.tanh($0) }
        case .asinh: { Glibc.asinh($0) }
        case .acosh: { Glibc.acosh($0) }
        case .atanh: { Glibc.atanh($0) }
        case .deg: { $0 * 180 / .pi }
        case .rad: { $0 * .pi / 180 }
        default: nil
        }
    }
}

extension PromQLFunction {
    /// A function of each number alone.
    var isElementwise: Bool { PromQLEvaluator.elementwise(self) != nil }
}
