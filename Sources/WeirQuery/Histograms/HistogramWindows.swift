internal import WeirCore

/// A range function over the windows of one series that has histograms.
///
/// Numbers where the windows hold only plain samples are those of the kernels for numbers.
struct HistogramWindows {
    private let function: RangeFunction
    private let floats: FloatSamples
    private let histograms: HistogramSamples
    private let metric: String
    /// Where the range was written.
    private let place: PromQLPlace
    private let context: QueryContext
    /// Whether a counter began anew at each histogram since the one before.
    private var resets: [Bool] = []

    init(
        _ function: RangeFunction,
        _ floats: FloatSamples,
        _ histograms: HistogramSamples,
        metric: String,
        needsBuckets: Bool,
        at place: PromQLPlace
    ) {
        self.function = function
        self.place = place
        self.floats = floats.fresh
        let fresh = histograms.fresh
        self.histograms = needsBuckets ? fresh : fresh.withoutBuckets
        self.metric = metric
        self.context = function.context
        switch function.function {
        case .rate, .increase, .resets, .irate:
            // Seen in the buckets, whether or not these are needed further.
            let samples = fresh
            resets = samples.boxes.indices.map { index in
                index > 0 && samples[index].isReset(after: samples[index - 1])
            }
        default: break
        }
    }

    /// What a window comes to.
    private enum Outcome {
        case nothing
        /// What the numbers alone come to.
        case numbers
        case number(Double)
        case histogram(FloatHistogram)
        case sample(HistogramCells.Box)
    }

    /// Fills `row` with numbers, one per window.
    ///
    /// - Returns: The histograms.
    func apply(
        into row: inout MutableSpan<Double>
    ) throws(QueryError) -> [HistogramCells.Box?] {
        if !floats.times.isEmpty {
            try function.apply(floats.times.span, floats.values.span, into: &row)
        }
        let slide = function.slide
        var cells = [HistogramCells.Box?](repeating: nil, count: slide.ends.count)
        for step in 0..<slide.ends.count {
            if slide.ends.interval == 0, step > 0 {
                cells[step] = cells[step - 1]
                if function.function != .predict_linear || row[0].isAbsent { row[step] = row[0] }
                continue
            }
            let end = slide.ends.time(step)
            let start = end - slide.rangeMilliseconds - (slide.isClosed ? 1 : 0)
            let window = Self.indexes(histograms.times, after: start, through: end)
            guard !window.isEmpty else { continue }
            try context.check()
            let numbers = Self.indexes(floats.times, after: start, through: end)
            switch outcome(window, numbers, start: end - slide.rangeMilliseconds, end: end) {
            case .nothing: row[step] = .absent
            case .numbers: break
            case .number(let value): row[step] = value
            case .histogram(let histogram):
                row[step] = .absent
                cells[step] = HistogramCells.Box(histogram)
            case .sample(let box):
                row[step] = .absent
                cells[step] = box
            }
        }
        return cells
    }

    private static func indexes(
        _ times: [Int64],
        after start: Int64,
        through end: Int64
    ) -> Range<Int> {
        let lower = times.partitioningIndex { $0 > start }
        return lower..<max(lower, times.partitioningIndex { $0 > end })
    }

