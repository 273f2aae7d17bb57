internal import Synchronization
internal import WeirCore
internal import WeirQuery
internal import WeirStore

/// The native histograms that a selection has, by the stream's place, up to a number of them.
final class GatheredHistograms: Sendable {
    typealias Samples = [(time: Int64, histogram: NativeHistogram)]

    private struct State {
        var streams: [Int: Samples] = [:]
        var count = 0
        var isFull = false
        var isDamaged = false
    }

    private let countMax: Int
    private let state = Mutex(State())

    init(countMax: Int = .max) { self.countMax = countMax }

    var all: [Int: Samples] { state.withLock { $0.streams } }
    /// There were more than may be.
    var isFull: Bool { state.withLock { $0.isFull } }
    /// One of them could not be read.
    var isDamaged: Bool { state.withLock { $0.isDamaged } }

    /// Reads all of a selection of `Signal.histograms`; times in units of `timeUnit` nanoseconds.
    ///
    /// - Throws: `StoreError.budget` too when there are too many, or one is damaged.
    func read(
        _ selection: StreamSelection,
        timeUnit: Int64,
        budget: some ScanBudget
    ) throws(StoreError) {
        try selection.scanRows(schema: .histograms, budget: budget) {
            [self]
            stream,
            times,
            columns,
            rows in
            var found: Samples = []
            found.reserveCapacity(rows.count)
            for row in rows {
                guard let histogram = try? NativeHistogram(row: row, of: columns) else {
                    state.withLock { $0.isDamaged = true }
                    return false
                }
                let (quotient, rest) = times[row].quotientAndRemainder(dividingBy: timeUnit)
                let time = rest < 0 ? quotient - 1 : quotient
                // Of two within one unit the later counts, as with plain samples.
                if found.last?.time == time { found.removeLast() }
                found.append((time, histogram))
            }
            return state.withLock { state in
                state.count += found.count
                guard state.count <= countMax else {
                    state.isFull = true
                    return false
                }
                state.streams[stream] = found
                return true
            }
        }
    }
}
