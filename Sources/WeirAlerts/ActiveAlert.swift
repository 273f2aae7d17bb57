package import WeirCore

/// Where an alert stands.
package enum AlertPhase: String, Hashable, Sendable, Comparable {
    case inactive
    case pending
    case firing

    private var rank: Int {
        switch self {
        case .inactive: 0
        case .pending: 1
        case .firing: 2
        }
    }

    package static func < (left: AlertPhase, right: AlertPhase) -> Bool { left.rank < right.rank }
}

/// One alert of one rule: a label set that the rule's expression gave.
///
/// Times are Unix milliseconds.
package struct ActiveAlert: Hashable, Sendable {
    /// With the rule's labels and `alertname`, without the metric's name.
    package let labels: Labels
    package var annotations: [NamedText]
    package var phase: AlertPhase
    package var value: Double
    /// When the expression first gave it.
    package var activeAt: Int64
    package var firedAt: Int64?
    /// When it stopped being active; kept for a while so that its end is told.
    package var resolvedAt: Int64?
    /// Since when it fires only because of `keep_firing_for`.
    package var keepFiringSince: Int64?

    package init(
        labels: Labels,
        annotations: [NamedText],
        phase: AlertPhase,
        value: Double,
        activeAt: Int64,
        firedAt: Int64? = nil,
        resolvedAt: Int64? = nil,
        keepFiringSince: Int64? = nil
    ) {
        self.labels = labels
        self.annotations = annotations
        self.phase = phase
        self.value = value
        self.activeAt = activeAt
        self.firedAt = firedAt
        self.resolvedAt = resolvedAt
        self.keepFiringSince = keepFiringSince
    }

    package static func == (left: ActiveAlert, right: ActiveAlert) -> Bool {
        left.labels == right.labels && left.annotations == right.annotations
            && left.phase == right.phase && left.value.bitPattern == right.value.bitPattern
            && left.activeAt == right.activeAt && left.firedAt == right.firedAt
            && left.resolvedAt == right.resolvedAt && left.keepFiringSince == right.keepFiringSince
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(labels) }
}
