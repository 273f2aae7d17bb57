internal import Synchronization
internal import WeirCore
internal import WeirQuery
internal import WeirStore

/// The native histograms that a selection has, by the stream's place.
///
/// They are paid for from the query's memory for as long as this is there.
final class GatheredHistograms: Sendable {
    typealias Samples = [(time: Int64, histogram: NativeHistogram)]

    private struct State {
        var streams: [Int: Samples] = [:]
        var isDamaged = false
    }

    private let budget: QueryBudget
    private let memory: MemoryShare
    private let state = Mutex(State())

    init(_ budget: QueryBudget) {
        self.budget = budget
        memory = MemoryShare(budget)
    }

    var all: [Int: Samples] { state.withLock { $0.streams } }
    /// One of them could not be read.
    var isDamaged: Bool { state.withLock { $0.isDamaged } }

    /// Reads all of a selection of `Signal.histograms`; times in units of `timeUnit` nanoseconds.
    ///
    /// - Throws: `StoreError.budget` too when there is no memory for them, or one is damaged.
    func read(_ selection: StreamSelection, timeUnit: Int64) throws(StoreError) {
        try selection.scanRows(schema: .histograms, budget: budget) {
            [self]
            stream,
            times,
            columns,
            rows in
            var found: Samples = []
            for row in rows {
                guard let histogram = try? NativeHistogram(row: row, of: columns) else {
                    state.withLock { $0.isDamaged = true }
                    return false
                }
                guard memory.grow(bytes: histogram.byteCount + 16) else { return false }
                let (quotient, rest) = times[row].quotientAndRemainder(dividingBy: timeUnit)
                let time = rest < 0 ? quotient - 1 : quotient
                // Of two within one unit the later counts, as with plain samples.
                if found.last?.time == time { found.removeLast() }
                found.append((time, histogram))
            }
            let samples = found
            state.withLock { $0.streams[stream] = samples }
            return true
        }
    }
}
