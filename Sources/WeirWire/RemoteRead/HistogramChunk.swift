package import WeirCore

/// Native histograms of one series as Prometheus keeps them, all with the same buckets.
///
/// Format: Prometheus's page on chunks, "Histogram chunk data" and "Float histogram chunk
/// data". Thresholds and bounds are written in full, which is one of the ways to write them.
package struct HistogramChunk: Hashable, Sendable {
    package typealias Sample = (time: Int64, histogram: NativeHistogram)

    package static let samplesMax = FloatChunk.samplesMax

    /// `prometheus.Chunk.Encoding`: whole counts, or any.
    package let encoding: UInt64
    /// Milliseconds.
    package let first: Int64
    package let last: Int64
    package let data: [UInt8]

    /// The samples in order of time, in as few chunks as they fit.
    package static func chunks(_ samples: [Sample]) -> [HistogramChunk] {
        var chunks: [HistogramChunk] = []
        var run: [Sample] = []
        for sample in samples {
            if let last = run.last, let first = run.first,
                run.count == samplesMax || !fits(sample.histogram, first.histogram, last.histogram)
            {
                chunks.append(HistogramChunk(run))
                run = []
            }
            run.append(sample)
        }
        if !run.isEmpty { chunks.append(HistogramChunk(run)) }
        return chunks
    }

    /// Whether a histogram may come after `last` in the chunk that `first` began: whoever reads it takes
    /// all but the first for no reset of a counter.
    private static func fits(
        _ next: NativeHistogram,
        _ first: NativeHistogram,
        _ last: NativeHistogram
    ) -> Bool {
        guard !next.isStale, !last.isStale, isWhole(next) == isWhole(first),
            next.schema == first.schema, next.zeroThreshold == first.zeroThreshold,
            next.positive.spans == first.positive.spans,
            next.negative.spans == first.negative.spans, next.customBounds == first.customBounds,
            (next.resetHint == .gauge) == (first.resetHint == .gauge)
        else { return false }
        switch next.resetHint {
        case .gauge, .noReset: return true
        case .reset: return false
        case .unknown:
            func hasFallen(_ counts: KeyPath<NativeHistogram, [Double]>) -> Bool {
                zip(next[keyPath: counts], last[keyPath: counts]).contains { !($0 >= $1) }
            }
            return next.count >= last.count && next.zeroCount >= last.zeroCount
                && !hasFallen(\.positive.counts) && !hasFallen(\.negative.counts)
        }
    }

    /// Whether all counts are whole numbers that fit.
    private static func isWhole(_ histogram: NativeHistogram) -> Bool {
        guard !histogram.hasFloatCounts else { return false }
        let counts = histogram.positive.counts + histogram.negative.counts
        // Of sums of differences, too, none overflows.
        return (counts + [histogram.count, histogram.zeroCount]).allSatisfy {
            $0 >= 0 && $0 <= 0x1p60 && $0 == $0.rounded()
        }
    }

    private init(_ samples: [Sample]) {
        let isStale = samples[0].histogram.isStale
        // Of a marker nothing but the sum is written.
        let shape = isStale ? NativeHistogram() : samples[0].histogram
        let isWhole = isStale || Self.isWhole(shape)
        encoding = isWhole ? 2 : 3
        first = samples[0].time
        last = samples[samples.count - 1].time
        let hint: UInt8 =
            switch isStale ? .unknown : shape.resetHint {
            case .unknown: 0
            case .reset: 0x80
            case .noReset: 0x40
            case .gauge: 0xC0
            }
        var writer = BitWriter([
            UInt8(samples.count >> 8 & 0xFF), UInt8(samples.count & 0xFF), hint,
        ])
        Self.append(layout: shape, to: &writer)
        if isWhole {
            WholeCounts.append(samples, isStale: isStale, to: &writer)
        } else {
            Self.append(doubles: samples, to: &writer)
        }
        data = writer.bytes
    }

    private static func append(layout: NativeHistogram, to writer: inout BitWriter) {
        if layout.zeroThreshold == 0 {
            writer.append(0, count: 8)
        } else {
            writer.append(0xFF, count: 8)
            writer.append(layout.zeroThreshold.bitPattern, count: 64)
        }
        writer.append(signed: Int64(layout.schema))
        for side in [layout.positive, layout.negative] {
            writer.append(unsigned: UInt64(side.spans.count))
            for span in side.spans {
                writer.append(unsigned: UInt64(span.length))
                writer.append(signed: Int64(span.offset))
            }
        }
        guard layout.hasCustomBounds else { return }
        writer.append(unsigned: UInt64(layout.customBounds.count))
        for bound in layout.customBounds {
            writer.append(bit: false)
            writer.append(bound.bitPattern, count: 64)
        }
    }

    private static func append(doubles samples: [Sample], to writer: inout BitWriter) {
        func numbers(_ one: NativeHistogram) -> [Double] {
            [one.count, one.zeroCount, one.sum] + one.positive.counts + one.negative.counts
        }
        var previous = numbers(samples[0].histogram)
        var windows = [XORWindow](repeating: XORWindow(), count: previous.count)
        writer.append(signed: samples[0].time)
        for number in previous { writer.append(number.bitPattern, count: 64) }
        var delta: Int64 = 0
        for (before, sample) in zip(samples, samples.dropFirst()) {
            let next = sample.time &- before.time
            writer.append(signed: next &- delta)
            delta = next
            let own = numbers(sample.histogram)
            for place in own.indices {
                windows[place].append(own[place], after: previous[place], to: &writer)
            }
            previous = own
        }
    }
}

