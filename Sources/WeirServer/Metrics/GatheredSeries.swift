internal import Synchronization

/// The samples that the threads of a scan found, by the series' place, up to a number of them.
final class GatheredSeries: Sendable {
    typealias Samples = (times: [Int64], values: [Double])

    private struct State {
        var series: [Int: Samples] = [:]
        var sampleCount = 0
        var isFull = false
    }

    private let samplesMax: Int
    private let state = Mutex(State())

    init(samplesMax: Int = .max) { self.samplesMax = samplesMax }

    var all: [Int: Samples] { state.withLock { $0.series } }
    /// There were more samples than may be.
    var isFull: Bool { state.withLock { $0.isFull } }

    /// Keeps copies.
    ///
    /// - Returns: False when there are too many, and the scan is to end.
    func add(_ place: Int, _ times: Span<Int64>, _ values: Span<Double>) -> Bool {
        // SAFETY: both buffers are copied inside their closures.
        let found = unsafe (
            times: times.withUnsafeBufferPointer { unsafe Array($0) },
            values: values.withUnsafeBufferPointer { unsafe Array($0) }
        )
        return state.withLock { state in
            state.sampleCount += found.times.count
            guard state.sampleCount <= samplesMax else {
                state.isFull = true
                return false
            }
            state.series[place] = found
            return true
        }
    }
}
