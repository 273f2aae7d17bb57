internal import WeirCore

/// A message in Alertmanager's webhook format, version "4".
struct WebhookMessage {
    let receiver: String
    let groupKey: String
    let groupLabels: Labels
    /// In order of labels.
    let alerts: [NotifiedAlert]
    let truncatedCount: Int
    let externalURL: String
    let reason: String

    var json: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("receiver", receiver)
        writer.member("status", alerts.contains(where: \.isFiring) ? "firing" : "resolved")
        writer.key("alerts")
        writer.beginArray()
        for alert in alerts { Self.write(alert, to: &writer) }
        writer.endArray()
        writer.member("notification_reason", reason)
        writer.key("groupLabels")
        Self.write(groupLabels.pairs.map { NamedText(name: $0.name, value: $0.value) }, to: &writer)
        writer.key("commonLabels")
        Self.write(
            Self.common(
                alerts.map { $0.labels.pairs.map { NamedText(name: $0.name, value: $0.value) } }
            ),
            to: &writer
        )
        writer.key("commonAnnotations")
        Self.write(Self.common(alerts.map(\.annotations)), to: &writer)
        writer.member("externalURL", externalURL)
        writer.member("version", "4")
        writer.member("groupKey", groupKey)
        writer.member("truncatedAlerts", truncatedCount)
        writer.endObject()
        return writer.bytes
    }

    private static func write(_ alert: NotifiedAlert, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("status", alert.isFiring ? "firing" : "resolved")
        writer.key("labels")
        write(alert.labels.pairs.map { NamedText(name: $0.name, value: $0.value) }, to: &writer)
        writer.key("annotations")
        write(alert.annotations, to: &writer)
        writer.member("startsAt", TimeText.rfc3339(milliseconds: alert.startsAt))
        writer.member(
            "endsAt",
            alert.endsAt.map { TimeText.rfc3339(milliseconds: $0) } ?? Timestamps.zero
        )
        writer.member("generatorURL", alert.generatorURL)
        writer.member("fingerprint", alert.fingerprint)
        writer.endObject()
    }

    private static func write(_ pairs: [NamedText], to writer: inout JSONWriter) {
        writer.beginObject()
        for pair in pairs.sorted(by: { $0.name < $1.name }) { writer.member(pair.name, pair.value) }
        writer.endObject()
    }

    /// The pairs that all sets have.
    private static func common(_ sets: [[NamedText]]) -> [NamedText] {
        guard var common = sets.first else { return [] }
        for set in sets.dropFirst() {
            let present = Set(set)
            common.removeAll { !present.contains($0) }
        }
        return common
    }
}
