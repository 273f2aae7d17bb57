import WeirTestSupport

/// Random queries over `DifferentialData` whose answers do not hang on the last bit of a number: no
/// comparison, rounding or ranking of computed values.
struct RandomQueries {
    private var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    private mutating func pick(_ choices: [String]) -> String {
        choices.randomElement(using: &random) ?? ""
    }

    private mutating func number(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &random)
    }

    private mutating func duration() -> String {
        pick(["45s", "1m", "2m30s", "5m", "11m", "30m", "1h"])
    }

    private mutating func selector() -> String {
        pick([
            "requests_total", "requests_total{code=\"500\"}", "requests_total{job!=\"web\"}",
            "temperature", "temperature{room=~\"x|y\"}", "humidity", "humidity{host!~\"h[12]\"}",
            "up", "queue_depth", "churn", "churn{pod=\"p2\"}", "errors_total",
            "latency_bucket{job=\"api\"}", "info", "nothing_here{a=\"b\"}",
        ])
    }

    private mutating func shift() -> String {
        switch number(0...9) {
        case 0: " offset \(duration())"
        case 1: " offset -\(duration())"
        case 2: " @ \(1_700_000_000 + number(0...10800))"
        case 3: pick([" @ start()", " @ end()"])
        default: ""
        }
    }

    private mutating func matrix(_ depth: Int) -> String {
        if depth <= 0 || number(0...2) > 0 { return "\(selector())[\(duration())]\(shift())" }
        return "(\(vector(depth - 1)))[\(duration()):\(pick(["", "30s", "1m", "97s"]))]\(shift())"
    }

    private mutating func labels() -> String {
        pick([
            "()", "(job)", "(host)", "(room)", "(instance)", "(job, code)", "(le)", "(pod, host)",
        ])
    }

    private mutating func scalar(_ depth: Int) -> String {
        switch number(0...3) {
        case 0: "\(number(1...9))"
        case 1: "\(number(1...9)).25"
        case 2: "scalar(\(vector(depth - 1)))"
        default: "(\(number(1...9)) - 2.5)"
        }
    }

    mutating func vector(_ depth: Int) -> String {
        guard depth > 0 else { return selector() + shift() }
        switch number(0...12) {
        case 0: return selector() + shift()
        case 1, 2, 3:
            let function = pick([
                "rate", "increase", "delta", "irate", "idelta", "deriv", "avg_over_time",
                "sum_over_time", "min_over_time", "max_over_time", "count_over_time",
                "last_over_time", "present_over_time", "stddev_over_time", "absent_over_time",
            ])
            return "\(function)(\(matrix(depth)))"
        case 4, 5, 6:
            let operation = pick(["sum", "avg", "min", "max", "count", "group"])
            let grouping = pick(["by ", "without "]) + labels()
            return "\(operation) \(grouping) (\(vector(depth - 1)))"
        case 7: return "\(pick(["abs", "-", "sgn", "absent", "timestamp"]))(\(vector(depth - 1)))"
        case 8:
            let operation = pick(["+", "-", "*", "/"])
            return "(\(vector(depth - 1))) \(operation) \(scalar(depth))"
        case 9:
            let matching = pick(["", "on ", "ignoring "])
            let names = matching.isEmpty ? "" : labels()
            let group = matching.isEmpty ? "" : pick(["", " group_left ()", " group_right (room)"])
            return "(\(vector(depth - 1))) \(pick(["+", "*", "/"])) \(matching)\(names)\(group) "
                + "(\(vector(depth - 1)))"
        case 10:
            let matching = pick(["", "on " + labels(), "ignoring " + labels()])
            return "(\(vector(depth - 1))) \(pick(["and", "or", "unless"])) \(matching) "
                + "(\(vector(depth - 1)))"
        case 11:
            return "\(selector()) \(pick([">", "<", ">= bool", "!="])) \(number(0...30))"
        default:
            return "label_replace(\(vector(depth - 1)), \"room\", \"r$1\", \"host\", \"h(.)\")"
        }
    }
}
