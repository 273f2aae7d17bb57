internal import Synchronization

/// Groups alerts into messages and delivers them, with retries, over restarts.
///
/// A message is queued, in the store, before anything else counts as told; of one group and
/// receiver only the latest waits, as it says all that the older would. Safe from any thread.
package final class Notifier: Sendable {
    /// What happened to messages so far.
    package struct Statistics: Hashable, Sendable {
        package var delivered = 0
        package var failedAttempts = 0
        /// Given up: refused for good, too old, or pushed out of a full queue.
        package var dropped = 0
        package var waiting = 0
        package var lastError: String?
    }

    private struct State {
        var groups: NotificationGroups
        var queue: [String: QueuedNotification]
        var statistics = Statistics()
    }

    private static let firstRetryMilliseconds: Int64 = 1000
    private static let retryMillisecondsMax: Int64 = 300_000

    private let state: Mutex<State>
    private let store: (any RuleStateStore)?
    package let configuration: NotificationConfiguration
    private let sender: any NotificationSender

    /// Takes up what was stored; without it everything that fires is told anew.
    package init(
        configuration: NotificationConfiguration,
        sender: any NotificationSender,
        store: (any RuleStateStore)?
    ) {
        self.configuration = configuration
        self.sender = sender
        self.store = store
        var records: [NotificationRecord] = []
        var queue: [QueuedNotification] = []
        var lastError: String?
        do throws(RuleStateError) {
            if let stored = try store?.loadNotifications() { (records, queue) = stored }
        } catch {
            lastError = error.reason
        }
        var state = State(
            groups: NotificationGroups(configuration: configuration, records: records),
            queue: Dictionary(queue.map { ($0.key, $0) }) { _, last in last }
        )
        state.statistics.lastError = lastError
        self.state = Mutex(state)
    }

    package var statistics: Statistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.waiting = state.queue.count
            return statistics
        }
    }

    /// Takes the firing and ended alerts of one rule's evaluation.
    package func update(_ alerts: [NotifiedAlert], nowMilliseconds: Int64) {
        guard !configuration.receivers.isEmpty, !alerts.isEmpty else { return }
        state.withLock { state in
            let changed = state.groups.update(alerts, nowMilliseconds: nowMilliseconds)
            save(&state, records: changed)
        }
    }

    /// Queues what must be told now, and tries to deliver what is due.
    ///
    /// Blocks while it sends.
    package func run(nowMilliseconds: Int64) {
        queueDue(nowMilliseconds: nowMilliseconds)
        deliverDue(nowMilliseconds: nowMilliseconds)
    }

    private func queueDue(nowMilliseconds now: Int64) {
        state.withLock { state in
            let outcome = state.groups.flush(nowMilliseconds: now)
            var dropped: Set<String> = []
            for message in outcome.messages {
                state.queue[message.key] = QueuedNotification(
                    key: message.key,
                    receiver: message.receiver,
                    body: message.body,
                    createdMilliseconds: now,
                    nextAttemptMilliseconds: now
                )
            }
            while state.queue.count > max(1, configuration.queueMax) {
                let oldest = state.queue.values.min {
                    ($0.createdMilliseconds, $0.key) < ($1.createdMilliseconds, $1.key)
                }
                guard let oldest else { break }
                state.queue[oldest.key] = nil
                state.statistics.dropped += 1
                dropped.insert(oldest.key)
            }
            save(
                &state,
                records: outcome.changed,
                removedRecords: outcome.removed,
                queued: Set(outcome.messages.map(\.key)).subtracting(dropped),
                removedQueued: dropped
            )
        }
    }

    private func deliverDue(nowMilliseconds now: Int64) {
        let due = state.withLock { state in
            state.queue.values.filter { $0.nextAttemptMilliseconds <= now }
        }
        let sorted = due.sorted {
            ($0.createdMilliseconds, $0.key) < ($1.createdMilliseconds, $1.key)
        }
        for message in sorted {
            let receiver = configuration.receivers.first { $0.name == message.receiver }
            var failure: NotificationError?
            if let receiver {
                do throws(NotificationError) {
                    try sender.send(message.body, to: receiver)
                } catch {
                    failure = error
                }
            } else {
                failure = NotificationError(
                    reason: "receiver \(message.receiver) is no longer configured",
                    isRetryable: false
                )
            }
            settle(message, failure, now)
        }
    }

    private func settle(_ message: QueuedNotification, _ failure: NotificationError?, _ now: Int64)
    {
        state.withLock { state in
            // A newer message may have taken its place meanwhile.
            let isLatest = state.queue[message.key]?.body == message.body
            guard let failure else {
                state.statistics.delivered += 1
                state.statistics.lastError = nil
                if isLatest {
                    state.queue[message.key] = nil
                    save(&state, removedQueued: [message.key])
                }
                return
            }
            state.statistics.failedAttempts += 1
            state.statistics.lastError = failure.reason
            guard isLatest else { return }
            let isTooOld = now - message.createdMilliseconds > configuration.giveUpMilliseconds
            if !failure.isRetryable || isTooOld {
                state.statistics.dropped += 1
                state.queue[message.key] = nil
                save(&state, removedQueued: [message.key])
                return
            }
            var retried = message
            retried.attempts += 1
            retried.nextAttemptMilliseconds = now + Self.delay(afterAttempts: retried.attempts)
            state.queue[message.key] = retried
            save(&state, queued: [message.key])
        }
    }

    /// 1 s, 2 s, 4 s … up to 5 minutes.
    static func delay(afterAttempts attempts: Int) -> Int64 {
        let shift = Int64(min(max(attempts - 1, 0), 20))
        return min(retryMillisecondsMax, firstRetryMilliseconds << shift)
    }

    /// Under the lock, so that the store sees changes in their order.
    private func save(
        _ state: inout State,
        records: Set<String> = [],
        removedRecords: Set<String> = [],
        queued: Set<String> = [],
        removedQueued: Set<String> = []
    ) {
        let parts = [records, removedRecords, queued, removedQueued]
        guard let store, !parts.allSatisfy(\.isEmpty) else { return }
        do throws(RuleStateError) {
            try store.saveNotifications(
                records: records.sorted().compactMap { state.groups.records[$0] },
                removedRecords: removedRecords.sorted(),
                queued: queued.sorted().compactMap { state.queue[$0] },
                removedQueued: removedQueued.sorted()
            )
        } catch {
            state.statistics.lastError = error.reason
        }
    }
}
