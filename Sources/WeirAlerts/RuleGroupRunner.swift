internal import WeirCore
internal import WeirSystem

/// One group at work: its rules' states and what they wrote last.
///
/// Not thread-safe: the engine lets one thread at a time have it.
final class RuleGroupRunner {
    let key: RuleGroupKey
    let group: RuleGroup
    let ticks: RuleTicks
    /// The slot of the last evaluation.
    private(set) var lastTick: Int64?
    private(set) var status: RuleGroupStatus
    private let ruleKeys: [String]
    /// Why a rule's expression does not parse; such a rule is never run.
    private let parseErrors: [String?]
    private var states: [AlertingState]
    private var written: [Set<Labels>]
    /// Series of rules that are gone, to be ended at the next evaluation.
    private var orphans: Set<Labels> = []
    private let configuration: RuleEngineConfiguration
    private let evaluator: any RuleEvaluator

    init(
        group: RuleGroup,
        evaluator: any RuleEvaluator,
        configuration: RuleEngineConfiguration
    ) {
        self.group = group
        self.evaluator = evaluator
        self.configuration = configuration
        key = RuleGroupKey(file: group.file, name: group.name)
        let interval = max(1, group.intervalMilliseconds ?? configuration.intervalMilliseconds)
        ticks = RuleTicks(
            rhythm: group.schedule.map { .schedule($0) }
                ?? .interval(
                    milliseconds: interval,
                    offset: RuleTicks.offset(of: key, intervalMilliseconds: interval)
                ),
            catchUpTicksMax: configuration.catchUpTicksMax,
            catchUpMillisecondsMax: configuration.catchUpMillisecondsMax
        )
        ruleKeys = Self.ruleKeys(group.rules)
        parseErrors = group.rules.map {
            evaluator.check($0.expression, language: group.language)
        }
        states = group.rules.map { _ in AlertingState() }
        written = group.rules.map { _ in [] }
        status = RuleGroupStatus(
            key: key,
            intervalMilliseconds: interval,
            schedule: group.schedule?.text,
            limit: group.limit,
            rules: group.rules.map {
                RuleStatus(
                    rule: $0,
                    query: evaluator.canonical($0.expression, language: group.language)
                )
            }
        )
        for (index, error) in parseErrors.enumerated() {
            guard let error else { continue }
            status.rules[index].health = .failed
            status.rules[index].lastError = error
        }
    }

    /// Names rules so that they are found again after a restart or a reload: by kind, name and
    /// labels; equal ones by their order.
    static func ruleKeys(_ rules: [Rule]) -> [String] {
        var counts: [String: Int] = [:]
        return rules.map { rule in
            let labels = rule.labels.map { "\($0.name)=\(GoFormat.quoted($0.template.text))" }
            let key =
                (rule.isAlert ? "alert:" : "record:") + rule.name
                + "{" + labels.joined(separator: ",") + "}"
            counts[key, default: 0] += 1
            return "\(key)#\(counts[key] ?? 1)"
        }
    }

    /// Takes over what was stored before a restart.
    func restore(_ record: RuleGroupRecord, nowMilliseconds: Int64) {
        lastTick = record.lastEvaluation
        let downtime = nowMilliseconds - record.lastEvaluation
        let isLong = downtime > configuration.outageToleranceMilliseconds
        for (index, key) in ruleKeys.enumerated() {
            guard group.rules[index].isAlert, let alerts = record.alerts[key] else { continue }
            states[index] = AlertingState(alerts: alerts)
            if isLong { states[index].forgetPending() }
            status.rules[index].alerts = states[index].active
            // Written before the restart: ended when they do not come again.
            written[index] = Set(states[index].samples.map(\.labels))
        }
    }

    /// A schedule counts from when the group is first seen.
    func startIfNew(nowMilliseconds: Int64) {
        if lastTick == nil, group.schedule != nil { lastTick = nowMilliseconds }
    }

