internal import Synchronization
internal import WeirCore

/// The answers to range queries, kept for those that ask for the same steps again: dashboards that
/// are refreshed.
///
/// Bounded by the bytes its entries take; what was used longest ago goes first. Safe from any thread.
package final class ResultsCache: Sendable {
    /// What makes two range queries the same but for the interval they ask for.
    struct Key: Hashable, Sendable {
        let tenant: String
        /// As it was asked: notes tell places in it.
        let query: String
        let intervalMilliseconds: Int64
        /// What the times of steps leave over when they are divided by the interval.
        let phaseMilliseconds: Int64
        /// Every setting that changes answers is one of these.
        let options: PromQLOptions
    }

    /// How a query was answered.
    package enum Outcome: Int, CaseIterable, Sendable {
        /// From the cache alone.
        case hit
        /// In part: some steps were evaluated.
        case partial
        case miss
        /// Nothing of it can be kept, or its asker did not want that.
        case bypass
    }

    /// How the cache does.
    package struct Status: Hashable, Sendable {
        /// By `Outcome`.
        package var outcomes = [Int](repeating: 0, count: Outcome.allCases.count)
        package var entries = 0
        package var bytes = 0
        package var evictions = 0
    }

    private struct Entry {
        var range: CachedRange
        var bytes: Int
        /// When it was used last.
        var used: UInt64
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        /// The keys in order of their use, some of them outdated.
        var uses: [(key: Key, used: UInt64)] = []
        var firstUse = 0
        var clock: UInt64 = 0
        var generation: UInt64 = 0
        var status = Status()
    }

    /// An entry may take one in this many of all bytes.
    private static let entryShare = 4
    package let bytesMax: Int
    private let state = Mutex(State())

    package init(bytesMax: Int) { self.bytesMax = bytesMax }

    package var status: Status {
        state.withLock { state in
            var status = state.status
            status.entries = state.entries.count
            return status
        }
    }

    func count(_ outcome: Outcome) {
        state.withLock { $0.status.outcomes[outcome.rawValue] += 1 }
    }

    /// What is kept of a query; `version` is what the source says now.
    func range(_ key: Key, at version: SampleVersion) -> CachedRange? {
        state.withLock { state in
            if version.generation > state.generation {
                Self.empty(&state)
                state.generation = version.generation
            }
            guard state.entries[key] != nil else { return nil }
            Self.use(key, &state)
            return state.entries[key]?.range
        }
    }

    /// Keeps an answer in the place of the one that was kept before, if it is not too large.
    func keep(_ range: CachedRange, for key: Key) {
        let bytes = range.cost + key.query.utf8.count + key.tenant.utf8.count + 128
        state.withLock { state in
            if let old = state.entries.removeValue(forKey: key) { state.status.bytes -= old.bytes }
            guard bytes <= bytesMax / Self.entryShare else { return }
            state.entries[key] = Entry(range: range, bytes: bytes, used: 0)
            state.status.bytes += bytes
            Self.use(key, &state)
            while state.status.bytes > bytesMax { Self.evict(&state) }
        }
    }

    /// Drops all that is kept.
    package func removeAll() { state.withLock { Self.empty(&$0) } }

    private static func empty(_ state: inout State) {
        state.entries = [:]
        state.uses = []
        state.firstUse = 0
        state.status.bytes = 0
    }

    private static func use(_ key: Key, _ state: inout State) {
        state.clock += 1
        state.entries[key]?.used = state.clock
        state.uses.append((key, state.clock))
        guard state.uses.count - state.firstUse > 2 * state.entries.count + 64 else { return }
        state.uses = state.uses[state.firstUse...].filter {
            state.entries[$0.key]?.used == $0.used
        }
        state.firstUse = 0
    }

    /// Drops the entry that was used longest ago.
    private static func evict(_ state: inout State) {
        while state.firstUse < state.uses.count {
            let (key, used) = state.uses[state.firstUse]
            state.firstUse += 1
            guard let entry = state.entries[key], entry.used == used else { continue }
            state.entries[key] = nil
            state.status.bytes -= entry.bytes
            state.status.evictions += 1
            return
        }
        empty(&state)
    }
}
