internal import Synchronization

/// The samples that the threads of a scan found, by the series' place, up to a number of them.
///
/// They are paid for from the query's memory for as long as this is there.
final class GatheredSeries: Sendable {
    typealias Samples = (times: [Int64], values: [Double])

    private struct State {
        var series: [Int: Samples] = [:]
        var sampleCount = 0
        var isFull = false
    }

    private let samplesMax: Int
    private let memory: MemoryShare
    private let state = Mutex(State())

    init(_ budget: QueryBudget, samplesMax: Int = .max) {
        self.samplesMax = samplesMax
        memory = MemoryShare(budget)
    }

    var all: [Int: Samples] { state.withLock { $0.series } }
    /// There were more samples than may be.
    var isFull: Bool { state.withLock { $0.isFull } }

    /// Keeps copies.
    ///
    /// - Returns: False when there are too many, and the scan is to end.
    func add(_ place: Int, _ times: Span<Int64>, _ values: Span<Double>) -> Bool {
        let isFull = state.withLock { state in
            state.sampleCount += times.count
            if state.sampleCount > samplesMax { state.isFull = true }
            return state.isFull
        }
        guard !isFull, memory.grow(bytes: times.count * 16) else { return false }
        // SAFETY: both buffers are copied inside their closures.
        let found = unsafe (
            times: times.withUnsafeBufferPointer { unsafe Array($0) },
            values: values.withUnsafeBufferPointer { unsafe Array($0) }
        )
        state.withLock { $0.series[place] = found }
        return true
    }
}
