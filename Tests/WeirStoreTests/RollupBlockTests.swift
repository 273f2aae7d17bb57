import Synchronization
import Testing
import WeirColumns
import WeirCore
import WeirPattern
import WeirSystem
import WeirTestSupport

@testable import WeirStore

/// Rollups read in passing are those that a reader finds who keeps the heads of all runs.
@Suite struct RollupBlockTests {
    private typealias H = StoreHarness
    private static let midnight = H.start / (86_400 * H.second) * 86_400 * H.second

    private static func value(_ random: inout SplitMix64, _ kind: Int, _ index: Int) -> Double {
        switch kind {
        case 0: Double(index / 50)
        case 1: Double.random(in: -1e6...1e6, using: &random)
        case 2: Double(Int.random(in: 0..<30, using: &random) == 0 ? 1 << 40 : index % 7) / 10
        case 3: [0, -0.0, .infinity, .nan, 1].randomElement(using: &random) ?? 0
        default: Double(Int.random(in: 0...9, using: &random))
        }
    }

    /// Series of a day of every kind, some sent together and some at times of their own.
    private static func rows(_ random: inout SplitMix64) -> [(Labels, Int64, Double)] {
        var rows: [(Labels, Int64, Double)] = []
        for series in 0..<40 {
            let labels = Labels([("__name__", "m"), ("host", "h\(series)")])
            let isOwn = Int.random(in: 0..<3, using: &random) == 0
            let kind = Int.random(in: 0..<5, using: &random)
            for index in 0..<300 {
                let late = isOwn ? Int64.random(in: 0..<200, using: &random) : 0
                let time = midnight + (Int64(index) * 280 + late) * H.second
                if isOwn, Int.random(in: 0..<4, using: &random) == 0 { continue }
                rows.append((labels, time, value(&random, kind, index)))
            }
        }
        return rows
    }

    private struct Row: Equatable {
        let time: Int64
        let bits: [UInt64]
    }

    private static func rows(
        _ times: [Int64],
        _ columns: [ColumnValues],
        _ wanted: Set<Int>
    ) -> [Row] {
        times.indices.map { row in
            let bits = columns.indices.filter(wanted.contains).map { index in
                columns[index].kind == .float64
                    ? columns[index].floats[row].bitPattern
                    : UInt64(bitPattern: columns[index].ints[row])
            }
            return Row(time: times[row], bits: bits)
        }
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func whatIsReadInPassingIsWhatIsKept(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let folder = try TemporaryDirectory()
        let clock = ManualClock(nanoseconds: Self.midnight + 2 * 86_400 * H.second)
        let store = try H.open(folder.path, clock: clock) { $0.rollupAfter = 0 }
        try H.append(Self.rows(&random), to: store)
        try store.flush()
        try store.merge()
        for _ in 0..<6 {
            let resolution = RollupResolution.allCases.randomElement(using: &random) ?? .oneHour
            let pattern =
                ["h1.*", ".*", "h.", "h[02468]", "h39"].randomElement(using: &random) ?? ""
            let hosts = LabelMatcher(name: "host", operation: .matches, value: pattern)
            let columns = Set((0..<12).filter { _ in Bool.random(using: &random) })
            let times = Int64.min...Int64.max
            let kept = try store.select(
                signal: resolution.signal,
                matchers: [hosts],
                times: times,
                budget: FreeBudget()
            )
            let expected = Mutex<[Labels: [Row]]>([:])
            try kept.scanRows(schema: .rollups, budget: FreeBudget()) { series, times, all, rows in
                let milliseconds = times[rows].map(RollupFold.milliseconds)
                let found = Self.rows(milliseconds, all, columns)
                expected.withLock { $0[kept.labels[series]] = found }
                return true
            }
            let passing = try #require(
                try store.selectRollups(
                    matchers: [hosts],
                    times: times,
                    resolutions: [resolution],
                    budget: FreeBudget()
                )
            )
            let found = Mutex<[Labels: [Row]]>([:])
            let isWhole = try passing.scan(columns: columns, budget: FreeBudget()) {
                { series, rows in
                    let rows = Self.rows(rows.times, rows.columns, columns)
                    found.withLock { $0[passing.labels[series]] = rows }
                    return true
                }
            }
            #expect(isWhole)
            let (read, wanted) = (found.withLock { $0 }, expected.withLock { $0 })
            #expect(!wanted.isEmpty && read == wanted, "seed \(seed)")
        }
        store.stop()
    }

