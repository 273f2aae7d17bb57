import Synchronization
import Testing
import WeirCore
import WeirQuery
import WeirServer
import WeirStore
import WeirSystem
import WeirTestSupport

/// Queries that rollups answer give what the samples give.
@Suite struct RollupQueryTests {
    private typealias Bed = RollupBed
    private static let second = RollupBed.second
    private static let day = RollupBed.day
    private static let midnight = RollupBed.midnight
    private static let midnightMilliseconds = RollupBed.midnightMilliseconds
    private static let hour = RollupBed.hour

    private static let functions = [
        "count_over_time", "present_over_time", "absent_over_time", "sum_over_time",
        "avg_over_time",
        "min_over_time", "max_over_time", "first_over_time", "last_over_time",
        "ts_of_first_over_time", "ts_of_last_over_time", "rate", "increase", "delta", "changes",
        "resets", "stddev_over_time", "irate",
    ]

    private static let kinds = 8

    /// A value of a kind of series, after `previous`.
    private static func value(
        _ kind: Int,
        after previous: Double,
        _ random: inout SplitMix64
    ) -> Double {
        switch kind {
        case 0: return Double(Int.random(in: -50...50, using: &random))
        case 1: return (Double.random(in: 0...100, using: &random) * 10).rounded() / 10
        case 2:
            // A counter with resets, seldom or often.
            if Int.random(in: 0..<60, using: &random) == 0 { return 0 }
            return previous + Double(Int.random(in: 0...9, using: &random))
        case 3:
            if Int.random(in: 0..<200, using: &random) == 0 { return 0.25 }
            return previous + Double.random(in: 0...1, using: &random)
        case 4: return [0.0, -0.0, 1][Int.random(in: 0..<3, using: &random)]
        case 5:
            let odd = [Double.nan, .infinity, -.infinity, 5, 6, 7, 8, 1e308, -1e308]
            return odd[Int.random(in: 0..<odd.count, using: &random)]
        case 6: return Int.random(in: 0..<12, using: &random) == 0 ? .staleMarker : previous + 1
        default: return 0x1p50 * Double(Int.random(in: 0...9, using: &random))
        }
    }

    private static func rows(_ random: inout SplitMix64) -> [(Labels, Int64, Double)] {
        var rows: [(Labels, Int64, Double)] = []
        for kind in 0..<kinds {
            let labels = Labels([("__name__", "m_total"), ("kind", "\(kind)")])
            var time = midnight + Int64.random(in: 0...(600 * second), using: &random)
            var previous = 0.0
            while time < midnight + 3 * day {
                previous = value(kind, after: previous.isFinite ? previous : 0, &random)
                rows.append((labels, time, previous))
                switch Int.random(in: 0..<50, using: &random) {
                case 0: time += Int64.random(in: 0...(3 * 3600), using: &random) * second
                case 1: time += 1 + Int64.random(in: 0...2_000_000, using: &random)
                case 2...9:
                    // Onto the end of a window, or a fraction of a millisecond to its other side.
                    let window = 300 * second
                    time = (time / window + 1) * window + Int64.random(in: -1...1, using: &random)
                default: time += Int64.random(in: 1...90, using: &random) * second
                }
            }
        }
        return rows
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func rollupsAndSamplesAgreeToTheLastBit(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let bed = try Bed(Self.rows(&random))
        defer { bed.store.stop() }
        #expect(bed.store.counters.rolledUpDays.value == 2)
        let ranges: [(text: String, step: Int64)] = [
            ("5m", 300_000), ("1h", Self.hour), ("2h", Self.hour), ("1h", 2 * Self.hour),
            ("15m", 300_000), ("1d", Self.hour), ("6h", 1_800_000), ("10m", 600_000),
        ]
        for function in Self.functions {
            for (range, step) in ranges {
                let offset = ["", " offset 1h", " offset -2h"][
                    Int.random(in: 0..<3, using: &random)
                ]
                let query = "\(function)(m_total[\(range)]\(offset))"
                let samples = try bed.ask(query, hours: 0...80, step: step, .off)
                let rollups = try bed.ask(query, hours: 0...80, step: step, .exact)
                #expect(rollups.points == samples.points, "\(query) at \(step), seed \(seed)")
                #expect(rollups.infos == samples.infos, "\(query) at \(step), seed \(seed)")
                let summed = "sum by (kind) (\(query))"
                #expect(
                    try bed.ask(summed, hours: 0...80, step: step, .exact).points
                        == bed.ask(summed, hours: 0...80, step: step, .off).points,
                    "\(summed) at \(step), seed \(seed)"
                )
            }
        }
        // They were used: a day of whole hours is a few rows.
        for query in ["max_over_time", "count_over_time", "changes"] {
            let text = "\(query)(m_total{kind=\"2\"}[1h])"
            let rollups = try bed.ask(text, hours: 1...40, .exact).rowsRead
            let samples = try bed.ask(text, hours: 1...40, .off).rowsRead
            #expect(rollups * 10 < samples, "\(text): \(rollups) rows for \(samples)")
        }
        // Where windows do not lie on theirs, they are not.
        let shifted = try bed.ask("max_over_time(m_total[1h])", hours: 1...40, shift: 1, .exact)
        let samples = try bed.ask("max_over_time(m_total[1h])", hours: 1...40, shift: 1, .off)
        #expect(shifted.points == samples.points && shifted.rowsRead == samples.rowsRead)
    }