/// The numbers of histograms whose counts are whole.
private enum WholeCounts {
    /// Count, count of zeros, and each side's buckets as differences from one to the next.
    private static func numbers(_ one: NativeHistogram) -> [Int64] {
        var numbers = [Int64(one.count), Int64(one.zeroCount)]
        for counts in [one.positive.counts, one.negative.counts] {
            var previous: Int64 = 0
            for count in counts {
                numbers.append(Int64(count) - previous)
                previous = Int64(count)
            }
        }
        return numbers
    }

    static func append(
        _ samples: [HistogramChunk.Sample],
        isStale: Bool,
        to writer: inout BitWriter
    ) {
        let shape = isStale ? NativeHistogram() : samples[0].histogram
        var previous = numbers(shape)
        var changes = [Int64](repeating: 0, count: previous.count)
        var window = XORWindow()
        writer.append(signed: samples[0].time)
        writer.append(unsigned: UInt64(bitPattern: previous[0]))
        writer.append(unsigned: UInt64(bitPattern: previous[1]))
        writer.append(samples[0].histogram.sum.bitPattern, count: 64)
        for number in previous.dropFirst(2) { writer.append(signed: number) }
        var delta: Int64 = 0
        for (before, sample) in zip(samples, samples.dropFirst()) {
            let next = sample.time &- before.time
            writer.append(signed: next &- delta)
            delta = next
            let own = numbers(sample.histogram)
            for place in own.indices {
                let change = own[place] &- previous[place]
                // The sum stands after the two counts.
                if place == 2 {
                    window.append(sample.histogram.sum, after: before.histogram.sum, to: &writer)
                }
                writer.append(signed: change &- changes[place])
                changes[place] = change
            }
            if own.count == 2 {
                window.append(sample.histogram.sum, after: before.histogram.sum, to: &writer)
            }
            previous = own
        }
    }
}

extension BitWriter {
    private static let widths = [3, 6, 9, 12, 18, 25, 56, 64]

    /// A number in as many bits as it needs of 3, 6, 9, 12, 18, 25, 56 and 64, after as many ones as
    /// tell which; the least of a width stands for its greatest.
    mutating func append(signed value: Int64) {
        let place = Self.widths.firstIndex { width in
            width == 64
                || value >= -((1 << Int64(width - 1)) - 1) && value <= 1 << Int64(width - 1)
        }
        append(UInt64(bitPattern: value), isZero: value == 0, at: place ?? 7)
    }

    mutating func append(unsigned value: UInt64) {
        let place = Self.widths.firstIndex { value.leadingZeroBitCount >= 64 - $0 }
        append(value, isZero: value == 0, at: place ?? 7)
    }

    private mutating func append(_ bits: UInt64, isZero: Bool, at place: Int) {
        guard !isZero else {
            append(bit: false)
            return
        }
        for _ in 0...place { append(bit: true) }
        // After eight ones nothing else can come.
        if place < 7 { append(bit: false) }
        append(bits, count: Self.widths[place])
    }
}
