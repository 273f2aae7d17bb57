internal import WeirCore

/// Counters and histograms of spans, summed by windows of span time and written as cumulative
/// samples.
///
/// A slot is one set of labels with its series. What is added goes to a window; a window that is
/// closed is added to the totals and written. What comes for a closed window goes to the earliest
/// that is not.
struct SpanSeries {
    /// Upper bounds of the buckets, in nanoseconds and as `le` shows them.
    static let bounds: [(nanoseconds: Int64, text: String)] = [
        (2_000_000, "0.002"), (4_000_000, "0.004"), (8_000_000, "0.008"), (16_000_000, "0.016"),
        (32_000_000, "0.032"), (64_000_000, "0.064"), (128_000_000, "0.128"),
        (256_000_000, "0.256"), (512_000_000, "0.512"), (1_024_000_000, "1.024"),
        (2_048_000_000, "2.048"), (4_096_000_000, "4.096"), (8_192_000_000, "8.192"),
        (16_384_000_000, "16.384"),
    ]
    /// A histogram's values: the buckets, that of infinity among them, and the sum.
    private static let histogramWidth = bounds.count + 2
    /// Values of open windows; beyond them the earliest window is closed before its time.
    private static let openValuesMax = 1 << 20

    /// The slowest span of a slot in a window.
    struct Slowest {
        var duration: Int64 = .min
        var time: Int64 = 0
        var traceHigh: UInt64 = 0
        var traceLow: UInt64 = 0
        var spanID: UInt64 = 0
    }

    private struct Slot {
        let counters: Int
        let histograms: Int
        let labels: [Labels]
        var totals: [Double]
        var changedAt: Int64 = .min
        var isActive = false
        /// Where its series are in the batch that is being made; -1: not yet.
        var firstStream = -1

        var width: Int { counters + histograms * SpanSeries.histogramWidth }
    }

    private struct Cell {
        let slot: Int
        let offset: Int
        var slowest = Slowest()
    }

    private struct Window {
        /// By slot: the place in `cells` plus one.
        var places: [Int32] = []
        var cells: [Cell] = []
        var values: [Double] = []

        @inline(__always)
        mutating func cell(_ slot: Int, width: Int) -> Int {
            if slot >= places.count {
                places += [Int32](repeating: 0, count: slot + 1 - places.count)
            }
            if places[slot] == 0 {
                cells.append(Cell(slot: slot, offset: values.count))
                values += [Double](repeating: 0, count: width)
                places[slot] = Int32(cells.count)
            }
            return Int(places[slot]) - 1
        }

        /// Adds a span; returns how many values that made.
        @inline(__always)
        mutating func add(
            slot: Int,
            width: Int,
            bucket: Int,
            duration: Int64,
            _ exemplar: Slowest
        ) -> Int {
            let before = values.count
            let place = cell(slot, width: width)
            let offset = cells[place].offset
            values[offset] += 1
            values[offset + 1 + bucket] += 1
            values[offset + width - 1] += Double(duration) / 1e9
            if duration > cells[place].slowest.duration {
                cells[place].slowest = exemplar
                cells[place].slowest.duration = duration
            }
            return values.count - before
        }
    }

    let interval: Int64
    private let slotsMax: Int
    private let idleWindows: Int64
    private var slots: [Slot] = []
    private var active: [Int] = []
    private var windows: [Int64: Window] = [:]
    /// The window at hand, which is not among `windows`.
    private var current = Window()
    private var currentIndex: Int64?
    private var openValueCount = 0
    private var lastClosed: Int64?
    private var batch = RowBatch(signal: .metrics)
    private var slotsInBatch: [Int] = []
    private var exemplars = RowBatch(signal: .exemplars)
    private var exemplarStreams: [Labels: UInt32] = [:]

    /// `interval` in nanoseconds.
    init(interval: Int64, slotsMax: Int) {
        self.interval = interval
        self.slotsMax = slotsMax
        idleWindows = max(1, 300_000_000_000 / interval)
    }

    var slotCount: Int { slots.count }
    /// Samples that wait to be taken.
    var waitingCount: Int { batch.rowCount + exemplars.rowCount }

