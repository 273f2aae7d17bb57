/// Where messages go.
package struct NotificationReceiver: Hashable, Sendable {
    package let name: String
    package let url: String
    package let sendsResolved: Bool

    package init(name: String, url: String, sendsResolved: Bool = true) {
        self.name = name
        self.url = url
        self.sendsResolved = sendsResolved
    }
}

/// Who is told, and how often.
///
/// Times are in milliseconds; the defaults are Alertmanager's.
package struct NotificationConfiguration: Sendable {
    package var receivers: [NotificationReceiver]
    /// Alerts that agree in these labels share a message.
    package var groupBy = ["alertname"]
    /// A new group waits so long for more of its kind.
    package var groupWaitMilliseconds: Int64 = 30_000
    /// A group that changes is told again after so long.
    package var groupIntervalMilliseconds: Int64 = 300_000
    /// A group that does not change is told again after so long.
    package var repeatIntervalMilliseconds: Int64 = 4 * 3_600_000
    /// The most alerts in one message; 0 for all.
    package var alertsPerMessageMax = 0
    /// The most messages that wait for delivery; the oldest go first.
    package var queueMax = 1000
    /// A message that was not delivered for so long is given up.
    package var giveUpMilliseconds: Int64 = 24 * 3_600_000
    package var externalURL = ""

    package init(receivers: [NotificationReceiver]) { self.receivers = receivers }
}

/// Why a message was not delivered.
package struct NotificationError: Error, Hashable {
    package let reason: String
    /// False where another try could only fail again: most of the 4xx.
    package let isRetryable: Bool

    package init(reason: String, isRetryable: Bool) {
        self.reason = reason
        self.isRetryable = isRetryable
    }
}

/// Delivers messages.
///
/// May block; called from the notification thread.
package protocol NotificationSender: Sendable {
    /// Posts `body`, a JSON text, to the receiver.
    func send(_ body: [UInt8], to receiver: NotificationReceiver) throws(NotificationError)
}