    private func outcome(
        _ window: Range<Int>,
        _ numbers: Range<Int>,
        start: Int64,
        end: Int64
    ) -> Outcome {
        let first = window.lowerBound
        let last = window.upperBound - 1
        switch function.function {
        case .count_over_time: return .number(Double(window.count + numbers.count))
        case .present_over_time, .absent_over_time: return .number(1)
        case .last_over_time:
            return isNumberLast(numbers, last) ? .numbers : .sample(histograms.boxes[last])
        case .first_over_time:
            return isNumberFirst(numbers, first) ? .numbers : .sample(histograms.boxes[first])
        case .ts_of_last_over_time:
            return isNumberLast(numbers, last)
                ? .numbers : .number(Double(histograms.times[last]) / 1000)
        case .ts_of_first_over_time:
            return isNumberFirst(numbers, first)
                ? .numbers : .number(Double(histograms.times[first]) / 1000)
        case .sum_over_time, .avg_over_time:
            guard numbers.isEmpty else { return mixed() }
            return total(window, isMean: function.function == .avg_over_time)
        case .rate, .increase, .delta:
            guard numbers.isEmpty else { return mixed() }
            return extrapolated(window, start: start, end: end)
        case .irate, .idelta: return lastPair(window, numbers)
        case .changes, .resets: return .number(Double(transitions(window, numbers)))
        case .deriv, .predict_linear, .double_exponential_smoothing:
            if !numbers.isEmpty { context.note(.ignoredInRange(metric: metric), at: place) }
            return numbers.count > 1 ? .numbers : .nothing
        default:
            guard !numbers.isEmpty else { return .nothing }
            context.note(.ignoredInRange(metric: metric), at: place)
            return .numbers
        }
    }

    private func isNumberLast(_ numbers: Range<Int>, _ last: Int) -> Bool {
        !numbers.isEmpty && floats.times[numbers.upperBound - 1] > histograms.times[last]
    }

    private func isNumberFirst(_ numbers: Range<Int>, _ first: Int) -> Bool {
        !numbers.isEmpty && floats.times[numbers.lowerBound] < histograms.times[first]
    }

    private func mixed() -> Outcome {
        context.note(.mixedWithFloats(metric: metric), at: place)
        return .nothing
    }

    private func total(_ window: Range<Int>, isMean: Bool) -> Outcome {
        var result = HistogramTotal(isMean: isMean)
        do throws(HistogramMismatch) {
            for index in window { try result.add(histograms[index]) }
        } catch {
            context.note(HistogramNote(error, metric: metric), at: place)
            return .nothing
        }
        return result.value.map(Outcome.histogram) ?? .nothing
    }

    // MARK: Counters

    private func extrapolated(_ window: Range<Int>, start: Int64, end: Int64) -> Outcome {
        guard window.count > 1 else { return .nothing }
        let first = window.lowerBound
        let last = window.upperBound - 1
        let isCounter = function.function != .delta
        guard var result = change(window, isCounter: isCounter) else { return .nothing }
        let sampled = Double(histograms.times[last] - histograms.times[first]) / 1000
        let average = sampled / Double(window.count - 1)
        // Unlike a number's, a histogram's way back is not cut where it would have been empty.
        var toStart = Double(histograms.times[first] - start) / 1000
        var toEnd = Double(end - histograms.times[last]) / 1000
        if toStart >= average * 1.1 { toStart = average / 2 }
        if toEnd >= average * 1.1 { toEnd = average / 2 }
        var factor = (sampled + toStart + toEnd) / sampled
        if function.function == .rate {
            factor /= Double(function.slide.rangeMilliseconds) / 1000
        }
        result = result.multiplied(by: factor)
        return .histogram(result)
    }

    /// What was added over a window, resets made good; nil when its histograms do not fit.
    private func change(_ window: Range<Int>, isCounter: Bool) -> FloatHistogram? {
        let last = histograms[window.upperBound - 1]
        var previous = histograms[window.lowerBound]
        if isCounter, previous.isGauge || last.isGauge {
            context.note(.notCounter(metric: metric), at: place)
        }
        let second = window.lowerBound + 1
        // With a reset right after it the first sample does not count, whatever its layout.
        let isFirstVoid = isCounter && resets[second]
        if isFirstVoid {
            let next = histograms[second]
            previous = FloatHistogram()
            previous.schema = next.schema
            previous.customBounds = next.customBounds
        }
        guard last.hasCustomBounds == previous.hasCustomBounds else {
            context.note(.mixedSchemas(metric: metric), at: place)
            return nil
        }
        var schema = min(last.schema, previous.schema)
        if isCounter {
            for index in second..<(window.upperBound - 1) {
                let current = histograms[index]
                if current.isGauge { context.note(.notCounter(metric: metric), at: place) }
                schema = min(schema, current.schema)
                guard current.hasCustomBounds == previous.hasCustomBounds else {
                    context.note(.mixedSchemas(metric: metric), at: place)
                    return nil
                }
            }
        }
        var result = last.coarsened(to: schema)
        do throws(HistogramMismatch) {
            try result.subtract(previous)
            if isCounter {
                for index in second..<window.upperBound
                where resets[index] && !(isFirstVoid && index == second) {
                    try result.add(histograms[index - 1])
                }
            } else if !histograms[window.lowerBound].isGauge || !last.isGauge {
                context.note(.notGauge(metric: metric), at: place)
            }
        } catch {
            context.note(HistogramNote(error, metric: metric), at: place)
            return nil
        }
        result.resetHint = .gauge
        return result.compacted()
    }

