import Testing
import WeirCore

@testable import WeirWire

/// Delta points become running totals.
@Suite struct MetricTotalsTests {
    private typealias R = MetricRendering

    private static func point(
        name: String = "m",
        _ start: Int64,
        _ time: Int64,
        _ shape: MetricPoint.Shape,
        isDelta: Bool = true
    ) -> MetricPoint {
        MetricPoint(
            name: name,
            labels: [("a", "b")],
            start: Int64(R.time) + start,
            time: Int64(R.time) + time,
            isDelta: isDelta,
            isStale: false,
            shape: shape
        )
    }

    /// What several requests come to, one after the other.
    private static func run(_ requests: [[MetricPoint]]) -> [[String]] {
        var totals = MetricTotals()
        return requests.map { request in
            var points = request
            _ = totals.accumulate(&points)
            return R.samples(points).map { $0.replacing(#"{a="b"}"#, with: "") }
        }
    }

    @Test func numbersAddUpFromAZeroJustAfterTheirStart() {
        let found = Self.run([
            [Self.point(-100, 0, .number(5)), Self.point(0, 100, .number(2.5))],
            [Self.point(100, 200, .number(1))],
            [Self.point(150, 200, .number(3), isDelta: false)],
        ])
        #expect(found == [["m 0 @-99", "m 5", "m 7.5 @100"], ["m 8.5 @200"], ["m 3 @200"]])
    }

    @Test func aPointThatComesAgainAddsNothing() {
        let first = Self.point(-100, 0, .number(5))
        let second = Self.point(0, 100, .number(2))
        #expect(
            Self.run([[first], [first], [second, second]]) == [
                ["m 0 @-99", "m 5"], ["m 5"], ["m 7 @100", "m 7 @100"],
            ]
        )
    }

    @Test func aLatePointIsAddedAtTheLatestTime() {
        let found = Self.run([
            [Self.point(100, 200, .number(5))], [Self.point(0, 100, .number(2))],
        ])
        #expect(found == [["m 0 @101", "m 5 @200"], ["m 7 @200"]])
    }

    @Test func histogramsAddUpAndBeginAnewWhenTheirBoundsChange() {
        func histogram(_ counts: [UInt64], _ bounds: [Double], _ sum: Double?) -> MetricPoint.Shape
        {
            var histogram = MetricHistogram()
            histogram.count = counts.reduce(0, +)
            histogram.sum = sum
            histogram.bounds = bounds
            histogram.buckets = counts
            return .histogram(histogram)
        }
        let found = Self.run([
            [Self.point(0, 100, histogram([1, 2], [1], 3))],
            [Self.point(100, 200, histogram([3, 0], [1], 1))],
            [Self.point(200, 300, histogram([1, 1], [5], 2))],
        ])
        func lines(_ low: Int, _ bound: Int, _ count: Int, _ sum: Int, _ at: Int) -> [String] {
            [
                #"m_bucket{a="b", le="\#(bound)"} \#(low) @\#(at)"#,
                #"m_bucket{a="b", le="+Inf"} \#(count) @\#(at)"#, "m_count \(count) @\(at)",
                "m_sum \(sum) @\(at)",
            ]
        }
        func normal(_ texts: [String]) -> [String] { texts.map { $0.filter { $0 != " " } } }
        #expect(normal(found[0]) == normal(lines(0, 1, 0, 0, 1) + lines(1, 1, 3, 3, 100)))
        #expect(normal(found[1]) == normal(lines(4, 1, 6, 4, 200)))
        #expect(normal(found[2]) == normal(lines(1, 5, 2, 2, 300)))
    }

    @Test func exponentialHistogramsAddUpAtTheCoarserScale() {
        func exponential(_ scale: Int, _ positive: [Int: UInt64]) -> MetricPoint.Shape {
            var histogram = ExponentialHistogram()
            histogram.scale = scale
            histogram.positive = positive
            histogram.count = positive.values.reduce(0, +)
            histogram.sum = 1
            return .exponential(histogram)
        }
        let found = Self.run([
            [Self.point(0, 100, exponential(1, [0: 1, 1: 1, 2: 1]))],
            [Self.point(100, 200, exponential(0, [1: 5]))],
        ])
        let last = found[1].map { $0.filter { $0 != " " } }
        #expect(
            last == [
                #"m_bucket{a="b",le="2"}2@200"#, #"m_bucket{a="b",le="4"}8@200"#,
                #"m_bucket{a="b",le="+Inf"}8@200"#, "m_count8@200", "m_sum2@200",
            ]
        )
    }

    /// Totals of buckets that lie as far apart as numbers go cost no more than others.
    @Test func bucketsFarApartAreMadeCoarser() {
        func exponential(_ index: Int) -> MetricPoint.Shape {
            var histogram = ExponentialHistogram()
            histogram.scale = -10
            histogram.positive = [index: 1]
            histogram.count = 1
            return .exponential(histogram)
        }
        let found = Self.run([
            [Self.point(0, 100, exponential(Int(Int32.min)))],
            [Self.point(100, 200, exponential(Int(Int32.max)))],
        ])
        #expect(found[1].count < 170)
        #expect(found[1].contains { $0.contains("m_count 2") })
    }

    @Test func whatIsNotStoredIsTakenBack() {
        var totals = MetricTotals()
        var first = [Self.point(-100, 0, .number(5))]
        _ = totals.accumulate(&first)
        var lost = [Self.point(0, 100, .number(2)), Self.point(name: "other", 0, 100, .number(1))]
        let undo = totals.accumulate(&lost)
        totals.restore(undo)
        #expect(totals.count == 1)
        var again = [Self.point(0, 100, .number(2))]
        _ = totals.accumulate(&again)
        #expect(R.samples(again) == [#"m{a="b"} 7 @100"#])
    }

    @Test func whatWasAddedSinceIsKept() {
        var totals = MetricTotals()
        var first = [Self.point(-100, 0, .number(5))]
        let undo = totals.accumulate(&first)
        var second = [Self.point(0, 100, .number(2))]
        _ = totals.accumulate(&second)
        totals.restore(undo)
        var third = [Self.point(100, 200, .number(1))]
        _ = totals.accumulate(&third)
        #expect(R.samples(third) == [#"m{a="b"} 8 @200"#])
    }

    @Test func seriesThatWereQuietLongestBeginAnew() {
        var totals = MetricTotals(seriesMax: 10)
        for number in 0..<30 {
            var points = [Self.point(name: "m\(number)", 0, 100, .number(1))]
            _ = totals.accumulate(&points)
            #expect(totals.count <= 10)
        }
        var points = [Self.point(name: "m29", 100, 200, .number(1))]
        _ = totals.accumulate(&points)
        #expect(R.samples(points) == [#"m29{a="b"} 2 @200"#])
    }
}
