package import WeirCore

/// The alerts of one rule and how they move between inactive, pending and firing: a pure state
/// machine with Prometheus's rules.
///
///     (nothing) ─ given ─> pending ─ held for `for` ─> firing ─ not given ─> inactive ─ 15 min ─> (nothing)
///                             └ not given ─> (nothing)      └ for `keep_firing_for` still firing
package struct AlertingState: Hashable, Sendable {
    /// How long an alert that has ended is kept, so that its end is told.
    package static let resolvedRetentionMilliseconds: Int64 = 15 * 60 * 1000

    package private(set) var alerts: [Labels: ActiveAlert]

    package init(alerts: [ActiveAlert] = []) {
        self.alerts = Dictionary(alerts.map { ($0.labels, $0) }) { _, last in last }
    }

    /// One alert that the expression gave at this evaluation.
    package struct Given: Sendable {
        package let labels: Labels
        package let annotations: [NamedText]
        package let value: Double

        package init(labels: Labels, annotations: [NamedText] = [], value: Double) {
            self.labels = labels
            self.annotations = annotations
            self.value = value
        }
    }

    /// Takes the result of one evaluation.
    package mutating func evaluate(
        _ given: [Given],
        atMilliseconds now: Int64,
        forMilliseconds: Int64,
        keepFiringForMilliseconds: Int64
    ) {
        var present: Set<Labels> = []
        for alert in given {
            present.insert(alert.labels)
            if var known = alerts[alert.labels], known.phase != .inactive {
                known.value = alert.value
                known.annotations = alert.annotations
                alerts[alert.labels] = known
            } else {
                alerts[alert.labels] = ActiveAlert(
                    labels: alert.labels,
                    annotations: alert.annotations,
                    phase: .pending,
                    value: alert.value,
                    activeAt: now
                )
            }
        }
        for (labels, alert) in alerts {
            alerts[labels] = Self.moved(
                alert,
                isGiven: present.contains(labels),
                now: now,
                forMilliseconds: forMilliseconds,
                keepFiringForMilliseconds: keepFiringForMilliseconds
            )
        }
    }

    /// - Returns: The alert after this evaluation; nil when it is forgotten.
    private static func moved(
        _ alert: ActiveAlert,
        isGiven: Bool,
        now: Int64,
        forMilliseconds: Int64,
        keepFiringForMilliseconds: Int64
    ) -> ActiveAlert? {
        var alert = alert
        if isGiven {
            alert.keepFiringSince = nil
        } else {
            if alert.phase == .firing, keepFiringForMilliseconds > 0 {
                let since = alert.keepFiringSince ?? now
                alert.keepFiringSince = since
                if now - since < keepFiringForMilliseconds { return alert }
            }
            switch alert.phase {
            case .pending: return nil
            case .firing:
                alert.phase = .inactive
                alert.resolvedAt = now
                alert.keepFiringSince = nil
                return alert
            case .inactive:
                let resolved = alert.resolvedAt ?? now
                return now - resolved > resolvedRetentionMilliseconds ? nil : alert
            }
        }
        if alert.phase == .pending, now - alert.activeAt >= forMilliseconds {
            alert.phase = .firing
            alert.firedAt = now
        }
        return alert
    }

    /// Ends all alerts, because their rule is gone.
    ///
    /// - Returns: Those that were firing, as ended.
    package mutating func endAll(atMilliseconds now: Int64) -> [ActiveAlert] {
        let ended = alerts.values.filter { $0.phase == .firing }
            .map { alert -> ActiveAlert in
                var alert = alert
                alert.phase = .inactive
                alert.resolvedAt = now
                alert.keepFiringSince = nil
                return alert
            }
        alerts.removeAll()
        return ended.sorted { $0.labels < $1.labels }
    }

    /// Forgets what was pending: after a long downtime nobody knows whether it lasted.
    package mutating func forgetPending() {
        alerts = alerts.filter { $0.value.phase != .pending }
    }

    /// Pending and firing alerts, in order of labels.
    package var active: [ActiveAlert] {
        alerts.values.filter { $0.phase != .inactive }.sorted { $0.labels < $1.labels }
    }

    /// The highest phase of any alert.
    package var phase: AlertPhase { alerts.values.map(\.phase).max() ?? .inactive }

    /// The `ALERTS` and `ALERTS_FOR_STATE` samples of what is pending or firing.
    package var samples: [RuleSample] {
        active.flatMap { alert in
            let state = alert.labels.setting("alertstate", to: alert.phase.rawValue)
            return [
                RuleSample(
                    labels: state.setting(Labels.metricNameLabel, to: "ALERTS"),
                    value: 1
                ),
                RuleSample(
                    labels: alert.labels.setting(
                        Labels.metricNameLabel,
                        to: "ALERTS_FOR_STATE"
                    ),
                    value: Double(alert.activeAt.floorDivided(by: 1000))
                ),
            ]
        }
    }
}
