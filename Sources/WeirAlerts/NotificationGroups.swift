internal import WeirCore

/// Which alerts belong together, what was told about them, and what must be told now: pure, with
/// Alertmanager's rules.
struct NotificationGroups {
    /// One message that must go out.
    struct Message {
        let key: String
        let receiver: String
        let body: [UInt8]
    }

    private struct Group {
        let labels: Labels
        var alerts: [String: NotifiedAlert] = [:]
    }

    let configuration: NotificationConfiguration
    private var groups: [String: Group] = [:]
    private(set) var records: [String: NotificationRecord]

    init(configuration: NotificationConfiguration, records: [NotificationRecord]) {
        self.configuration = configuration
        self.records = Dictionary(records.map { ($0.key, $0) }) { _, last in last }
    }

    /// `{}:{alertname="Down", job="shop"}`.
    static func groupKey(_ labels: Labels) -> String {
        let pairs = labels.pairs.sorted { $0.name < $1.name }
            .map { "\($0.name)=\(GoFormat.quoted($0.value))" }
        return "{}:{" + pairs.joined(separator: ", ") + "}"
    }

    private func recordKey(_ receiver: NotificationReceiver, _ groupKey: String) -> String {
        "\(receiver.name)/\(groupKey)"
    }

    /// Takes the firing and ended alerts of one rule's evaluation.
    ///
    /// - Returns: Keys of records that are new.
    mutating func update(_ alerts: [NotifiedAlert], nowMilliseconds now: Int64) -> Set<String> {
        var changed: Set<String> = []
        for alert in alerts {
            let labels = alert.labels.keeping(Set(configuration.groupBy))
            let key = Self.groupKey(labels)
            let isKnown = groups[key]?.alerts[alert.fingerprint] != nil
            if !alert.isFiring, !isKnown, !wasTold(alert, groupKey: key) { continue }
            groups[key, default: Group(labels: labels)].alerts[alert.fingerprint] = alert
            for receiver in configuration.receivers {
                let recordKey = recordKey(receiver, key)
                guard records[recordKey] == nil else { continue }
                records[recordKey] = NotificationRecord(key: recordKey, firstSeenMilliseconds: now)
                changed.insert(recordKey)
            }
        }
        return changed
    }

    /// Says whether some receiver believes that the alert fires.
    private func wasTold(_ alert: NotifiedAlert, groupKey: String) -> Bool {
        configuration.receivers.contains {
            records[recordKey($0, groupKey)]?.firing.contains(alert.fingerprint) == true
        }
    }

    /// What must be told now.
    mutating func flush(
        nowMilliseconds now: Int64
    ) -> (messages: [Message], changed: Set<String>, removed: Set<String>) {
        var messages: [Message] = []
        var changed: Set<String> = []
        var removed: Set<String> = []
        for key in groups.keys.sorted() {
            guard var group = groups[key] else { continue }
            var isFlushed = false
            for receiver in configuration.receivers {
                let recordKey = recordKey(receiver, key)
                guard var record = records[recordKey] else { continue }
                let due =
                    record.lastFlushMilliseconds.map {
                        $0 + configuration.groupIntervalMilliseconds
                    }
                    ?? record.firstSeenMilliseconds + configuration.groupWaitMilliseconds
                guard now >= due else { continue }
                isFlushed = true
                if let message = flush(group, key, to: receiver, &record, now) {
                    messages.append(message)
                }
                record.lastFlushMilliseconds = now
                records[recordKey] = record
                changed.insert(recordKey)
            }
            if isFlushed { group.alerts = group.alerts.filter { $0.value.isFiring } }
            groups[key] = group
            if group.alerts.isEmpty {
                groups[key] = nil
                for receiver in configuration.receivers {
                    let recordKey = recordKey(receiver, key)
                    records[recordKey] = nil
                    changed.remove(recordKey)
                    removed.insert(recordKey)
                }
            }
        }
        return (messages, changed, removed)
    }

    private func flush(
        _ group: Group,
        _ groupKey: String,
        to receiver: NotificationReceiver,
        _ record: inout NotificationRecord,
        _ now: Int64
    ) -> Message? {
        let sorted = group.alerts.values.sorted { $0.labels < $1.labels }
        let firing = Set(sorted.filter(\.isFiring).map(\.fingerprint))
        let resolved = Set(sorted.filter { !$0.isFiring }.map(\.fingerprint))
        guard
            let reason = Self.reason(
                firing: firing,
                resolved: resolved,
                record,
                sendsResolved: receiver.sendsResolved,
                isRepeatDue: record.lastSentMilliseconds.map {
                    now - $0 >= configuration.repeatIntervalMilliseconds
                } ?? false
            )
        else {
            // Forgotten by a receiver that is told no ends, so that a new start is told.
            record.firing.formIntersection(firing)
            return nil
        }
        let told = receiver.sendsResolved ? sorted : sorted.filter(\.isFiring)
        let limit = configuration.alertsPerMessageMax
        let shown = limit > 0 ? Array(told.prefix(limit)) : told
        record.firing = firing
        record.resolved = resolved
        record.lastSentMilliseconds = now
        let message = WebhookMessage(
            receiver: receiver.name,
            groupKey: groupKey,
            groupLabels: group.labels,
            alerts: shown,
            truncatedCount: told.count - shown.count,
            externalURL: configuration.externalURL,
            reason: reason
        )
        return Message(key: record.key, receiver: receiver.name, body: message.json)
    }

    /// Why a group must be told; nil when it need not.
    private static func reason(
        firing: Set<String>,
        resolved: Set<String>,
        _ record: NotificationRecord,
        sendsResolved: Bool,
        isRepeatDue: Bool
    ) -> String? {
        guard record.lastSentMilliseconds != nil else {
            return firing.isEmpty ? nil : "first notification"
        }
        if !firing.isSubset(of: record.firing) { return "new alerts firing" }
        if firing.isEmpty {
            return sendsResolved && !record.firing.isEmpty ? "all alerts resolved" : nil
        }
        if sendsResolved, !resolved.isSubset(of: record.resolved) { return "some alerts resolved" }
        return isRepeatDue ? "repeat interval elapsed" : nil
    }
}
