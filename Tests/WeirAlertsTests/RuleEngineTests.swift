import Testing
import WeirCore
import WeirStore
import WeirSystem

@testable import WeirAlerts

@Suite struct RuleEngineTests {
    private static let rules = """
        groups:
          - name: shop
            interval: 1m
            rules:
              - record: job:up:sum
                expr: sum by (job) (up)
                labels: {team: web}
              - alert: Down
                expr: up == 0
                for: 2m
                labels: {severity: page}
                annotations: {summary: "{{ $labels.job }} is {{ $value }}"}
        """

    private let evaluator = FakeEvaluator()
    private let clock = ManualClock(nanoseconds: 1_800_000_000_000_000_000)

    private func engine(
        store: (any RuleStateStore)? = nil,
        notifier: Notifier? = nil,
        rules: String = rules
    ) throws -> RuleEngine {
        let engine = RuleEngine(
            evaluator: evaluator,
            store: store,
            notifier: notifier,
            clock: clock
        )
        engine.replace([try RuleFile(text: rules, path: "r.yml")])
        return engine
    }

    private func advance(_ seconds: Int64, _ engine: RuleEngine) {
        clock.advance(nanoseconds: seconds * 1_000_000_000)
        engine.evaluateAllDue()
    }

    private func alertPhase(_ engine: RuleEngine, rule: Int = 1) -> AlertPhase? {
        engine.groups.first?.rules[rule].phase
    }

