import Synchronization
import Testing
import WeirCore
import WeirPattern
import WeirStore
import WeirSystem
import WeirTestSupport

/// Searches of many streams, which take the label index, against trying every stream.
@Suite struct LabelIndexTests {
    private typealias H = StoreHarness

    /// Streams enough for a label index: some lack labels, some have odd ones.
    private static func streams(_ random: inout SplitMix64) -> [Labels] {
        var streams: Set<Labels> = []
        for number in 0..<1_000 {
            var pairs = [("host", "h\(number / 6)"), ("name of its own", "\(number)")]
            let name = Int.random(in: 0..<7, using: &random)
            if name > 0 { pairs.append(("__name__", "metric_\(name)")) }
            let zone = Int.random(in: 0..<5, using: &random)
            if zone > 0 { pairs.append(("zone", "z\(zone)")) }
            if number % 100 == 7 { pairs.append(("über", "größe|\(number)\n")) }
            // Pages of the stream index end by bytes, of which those are not that two neighbours begin
            // with alike: so few streams fill many.
            if number % 5 > 0 {
                let padding = String(repeating: "x", count: number % 3 == 0 ? number % 9 : 1600)
                pairs.append(("a", (number % 3 == 0 ? "" : "\(number)") + padding))
            }
            streams.insert(Labels(pairs))
        }
        return Array(streams)
    }

    private static let matcherSets: [[LabelMatcher]] = [
        [],
        [matcher("__name__", .equal, "metric_3")],
        [matcher("__name__", .equal, "")],
        [matcher("__name__", .matches, ".*_[24]"), matcher("host", .matches, "h1.7")],
        [matcher("host", .matches, "h77(x|)")],
        [matcher("host", .equal, "h123"), matcher("zone", .notMatches, "z[12]")],
        [matcher("zone", .notEqual, "z1"), matcher("__name__", .notMatches, "metric_[1-4]")],
        [matcher("zone", .matches, "|z2|z2")],
        [matcher("zone", .matches, ".+"), matcher("über", .matches, ".*\\|[1-3]\\d\\d\\n")],
        [matcher("über", .equal, ""), matcher("a", .matches, "x{3,9}")],
        [matcher("absent", .notEqual, ""), matcher("zone", .equal, "z1")],
        [matcher("absent", .matches, ".*"), matcher("host", .matches, "h1|h2|nowhere")],
        [matcher("name of its own", .matches, "(1|2)?777")],
    ]

    private static func matcher(
        _ name: String,
        _ operation: LabelMatcher.Operation,
        _ value: String
    ) -> LabelMatcher {
        LabelMatcher(name: name, operation: operation, value: value)
    }

    private static let labelNames = [nil, "__name__", "host", "zone", "über", "a", "absent"]

    /// What a search must find.
    private struct Expected {
        let matchers: [LabelMatcher]
        let streams: [Labels]
        /// By `labelNames`.
        var texts: [[String]] = []

        init(_ matchers: [LabelMatcher], _ all: [(labels: Labels, pairs: [String: String])]) throws
        {
            self.matchers = matchers
            let compiled = try matchers.map { try CompiledMatcher($0) }
            let found = try all.filter { one in
                try compiled.allSatisfy { try $0.matches(one.labels) }
            }
            streams = found.map(\.labels).sorted()
            for label in LabelIndexTests.labelNames {
                var texts: Set<String> = []
                for (_, pairs) in found {
                    if let label {
                        if let value = pairs[label] { texts.insert(value) }
                    } else {
                        // The metric name's own name is empty.
                        texts.formUnion(pairs.keys.map { $0 == "__name__" ? "" : $0 })
                    }
                }
                self.texts.append(
                    texts.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
                )
            }
        }
    }

    private static func check(_ store: Store, _ all: [Expected], _ state: String) throws {
        let times = Int64.min...Int64.max
        for expected in all {
            let found = try store.select(
                signal: .metrics,
                matchers: expected.matchers,
                times: times,
                budget: FreeBudget()
            )
            #expect(found.labels == expected.streams, "\(state): \(expected.matchers)")
            for (label, texts) in zip(labelNames, expected.texts) {
                let answer = try store.labelTexts(
                    label,
                    signal: .metrics,
                    matchers: expected.matchers,
                    times: times,
                    budget: FreeBudget()
                )
                let isSame = answer.strings == texts
                #expect(isSame, "\(state): \(expected.matchers), \(label ?? "names")")
            }
        }
    }

