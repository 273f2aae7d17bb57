internal import WeirCore
internal import WeirHTTP
internal import WeirQuery
internal import WeirSystem

/// One tail: its query, what waits for it, and the thread that serves it.
///
/// Batches wait whole, shared with all other followers; the thread filters every one of them, so
/// that the lines left out for a slow reader are counted and not guessed.
final class LogFollower: Sendable {
    private struct Arrival {
        let batch: RowBatch
        let sequence: UInt64
    }

    private struct State {
        var arrivals: [Arrival] = []
        var waitingRows = 0
        /// Rows that could not even wait.
        var unseenRows = 0
        var isEnded = false
    }

    /// Rows that may wait for the thread: several seconds of a busy server.
    static let waitingRowsMax = 400_000
    /// What comes within this long goes out together.
    private static let gatherNanoseconds: Int64 = 4_000_000
    private static let heartbeatNanoseconds: Int64 = 5_000_000_000

    private let filter: any LogFollowFilter
    private let output: any TailOutput
    private let state = Monitor(State())

    init(filter: any LogFollowFilter, output: any TailOutput) {
        self.filter = filter
        self.output = output
    }

    /// Lets a batch wait for the thread; never blocks.
    func publish(_ batch: RowBatch, sequence: UInt64) {
        state.update { state in
            guard !state.isEnded else { return }
            guard state.waitingRows < Self.waitingRowsMax else {
                state.unseenRows += batch.rowCount
                return
            }
            state.arrivals.append(Arrival(batch: batch, sequence: sequence))
            state.waitingRows += batch.rowCount
        }
    }

    func end() { state.update { $0.isEnded = true } }

    /// Sends the history, then what arrives, until the client leaves or the server stops.
    ///
    /// - Parameter history: What came before, with the sequence of the last batch in it; asked for
    ///   when batches are being gathered already, so that none falls between the two.
    func run(_ history: () -> TailHistory) {
        do throws(QueryError) {
            let past = history()
            if let failure = past.failure { throw .invalid(reason: failure) }
            guard output.write(past.rows) else { return output.finish(failure: nil) }
            try live(after: past.sequence)
            output.finish(failure: nil)
        } catch {
            output.finish(failure: error.logQLMessage(query: ""))
        }
    }

    private func live(after sequence: UInt64) throws(QueryError) {
        var dropped = DroppedLines()
        var lastSent = Stopwatch.monotonicNanoseconds()
        while !output.isClosed {
            guard let (arrivals, unseen) = next() else { return }
            dropped.add(unseen: unseen)
            let now = Stopwatch.monotonicNanoseconds()
            if dropped.count > 0 || (arrivals.isEmpty && now - lastSent > Self.heartbeatNanoseconds)
            {
                switch output.offerDropped(dropped) {
                case .taken:
                    dropped = DroppedLines()
                    lastSent = now
                case .full: break
                case .closed: return
                }
            }
            for arrival in arrivals where arrival.sequence > sequence {
                let found = try filter.rows(of: arrival.batch)
                guard !found.rows.isEmpty else { continue }
                // While lines are owed to the count, none goes before it.
                guard dropped.count == 0 else {
                    dropped.add(found)
                    continue
                }
                switch output.offer(found) {
                case .taken: lastSent = now
                case .full: dropped.add(found)
                case .closed: return
                }
            }
            if !arrivals.isEmpty { Thread.sleep(nanoseconds: Self.gatherNanoseconds) }
        }
    }

    /// What has arrived; empty after a second of nothing, nil at the end.
    private func next() -> (arrivals: [Arrival], unseenRows: Int)? {
        let found: (arrivals: [Arrival], unseenRows: Int)?? = state.wait(
            timeoutNanoseconds: 500_000_000
        ) { state in
            if state.isEnded { return .some(nil) }
            guard !state.arrivals.isEmpty || state.unseenRows > 0 else { return nil }
            let taken = (state.arrivals, state.unseenRows)
            state.arrivals = []
            state.waitingRows = 0
            state.unseenRows = 0
            return .some(taken)
        }
        guard let found else { return ([], 0) }
        return found
    }
}
