import Testing
import WeirCore
import WeirTerminal
import WeirTestSupport

@Suite struct AxisTests {
    @Test(
        arguments: [
            (1234, .short, "1.23k"), (999_600, .short, "1M"), (0.0421, .short, "0.0421"),
            (0, .bytes, "0B"), (1536, .bytes, "1.5KiB"), (1_073_741_824, .bytes, "1GiB"),
            (0.861, .seconds, "861ms"), (0.000_002_5, .seconds, "2.5µs"), (95, .seconds, "95s"),
            (7200, .seconds, "2h"), (1500, .milliseconds, "1.5s"), (0.0042, .ratio, "0.42%"),
            (42, .percent, "42%"), (1200, .perSecond, "1.2k/s"), (2048, .bytesPerSecond, "2KiB/s"),
            (-1500, .short, "-1.5k"), (123_456, .none, "123456"), (.nan, .short, "NaN"),
            (.infinity, .seconds, "+Inf"), (-0.0, .short, "0"), (1e-12, .short, "1e-12"),
        ] as [(Double, ValueUnit, String)]
    )
    func valuesAreWrittenShort(_ value: Double, _ unit: ValueUnit, _ text: String) {
        #expect(unit.text(value) == text)
    }

    @Test(
        arguments: [
            (0...1, .seconds, 8, ["0", "0.25s", "0.50s", "0.75s", "1.00s"]),
            (0...1300, .perSecond, 8, ["0", "0.5k/s", "1.0k/s", "1.5k/s"]),
            (0...3_000_000_000, .bytes, 8, ["0", "1GiB", "2GiB", "3GiB"]),
            (0...0.004, .ratio, 8, ["0", "0.1%", "0.2%", "0.3%", "0.4%"]),
            (95...100, .percent, 8, []),
        ] as [(ClosedRange<Double>, ValueUnit, Int, [String])]
    )
    func ticksReadWell(
        _ range: ClosedRange<Double>,
        _ unit: ValueUnit,
        _ rows: Int,
        _ labels: [String]
    ) {
        let axis = ValueAxis(fitting: range, unit: unit, rows: rows)
        if !labels.isEmpty { #expect(axis.ticks.map { $0.label } == labels) }
        #expect(axis.lower <= range.lowerBound && axis.upper >= range.upperBound)
        #expect(axis.ticks.count <= rows / 2 + 1)
    }

    @Test func axesHoldAnything() {
        var random = SplitMix64(seed: 7)
        let specials: [Double] = [
            0, -0.0, 1e-300, Double.leastNonzeroMagnitude, 1e300, -1e308, .greatestFiniteMagnitude,
            1, 1e15,
        ]
        for _ in 0..<3000 {
            func number() -> Double {
                let base = specials[Int.random(in: 0..<specials.count, using: &random)]
                return Bool.random(using: &random)
                    ? base : Double.random(in: -1000...1000, using: &random)
            }
            let (a, b) = (number(), number())
            let unit = ValueUnit.allCases[
                Int.random(in: 0..<ValueUnit.allCases.count, using: &random)
            ]
            let axis = ValueAxis(
                fitting: min(a, b)...max(a, b),
                unit: unit,
                rows: Int.random(in: 0..<40, using: &random),
                minimum: Int.random(in: 0..<4, using: &random) == 0 ? number() : nil
            )
            #expect(axis.lower < axis.upper)
            #expect(axis.ticks.count <= 21)
        }
    }

    @Test func axisGrowsAtOnceAndShrinksSlowly() {
        let wide = ValueAxis(fitting: 0...100, unit: .short, rows: 10)
        let kept = ValueAxis(fitting: 0...60, unit: .short, rows: 10, previous: wide)
        #expect(kept.upper == wide.upper)
        let shrunk = ValueAxis(fitting: 0...30, unit: .short, rows: 10, previous: wide)
        #expect(shrunk.upper < wide.upper)
        let grown = ValueAxis(fitting: 0...130, unit: .short, rows: 10, previous: wide)
        #expect(grown.upper >= 130)
    }

    @Test func timeAxisIsAlignedSoThatPanningDoesNotShimmer() {
        let start: Int64 = 1_764_000_123_456
        let axis = TimeAxis(from: start, to: start + 3_600_000, cells: 80)
        #expect(axis.dots == 160)
        #expect(axis.start % axis.step == 0)
        #expect(axis.end >= start + 3_600_000 && axis.end < start + 3_600_000 + axis.step)
        let panned = TimeAxis(
            from: start + axis.step,
            to: start + 3_600_000 + axis.step,
            cells: 80
        )
        #expect(panned.step == axis.step && panned.start == axis.start + axis.step)
        for dot in 0..<axis.dots { #expect(axis.dot(of: axis.time(ofDot: dot)) == dot) }
        #expect(axis.dot(of: axis.start - axis.step) == nil)
        #expect(axis.dot(of: axis.end + 1) == nil)
    }

    @Test(
        arguments: [
            (60_000, ["00:00:15", "00:00:30", "00:00:45", "00:01:00"]),
            (3_600_000, ["00:15", "00:30", "00:45", "01:00"]),
            (86_400_000, ["06:00", "12:00", "18:00", "25 Nov"]),
        ] as [(Int64, [String])]
    )
    func timeTicksAreRound(_ span: Int64, _ labels: [String]) {
        let midnight: Int64 = 1_763_942_400_000
        let axis = TimeAxis(from: midnight, to: midnight + span, cells: 60)
        #expect(axis.ticks.map { $0.label } == labels)
        let cells = axis.ticks.map { $0.cell }
        for (left, right) in zip(cells, cells.dropFirst()) { #expect(right - left >= 12) }
    }

    @Test(
        arguments: [
            (0, "1970-01-01 00:00:00"), (1_709_210_096_000, "2024-02-29 12:34:56"),
            (-1000, "1969-12-31 23:59:59"), (4_102_444_800_000, "2100-01-01 00:00:00"),
        ] as [(Int64, String)]
    )
    func civilTimeFollowsTheCalendar(_ time: Int64, _ text: String) {
        #expect(CivilTime(milliseconds: time).full == text)
    }

    @Test func envelopesKeepWhatAColumnShows() {
        let axis = TimeAxis(start: 0, step: 100, dots: 3)
        let points = [(10, 5.0), (20, 9), (30, -2), (100, 4), (150, .nan), (160, 7)].map {
            ChartPoint(time: $0.0, value: $0.1)
        }
        let columns = ColumnEnvelope.make(points, axis: axis)
        #expect(columns.count == 2)
        #expect(columns[0].dot == 1 && columns[0].count == 4)
        #expect(columns[0].min == -2 && columns[0].max == 9)
        #expect(columns[0].first == 5 && columns[0].last == 4)
        #expect(columns[1].dot == 2 && columns[1].last == 7)
    }

    @Test func summariesLeaveOutWhatIsNotComplete() throws {
        let points = (1...100).map { ChartPoint(time: Int64($0), value: Double($0)) }
        let summary = try #require(SeriesSummary(points, complete: 99))
        #expect(summary.last == 99 && summary.max == 99 && summary.min == 1)
        #expect(abs(summary.average - 50) < 1e-9)
        #expect(abs(summary.p95 - 94.1) < 1e-9)
        #expect(SeriesSummary([ChartPoint(time: 1, value: .nan)], complete: 9) == nil)
    }
}