    /// In memory, in one segment, in a segment and memory, and after a merge: what is found is what
    /// trying each stream finds, and asking twice gives the same.
    @Test func searchesFindWhatTryingEveryStreamFinds() throws {
        let directory = try TemporaryDirectory()
        var random = SplitMix64(seed: 71)
        let streams = Self.streams(&random)
        let all = streams.map { stream in
            (
                labels: stream,
                pairs: Dictionary(uniqueKeysWithValues: stream.pairs.map { ($0.name, $0.value) })
            )
        }
        let expected = try Self.matcherSets.map { try Expected($0, all) }
        let store = try H.open(directory.path)
        try H.append(streams.map { ($0, H.start, 1) }, to: store)
        try Self.check(store, expected, "in memory")
        try store.flush()
        try Self.check(store, expected, "one segment")
        try Self.check(store, expected, "one segment, again")
        let half = streams[(streams.count / 2)...]
        try H.append(half.map { ($0, H.start + H.second, 2) }, to: store)
        try Self.check(store, expected, "a segment and memory")
        try store.flush()
        try store.merge()
        store.stop()
        let again = try H.open(directory.path)
        try Self.check(again, expected, "merged and opened again")
        again.stop()
    }

    /// Values of a time that no segment touches are not told.
    @Test func labelsOfOtherTimesAreLeftOut() throws {
        let directory = try TemporaryDirectory()
        let store = try H.open(directory.path)
        defer { store.stop() }
        try H.append([(Labels([("__name__", "a")]), H.start, 1)], to: store)
        try H.append([(Labels([("__name__", "b")]), H.start + 60 * H.second, 1)], to: store)
        func names(_ times: ClosedRange<Int64>) throws -> [String] {
            try store.labelTexts(
                "__name__",
                signal: .metrics,
                matchers: [],
                times: times,
                budget: FreeBudget()
            ).strings
        }
        #expect(try names(H.start...H.start) == ["a"])
        #expect(try names((H.start + 1)...(H.start + 100 * H.second)) == ["b"])
        #expect(try names(0...1).isEmpty)
    }

    /// Allows so many bytes to be read, and so much memory to be lent.
    private final class NarrowBudget: ScanBudget {
        let bytesMax: Int
        let spareMax: Int
        let read = Atomic<Int>(0)
        private let lent = Mutex<(now: Int, most: Int)>((0, 0))

        init(bytesMax: Int = .max, spareMax: Int = .max) {
            self.bytesMax = bytesMax
            self.spareMax = spareMax
        }

        var lentNow: Int { lent.withLock { $0.now } }
        var lentMost: Int { lent.withLock { $0.most } }

        func charge(rows: Int, blocks: Int, bytes: Int) -> Bool {
            read.add(bytes, ordering: .relaxed).newValue <= bytesMax
        }

        func reserveSpare(bytes: Int) -> Bool {
            lent.withLock { lent in
                guard lent.now + bytes <= spareMax else { return false }
                lent = (lent.now + bytes, max(lent.most, lent.now + bytes))
                return true
            }
        }

        func release(bytes: Int) { lent.withLock { $0.now -= bytes } }
        func noteQuarantined(path: String) {}
    }

    /// The search that makes the index pays for what it reads, lends memory, and may be stopped; with too
    /// little memory it looks at each stream.
    @Test func makingTheIndexIsPaidFor() throws {
        let directory = try TemporaryDirectory()
        var random = SplitMix64(seed: 72)
        let streams = Self.streams(&random)
        let store = try H.open(directory.path)
        try H.append(streams.map { ($0, H.start, 1) }, to: store)
        try store.flush()
        store.stop()
        let matchers = [Self.matcher("__name__", .matches, ".*_[24]")]
        let compiled = try matchers.map { try CompiledMatcher($0) }
        let expected = try streams.filter { labels in
            try compiled.allSatisfy { try $0.matches(labels) }
        }.sorted()
        func find(_ store: Store, _ budget: NarrowBudget) throws -> [Labels] {
            try store.select(
                signal: .metrics,
                matchers: matchers,
                times: Int64.min...Int64.max,
                budget: budget
            ).labels
        }
        let again = try H.open(directory.path)
        defer { again.stop() }
        let poor = NarrowBudget(spareMax: 1000)
        #expect(try find(again, poor) == expected)
        #expect(poor.lentNow == 0)
        // All pages once, in vain or for the answer.
        let first = poor.read.load(ordering: .relaxed)
        #expect(first > 8 * 1000)
        for limit in [0, first / 4] {
            let stopped = NarrowBudget(bytesMax: limit)
            #expect(throws: StoreError.budget) { try find(again, stopped) }
            #expect(stopped.lentNow == 0)
        }
        #expect(throws: StoreError.budget) {
            try again.labelTexts(
                "host",
                signal: .metrics,
                matchers: matchers,
                times: Int64.min...Int64.max,
                budget: NarrowBudget(bytesMax: 0)
            )
        }
        let rich = NarrowBudget()
        #expect(try find(again, rich) == expected)
        #expect(rich.lentMost > 10_000 && rich.lentNow == 0)
        // It is there now.
        let next = NarrowBudget(spareMax: 0)
        #expect(try find(again, next) == expected)
        #expect(next.read.load(ordering: .relaxed) < rich.read.load(ordering: .relaxed))
    }
}