    /// Takes over from the same group before a reload.
    ///
    /// - Returns: The ends of firing alerts whose rules are gone.
    func adopt(_ old: RuleGroupRunner, nowMilliseconds: Int64) -> [(Rule, [ActiveAlert])] {
        if old.ticks == ticks { lastTick = old.lastTick }
        orphans = old.orphans
        status.caughtUpCount = old.status.caughtUpCount
        status.skippedCount = old.status.skippedCount
        status.lastEvaluation = old.status.lastEvaluation
        var ended: [(Rule, [ActiveAlert])] = []
        for (oldIndex, key) in old.ruleKeys.enumerated() {
            if let index = ruleKeys.firstIndex(of: key) {
                states[index] = old.states[oldIndex]
                written[index] = old.written[oldIndex]
                status.rules[index].alerts = states[index].active
                let before = old.status.rules[oldIndex]
                if parseErrors[index] == nil,
                    before.rule.expression == group.rules[index].expression
                {
                    status.rules[index].health = before.health
                    status.rules[index].lastError = before.lastError
                    status.rules[index].lastEvaluation = before.lastEvaluation
                    status.rules[index].evaluationSeconds = before.evaluationSeconds
                }
            } else {
                orphans.formUnion(old.written[oldIndex])
                let alerts = old.states[oldIndex].endAll(atMilliseconds: nowMilliseconds)
                if !alerts.isEmpty { ended.append((old.group.rules[oldIndex], alerts)) }
            }
        }
        return ended
    }

    /// Ends everything, because the group is gone.
    ///
    /// A failed write is left: look-back ends those series a little later.
    ///
    /// - Returns: The ends of alerts that were firing.
    func end(atMilliseconds now: Int64) -> [(Rule, [ActiveAlert])] {
        for index in written.indices { orphans.formUnion(written[index]) }
        try? writeOrphans(at: now)
        return group.rules.indices.compactMap { index in
            let alerts = states[index].endAll(atMilliseconds: now)
            return alerts.isEmpty ? nil : (group.rules[index], alerts)
        }
    }

    /// What a restart must find again.
    var record: RuleGroupRecord? {
        guard let lastTick else { return nil }
        var alerts: [String: [ActiveAlert]] = [:]
        for (index, key) in ruleKeys.enumerated() where !states[index].alerts.isEmpty {
            alerts[key] = states[index].alerts.values.sorted { $0.labels < $1.labels }
        }
        return RuleGroupRecord(lastEvaluation: lastTick, alerts: alerts)
    }

    /// What is due, should the clock have been set back far as well.
    func due(nowMilliseconds now: Int64) -> RuleTicks.Due {
        var last = lastTick
        if let tick = last, tick > now + 60_000 { last = group.schedule == nil ? nil : now }
        if last != lastTick { lastTick = last }
        return ticks.due(last: last, now: now)
    }

    var nextDueMilliseconds: Int64? {
        lastTick.map { ticks.next(after: $0) } ?? (group.schedule == nil ? .min : nil)
    }

    /// Runs what is due.
    ///
    /// - Returns: The firing and just ended alerts of each alerting rule that was evaluated.
    func evaluate(_ due: RuleTicks.Due, nowMilliseconds: Int64) -> [(Rule, [ActiveAlert])] {
        guard let current = due.current else { return [] }
        let start = Stopwatch.monotonicNanoseconds()
        status.skippedCount += due.skippedCount
        for tick in due.missed {
            for index in group.rules.indices where !group.rules[index].isAlert {
                run(index, tick: tick, nowMilliseconds: nowMilliseconds)
            }
            status.caughtUpCount += 1
        }
        var told: [(Rule, [ActiveAlert])] = []
        for index in group.rules.indices {
            run(index, tick: current, nowMilliseconds: nowMilliseconds)
            guard group.rules[index].isAlert, parseErrors[index] == nil else { continue }
            let alerts = states[index].alerts.values.filter { $0.phase != .pending }
            told.append((group.rules[index], alerts.sorted { $0.labels < $1.labels }))
        }
        try? writeOrphans(at: current - group.queryOffsetMilliseconds)
        lastTick = current
        status.lastEvaluation = nowMilliseconds
        status.evaluationSeconds =
            Double(Stopwatch.monotonicNanoseconds() - start) / 1_000_000_000
        return told
    }

    private func writeOrphans(at time: Int64) throws(RuleEvaluationError) {
        guard !orphans.isEmpty else { return }
        try evaluator.write(
            orphans.sorted().map { RuleSample(labels: $0, value: RuleSample.staleValue) },
            atMilliseconds: time
        )
        orphans = []
    }