    @Test func roundedSumsAreTakenWhenAsked() throws {
        var random = SplitMix64(seed: 9)
        let host = Labels([("__name__", "g")])
        let rows = (0..<2880).map { minute in
            (
                host, Self.midnight + Int64(minute) * 60 * Self.second,
                Double.random(in: 0...1, using: &random)
            )
        }
        let bed = try Bed(rows)
        defer { bed.store.stop() }
        let query = "avg_over_time(g[3h])"
        let exact = try bed.ask(query, hours: 3...40, .exact)
        let samples = try bed.ask(query, hours: 3...40, .off)
        let rounded = try bed.ask(query, hours: 3...40, .rounded)
        #expect(exact.points == samples.points)
        #expect(rounded.rowsRead * 10 < samples.rowsRead)
        for (one, other) in zip(
            rounded.points["\(Labels.empty)"] ?? [],
            samples.points["\(Labels.empty)"] ?? []
        ) {
            let (mean, right) = (Double(bitPattern: one[1]), Double(bitPattern: other[1]))
            #expect((mean - right).magnitude <= 1e-14 * right.magnitude)
        }
        // The mean of a window that one row stands for is the samples' own.
        let hourly = try bed.ask("avg_over_time(g[1h])", hours: 1...40, .exact)
        #expect(hourly.points == (try bed.ask("avg_over_time(g[1h])", hours: 1...40, .off)).points)
        #expect(hourly.rowsRead * 10 < samples.rowsRead)
    }

    @Test func rollupsAnswerWhereSamplesAreGone() throws {
        let host = Labels([("__name__", "c_total")])
        let rows = (0..<2880).map { minute in
            (host, Self.midnight + Int64(minute) * 60 * Self.second, Double(minute))
        }
        let bed = try Bed(rows)
        let queries = [
            "max_over_time(c_total[1h])", "rate(c_total[2h])", "avg_over_time(c_total[1h])",
        ]
        let before = try queries.map { try bed.ask($0, hours: 1...47, .off) }
        bed.store.stop()
        let store = try Bed.open(bed.folder.path, days: 12) { options in
            options.retentionAge = 2 * Self.day
            options.rollupRetention = [.oneHour: .forever, .fiveMinutes: .age(10 * Self.day + 1)]
        }
        defer { store.stop() }
        try store.flush()
        func rowCount(_ signal: Signal) -> Int {
            store.status().signals.first { $0.signal == signal }?.segmentRows ?? 0
        }
        // The first flush looks at retention.
        for _ in 0..<10_000 where rowCount(.metrics) > 0 { Thread.sleep(nanoseconds: 1_000_000) }
        #expect(rowCount(.metrics) == 0)
        for use in [RollupUse.exact, .off] {
            for (query, expected) in zip(queries, before) {
                let after = try Bed.ask(store, query, hours: 1...47, use)
                #expect(after.points == expected.points, "\(query)")
                #expect(
                    after.infos.contains { $0.contains("samples of some of this time are gone") }
                )
            }
        }
        // Steps that no rollup fits get what the nearest rows know.
        let shifted = try Bed.ask(
            store,
            "max_over_time(c_total[1h])",
            hours: 26...40,
            shift: 60_000,
            .exact
        )
        let points = try #require(shifted.points["\(Labels.empty)"])
        #expect(points.map { Double(bitPattern: $0[1]) } == (26...40).map { Double($0 * 60) })
        // And what rollups have no answer for is asked of each window's last sample.
        let latest = try Bed.ask(store, "c_total", hours: 1...47, .exact)
        let values = try #require(latest.points["\(host)"])
        #expect(values.map { Double(bitPattern: $0[1]) } == (1...47).map { Double($0 * 60) })
        let series = try StoreSampleSource(store: store).labelTexts(
            "__name__",
            [],
            fromMilliseconds: Self.midnightMilliseconds,
            throughMilliseconds: Self.midnightMilliseconds + 48 * Self.hour,
            context: QueryContext()
        )
        #expect(series == ["c_total"])
    }
}