    @Test func resultsAndAlertsAreWritten() throws {
        let engine = try engine()
        evaluator.answer("sum by (job) (up)", [([("job", "a")], 2), ([("job", "b")], 3)])
        evaluator.answer("up == 0", [([("__name__", "up"), ("job", "a")], 0)])
        engine.evaluateAllDue()
        let asked = evaluator.takeAsked()
        #expect(asked.map(\.expression) == ["sum by (job) (up)", "up == 0"])
        let written = evaluator.takeWritten()
        #expect(
            written.map(\.labels) == [
                #"job:up:sum{job="a", team="web"}"#, #"job:up:sum{job="b", team="web"}"#,
                #"ALERTS{alertname="Down", alertstate="pending", job="a", severity="page"}"#,
                #"ALERTS_FOR_STATE{alertname="Down", job="a", severity="page"}"#,
            ]
        )
        #expect(Set(written.map(\.at)).count == 1)
        let status = try #require(engine.groups.first)
        #expect(status.rules.map(\.health) == [.ok, .ok])
        #expect(
            status.rules[1].alerts.first?.annotations == [
                NamedText(name: "summary", value: "a is 0")
            ]
        )
        // Nothing more is due until the next tick.
        engine.evaluateAllDue()
        #expect(evaluator.takeAsked().isEmpty)
    }

    @Test func vanishedSeriesAreEnded() throws {
        let engine = try engine()
        evaluator.answer("sum by (job) (up)", [([("job", "a")], 2), ([("job", "b")], 3)])
        evaluator.answer("up == 0", [([("job", "a")], 0)])
        engine.evaluateAllDue()
        _ = evaluator.takeWritten()
        evaluator.answer("sum by (job) (up)", [([("job", "b")], 3)])
        evaluator.answer("up == 0", [])
        advance(60, engine)
        let written = evaluator.takeWritten()
        #expect(
            written.filter(\.isStale).map(\.labels) == [
                #"job:up:sum{job="a", team="web"}"#,
                #"ALERTS{alertname="Down", alertstate="pending", job="a", severity="page"}"#,
                #"ALERTS_FOR_STATE{alertname="Down", job="a", severity="page"}"#,
            ]
        )
        advance(60, engine)
        #expect(evaluator.takeWritten().allSatisfy { !$0.isStale })
    }

    @Test func thePhaseSeriesFollowsTheAlert() throws {
        let engine = try engine()
        evaluator.answer("up == 0", [([("job", "a")], 0)])
        engine.evaluateAllDue()
        advance(60, engine)
        #expect(alertPhase(engine) == .pending)
        _ = evaluator.takeWritten()
        advance(60, engine)
        #expect(alertPhase(engine) == .firing)
        let written = evaluator.takeWritten()
        #expect(written.contains { $0.labels.contains(#"alertstate="firing""#) && $0.value == 1 })
        #expect(written.contains { $0.labels.contains(#"alertstate="pending""#) && $0.isStale })
    }

    @Test func oneBrokenRuleStopsNoOther() throws {
        let rules = """
            groups:
              - name: g
                interval: 1m
                limit: 1
                rules:
                  - record: unparsed
                    expr: "bad("
                  - record: failing
                    expr: fails
                  - record: same
                    expr: same
                    labels: {job: x}
                  - record: many
                    expr: many
                  - alert: ManyAlerts
                    expr: many
                  - record: good
                    expr: good
              - name: other
                rules:
                  - record: alsogood
                    expr: good
            """
        let engine = try engine(rules: rules)
        evaluator.fail("fails", "query timed out")
        evaluator.answer("same", [([("job", "a")], 1), ([("job", "b")], 2)])
        evaluator.answer("many", [([("job", "a")], 1), ([("job", "b")], 2)])
        evaluator.answer("good", [([], 5)])
        engine.evaluateAllDue()
        let status = engine.groups
        #expect(
            status[0].rules.map(\.health) == [.failed, .failed, .failed, .failed, .failed, .ok]
        )
        #expect(
            status[0].rules.compactMap(\.lastError) == [
                "does not parse", "query timed out",
                "vector contains metrics with the same labelset after applying rule labels",
                "exceeded limit of 1 with 2 series", "exceeded limit of 1 with 2 alerts",
            ]
        )
        #expect(status[1].rules[0].health == .ok)
        #expect(evaluator.takeWritten().map(\.labels).sorted() == ["alsogood", "good"])
        evaluator.answer("fails", [([], 1)])
        advance(60, engine)
        #expect(engine.groups[0].rules[1].health == .ok)
        #expect(engine.groups[0].rules[1].lastError == nil)
    }

    @Test func aFailureLeavesTheAlertAsItWas() throws {
        let engine = try engine()
        evaluator.answer("up == 0", [([("job", "a")], 0)])
        engine.evaluateAllDue()
        evaluator.fail("up == 0", "no")
        advance(60, engine)
        #expect(alertPhase(engine) == .pending)
        evaluator.answer("up == 0", [([("job", "a")], 0)])
        advance(60, engine)
        #expect(alertPhase(engine) == .firing)
    }

    @Test func aRestartDoesNotForgetFor() throws {
        let database = try SQLiteDatabase(path: ":memory:")
        evaluator.answer("up == 0", [([("job", "a")], 0)])
        let first = try engine(store: try SQLiteRuleStateStore(database: database))
        first.evaluateAllDue()
        advance(60, first)
        #expect(alertPhase(first) == .pending)
        let activeAt = first.groups.first?.rules[1].alerts.first?.activeAt
        // A new process, a minute later.
        clock.advance(nanoseconds: 60_000_000_000)
        let second = try engine(store: try SQLiteRuleStateStore(database: database))
        #expect(alertPhase(second) == .pending)
        second.evaluateAllDue()
        #expect(alertPhase(second) == .firing)
        #expect(second.groups.first?.rules[1].alerts.first?.activeAt == activeAt)
        // After a long downtime a pending alert starts anew, a firing one does not end unseen.
        clock.advance(nanoseconds: 7_200_000_000_000)
        let third = try engine(store: try SQLiteRuleStateStore(database: database))
        #expect(alertPhase(third) == .firing)
        evaluator.answer("up == 0", [])
        third.evaluateAllDue()
        #expect(alertPhase(third) == .inactive)
    }

    @Test func aLongDowntimeForgetsPending() throws {
        let database = try SQLiteDatabase(path: ":memory:")
        evaluator.answer("up == 0", [([("job", "a")], 0)])
        let first = try engine(store: try SQLiteRuleStateStore(database: database))
        first.evaluateAllDue()
        clock.advance(nanoseconds: 7_200_000_000_000)
        let second = try engine(store: try SQLiteRuleStateStore(database: database))
        second.evaluateAllDue()
        #expect(alertPhase(second) == .pending)
    }

    @Test func missedRecordingRulesAreCaughtUpAndAlertsAreNot() throws {
        let database = try SQLiteDatabase(path: ":memory:")
        let first = try engine(store: try SQLiteRuleStateStore(database: database))
        first.evaluateAllDue()
        let tick = try #require(evaluator.takeAsked().first?.at)
        clock.advance(nanoseconds: 300_000_000_000)
        let second = try engine(store: try SQLiteRuleStateStore(database: database))
        second.evaluateAllDue()
        let asked = evaluator.takeAsked()
        #expect(
            asked.filter { $0.expression != "up == 0" }.map(\.at)
                == (1...5).map { tick + $0 * 60_000 }
        )
        #expect(asked.filter { $0.expression == "up == 0" }.map(\.at) == [tick + 300_000])
        #expect(second.groups.first?.caughtUpCount == 4)
        #expect(second.groups.first?.skippedCount == 0)
        clock.advance(nanoseconds: 86_400_000_000_000)
        second.evaluateAllDue()
        #expect(second.groups.first?.caughtUpCount == 64)
        #expect(second.groups.first?.skippedCount == 1440 - 61)
    }

    @Test func aScheduleWaitsForItsMoment() throws {
        let rules = """
            groups:
              - name: hourly
                schedule: "@hourly"
                rules:
                  - record: a
                    expr: x
            """
        // 1,800,000,000 s is a full hour.
        clock.advance(nanoseconds: 60_000_000_000)
        let engine = try engine(rules: rules)
        engine.evaluateAllDue()
        #expect(evaluator.takeAsked().isEmpty)
        #expect(engine.nextDueMilliseconds == 1_800_003_600_000)
        advance(3539, engine)
        #expect(evaluator.takeAsked().isEmpty)
        advance(1, engine)
        #expect(evaluator.takeAsked().map(\.at) == [1_800_003_600_000])
    }

    @Test func theQueryOffsetMovesQueriesAndSamples() throws {
        let rules = """
            groups:
              - name: g
                interval: 1m
                query_offset: 30s
                rules:
                  - record: a
                    expr: x
            """
        let engine = try engine(rules: rules)
        evaluator.answer("x", [([], 1)])
        engine.evaluateAllDue()
        let asked = try #require(evaluator.takeAsked().first?.at)
        #expect(evaluator.takeWritten().first?.at == asked)
        let offset = RuleTicks.offset(
            of: RuleGroupKey(file: "r.yml", name: "g"),
            intervalMilliseconds: 60_000
        )
        #expect((asked + 30_000) % 60_000 == offset % 60_000)
    }

    @Test func aReloadKeepsWhatStaysAndEndsWhatGoes() throws {
        let engine = try engine()
        evaluator.answer("sum by (job) (up)", [([("job", "a")], 2)])
        evaluator.answer("up == 0", [([("job", "a")], 0)])
        engine.evaluateAllDue()
        _ = evaluator.takeWritten()
        // The recording rule goes, the alert stays.
        let less = """
            groups:
              - name: shop
                interval: 1m
                rules:
                  - alert: Down
                    expr: up == 0
                    for: 2m
                    labels: {severity: page}
            """
        engine.replace([try RuleFile(text: less, path: "r.yml")])
        #expect(alertPhase(engine, rule: 0) == .pending)
        advance(60, engine)
        #expect(
            evaluator.takeWritten().filter(\.isStale).map(\.labels)
                == [#"job:up:sum{job="a", team="web"}"#]
        )
        advance(60, engine)
        #expect(alertPhase(engine, rule: 0) == .firing)
        _ = evaluator.takeWritten()
        engine.replace([])
        #expect(engine.groups.isEmpty)
        #expect(evaluator.takeWritten().filter(\.isStale).count == 2)
    }

    @Test func aClockSetBackDoesNotStopTheRules() throws {
        let engine = try engine()
        engine.evaluateAllDue()
        _ = evaluator.takeAsked()
        clock.advance(nanoseconds: -7_200_000_000_000)
        engine.evaluateAllDue()
        #expect(evaluator.takeAsked().count == 2)
        advance(60, engine)
        #expect(evaluator.takeAsked().count == 2)
    }
}
