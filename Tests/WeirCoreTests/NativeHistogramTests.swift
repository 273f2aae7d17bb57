import Testing
import WeirCore

@Suite struct NativeHistogramTests {
    private static func histograms() -> [NativeHistogram] {
        var plain = NativeHistogram()
        plain.schema = 3
        plain.zeroThreshold = 1e-128
        plain.zeroCount = 2
        plain.count = 12
        plain.sum = 18.4
        plain.positive = .init(
            spans: [.init(offset: -3, length: 2), .init(offset: 1, length: 2)],
            counts: [1, 2, 1, 1]
        )
        plain.negative = .init(spans: [.init(offset: 0, length: 1)], counts: [5])
        var custom = NativeHistogram()
        custom.schema = NativeHistogram.customSchema
        custom.customBounds = [0.5, 1, 2.5]
        custom.count = 3.5
        custom.hasFloatCounts = true
        custom.resetHint = .gauge
        custom.positive = .init(spans: [.init(offset: 0, length: 4)], counts: [1, 0, 2.5, 0])
        var stale = NativeHistogram()
        stale.sum = .staleMarker
        return [plain, custom, stale]
    }

    @Test func rowsReadBackAsTheyWereWritten() throws {
        var batch = RowBatch(signal: .histograms)
        batch.streams = [Labels([("__name__", "x")])]
        for (row, histogram) in Self.histograms().enumerated() {
            batch.append(histogram, stream: 0, time: Int64(row))
        }
        for (row, histogram) in Self.histograms().enumerated() {
            let read = try NativeHistogram(row: row, of: batch.columns)
            #expect(read.isStale == histogram.isStale)
            if !histogram.isStale { #expect(read == histogram) }
        }
    }

    /// Whatever a sender puts beside the mark, only the mark is kept.
    @Test func whatEndsASeriesHasNoBuckets() throws {
        var stale = NativeHistogram()
        stale.sum = .staleMarker
        stale.positive = .init(
            spans: [.init(offset: 0, length: 3)],
            counts: [Double(Int64.min), 1]
        )
        stale.customBounds = [1]
        var batch = RowBatch(signal: .histograms)
        batch.append(stale, stream: 0, time: 0)
        let read = try NativeHistogram(row: 0, of: batch.columns)
        #expect(read.isStale && read.positive.isEmpty && read.customBounds.isEmpty)
        // And the least of all numbers is no reason to fail.
        var odd = NativeHistogram()
        odd.positive = .init(spans: [.init(offset: 0, length: 1)], counts: [Double(Int64.min)])
        batch.append(odd, stream: 0, time: 1)
        #expect(try NativeHistogram(row: 1, of: batch.columns) == odd)
    }

    @Test func damagedRowsAreRefused() {
        var batch = RowBatch(signal: .histograms)
        batch.append(Self.histograms()[0], stream: 0, time: 0)
        let layout = Array(batch.columns[3].texts[0])
        for length in 0..<layout.count {
            var columns = batch.columns
            columns[3] = ColumnValues(kind: .bytes)
            columns[3].texts.append(layout[..<length])
            #expect(throws: DecodeError.self) { try NativeHistogram(row: 0, of: columns) }
        }
    }
}
