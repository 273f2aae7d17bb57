import Synchronization
import WeirCore

@testable import WeirAlerts

/// Answers expressions from a table and keeps what is written.
final class FakeEvaluator: RuleEvaluator {
    struct Written: Hashable {
        let labels: String
        let value: Double
        let at: Int64

        var isStale: Bool { value.bitPattern == RuleSample.staleValue.bitPattern }

        static func == (left: Written, right: Written) -> Bool {
            left.labels == right.labels && left.at == right.at
                && left.value.bitPattern == right.value.bitPattern
        }
    }

    private struct State {
        var answers: [String: [RuleSample]] = [:]
        var failures: [String: String] = [:]
        var asked: [(expression: String, at: Int64)] = []
        var written: [Written] = []
    }

    private let state = Mutex(State())

    /// From now on `expression` gives these.
    func answer(_ expression: String, _ samples: [(labels: [(String, String)], value: Double)]) {
        state.withLock { state in
            state.failures[expression] = nil
            state.answers[expression] = samples.map {
                RuleSample(labels: Labels($0.labels), value: $0.value)
            }
        }
    }

    func fail(_ expression: String, _ reason: String) {
        state.withLock { $0.failures[expression] = reason }
    }

    /// What was asked since the last call.
    func takeAsked() -> [(expression: String, at: Int64)] {
        state.withLock { state in
            let taken = state.asked
            state.asked = []
            return taken
        }
    }

    /// What was written since the last call.
    func takeWritten() -> [Written] {
        state.withLock { state in
            let taken = state.written
            state.written = []
            return taken
        }
    }

    func check(_ expression: String) -> String? {
        expression.contains("bad(") ? "does not parse" : nil
    }

    func evaluate(
        _ expression: String,
        atMilliseconds: Int64
    ) throws(RuleEvaluationError) -> [RuleSample] {
        let (samples, failure) = state.withLock { state in
            state.asked.append((expression, atMilliseconds))
            return (state.answers[expression] ?? [], state.failures[expression])
        }
        if let failure { throw RuleEvaluationError(reason: failure) }
        return samples
    }

    func write(_ samples: [RuleSample], atMilliseconds: Int64) throws(RuleEvaluationError) {
        state.withLock { state in
            state.written += samples.map {
                Written(labels: $0.labels.description, value: $0.value, at: atMilliseconds)
            }
        }
    }
}
