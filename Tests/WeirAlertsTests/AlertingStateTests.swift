import Testing
import WeirCore

@testable import WeirAlerts

@Suite struct AlertingStateTests {
    private static let labels = Labels([("alertname", "Down"), ("job", "shop")])

    /// One evaluation of a table: at which second, whether the alert is given, and what it is then.
    struct Step: Sendable {
        let at: Int64
        let isGiven: Bool
        let phase: AlertPhase?
        let activeAt: Int64?

        init(_ at: Int64, _ isGiven: Bool, _ phase: AlertPhase?, _ activeAt: Int64?) {
            self.at = at
            self.isGiven = isGiven
            self.phase = phase
            self.activeAt = activeAt
        }
    }

    struct Story: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let hold: Int64
        let keep: Int64
        let steps: [Step]
    }

    private static let stories: [Story] = [
        Story(
            testDescription: "without for it fires at once and is kept 15 minutes",
            hold: 0,
            keep: 0,
            steps: [
                Step(0, true, .firing, 0), Step(60, true, .firing, 0),
                Step(120, false, .inactive, 0), Step(120 + 900, false, .inactive, 0),
                Step(121 + 900, false, nil, nil),
            ]
        ),
        Story(
            testDescription: "it is pending until it has held, and fires on the dot",
            hold: 120,
            keep: 0,
            steps: [
                Step(10, true, .pending, 10), Step(70, true, .pending, 10),
                Step(129, true, .pending, 10), Step(130, true, .firing, 10),
            ]
        ),
        Story(
            testDescription: "a pending alert that pauses begins anew",
            hold: 120,
            keep: 0,
            steps: [
                Step(0, true, .pending, 0), Step(60, false, nil, nil),
                Step(120, true, .pending, 120), Step(180, true, .pending, 120),
                Step(240, true, .firing, 120),
            ]
        ),
        Story(
            testDescription: "an ended alert that comes back is a new one",
            hold: 60,
            keep: 0,
            steps: [
                Step(0, true, .pending, 0), Step(60, true, .firing, 0),
                Step(120, false, .inactive, 0), Step(180, true, .pending, 180),
                Step(240, true, .firing, 180),
            ]
        ),
        Story(
            testDescription: "keep_firing_for bridges a gap, counted from the first miss",
            hold: 0,
            keep: 120,
            steps: [
                Step(0, true, .firing, 0), Step(60, false, .firing, 0),
                Step(120, false, .firing, 0), Step(150, true, .firing, 0),
                Step(210, false, .firing, 0), Step(329, false, .firing, 0),
                Step(330, false, .inactive, 0),
            ]
        ),
        Story(
            testDescription: "keep_firing_for does nothing for a pending alert",
            hold: 300,
            keep: 600,
            steps: [Step(0, true, .pending, 0), Step(60, false, nil, nil)]
        ),
    ]

    @Test(arguments: stories)
    func alertsMoveAsInPrometheus(story: Story) {
        var state = AlertingState()
        for step in story.steps {
            let given =
                step.isGiven
                ? [AlertingState.Given(labels: Self.labels, value: Double(step.at))] : []
            state.evaluate(
                given,
                atMilliseconds: step.at * 1000,
                forMilliseconds: story.hold * 1000,
                keepFiringForMilliseconds: story.keep * 1000
            )
            let alert = state.alerts[Self.labels]
            #expect(alert?.phase == step.phase, "at \(step.at)")
            #expect(alert?.activeAt == step.activeAt.map { $0 * 1000 }, "at \(step.at)")
        }
    }

    @Test func alertsMoveEachForItself() {
        var state = AlertingState()
        let labels = (0..<3).map { Labels([("n", "\($0)")]) }
        for round in 0..<4 {
            let given = labels.prefix(round + 1).map { AlertingState.Given(labels: $0, value: 1) }
            state.evaluate(
                given,
                atMilliseconds: Int64(round) * 60_000,
                forMilliseconds: 120_000,
                keepFiringForMilliseconds: 0
            )
        }
        #expect(labels.map { state.alerts[$0]?.phase } == [.firing, .firing, .pending])
        #expect(state.phase == .firing)
        #expect(state.samples.count == 6)
    }

    @Test func theSeriesOfAnAlertAreThoseOfPrometheus() {
        var state = AlertingState()
        state.evaluate(
            [.init(labels: Self.labels, value: 7)],
            atMilliseconds: 1_500_999,
            forMilliseconds: 60_000,
            keepFiringForMilliseconds: 0
        )
        let samples = state.samples
        #expect(
            samples[0].labels
                == Labels([
                    ("__name__", "ALERTS"), ("alertname", "Down"), ("alertstate", "pending"),
                    ("job", "shop"),
                ])
        )
        #expect(samples[0].value == 1)
        #expect(
            samples[1].labels
                == Labels([
                    ("__name__", "ALERTS_FOR_STATE"), ("alertname", "Down"), ("job", "shop"),
                ])
        )
        #expect(samples[1].value == 1500)
    }

    @Test func aRuleThatIsGoneEndsWhatFired() {
        var state = AlertingState()
        state.evaluate(
            [.init(labels: Self.labels, value: 7)],
            atMilliseconds: 0,
            forMilliseconds: 0,
            keepFiringForMilliseconds: 0
        )
        let ended = state.endAll(atMilliseconds: 5)
        #expect(ended.map(\.phase) == [.inactive])
        #expect(ended.first?.resolvedAt == 5)
        #expect(state.alerts.isEmpty)
    }
}