    /// Evaluates one rule; its failure stays its own.
    private func run(_ index: Int, tick: Int64, nowMilliseconds: Int64) {
        guard parseErrors[index] == nil else { return }
        let start = Stopwatch.monotonicNanoseconds()
        do throws(RuleEvaluationError) {
            let time = tick - group.queryOffsetMilliseconds
            let rule = group.rules[index]
            let samples: [RuleSample]
            switch rule.kind {
            case .recording: samples = try record(rule, at: time)
            case .alerting(let hold, let keep):
                samples = try alert(index, rule, tick: tick, time: time, hold: hold, keep: keep)
            }
            try write(samples, of: index, at: time)
            status.rules[index].health = .ok
            status.rules[index].lastError = nil
        } catch {
            status.rules[index].health = .failed
            status.rules[index].lastError = error.reason
        }
        status.rules[index].alerts = states[index].active
        status.rules[index].lastEvaluation = nowMilliseconds
        status.rules[index].evaluationSeconds =
            Double(Stopwatch.monotonicNanoseconds() - start) / 1_000_000_000
    }

    private func write(
        _ samples: [RuleSample],
        of index: Int,
        at time: Int64
    ) throws(RuleEvaluationError) {
        let series = Set(samples.map(\.labels))
        let ended = written[index].subtracting(series).sorted()
            .map { RuleSample(labels: $0, value: RuleSample.staleValue) }
        guard !samples.isEmpty || !ended.isEmpty else { return }
        try evaluator.write(samples + ended, atMilliseconds: time)
        written[index] = series
    }

    private func record(_ rule: Rule, at time: Int64) throws(RuleEvaluationError) -> [RuleSample] {
        var seen: Set<Labels> = []
        var samples: [RuleSample] = []
        for sample in try evaluator.evaluate(
            rule.expression,
            language: group.language,
            atMilliseconds: time
        ) {
            var pairs = sample.labels.pairs.map { ($0.name, $0.value) }
            pairs.append((Labels.metricNameLabel, rule.name))
            pairs += rule.labels.map { ($0.name, $0.template.text) }
            let labels = Labels(pairs)
            guard seen.insert(labels).inserted else {
                throw RuleEvaluationError(
                    reason: "vector contains metrics with the same labelset after applying rule"
                        + " labels"
                )
            }
            samples.append(
                RuleSample(labels: labels, value: sample.value, histogram: sample.histogram)
            )
        }
        if group.limit > 0, samples.count > group.limit {
            throw RuleEvaluationError(
                reason: "exceeded limit of \(group.limit) with \(samples.count) series"
            )
        }
        return samples
    }

    private func alert(
        _ index: Int,
        _ rule: Rule,
        tick: Int64,
        time: Int64,
        hold: Int64,
        keep: Int64
    ) throws(RuleEvaluationError) -> [RuleSample] {
        let evaluator = evaluator
        var seen: Set<Labels> = []
        var given: [AlertingState.Given] = []
        for sample in try evaluator.evaluate(
            rule.expression,
            language: group.language,
            atMilliseconds: time
        ) {
            let bare = sample.labels.droppingMetricName
            let context = TemplateContext(
                alertName: rule.name,
                labels: bare,
                externalLabels: configuration.externalLabels.current,
                externalURL: configuration.externalURL,
                value: sample.value,
                query: { expression throws(RuleEvaluationError) in
                    try evaluator.evaluate(expression, atMilliseconds: time)
                }
            )
            var pairs = bare.pairs.map { ($0.name, $0.value) }
            pairs += rule.labels.map { ($0.name, $0.template.expandOrExplain(context)) }
            pairs.append(("alertname", rule.name))
            let labels = Labels(pairs)
            guard seen.insert(labels).inserted else {
                throw RuleEvaluationError(
                    reason: "vector contains metrics with the same labelset after applying alert"
                        + " labels"
                )
            }
            let annotations = rule.annotations.map {
                NamedText(name: $0.name, value: $0.template.expandOrExplain(context))
            }
            given.append(.init(labels: labels, annotations: annotations, value: sample.value))
        }
        if group.limit > 0, given.count > group.limit {
            states[index] = AlertingState()
            throw RuleEvaluationError(
                reason: "exceeded limit of \(group.limit) with \(given.count) alerts"
            )
        }
        states[index].evaluate(
            given,
            atMilliseconds: tick,
            forMilliseconds: hold,
            keepFiringForMilliseconds: keep
        )
        return states[index].samples
    }
}
