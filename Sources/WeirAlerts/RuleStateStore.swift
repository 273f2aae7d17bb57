/// Why rule state could not be read or written.
package struct RuleStateError: Error, Hashable {
    package let reason: String

    package init(reason: String) { self.reason = reason }
}

/// What a group must not forget over a restart.
package struct RuleGroupRecord: Hashable, Sendable {
    /// The slot of the last evaluation, Unix milliseconds.
    package var lastEvaluation: Int64
    /// Alerts by rule; see `RuleGroupRunner.ruleKeys`.
    package var alerts: [String: [ActiveAlert]]

    package init(lastEvaluation: Int64, alerts: [String: [ActiveAlert]]) {
        self.lastEvaluation = lastEvaluation
        self.alerts = alerts
    }
}

/// Identifies a group: its file and its name.
package struct RuleGroupKey: Hashable, Sendable, Comparable {
    package let file: String
    package let name: String

    package init(file: String, name: String) {
        self.file = file
        self.name = name
    }

    package static func < (left: RuleGroupKey, right: RuleGroupKey) -> Bool {
        (left.file, left.name) < (right.file, right.name)
    }
}

/// One message on its way to a receiver, kept until it is delivered or given up.
package struct QueuedNotification: Hashable, Sendable {
    /// Receiver and group: a newer message of the same group takes the place of an older one.
    package let key: String
    package let receiver: String
    package let body: [UInt8]
    package let createdMilliseconds: Int64
    package var attempts: Int
    package var nextAttemptMilliseconds: Int64

    package init(
        key: String,
        receiver: String,
        body: [UInt8],
        createdMilliseconds: Int64,
        attempts: Int = 0,
        nextAttemptMilliseconds: Int64
    ) {
        self.key = key
        self.receiver = receiver
        self.body = body
        self.createdMilliseconds = createdMilliseconds
        self.attempts = attempts
        self.nextAttemptMilliseconds = nextAttemptMilliseconds
    }
}

/// What was last told about a group of alerts to a receiver.
package struct NotificationRecord: Hashable, Sendable {
    package let key: String
    package var firstSeenMilliseconds: Int64
    package var lastFlushMilliseconds: Int64?
    package var lastSentMilliseconds: Int64?
    /// Fingerprints, as sent.
    package var firing: Set<String>
    package var resolved: Set<String>

    package init(key: String, firstSeenMilliseconds: Int64) {
        self.key = key
        self.firstSeenMilliseconds = firstSeenMilliseconds
        firing = []
        resolved = []
    }
}

/// Where rule state survives a restart.
///
/// Called from several threads. Each call is atomic.
package protocol RuleStateStore: Sendable {
    func loadGroup(_ key: RuleGroupKey) throws(RuleStateError) -> RuleGroupRecord?
    func saveGroup(_ key: RuleGroupKey, _ record: RuleGroupRecord) throws(RuleStateError)
    func loadNotifications() throws(RuleStateError) -> (
        records: [NotificationRecord], queue: [QueuedNotification]
    )
    /// Saves and removes at once.
    func saveNotifications(
        records: [NotificationRecord],
        removedRecords: [String],
        queued: [QueuedNotification],
        removedQueued: [String]
    ) throws(RuleStateError)
}
