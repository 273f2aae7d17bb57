import Testing
import WeirCore
@testable import WeirWire

/// OpenTelemetry's exponential histograms as native ones.
@Suite struct NativeHistogramRowTests {
    typealias R = MetricRendering

    private static func point(
        _ histogram: ExponentialHistogram,
        start: Int64 = 0,
        time: Int64 = 100,
        isDelta: Bool = false,
        isStale: Bool = false
    ) -> MetricPoint {
        MetricPoint(
            name: "m",
            labels: [("a", "b")],
            start: start,
            time: time,
            isDelta: isDelta,
            isStale: isStale,
            shape: .exponential(histogram)
        )
    }

    private static func histogram(
        scale: Int,
        _ positive: [Int: UInt64],
        _ negative: [Int: UInt64] = [:]
    ) -> ExponentialHistogram {
        var histogram = ExponentialHistogram()
        histogram.scale = scale
        histogram.positive = positive
        histogram.negative = negative
        histogram.zeroCount = 2
        histogram.count = 2 + positive.values.reduce(0, +) + negative.values.reduce(0, +)
        histogram.sum = 7.5
        return histogram
    }

    private static func rows(_ points: [MetricPoint]) throws -> [NativeHistogram] {
        let batch = MetricRows(points).histograms
        return try (0..<batch.rowCount).map { try NativeHistogram(row: $0, of: batch.columns) }
    }

    /// A bucket is named by its lower bound in OTLP, by its upper one as a native histogram.
    @Test func bucketsKeepTheirPlace() throws {
        let points = [Self.point(Self.histogram(scale: 3, [-2: 4, -1: 1, 5: 3], [0: 6]))]
        let found = try #require(try Self.rows(points).first)
        #expect(found.schema == 3)
        #expect(found.count == 16 && found.sum == 7.5 && found.zeroCount == 2)
        #expect(found.zeroThreshold == 1e-128)
        #expect(found.positive.counts == [4, 1, 3])
        #expect(
            found.positive.spans == [.init(offset: -1, length: 2), .init(offset: 5, length: 1)]
        )
        #expect(found.negative == .init(spans: [.init(offset: 1, length: 1)], counts: [6]))
        let rows = MetricRows(points)
        #expect(rows.samples.rowCount == 0)
        #expect(rows.histograms.streams == [Labels([("__name__", "m"), ("a", "b")])])
    }

    /// Schemas end at 8 and at -4: finer scales are made coarser, coarser ones stay classic.
    @Test func scalesThatSchemasLackAreConverted() throws {
        let fine = try #require(
            try Self.rows([Self.point(Self.histogram(scale: 10, [0: 1, 3: 1, 4: 1, -1: 1]))]).first
        )
        #expect(fine.schema == 8)
        #expect(fine.positive.counts == [1, 2, 1])
        #expect(fine.positive.spans == [.init(offset: 0, length: 3)])
        let coarse = MetricRows([Self.point(Self.histogram(scale: -5, [0: 1]))])
        #expect(coarse.histograms.rowCount == 0)
        #expect(coarse.samples.rowCount > 0)
    }

    @Test func aPointWithoutValueEndsTheSeries() throws {
        let found = try Self.rows([Self.point(Self.histogram(scale: 0, [0: 1]), isStale: true)])
        #expect(found.map(\.isStale) == [true])
    }

    /// Delta points become totals at the coarser scale, after a zero at their start.
    @Test func deltaIsMadeCumulative() throws {
        var totals = MetricTotals()
        var first = [
            Self.point(Self.histogram(scale: 1, [0: 1, 1: 1]), start: 10, isDelta: true)
        ]
        _ = totals.accumulate(&first)
        var second = [
            Self.point(
                Self.histogram(scale: 0, [0: 5]),
                start: 100,
                time: 200,
                isDelta: true
            )
        ]
        _ = totals.accumulate(&second)
        let found = try Self.rows(first + second)
        #expect(found.map(\.count) == [0, 4, 11])
        #expect(found.map(\.schema) == [1, 1, 0])
        #expect(found[2].positive.counts == [7] && found[2].zeroCount == 4)
    }

    /// However far apart buckets lie, what is stored is read back, and stays small.
    @Test func totalsStaySmall() throws {
        var totals = MetricTotals()
        var points: [MetricPoint] = []
        for round in 0..<40 {
            var buckets: [Int: UInt64] = [:]
            for place in 0..<100 { buckets[(round * 100 + place) * 7919 - 9_000_000] = 1 }
            var next = [
                Self.point(
                    Self.histogram(scale: 20, buckets),
                    start: Int64(round),
                    time: Int64(round) + 1,
                    isDelta: true
                )
            ]
            _ = totals.accumulate(&next)
            points += next
        }
        for histogram in try Self.rows(points) {
            #expect(histogram.positive.counts.count <= 1024)
        }
        let wild = try Self.rows([
            Self.point(Self.histogram(scale: 0, [.max: 1, .min: 1, Int(Int32.max): 1, 3: 1]))
        ])
        #expect(wild.count == 1)
    }
}