    /// Pages of a block of three series, as `BlockWriter` makes them.
    ///
    /// `span`: what the second row of each says it spans.
    private static func block(
        _ random: inout SplitMix64,
        span: Int64? = nil
    ) throws -> (entry: BlockEntry, pages: [[UInt8]]) {
        var writer = BlockWriter(schema: .rollups)
        var fold = RollupFold(.oneHour)
        for stream in 0..<3 {
            var rows = RollupRows()
            let times = (0..<200).map { midnight + Int64($0) * 280 * H.second }
            let values = times.indices.map { value(&random, stream + 1, $0) }
            fold.append(times, values, to: &rows.times, &rows.columns)
            if let span { rows.columns[RollupColumn.span.rawValue].ints[1] = span }
            writer.append(
                stream: stream,
                times: rows.times,
                columns: rows.columns,
                rows: rows.times.indices
            )
        }
        let (entry, bytes) = writer.finish(at: 0, encoder: PageEncoder(effort: .fast))
        let decoder = PageDecoder()
        var pages: [[UInt8]] = []
        for (index, page) in entry.pages.enumerated() {
            let start = entry.offset(ofPage: index)
            let stored = Array(bytes[start..<(start + page.storedCount)])
            var raw: [UInt8] = []
            try decoder.decode(
                stored.span,
                encoding: page.encoding,
                rawCount: page.rawCount,
                into: &raw
            )
            pages.append(raw)
        }
        return (entry, pages)
    }

    /// - Returns: The rows of all runs.
    private static func read(
        _ entry: BlockEntry,
        _ pages: [[UInt8]],
        _ wanted: Set<Int>
    ) throws -> Int {
        var block = try RollupBlock(
            entry,
            head: pages[0],
            times: pages[1],
            columns: (0..<12).map { wanted.contains($0) ? pages[2 + $0] : nil }
        )
        var scratch = RollupBlock.Scratch()
        var rows = RollupRows()
        while block.stream != nil { try block.take(isWanted: true, into: &rows, &scratch) }
        for column in wanted { #expect(rows.columns[column].count == rows.times.count) }
        return rows.times.count
    }

    @Test func spansThatNoDayHasAreRefused() throws {
        var random = SplitMix64(seed: 3)
        let span = RollupColumn.span.rawValue
        for allowed in [0, 1, 86_400_000] as [Int64] {
            let (entry, pages) = try Self.block(&random, span: allowed)
            #expect(try Self.read(entry, pages, [span]) == entry.rowCount)
        }
        for hostile in [-1, 86_400_001, .min, .max] as [Int64] {
            let (entry, pages) = try Self.block(&random, span: hostile)
            #expect(throws: DecodeError.self) { try Self.read(entry, pages, [span]) }
        }
    }

    /// Lends no more memory than it has.
    private final class LendingBudget: ScanBudget {
        private let bytesMax: Int
        private let lent = Mutex<(now: Int, most: Int)>((0, 0))

        init(bytesMax: Int) { self.bytesMax = bytesMax }

        var now: Int { lent.withLock { $0.now } }
        var most: Int { lent.withLock { $0.most } }

        func charge(rows: Int, blocks: Int, bytes: Int) -> Bool { true }

        func reserveSpare(bytes: Int) -> Bool {
            lent.withLock { lent in
                guard lent.now + bytes <= bytesMax else { return false }
                lent = (lent.now + bytes, max(lent.most, lent.now + bytes))
                return true
            }
        }

        func release(bytes: Int) { lent.withLock { $0.now -= bytes } }
        func noteQuarantined(path: String) {}
    }

    @Test func blocksThatAreHeldArePaidFor() throws {
        var random = SplitMix64(seed: 4)
        let folder = try TemporaryDirectory()
        let clock = ManualClock(nanoseconds: Self.midnight + 2 * 86_400 * H.second)
        let store = try H.open(folder.path, clock: clock) { $0.rollupAfter = 0 }
        defer { store.stop() }
        try H.append(Self.rows(&random), to: store)
        try store.flush()
        try store.merge()
        let selection = try #require(
            try store.selectRollups(
                matchers: [],
                times: Int64.min...Int64.max,
                resolutions: [.fiveMinutes],
                budget: FreeBudget()
            )
        )
        func most(_ columns: Set<Int>) throws -> Int {
            let budget = LendingBudget(bytesMax: .max)
            let isWhole = try selection.scan(columns: columns, budget: budget) { { _, _ in true } }
            #expect(isWhole && budget.now == 0)
            return budget.most
        }
        let (few, all) = (try most([0]), try most(Set(0..<12)))
        #expect(few > 0 && few < all)
        let poor = LendingBudget(bytesMax: few - 1)
        #expect(throws: StoreError.budget) {
            try selection.scan(columns: [0], budget: poor) { { _, _ in true } }
        }
        #expect(poor.now == 0)
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func damagedBlocksThrowOrDecode(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let (entry, pages) = try Self.block(&random)
        #expect(try Self.read(entry, pages, Set(0..<12)) == entry.rowCount)
        #expect(try Self.read(entry, pages, []) == entry.rowCount)
        var thrown = 0
        for _ in 0..<300 {
            var bad = pages
            let page = Bool.random(using: &random) ? 0 : Int.random(in: 0..<14, using: &random)
            guard let place = bad[page].indices.randomElement(using: &random) else { continue }
            bad[page][place] = UInt8.random(in: 0...255, using: &random)
            let wanted = Set((0..<12).filter { _ in Bool.random(using: &random) })
            do {
                #expect(try Self.read(entry, bad, wanted) == entry.rowCount, "seed \(seed)")
            } catch {
                #expect(error is DecodeError)
                thrown += 1
            }
        }
        #expect(thrown > 0)
        var cut = pages
        cut[0].removeLast()
        #expect(throws: DecodeError.self) { try Self.read(entry, cut, []) }
    }
}
