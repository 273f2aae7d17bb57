import Testing
import WeirCore
import WeirPattern
import WeirSystem
import WeirTestSupport

@testable import WeirStore

/// What the store says of samples that came since a reader looked.
@Suite struct WriteHistoryTests {
    @Test(arguments: 0..<8 as Range<UInt64>)
    func leastTimeIsNeverTooLate(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var history = WriteHistory()
        var times: [Int64] = []
        for sequence in 0..<8000 {
            let isLate = Int.random(in: 0..<(seed % 2 == 0 ? 50 : 100_000), using: &random) == 0
            let time =
                Int64(sequence) * 10 - (isLate ? Int64.random(in: 0..<5000, using: &random) : 0)
            times.append(time)
            history.note(sequence: UInt64(sequence), leastTime: time)
            guard sequence % 61 == 0 else { continue }
            let asked = Int.random(in: 0...sequence, using: &random)
            let exact = times[(asked + 1)...].min()
            let told = history.leastTime(after: UInt64(asked))
            guard let exact, let told else {
                #expect(told == nil && exact == nil, "seed \(seed)")
                continue
            }
            #expect(told <= exact, "seed \(seed), \(sequence), \(asked)")
            // Coarser the longer ago, by a share of the age.
            #expect(exact - told <= Int64(sequence - asked) * 10, "seed \(seed), \(asked)")
            let last = history.leastTime(after: UInt64(sequence) - 1)
            #expect(sequence == 0 || last == time, "seed \(seed)")
        }
    }

    @Test func samplesAndTheirEndsAreTold() throws {
        typealias H = StoreHarness
        let folder = try TemporaryDirectory()
        let clock = ManualClock(nanoseconds: H.start)
        let store = try H.open(folder.path, clock: clock) {
            $0.retentionAge = 3 * 86_400 * H.second
        }
        func write(_ seconds: Int64) throws {
            let labels = Labels([("__name__", "m"), ("host", "\(seconds % 2)")])
            try H.append([(labels, H.start + seconds * H.second, 1)], to: store)
        }
        let first = store.sampleVersion
        #expect(store.sampleChange(since: first) == .nothing)
        try write(100)
        try write(40)
        let second = store.sampleVersion
        try write(70)
        #expect(store.sampleChange(since: first) == .samples(from: H.start + 40 * H.second))
        #expect(store.sampleChange(since: second) == .samples(from: H.start + 70 * H.second))
        try store.flush()
        try store.merge()
        #expect(store.sampleChange(since: second) == .samples(from: H.start + 70 * H.second))
        let third = store.sampleVersion
        let nobody = LabelMatcher(name: "host", operation: .equal, value: "x")
        _ = try store.erase(selectors: [[nobody]], times: Int64.min...Int64.max)
        #expect(store.sampleChange(since: third) == .nothing)
        let one = LabelMatcher(name: "host", operation: .equal, value: "0")
        _ = try store.erase(selectors: [[one]], times: Int64.min...(H.start + 50 * H.second))
        #expect(store.sampleChange(since: third) == .removal)
        #expect(store.sampleChange(since: first) == .removal)
        let fourth = store.sampleVersion
        clock.advance(nanoseconds: 5 * 86_400 * H.second)
        store.enforceRetention()
        #expect(store.sampleChange(since: fourth) == .removal)
        store.stop()
    }
}
