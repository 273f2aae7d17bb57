internal import Synchronization
internal import WeirCore
internal import WeirStore
internal import WeirSystem
internal import WeirWire

/// Runs `SpanMetrics` on a thread of its own and stores what it makes, off the way of requests.
final class SpanMetricsWriter: Sendable {
    private struct State {
        var batches: [(batch: RowBatch, facts: [SpanFacts])] = []
        var rowCount = 0
        var isStopping = false
    }

    /// Spans that may wait to be counted; more are not counted, and that is told.
    private static let waitingRowsMax = 500_000
    /// Samples that are stored at once.
    private static let samplesMax = 50_000
    private static let tick: Int64 = 1_000_000_000
    private static let idleAfter: Int64 = 5_000_000_000

    private let state = Monitor(State())
    private let store: Store
    private let clock: any WallClock
    private let telemetry: ServerTelemetry
    private let thread = Mutex<Thread?>(nil)

    /// `interval` in nanoseconds.
    init(interval: Int64, store: Store, clock: any WallClock, telemetry: ServerTelemetry) {
        self.store = store
        self.clock = clock
        self.telemetry = telemetry
        thread.withLock {
            $0 = Thread(name: "weir-spans") { [self] in run(SpanMetrics(interval: interval)) }
        }
    }

    /// Has spans counted.
    func add(_ batch: RowBatch, _ facts: [SpanFacts]) {
        let isTaken = state.update { state in
            guard state.rowCount <= Self.waitingRowsMax, !state.isStopping else { return false }
            state.batches.append((batch, facts))
            state.rowCount += facts.count
            return true
        }
        if !isTaken { telemetry.uncountedSpans.add(facts.count) }
    }

    private func run(_ initial: SpanMetrics) {
        var metrics = initial
        var lastSpans = Stopwatch.monotonicNanoseconds()
        var lastWrite = lastSpans
        var isStopping = false
        while !isStopping {
            var batches: [(batch: RowBatch, facts: [SpanFacts])] = []
            isStopping =
                state.wait(timeoutNanoseconds: Self.tick) { state -> Bool? in
                    guard !state.batches.isEmpty || state.isStopping else { return nil }
                    swap(&batches, &state.batches)
                    state.rowCount = 0
                    return state.isStopping
                } ?? false
            let now = clock.nowNanoseconds()
            for (batch, facts) in batches {
                metrics.add(batch, facts, now: now)
                metrics.advance(now: now, isIdle: false)
                if metrics.waitingCount >= Self.samplesMax { write(&metrics) }
            }
            let time = Stopwatch.monotonicNanoseconds()
            if !batches.isEmpty { lastSpans = time }
            metrics.advance(now: now, isIdle: isStopping || time - lastSpans >= Self.idleAfter)
            if isStopping || time - lastWrite >= Self.tick {
                lastWrite = time
                write(&metrics)
            }
        }
    }

    private func write(_ metrics: inout SpanMetrics) {
        telemetry.spanMetricsOverflow.add(metrics.takeOverflow())
        guard metrics.waitingCount > 0 else { return }
        let (samples, exemplars) = metrics.take()
        for batch in [samples, exemplars] where batch.rowCount > 0 {
            store.append(batch) { [telemetry] outcome in
                if case .success(let outcome) = outcome {
                    telemetry.spanMetricsSamples.add(outcome.rowCount)
                } else {
                    telemetry.lostSpanMetricsSamples.add(batch.rowCount)
                }
            }
        }
    }

    /// Counts what waits, stores what is whole, and ends the thread.
    func stop() {
        state.update { $0.isStopping = true }
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
    }
}
