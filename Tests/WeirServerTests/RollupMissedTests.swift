import Testing
import WeirCore
import WeirPattern
import WeirQuery
import WeirServer
import WeirSystem
import WeirTestSupport

@testable import WeirStore

/// Series that rollups cannot answer for, which are read from samples once the rollups were read.
@Suite struct RollupMissedTests {
    private typealias Bed = RollupBed
    private static let fiveMinutes: Int64 = 300_000

    /// Three days of series whose sums are rounded, a sample every so many minutes.
    private static func rows(_ series: Int, minutes: Int) -> [(Labels, Int64, Double)] {
        var random = SplitMix64(seed: 11)
        return (0..<series).flatMap { host in
            let labels = Labels([("__name__", "g"), ("host", "h\(host)")])
            return (0..<(3 * 1440 / minutes)).map { sample in
                (
                    labels, Bed.midnight + Int64(sample * minutes) * 60 * Bed.second,
                    Double.random(in: 0...1, using: &random)
                )
            }
        }
    }

    /// Steps without end beside few that touch the day whose samples are gone: only these are kept.
    @Test func onlyStepsThatNothingElseKnowsOfTakeMemory() throws {
        let bed = try Bed(Self.rows(200, minutes: 30))
        let store = try bed.withoutFirstDay(keepingFiveMinutes: true)
        defer { store.stop() }
        func ask(memoryBytesMax: Int) throws -> Bed.Answer {
            try Bed.ask(
                store,
                "sum(avg_over_time(g[35m]))",
                hours: 24...60,
                step: 60_000,
                streamedCellsMin: 1,
                memoryBytesMax: memoryBytesMax,
                .exact
            )
        }
        let answer = try ask(memoryBytesMax: 1_500_000)
        #expect(answer.points.values.first?.count == 36 * 60 + 1)
        #expect(answer.infos.contains { $0.contains("samples of some of this time are gone") })
        #expect(answer.points == (try ask(memoryBytesMax: 1 << 30)).points)
    }

    /// With many series rollups are given up on before all are read.
    @Test(arguments: [2, 66])
    func samplesThatGoAfterRollupsWereReadAreReadAsRollups(series: Int) throws {
        let bed = try Bed(Self.rows(series, minutes: 2)) { options in
            options.retentionAge = 5 * Bed.day / 2
            options.rollupRetention = [.oneHour: .forever, .fiveMinutes: .forever]
        }
        let store = bed.store
        defer { store.stop() }
        let clock = try #require(store.clock as? ManualClock)
        let source = RacingSource(inner: StoreSampleSource(store: store)) {
            clock.set(nanoseconds: Bed.midnight + 4 * Bed.day)
            store.enforceRetention()
        }
        func ask(_ source: (any SampleSource)?) throws -> Bed.Answer {
            try Bed.ask(
                store,
                "avg_over_time(g[35m])",
                hours: 1...60,
                step: Self.fiveMinutes,
                source: source,
                .exact
            )
        }
        let before = try ask(nil)
        #expect(before.infos.isEmpty && before.points.count == series)
        let raced = try ask(source)
        let after = try ask(nil)
        #expect(after.infos.contains { $0.contains("samples of some of this time are gone") })
        #expect(raced.infos == after.infos)
        #expect(raced.points == after.points)
    }
}

/// A store in which something happens whenever rollups were read.
private struct RacingSource: SampleSource {
    let inner: StoreSampleSource
    let race: @Sendable () -> Void

    func select(
        _ matchers: [LabelMatcher],
        fromMilliseconds: Int64,
        throughMilliseconds: Int64,
        context: QueryContext
    ) throws(QueryError) -> any SeriesSelection {
        try inner.select(
            matchers,
            fromMilliseconds: fromMilliseconds,
            throughMilliseconds: throughMilliseconds,
            context: context
        )
    }

    func selectRollups(
        _ matchers: [LabelMatcher],
        fromMilliseconds: Int64,
        throughMilliseconds: Int64,
        resolutions: [RollupResolution],
        context: QueryContext
    ) throws(QueryError) -> (any RollupSeries)? {
        let series = try inner.selectRollups(
            matchers,
            fromMilliseconds: fromMilliseconds,
            throughMilliseconds: throughMilliseconds,
            resolutions: resolutions,
            context: context
        )
        guard let series else { return nil }
        return RacingSeries(inner: series, race: race)
    }

    func series(
        _ matcherSets: [[LabelMatcher]],
        fromMilliseconds: Int64,
        throughMilliseconds: Int64,
        context: QueryContext
    ) throws(QueryError) -> [Labels] { [] }

    func labelTexts(
        _ label: String?,
        _ matcherSets: [[LabelMatcher]],
        fromMilliseconds: Int64,
        throughMilliseconds: Int64,
        context: QueryContext
    ) throws(QueryError) -> [String] { [] }
}

private struct RacingSeries: RollupSeries {
    let inner: any RollupSeries
    let race: @Sendable () -> Void

    var labels: [Labels] { inner.labels }
    var alone: [ClosedRange<Int64>] { inner.alone }
    var histogramSeries: [Int] { inner.histogramSeries }

    func scan(
        columns: Set<Int>,
        _ newBody: @escaping @Sendable () -> RollupBody
    ) throws(QueryError) -> RollupReading {
        let reading = try inner.scan(columns: columns, newBody)
        race()
        return reading
    }

    func samples(of series: [Int]) throws(QueryError) -> any SeriesSelection {
        try inner.samples(of: series)
    }

    func samplesBesideRows(of series: [Int]) throws(QueryError) -> (any SeriesSelection)? {
        try inner.samplesBesideRows(of: series)
    }

    func again() throws(QueryError) -> (any RollupSeries)? {
        guard let anew = try inner.again() else { return nil }
        return RacingSeries(inner: anew, race: race)
    }
}