    /// Makes a slot: `counters` and `histograms` are the names of its series.
    ///
    /// - Returns: Its number, or nil when there are too many.
    mutating func makeSlot(
        counters: [String],
        histograms: [String],
        _ pairs: [(String, String)]
    ) -> Int? {
        guard slots.count < slotsMax else { return nil }
        var labels = counters.map { Labels([(Labels.metricNameLabel, $0)] + pairs) }
        for name in histograms {
            for bound in Self.bounds.map(\.text) + ["+Inf"] {
                labels.append(
                    Labels([(Labels.metricNameLabel, name + "_bucket"), ("le", bound)] + pairs)
                )
            }
            labels.append(Labels([(Labels.metricNameLabel, name + "_sum")] + pairs))
            labels.append(Labels([(Labels.metricNameLabel, name + "_count")] + pairs))
        }
        let width = counters.count + histograms.count * Self.histogramWidth
        slots.append(
            Slot(
                counters: counters.count,
                histograms: histograms.count,
                labels: labels,
                totals: [Double](repeating: 0, count: width)
            )
        )
        return slots.count - 1
    }

    /// The window of a time: the earliest open one when its own is closed.
    @inline(__always)
    private func window(of time: Int64) -> Int64 {
        let whole = time / interval
        let floor = time % interval < 0 ? whole - 1 : whole
        return lastClosed.map { max(floor, $0 + 1) } ?? floor
    }

    @inline(__always)
    private static func bucket(_ duration: Int64) -> Int {
        // The bounds double, so the place is near the highest bit.
        if duration <= bounds[0].nanoseconds { return 0 }
        var place = 63 - (duration / 2_000_000).leadingZeroBitCount
        while place < bounds.count, duration > bounds[place].nanoseconds { place += 1 }
        return min(place, bounds.count)
    }

    /// Adds one to counter 0 and a duration to the histogram, and minds the slowest.
    @inline(__always)
    mutating func addSpan(_ slot: Int, time: Int64, duration: Int64, _ exemplar: Slowest) {
        let width = slots[slot].width
        let duration = max(0, duration)
        let bucket = Self.bucket(duration)
        takeUp(window(of: time))
        openValueCount += current.add(
            slot: slot,
            width: width,
            bucket: bucket,
            duration: duration,
            exemplar
        )
    }

    /// Adds one to counter 0, to counter 1 if it failed, and to those of the two histograms for
    /// which there is a duration.
    mutating func add(
        _ slot: Int,
        time: Int64,
        isFailed: Bool,
        durations: (Int64?, Int64?)
    ) {
        takeUp(window(of: time))
        let before = current.values.count
        let offset = current.cells[current.cell(slot, width: slots[slot].width)].offset
        current.values[offset] += 1
        if isFailed { current.values[offset + 1] += 1 }
        let first = offset + 2
        if let duration = durations.0 { add(duration, first) }
        if let duration = durations.1 { add(duration, first + Self.histogramWidth) }
        openValueCount += current.values.count - before
    }

    private mutating func add(_ duration: Int64, _ first: Int) {
        current.values[first + Self.bucket(max(0, duration))] += 1
        current.values[first + Self.histogramWidth - 1] += Double(max(0, duration)) / 1e9
    }

    /// Makes window `index` the one at hand: spans that come together are mostly of one.
    @inline(__always)
    private mutating func takeUp(_ index: Int64) {
        if currentIndex == index { return }
        putBack()
        current = windows.removeValue(forKey: index) ?? Window()
        currentIndex = index
    }

    /// Puts the window at hand with the others.
    private mutating func putBack() {
        guard let index = currentIndex else { return }
        windows[index] = current
        current = Window()
        currentIndex = nil
    }

    // MARK: Closing

    /// Closes the windows that end at or before `watermark`, and others where they are too many.
    mutating func close(through watermark: Int64) {
        putBack()
        for index in windows.keys.sorted() {
            let (end, overflow) = (index + 1).multipliedReportingOverflow(by: interval)
            guard overflow || end <= watermark || openValueCount > Self.openValuesMax else { break }
            close(index)
        }
    }

