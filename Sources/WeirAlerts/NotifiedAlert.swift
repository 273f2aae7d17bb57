package import WeirCore

/// One alert as it is told to receivers.
///
/// Times are Unix milliseconds.
package struct NotifiedAlert: Hashable, Sendable {
    package let labels: Labels
    package let annotations: [NamedText]
    package let startsAt: Int64
    /// Nil while it fires.
    package let endsAt: Int64?
    package let generatorURL: String
    package let fingerprint: String

    package init(
        labels: Labels,
        annotations: [NamedText],
        startsAt: Int64,
        endsAt: Int64?,
        generatorURL: String
    ) {
        self.labels = labels
        self.annotations = annotations
        self.startsAt = startsAt
        self.endsAt = endsAt
        self.generatorURL = generatorURL
        fingerprint = FNV1a.fingerprint(labels)
    }

    /// With the external labels that the alert does not have itself.
    init(_ alert: ActiveAlert, of rule: Rule, configuration: RuleEngineConfiguration) {
        var pairs = configuration.externalLabels.current.map { ($0.key, $0.value) }
        pairs += alert.labels.pairs.map { ($0.name, $0.value) }
        self.init(
            labels: Labels(pairs),
            annotations: alert.annotations,
            startsAt: alert.firedAt ?? alert.activeAt,
            endsAt: alert.phase == .inactive ? alert.resolvedAt : nil,
            generatorURL: configuration.externalURL + "/graph?g0.expr="
                + TemplateFunctions.queryEscaped(rule.expression) + "&g0.tab=1"
        )
    }

    package var isFiring: Bool { endsAt == nil }
}
