internal import WeirCore
internal import WeirSystem

/// All who follow the logs.
///
/// `publish` is called for each batch once it is visible to queries, in the order of that; it costs
/// a few pointers a follower.
final class TailHub: Sendable {
    private struct State {
        var followers: [ObjectIdentifier: LogFollower] = [:]
        var isStopped = false
    }

    static let followersMax = 64

    private let state = Monitor(State())

    var followerCount: Int { state.read { $0.followers.count } }

    func publish(_ batch: RowBatch, sequence: UInt64) {
        guard batch.signal == .logs, batch.rowCount > 0 else { return }
        let followers = state.read { Array($0.followers.values) }
        for follower in followers { follower.publish(batch, sequence: sequence) }
    }

    /// Serves a follower on a thread of its own.
    ///
    /// `history`: Called on that thread once batches are gathered: the rows of before, oldest
    /// first, and the last batch that was visible when they were read.
    /// - Returns: False when there are too many, or the server stops; `output` is not touched then.
    func follow(
        _ filter: any LogFollowFilter,
        output: any TailOutput,
        history: @escaping @Sendable () -> TailHistory
    ) -> Bool {
        let follower = LogFollower(filter: filter, output: output)
        let isTaken = state.update { state in
            guard !state.isStopped, state.followers.count < Self.followersMax else { return false }
            state.followers[ObjectIdentifier(follower)] = follower
            return true
        }
        guard isTaken else { return false }
        Thread(name: "weir-tail") { [self] in
            follower.run(history)
            state.update { _ = $0.followers.removeValue(forKey: ObjectIdentifier(follower)) }
        }.detach()
        return true
    }

    /// Ends all tails and waits for their threads.
    func stop() {
        let followers = state.update { state in
            state.isStopped = true
            return Array(state.followers.values)
        }
        for follower in followers { follower.end() }
        _ = state.wait(timeoutNanoseconds: 5_000_000_000) { $0.followers.isEmpty ? true : nil }
    }
}
