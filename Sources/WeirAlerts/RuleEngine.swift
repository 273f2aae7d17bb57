package import WeirSystem

/// All rule groups at work, without threads of their own: `RuleLoop` has those.
///
/// Safe to call from any thread. A group is evaluated by one thread at a time; a rule that fails
/// keeps its error and stops nothing else.
package final class RuleEngine: Sendable {
    private struct Slot {
        let runner: RuleGroupRunner
        var isRunning = false
        let status: RuleGroupStatus
        let nextDue: Int64?
        private let lastTick: Int64?

        init(_ runner: RuleGroupRunner) {
            self.runner = runner
            status = runner.status
            nextDue = runner.nextDueMilliseconds
            lastTick = runner.lastTick
        }

        /// Also due when the clock was set back far: else it would wait for the old time to return.
        func isDue(_ now: Int64) -> Bool {
            !isRunning && ((nextDue ?? .max) <= now || (lastTick ?? .min) > now + 60_000)
        }
    }

    private struct State {
        var slots: [RuleGroupKey: Slot] = [:]
        var isReplacing = false
        var storeError: String?
    }

    private let state: Monitor<State>
    private let evaluator: any RuleEvaluator
    private let store: (any RuleStateStore)?
    private let notifier: Notifier?
    private let clock: any WallClock
    package let configuration: RuleEngineConfiguration

    package init(
        evaluator: any RuleEvaluator,
        store: (any RuleStateStore)?,
        notifier: Notifier?,
        clock: any WallClock,
        configuration: RuleEngineConfiguration = RuleEngineConfiguration()
    ) {
        self.evaluator = evaluator
        self.store = store
        self.notifier = notifier
        self.clock = clock
        self.configuration = configuration
        state = Monitor(State())
    }

    /// Every group's state, in order of file and name.
    package var groups: [RuleGroupStatus] {
        state.read { state in state.slots.values.map(\.status) }.sorted { $0.key < $1.key }
    }

    /// Why rule state could not be saved last; nil when it was.
    package var storeError: String? { state.read { $0.storeError } }

    /// When something is due next, Unix milliseconds; nil when nothing ever is.
    package var nextDueMilliseconds: Int64? {
        state.read { state in
            state.slots.values.filter { !$0.isRunning }.compactMap(\.nextDue).min()
        }
    }

    /// Puts these files' groups in the place of all others.
    ///
    /// Groups that stay keep their state, new ones take up what was stored. Waits for evaluations
    /// under way.
    package func replace(_ files: [RuleFile]) {
        _ = state.wait { state -> Bool? in
            guard !state.isReplacing else { return nil }
            state.isReplacing = true
            return true
        }
        defer { state.update { $0.isReplacing = false } }
        _ = state.wait { state in state.slots.values.contains { $0.isRunning } ? nil : true }
        // Nobody runs and nobody may start: the runners are this thread's.
        let old = state.read { $0.slots }
        let now = clock.nowMilliseconds()
        var slots: [RuleGroupKey: Slot] = [:]
        for group in files.flatMap(\.groups) {
            let runner = RuleGroupRunner(
                group: group,
                evaluator: evaluator,
                configuration: configuration
            )
            if let before = old[runner.key] {
                tell(runner.adopt(before.runner, nowMilliseconds: now), now: now)
            } else if let record = load(runner.key) {
                runner.restore(record, nowMilliseconds: now)
            }
            runner.startIfNew(nowMilliseconds: now)
            slots[runner.key] = Slot(runner)
        }
        for (key, slot) in old where slots[key] == nil {
            tell(slot.runner.end(atMilliseconds: now), now: now)
        }
        state.update { $0.slots = slots }
    }

    private func load(_ key: RuleGroupKey) -> RuleGroupRecord? {
        do throws(RuleStateError) {
            return try store?.loadGroup(key)
        } catch {
            state.update { $0.storeError = error.reason }
            return nil
        }
    }

    private func tell(_ told: [(Rule, [ActiveAlert])], now: Int64) {
        for (rule, alerts) in told {
            notifier?.update(
                alerts.map { NotifiedAlert($0, of: rule, configuration: configuration) },
                nowMilliseconds: now
            )
        }
    }

    /// Evaluates one group that is due, on this thread.
    ///
    /// - Returns: False when none is.
    package func evaluateNext() -> Bool {
        let now = clock.nowMilliseconds()
        let claimed = state.update { state -> RuleGroupRunner? in
            guard !state.isReplacing else { return nil }
            let ready = state.slots.filter { $0.value.isDue(now) }
            // The longest overdue first, so that no group starves.
            guard
                let key = ready.min(by: {
                    ($0.value.nextDue ?? .max, $0.key) < ($1.value.nextDue ?? .max, $1.key)
                })?.key
            else { return nil }
            state.slots[key]?.isRunning = true
            return state.slots[key]?.runner
        }
        guard let runner = claimed else { return false }
        let due = runner.due(nowMilliseconds: now)
        let told = runner.evaluate(due, nowMilliseconds: now)
        var storeError: String?
        if due.current != nil, let record = runner.record {
            do throws(RuleStateError) {
                try store?.saveGroup(runner.key, record)
            } catch {
                storeError = error.reason
            }
        }
        tell(told, now: now)
        state.update { state in
            state.slots[runner.key] = Slot(runner)
            if due.current != nil { state.storeError = storeError }
        }
        return true
    }

    /// Evaluates every group that is due, on this thread.
    package func evaluateAllDue() { while evaluateNext() {} }
}
