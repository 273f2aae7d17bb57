import Synchronization
import Testing
import WeirCore
import WeirStore
import WeirSystem

@testable import WeirAlerts

/// Keeps what is sent; fails when told to.
final class FakeSender: NotificationSender {
    private struct State {
        var sent: [JSONValue] = []
        var failure: NotificationError?
        var attempts = 0
    }

    private let state = Mutex(State())

    func fail(_ failure: NotificationError?) { state.withLock { $0.failure = failure } }
    var attempts: Int { state.withLock { $0.attempts } }

    func takeSent() -> [JSONValue] {
        state.withLock { state in
            let taken = state.sent
            state.sent = []
            return taken
        }
    }

    func send(_ body: [UInt8], to receiver: NotificationReceiver) throws(NotificationError) {
        let failure = state.withLock { state in
            state.attempts += 1
            if state.failure == nil, let json = try? JSONParser.parse(body) {
                state.sent.append(json)
            }
            return state.failure
        }
        if let failure { throw failure }
    }
}

@Suite struct NotifierTests {
    private let sender = FakeSender()
    private static let start: Int64 = 1_795_497_327_000

    private static func alert(
        _ instance: String,
        endsAt: Int64? = nil,
        name: String = "KitHigh"
    ) -> NotifiedAlert {
        NotifiedAlert(
            labels: Labels([
                ("alertname", name), ("instance", instance), ("job", "kit"), ("severity", "page"),
            ]),
            annotations: instance == "a" ? [NamedText(name: "summary", value: "it is high")] : [],
            startsAt: start,
            endsAt: endsAt,
            generatorURL: instance == "a" ? "http://weir/graph?g0.expr=up" : ""
        )
    }

    private func configuration() -> NotificationConfiguration {
        var configuration = NotificationConfiguration(
            receivers: [NotificationReceiver(name: "hook", url: "http://127.0.0.1:1/")]
        )
        configuration.groupBy = ["alertname", "job"]
        configuration.externalURL = "http://vm:39131"
        return configuration
    }

    private func notifier(
        _ configuration: NotificationConfiguration? = nil,
        store: (any RuleStateStore)? = nil
    ) -> Notifier {
        Notifier(configuration: configuration ?? self.configuration(), sender: sender, store: store)
    }