    private func lastPair(_ window: Range<Int>, _ numbers: Range<Int>) -> Outcome {
        let last = window.upperBound - 1
        let floatTimes = numbers.suffix(2).map { floats.times[$0] }
        let later = floatTimes.filter { $0 > histograms.times[last] }.count
        if later == 2 { return .numbers }
        let isPair =
            window.count > 1 && later == 0
            && (floatTimes.last.map { $0 <= histograms.times[last - 1] } ?? true)
        guard isPair else {
            guard window.count + numbers.count > 1 else { return .nothing }
            return mixed()
        }
        let isRate = function.function == .irate
        let (before, after) = (histograms[last - 1], histograms[last])
        let milliseconds = histograms.times[last] - histograms.times[last - 1]
        guard milliseconds > 0 else { return .nothing }
        if isRate, before.isGauge || after.isGauge {
            context.note(.notCounter(metric: metric), at: place)
        }
        if !isRate, !before.isGauge || !after.isGauge {
            context.note(.notGauge(metric: metric), at: place)
        }
        var result = after
        if !isRate || !resets[last] {
            do throws(HistogramMismatch) {
                try result.subtract(before)
            } catch {
                context.note(HistogramNote(error, metric: metric), at: place)
                return .nothing
            }
        }
        result.resetHint = .gauge
        result = result.compacted()
        if isRate { result = result.divided(by: Double(milliseconds) / 1000) }
        return .histogram(result)
    }

    /// How often the value changed, or a counter began anew; a change between numbers and
    /// histograms is both.
    private func transitions(_ window: Range<Int>, _ numbers: Range<Int>) -> Int {
        enum Sample {
            case number(Double)
            case histogram(Int)
        }
        let isResets = function.function == .resets
        var count = 0
        var previous: Sample?
        var (float, index) = (numbers.lowerBound, window.lowerBound)
        while float < numbers.upperBound || index < window.upperBound {
            let takesNumber =
                index >= window.upperBound
                || float < numbers.upperBound && floats.times[float] <= histograms.times[index]
            let current: Sample = takesNumber ? .number(floats.values[float]) : .histogram(index)
            if takesNumber { float += 1 } else { index += 1 }
            switch (previous, current) {
            case (nil, _): break
            case (.number(let old), .number(let new)):
                let isOne = isResets ? new < old : new != old && !(new.isNaN && old.isNaN)
                if isOne { count += 1 }
            case (.histogram(let old), .histogram(let new)):
                let isOne =
                    isResets ? resets[new] : !histograms[new].equals(histograms[old])
                if isOne { count += 1 }
            default: count += 1
            }
            previous = current
        }
        return count
    }
}

/// A sum or mean of histograms, one by one.
struct HistogramTotal {
    private let isMean: Bool
    private(set) var value: FloatHistogram?
    /// Whether two did not fit together; then there is no value.
    private(set) var isFailed = false
    private var count = 0.0

    init(isMean: Bool) { self.isMean = isMean }

    mutating func add(_ histogram: FloatHistogram) throws(HistogramMismatch) {
        count += 1
        guard var total = value else {
            value = histogram
            return
        }
        value = nil
        isFailed = true
        if isMean {
            var change = histogram.divided(by: count)
            try change.subtract(total.divided(by: count))
            try total.add(change)
        } else {
            try total.add(histogram)
        }
        isFailed = false
        value = total
    }
}
