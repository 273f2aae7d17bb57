internal import WeirCore

/// A series' histograms in order of time, milliseconds; stale ones among them.
package struct HistogramSamples: Sendable {
    package var times: [Int64] = []
    package var boxes: [HistogramCells.Box] = []

    package init() {}

    package mutating func append(_ time: Int64, _ histogram: FloatHistogram) {
        times.append(time)
        boxes.append(HistogramCells.Box(histogram))
    }

    package subscript(index: Int) -> FloatHistogram { boxes[index].histogram }

    /// Without the markers that end the series.
    var fresh: HistogramSamples {
        guard boxes.contains(where: { $0.histogram.isStale }) else { return self }
        var result = HistogramSamples()
        for (time, box) in zip(times, boxes) where !box.histogram.isStale {
            result.times.append(time)
            result.boxes.append(box)
        }
        return result
    }
}

/// A series' plain samples, copied out of a scan.
struct FloatSamples: Sendable {
    var times: [Int64] = []
    var values: [Double] = []

    var fresh: FloatSamples {
        guard values.contains(where: \.isAbsent) else { return self }
        var result = FloatSamples()
        for (time, value) in zip(times, values) where !value.isAbsent {
            result.times.append(time)
            result.values.append(value)
        }
        return result
    }
}

extension FloatHistogram {
    package var isStale: Bool { sum.isAbsent }
}

extension LatestSample {
    /// The latest of plain samples and histograms at each step.
    ///
    /// - Returns: The histograms, where one was the latest.
    func apply(
        _ floats: FloatSamples,
        _ histograms: HistogramSamples,
        into row: inout MutableSpan<Double>
    ) -> [HistogramCells.Box?] {
        var cells = [HistogramCells.Box?](repeating: nil, count: references.count)
        let (floatTimes, histogramTimes) = (floats.times.span, histograms.times.span)
        var (floatsBefore, histogramsBefore) = (0, 0)
        for step in 0..<references.count {
            let time = references.time(step)
            floatsBefore = WindowSlide.firstIndex(
                floatTimes,
                after: time,
                from: floatsBefore,
                floatsBefore + 1
            )
            histogramsBefore = WindowSlide.firstIndex(
                histogramTimes,
                after: time,
                from: histogramsBefore,
                histogramsBefore + 1
            )
            let floatTime = floatsBefore > 0 ? floatTimes[floatsBefore - 1] : .min
            let histogramTime = histogramsBefore > 0 ? histogramTimes[histogramsBefore - 1] : .min
            guard max(floatTime, histogramTime) > time - horizon else { continue }
            let latest = Double(max(floatTime, histogramTime)) / 1000
            if histogramTime >= floatTime {
                let box = histograms.boxes[histogramsBefore - 1]
                if box.histogram.isStale { continue }
                if content == .times { row[step] = latest } else { cells[step] = box }
            } else {
                let value = floats.values[floatsBefore - 1]
                if value.isAbsent { continue }
                row[step] = content == .times ? latest : value
            }
        }
        return cells
    }
}