    /// Writes the series that still rest, in windows without spans that end at or before
    /// `watermark`.
    mutating func rest(through watermark: Int64) {
        putBack()
        guard let closed = lastClosed, !active.isEmpty else { return }
        let last = watermark / interval - 1
        // Never past a window that is open.
        let open = windows.keys.min() ?? .max
        var index = closed + 1
        while index <= last, index < open, !active.isEmpty {
            write(index)
            index += 1
        }
    }

    private mutating func close(_ index: Int64) {
        if let closed = lastClosed {
            var gap = closed + 1
            while gap < index, !active.isEmpty {
                write(gap)
                gap += 1
            }
        }
        guard let window = windows.removeValue(forKey: index) else { return }
        openValueCount -= window.values.count
        for cell in window.cells {
            if slots[cell.slot].changedAt == .min {
                // From nothing: so that the first increase is seen.
                append(cell.slot, at: index * interval)
            }
            for place in 0..<slots[cell.slot].width {
                slots[cell.slot].totals[place] += window.values[cell.offset + place]
            }
            slots[cell.slot].changedAt = index
            if !slots[cell.slot].isActive {
                slots[cell.slot].isActive = true
                active.append(cell.slot)
            }
            if cell.slowest.duration > .min { append(cell) }
        }
        write(index)
    }

    /// Writes the active series at the end of window `index`.
    private mutating func write(_ index: Int64) {
        lastClosed = index
        var kept: [Int] = []
        for slot in active {
            if index - slots[slot].changedAt > idleWindows {
                slots[slot].isActive = false
            } else {
                kept.append(slot)
                append(slot, at: (index + 1) * interval)
            }
        }
        active = kept
    }

    private mutating func append(_ slot: Int, at time: Int64) {
        if slots[slot].firstStream < 0 {
            slots[slot].firstStream = batch.streams.count
            slotsInBatch.append(slot)
            batch.streams += slots[slot].labels
            batch.firstLines += [Int](repeating: 0, count: slots[slot].labels.count)
        }
        var stream = UInt32(slots[slot].firstStream)
        func put(_ value: Double, _ batch: inout RowBatch) {
            batch.streamIndexes.append(stream)
            batch.times.append(time)
            batch.columns[0].floats.append(value)
            stream += 1
        }
        let totals = slots[slot].totals
        let counters = slots[slot].counters
        for place in 0..<counters { put(totals[place], &batch) }
        for histogram in 0..<slots[slot].histograms {
            let first = counters + histogram * Self.histogramWidth
            var count = 0.0
            for place in 0...Self.bounds.count {
                count += totals[first + place]
                put(count, &batch)
            }
            put(totals[first + Self.histogramWidth - 1], &batch)
            put(count, &batch)
        }
    }

    private mutating func append(_ cell: Cell) {
        let slowest = cell.slowest
        let place = slots[cell.slot].counters + Self.bucket(slowest.duration)
        let labels = slots[cell.slot].labels[place]
        let stream = exemplarStreams[labels] ?? UInt32(exemplars.streams.count)
        if exemplars.streams.count == Int(stream) {
            exemplarStreams[labels] = stream
            exemplars.streams.append(labels)
            exemplars.firstLines.append(0)
        }
        let row = exemplars.rowCount
        let seconds = Double(slowest.duration) / 1e9
        exemplars.fields.set(ExemplarField.value, row: row, kind: .number, value: "\(seconds)")
        exemplars.fields.set(
            ExemplarField.traceID,
            row: row,
            kind: .text,
            value: HexDigits.text(slowest.traceHigh) + HexDigits.text(slowest.traceLow)
        )
        exemplars.fields.set(
            ExemplarField.spanID,
            row: row,
            kind: .text,
            value: HexDigits.text(slowest.spanID)
        )
        exemplars.streamIndexes.append(stream)
        exemplars.times.append(slowest.time)
    }

    /// Hands over what was written: samples and exemplars.
    mutating func take() -> (samples: RowBatch, exemplars: RowBatch) {
        let taken = (batch, exemplars)
        batch = RowBatch(signal: .metrics)
        exemplars = RowBatch(signal: .exemplars)
        exemplarStreams = [:]
        for slot in slotsInBatch { slots[slot].firstStream = -1 }
        slotsInBatch = []
        return taken
    }
}