    /// Objects in the order of their keys, so that equal texts mean equal values.
    static func canonical(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let members):
            .object(
                members.sorted { $0.key < $1.key }
                    .map { JSONMember(key: $0.key, value: canonical($0.value)) }
            )
        case .array(let items): .array(items.map(canonical))
        default: value
        }
    }

    /// Captured from Alertmanager 0.33.1.
    private static let firstMessage = #"""
        {"receiver":"hook","status":"firing","alerts":[{"status":"firing","labels":{
        "alertname":"KitHigh","instance":"a","job":"kit","severity":"page"},"annotations":{
        "summary":"it is high"},"startsAt":"2026-11-24T05:15:27Z","endsAt":"0001-01-01T00:00:00Z",
        "generatorURL":"http://weir/graph?g0.expr=up","fingerprint":"b62df513628c3147"},{
        "status":"firing","labels":{"alertname":"KitHigh","instance":"b","job":"kit",
        "severity":"page"},"annotations":{},"startsAt":"2026-11-24T05:15:27Z",
        "endsAt":"0001-01-01T00:00:00Z","generatorURL":"","fingerprint":"3c2e49274d87c0a4"}],
        "notification_reason":"first notification","groupLabels":{"alertname":"KitHigh",
        "job":"kit"},"commonLabels":{"alertname":"KitHigh","job":"kit","severity":"page"},
        "commonAnnotations":{},"externalURL":"http://vm:39131","version":"4",
        "groupKey":"{}:{alertname=\"KitHigh\", job=\"kit\"}","truncatedAlerts":0}
        """#
    private static let secondMessage = #"""
        {"receiver":"hook","status":"firing","alerts":[{"status":"resolved","labels":{
        "alertname":"KitHigh","instance":"a","job":"kit","severity":"page"},"annotations":{
        "summary":"it is high"},"startsAt":"2026-11-24T05:15:27Z","endsAt":"2026-11-24T05:15:31Z",
        "generatorURL":"http://weir/graph?g0.expr=up","fingerprint":"b62df513628c3147"},{
        "status":"firing","labels":{"alertname":"KitHigh","instance":"b","job":"kit",
        "severity":"page"},"annotations":{},"startsAt":"2026-11-24T05:15:27Z",
        "endsAt":"0001-01-01T00:00:00Z","generatorURL":"","fingerprint":"3c2e49274d87c0a4"}],
        "notification_reason":"some alerts resolved","groupLabels":{"alertname":"KitHigh",
        "job":"kit"},"commonLabels":{"alertname":"KitHigh","job":"kit","severity":"page"},
        "commonAnnotations":{},"externalURL":"http://vm:39131","version":"4",
        "groupKey":"{}:{alertname=\"KitHigh\", job=\"kit\"}","truncatedAlerts":0}
        """#

    @Test func messagesAreThoseOfAlertmanager() throws {
        let notifier = notifier()
        let start = Self.start
        notifier.update([Self.alert("a"), Self.alert("b")], nowMilliseconds: start)
        notifier.run(nowMilliseconds: start + 29_999)
        #expect(sender.takeSent().isEmpty)
        notifier.run(nowMilliseconds: start + 30_000)
        let first = try #require(sender.takeSent().first)
        let expected = try JSONParser.parse(Array(Self.firstMessage.utf8))
        #expect(Self.canonical(first) == Self.canonical(expected))
        notifier.update(
            [Self.alert("a", endsAt: start + 4000), Self.alert("b")],
            nowMilliseconds: start + 31_000
        )
        notifier.run(nowMilliseconds: start + 329_999)
        #expect(sender.takeSent().isEmpty)
        notifier.run(nowMilliseconds: start + 330_000)
        let second = try #require(sender.takeSent().first)
        let expectedSecond = try JSONParser.parse(Array(Self.secondMessage.utf8))
        #expect(Self.canonical(second) == Self.canonical(expectedSecond))
    }

    @Test func anUnchangedGroupIsRepeatedOnlyAfterLong() {
        let notifier = notifier()
        let hour: Int64 = 3_600_000
        var times: [Int64] = []
        for minute in 0..<(9 * 60) {
            let now = Int64(minute) * 60_000
            notifier.update([Self.alert("a")], nowMilliseconds: now)
            notifier.run(nowMilliseconds: now)
            if !sender.takeSent().isEmpty { times.append(now) }
        }
        #expect(times.count == 3)
        #expect(times.first == 60_000)
        #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 == 4 * hour })
    }

    @Test func theEndIsToldOnceAndTheGroupForgotten() {
        let notifier = notifier()
        notifier.update([Self.alert("a")], nowMilliseconds: 0)
        notifier.run(nowMilliseconds: 30_000)
        #expect(sender.takeSent().count == 1)
        for round in 1..<10 {
            let now = 30_000 + Int64(round) * 60_000
            notifier.update([Self.alert("a", endsAt: 50_000)], nowMilliseconds: now)
            notifier.run(nowMilliseconds: now)
        }
        let sent = sender.takeSent()
        #expect(sent.map { $0["status"]?.string } == ["resolved"])
        // It comes again: a new group, told after the wait.
        notifier.update([Self.alert("a")], nowMilliseconds: 1_000_000)
        notifier.run(nowMilliseconds: 1_000_000)
        #expect(sender.takeSent().isEmpty)
        notifier.run(nowMilliseconds: 1_030_000)
        #expect(sender.takeSent().count == 1)
    }

    @Test func whatEndsBeforeItIsToldIsNotTold() {
        let notifier = notifier()
        notifier.update([Self.alert("a")], nowMilliseconds: 0)
        notifier.update([Self.alert("a", endsAt: 10_000)], nowMilliseconds: 10_000)
        notifier.run(nowMilliseconds: 60_000)
        notifier.run(nowMilliseconds: 600_000)
        #expect(sender.takeSent().isEmpty)
    }

    @Test func aNewAlertOfAKnownGroupIsToldAtTheNextInterval() {
        let notifier = notifier()
        notifier.update([Self.alert("a")], nowMilliseconds: 0)
        notifier.run(nowMilliseconds: 30_000)
        notifier.update([Self.alert("a"), Self.alert("b")], nowMilliseconds: 40_000)
        notifier.run(nowMilliseconds: 60_000)
        #expect(sender.takeSent().count == 1)
        notifier.run(nowMilliseconds: 330_000)
        let sent = sender.takeSent()
        #expect(sent.first?["alerts"]?.array?.count == 2)
        #expect(sent.first?["notification_reason"]?.string == "new alerts firing")
    }

    @Test func aReceiverMayBeToldNoEnds() {
        var configuration = configuration()
        configuration.receivers = [
            NotificationReceiver(name: "quiet", url: "http://x/", sendsResolved: false)
        ]
        let notifier = notifier(configuration)
        notifier.update([Self.alert("a"), Self.alert("b")], nowMilliseconds: 0)
        notifier.run(nowMilliseconds: 30_000)
        #expect(sender.takeSent().count == 1)
        notifier.update(
            [Self.alert("a", endsAt: 1), Self.alert("b", endsAt: 1)],
            nowMilliseconds: 9
        )
        notifier.run(nowMilliseconds: 400_000)
        #expect(sender.takeSent().isEmpty)
    }

    @Test func longMessagesAreCut() {
        var configuration = configuration()
        configuration.alertsPerMessageMax = 2
        let notifier = notifier(configuration)
        notifier.update(["a", "b", "c", "d"].map { Self.alert($0) }, nowMilliseconds: 0)
        notifier.run(nowMilliseconds: 30_000)
        let sent = sender.takeSent()
        #expect(sent.first?["alerts"]?.array?.count == 2)
        #expect(sent.first?["truncatedAlerts"]?.int == 2)
    }

    @Test func failuresAreTriedAgainEverMoreRarely() {
        let notifier = notifier()
        sender.fail(NotificationError(reason: "refused", isRetryable: true))
        notifier.update([Self.alert("a")], nowMilliseconds: 0)
        var attempts: [Int64] = []
        var now: Int64 = 30_000
        while now < 30_000 + 200_000 {
            let before = sender.attempts
            notifier.run(nowMilliseconds: now)
            if sender.attempts > before { attempts.append(now) }
            now += 500
        }
        #expect(
            zip(attempts, attempts.dropFirst()).map { $1 - $0 }
                == [1000, 2000, 4000, 8000, 16_000, 32_000, 64_000]
        )
        #expect(notifier.statistics.waiting == 1)
        #expect(notifier.statistics.lastError == "refused")
        sender.fail(nil)
        notifier.run(nowMilliseconds: now + 300_000)
        #expect(sender.takeSent().count == 1)
        #expect(notifier.statistics.waiting == 0)
        #expect(Notifier.delay(afterAttempts: 50) == 300_000)
    }

    @Test func whatIsRefusedForGoodIsDropped() {
        let notifier = notifier()
        sender.fail(NotificationError(reason: "400", isRetryable: false))
        notifier.update([Self.alert("a")], nowMilliseconds: 0)
        notifier.run(nowMilliseconds: 30_000)
        notifier.run(nowMilliseconds: 60_000)
        #expect(sender.attempts == 1)
        #expect(notifier.statistics.dropped == 1)
    }

    @Test func theQueueIsBounded() {
        var configuration = configuration()
        configuration.queueMax = 3
        let notifier = notifier(configuration)
        sender.fail(NotificationError(reason: "down", isRetryable: true))
        for number in 0..<10 {
            notifier.update(
                [Self.alert("a", name: "Alert\(number)")],
                nowMilliseconds: Int64(number)
            )
        }
        notifier.run(nowMilliseconds: 60_000)
        #expect(notifier.statistics.waiting == 3)
        #expect(notifier.statistics.dropped == 7)
    }

    @Test func queueAndRecordsSurviveARestart() throws {
        let database = try SQLiteDatabase(path: ":memory:")
        let first = notifier(store: try SQLiteRuleStateStore(database: database))
        sender.fail(NotificationError(reason: "down", isRetryable: true))
        first.update([Self.alert("a")], nowMilliseconds: 0)
        first.run(nowMilliseconds: 30_000)
        #expect(first.statistics.waiting == 1)
        sender.fail(nil)
        let second = notifier(store: try SQLiteRuleStateStore(database: database))
        #expect(second.statistics.waiting == 1)
        second.run(nowMilliseconds: 60_000)
        #expect(sender.takeSent().count == 1)
        // It still fires: known, so not told again.
        second.update([Self.alert("a")], nowMilliseconds: 61_000)
        second.run(nowMilliseconds: 400_000)
        #expect(sender.takeSent().isEmpty)
        // It ended while nobody ran: told by the next one.
        let third = notifier(store: try SQLiteRuleStateStore(database: database))
        #expect(third.statistics.waiting == 0)
        third.update([Self.alert("a", endsAt: 500_000)], nowMilliseconds: 500_000)
        third.run(nowMilliseconds: 900_000)
        #expect(sender.takeSent().map { $0["status"]?.string } == ["resolved"])
        let fourth = notifier(store: try SQLiteRuleStateStore(database: database))
        fourth.update([Self.alert("a", endsAt: 500_000)], nowMilliseconds: 910_000)
        fourth.run(nowMilliseconds: 2_000_000)
        #expect(sender.takeSent().isEmpty)
    }

    @Test func theEngineTellsStartAndEnd() throws {
        let evaluator = FakeEvaluator()
        let clock = ManualClock(nanoseconds: 1_800_000_000_000_000_000)
        var settings = RuleEngineConfiguration()
        settings.externalLabels = ExternalLabels(["cluster": "kit"])
        settings.externalURL = "http://weir:4040"
        let notifier = notifier()
        let engine = RuleEngine(
            evaluator: evaluator,
            store: nil,
            notifier: notifier,
            clock: clock,
            configuration: settings
        )
        let rules = """
            groups:
              - name: g
                interval: 1m
                rules:
                  - alert: Down
                    expr: up == 0
            """
        engine.replace([try RuleFile(text: rules, path: "r.yml")])
        evaluator.answer("up == 0", [([("job", "a")], 0)])
        engine.evaluateAllDue()
        notifier.run(nowMilliseconds: clock.nowMilliseconds() + 30_000)
        let alert = try #require(sender.takeSent().first?["alerts"]?.array?.first)
        #expect(alert["labels"]?["cluster"]?.string == "kit")
        #expect(
            alert["generatorURL"]?.string
                == "http://weir:4040/graph?g0.expr=up+%3D%3D+0&g0.tab=1"
        )
        engine.replace([])
        notifier.run(nowMilliseconds: clock.nowMilliseconds() + 400_000)
        #expect(sender.takeSent().map { $0["status"]?.string } == ["resolved"])
    }
}
