import Testing
import WeirCore
import WeirPattern
import WeirStore
import WeirSystem
import WeirTestSupport

@Suite struct StoreTests {
    private typealias H = StoreHarness

    private static func labels(_ name: String, host: Int) -> Labels {
        Labels([("__name__", name), ("host", "h\(host)")])
    }

    /// Longer labels would be acknowledged and then not be read back.
    @Test func labelsThatCouldNotBeReadBackAreRefused() throws {
        let folder = try TemporaryDirectory()
        let store = try H.open(folder.path)
        defer { store.stop() }
        let long = Labels([
            ("__name__", "m"), ("a", String(repeating: "x", count: Labels.bytesMax)),
        ])
        #expect(throws: StoreError.labelsTooLong(bytes: long.bytes.count, limit: Labels.bytesMax)) {
            try H.append([(long, H.start, 1)], to: store)
        }
        let longest = Labels([
            ("__name__", "m"), ("a", String(repeating: "x", count: Labels.bytesMax - 10)),
        ])
        #expect(longest.bytes.count <= Labels.bytesMax)
        try H.append([(longest, H.start, 2)], to: store)
        try store.flush()
        #expect(try H.read(store) == [longest: [Sample(H.start, 2)]])
    }

    /// What a store must hold: the last write of each stream and time.
    private struct Model {
        var samples: [Labels: [Int64: Double]] = [:]

        mutating func write(_ rows: [(Labels, Int64, Double)]) {
            for (labels, time, value) in rows { samples[labels, default: [:]][time] = value }
        }

        var expected: [Labels: [Sample]] {
            samples.mapValues { $0.map { Sample($0.key, $0.value) }.sorted() }
        }
    }

    /// Random writes in any order, over several days, with duplicates; flushed, merged and
    /// reopened at random: every read gives the last write of every sample, bit for bit.
    @Test(arguments: 0..<8 as Range<UInt64>)
    func readsGiveTheLastWrite(_ seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        var random = SplitMix64(seed: seed)
        var model = Model()
        var store = try H.open(directory.path)
        for round in 0..<12 {
            var rows: [(Labels, Int64, Double)] = []
            for _ in 0..<Int.random(in: 1...400, using: &random) {
                let labels = Self.labels(
                    "m\(Int.random(in: 0..<4, using: &random))",
                    host: Int.random(in: 0..<5, using: &random)
                )
                let time =
                    H.start - Int64.random(in: 0..<3, using: &random) * 86_400 * H.second
                    + Int64.random(in: 0..<60, using: &random) * H.second
                let value =
                    Int.random(in: 0..<10, using: &random) == 0
                    ? Double(bitPattern: random.next())
                    : Double(Int.random(in: 0..<1000, using: &random)) / 10
                rows.append((labels, time, value))
            }
            try H.append(rows, to: store)
            model.write(rows)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: try store.flush()
            case 1:
                try store.flush()
                try store.merge()
            case 2:
                store.stop()
                store = try H.open(directory.path)
            default: break
            }
            #expect(try H.read(store) == model.expected, "seed \(seed) round \(round)")
        }
        store.stop()
        store = try H.open(directory.path)
        #expect(try H.read(store) == model.expected, "seed \(seed) at the end")
        store.stop()
    }

    @Test func unflushedRowsAreReplayed() throws {
        let directory = try TemporaryDirectory()
        let rows = (0..<1000).map {
            (Self.labels("m", host: $0 % 7), H.start + Int64($0), Double($0))
        }
        do {
            // Dropped without `stop`, as if killed: the folder's lock goes with the copy below.
            let store = try H.open(directory.path)
            try H.append(rows, to: store)
            try H.copyTree(directory.path, to: directory.path + "/copy")
            store.stop()
        }
        let store = try H.open(directory.path + "/copy")
        #expect(store.replayReport.rows == 1000)
        #expect(try H.read(store).values.reduce(0) { $0 + $1.count } == 1000)
        store.stop()
    }

    @Test func seenBatchIsAcknowledgedNotStored() throws {
        let directory = try TemporaryDirectory()
        let id = Array("batch-1".utf8)
        let labels = Self.labels("m", host: 1)
        var store = try H.open(directory.path)
        #expect(try !H.append([(labels, H.start, 1)], to: store, batchID: id).isDuplicate)
        #expect(try H.append([(labels, H.start + 1, 2)], to: store, batchID: id).isDuplicate)
        store.stop()
        store = try H.open(directory.path)
        #expect(try H.append([(labels, H.start + 2, 3)], to: store, batchID: id).isDuplicate)
        #expect(try H.read(store)[labels] == [Sample(H.start, 1)])
        store.stop()
    }

    @Test func streamLimitRefusesNewStreamsByNameAndKeepsOldOnes() throws {
        let directory = try TemporaryDirectory()
        let store = try H.open(directory.path) { $0.streamsMax = 2 }
        let known = Self.labels("m", host: 0)
        try H.append([(known, H.start, 1), (Self.labels("m", host: 1), H.start, 1)], to: store)
        let outcome = try H.append(
            [(known, H.start + 1, 2), (Self.labels("m", host: 2), H.start, 1)],
            to: store
        )
        let refusal = try #require(outcome.refusal)
        #expect(refusal.refusedStreams == 1)
        #expect(refusal.refusedRows == 1)
        #expect(refusal.activeStreams == 2)
        #expect(refusal.firstStream == Self.labels("m", host: 2))
        #expect(try H.read(store)[known]?.count == 2)
        store.stop()
    }

    @Test func matchersChooseStreams() throws {
        let directory = try TemporaryDirectory()
        let store = try H.open(directory.path)
        for host in 0..<10 {
            try H.append([(Self.labels("a", host: host), H.start, 1)], to: store)
            try H.append([(Self.labels("b", host: host), H.start, 1)], to: store)
            if host == 4 { try store.flush() }
        }
        func count(_ matchers: [LabelMatcher]) throws -> Int { try H.read(store, matchers).count }
        let name = LabelMatcher(name: "__name__", operation: .equal, value: "a")
        #expect(try count([name]) == 10)
        #expect(try count([name, LabelMatcher(name: "host", operation: .equal, value: "h3")]) == 1)
        #expect(try count([LabelMatcher(name: "host", operation: .matches, value: "h[3-5]")]) == 6)
        #expect(try count([LabelMatcher(name: "host", operation: .notEqual, value: "h1")]) == 18)
        #expect(try count([LabelMatcher(name: "absent", operation: .equal, value: "")]) == 20)
        #expect(try count([LabelMatcher(name: "absent", operation: .notEqual, value: "")]) == 0)
        store.stop()
    }

    @Test func retentionDeletesWholeOldDays() throws {
        let directory = try TemporaryDirectory()
        let clock = ManualClock(nanoseconds: H.start)
        let day = 86_400 * H.second
        var store = try H.open(directory.path, clock: clock)
        for age in 0..<5 {
            try H.append([(Self.labels("m", host: age), H.start - Int64(age) * day, 1)], to: store)
        }
        store.stop()
        store = try H.open(directory.path, clock: clock) { $0.retentionAge = 2 * day }
        try store.flush()
        try H.eventually { try H.read(store).count <= 3 }
        #expect(try H.read(store).keys.contains(Self.labels("m", host: 0)))
        #expect(try !H.read(store).keys.contains(Self.labels("m", host: 4)))
        store.stop()
    }

    @Test func snapshotOpensAsAStore() throws {
        let directory = try TemporaryDirectory()
        let store = try H.open(directory.path)
        try H.append([(Self.labels("m", host: 1), H.start, 4.5)], to: store)
        let copy = directory.path + "/snapshot"
        #expect(try store.snapshot(to: copy).segments == 1)
        try H.append([(Self.labels("m", host: 1), H.start + 1, 5)], to: store)
        let other = try H.open(copy)
        #expect(try H.read(other) == [Self.labels("m", host: 1): [Sample(H.start, 4.5)]])
        other.stop()
        store.stop()
    }

    @Test func secondStoreOnTheSameFolderIsRefused() throws {
        let directory = try TemporaryDirectory()
        let store = try H.open(directory.path)
        #expect(throws: StoreError.locked(path: directory.path)) { try H.open(directory.path) }
        store.stop()
    }
}
