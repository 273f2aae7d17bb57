internal import WeirTestSupport

/// Random valid queries over `DifferentialData`, of every part of the language.
package struct RandomQueries {
    private var random: SplitMix64
    private let firstSecond: Int
    private let spanSeconds: Int
    /// How many of the selectors are of native histograms.
    let histogramShare: Double

    /// The data that the queries are over begin at `firstSecond`.
    package init(
        seed: UInt64,
        firstSecond: Int = Int(DifferentialData.start / 1000),
        spanSeconds: Int = Int(DifferentialData.spanSeconds),
        histogramShare: Double = 0.25
    ) {
        self.histogramShare = histogramShare
        random = SplitMix64(seed: seed)
        self.firstSecond = firstSecond
        self.spanSeconds = spanSeconds
    }

    mutating func pick(_ choices: [String]) -> String {
        choices.randomElement(using: &random) ?? ""
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &random)
    }

    /// A whole query; mostly a vector, now and then a scalar.
    package mutating func next() -> String {
        switch number(0...19) {
        case 0: scalar(3)
        case 1, 2, 3: vector(1)
        case 4...11: vector(2)
        default: vector(3)
        }
    }

    /// True once in `count` times.
    package mutating func chance(of count: Int) -> Bool { number(1...count) == 1 }

    mutating func duration() -> String {
        pick(["15s", "45s", "1m", "2m", "2m30s", "5m", "11m", "300", "30m", "61.5", "1m7s5ms"])
    }

    mutating func selector() -> String {
        if isNative() { return nativeSelector() }
        return pick([
            "requests_total", "requests_total", "requests_total{code=\"500\"}",
            "requests_total{job!=\"web\"}", "requests_total{instance=~\"a|b\",code!~\"4..\"}",
            "temperature", "temperature{room=~\"x|y\"}", "temperature", "humidity",
            "humidity{host!~\"h[12]\"}", "up", "queue_depth", "churn", "churn{pod=\"p2\"}",
            "errors_total", "latency_bucket{job=\"api\"}", "latency_bucket", "latency_count",
            "info", "target_info", "special", "special{kind=\"plain\"}", "extreme", "flapping",
            "nothing_here{a=\"b\"}", "{\"http.requests\"}",
            "{\"http.requests\",\"host.name\"=\"a\"}",
            "{\"temp\u{e9}rature\"}", "{__name__=~\"temp.*|hum.*\",host=\"h1\"}",
            "{__name__=~\".+_total\",instance=\"a\"}", "temperature{host=\"h1\"}",
            "queue_depth{queue=\"q1\"}",
        ])
    }

    mutating func shift() -> String {
        let at: String =
            switch number(0...19) {
            case 0, 1: " @ \(firstSecond + number(0...spanSeconds))"
            case 2: pick([" @ start()", " @ end()"])
            case 3: " @ \(firstSecond + number(0...spanSeconds)).\(number(100...999))"
            default: ""
            }
        let offset: String =
            switch number(0...9) {
            case 0: " offset \(duration())"
            case 1: " offset -\(duration())"
            default: ""
            }
        return number(0...1) == 0 ? at + offset : offset + at
    }

    mutating func matrix(_ depth: Int) -> String {
        if depth <= 0 || number(0...3) > 0 { return "\(selector())[\(duration())]\(shift())" }
        let step = pick(["", "30s", "1m", "97s", "15s"])
        return "(\(vector(depth - 1)))[\(duration()):\(step)]\(shift())"
    }

    mutating func labels() -> String {
        pick([
            "()", "(job)", "(host)", "(room)", "(instance)", "(job, code)", "(le)", "(pod, host)",
            "(job, le)", "(\"host.name\")", "(kind)", "(queue)", "(instance, job, code)",
            "(__name__)", "(missing)",
        ])
    }

    mutating func scalar(_ depth: Int) -> String {
        switch number(0...9) {
        case 0, 1, 2: return "\(number(0...9))"
        case 3: return "\(number(1...9)).25"
        case 4 where depth > 0: return "scalar(\(vector(depth - 1)))"
        case 5: return pick(["Inf", "-Inf", "NaN", "0x1F", "1e3", "5m", "-0.5", "1_000"])
        case 6: return pick(["time()", "pi()"])
        case 7 where depth > 0:
            let operation = pick(["+", "-", "*", "/", "%", "^", "atan2", "== bool", "> bool"])
            return "(\(scalar(depth - 1)) \(operation) \(scalar(depth - 1)))"
        case 8: return "-\(number(1...9))"
        default: return "(\(number(1...9)) - 2.5)"
        }
    }

    mutating func quantile(_ depth: Int) -> String {
        switch number(0...9) {
        case 0: "\(scalar(depth))"
        case 1: pick(["-1", "2", "NaN"])
        case 2: pick(["0", "1"])
        default: "0.\(number(1...9))"
        }
    }

    /// True as often as `histogramShare` says.
    mutating func isNative() -> Bool {
        histogramShare > 0 && Double.random(in: 0..<1, using: &random) < histogramShare
    }

    package mutating func vector(_ depth: Int) -> String {
        guard depth > 0 else { return selector() + shift() }
        if isNative(), number(0...2) == 0 { return native(depth) }
        switch number(0...25) {
        case 0, 1: return selector() + shift()
        case 2...7: return overTime(depth)
        case 8...12: return aggregation(depth)
        case 13: return elementwise(depth)
        case 14, 15:
            let operation = arithmetic()
            return number(0...1) == 0
                ? "(\(vector(depth - 1))) \(operation) \(scalar(depth - 1))"
                : "\(scalar(depth - 1)) \(operation) (\(vector(depth - 1)))"
        case 16, 17: return matched(depth)
        case 18:
            let matching = pick(["", "on " + labels(), "ignoring " + labels()])
            return "(\(vector(depth - 1))) \(pick(["and", "or", "unless"])) \(matching) "
                + "(\(vector(depth - 1)))"
        case 19:
            let operation = comparison()
            return number(0...2) > 0
                ? "(\(vector(depth - 1))) \(operation) \(scalar(depth - 1))"
                : "\(scalar(depth - 1)) \(operation) (\(vector(depth - 1)))"
        case 20: return relabelling(depth)
        case 21: return histogram(depth)
        case 22: return order(depth)
        case 23: return dates(depth)
        case 24: return "-(\(vector(depth - 1)))"
        default:
            return pick([
                "vector(\(scalar(depth - 1)))", "absent(\(vector(depth - 1)))",
                "timestamp(\(vector(depth - 1)))", "(\(vector(depth - 1)))",
                "info(\(vector(depth - 1)))",
                "info(requests_total, {data=~\".+\"})", "info(up)",
                "absent(nothing{a=\"b\",c!=\"d\",e=~\"f\"})",
            ])
        }
    }

    mutating func arithmetic() -> String { pick(["+", "-", "*", "/", "%", "^", "atan2"]) }

    mutating func comparison() -> String {
        pick(["==", "!=", "<", "<=", ">", ">="]) + pick(["", "", " bool"])
    }

    private mutating func overTime(_ depth: Int) -> String {
        switch number(0...11) {
        case 0: return "quantile_over_time(\(quantile(depth - 1)), \(matrix(depth)))"
        case 1: return "predict_linear(\(matrix(depth)), \(scalar(depth - 1)))"
        case 2:
            let factors = "0.\(number(1...9)), 0.\(number(1...9))"
            return "double_exponential_smoothing(\(matrix(depth)), \(factors))"
        case 3...6:
            let function = pick(["rate", "increase", "irate", "delta", "idelta", "resets"])
            return "\(function)(\(matrix(depth)))"
        default:
            let function = pick([
                "deriv", "avg_over_time", "sum_over_time", "min_over_time", "max_over_time",
                "count_over_time", "last_over_time", "present_over_time", "stddev_over_time",
                "stdvar_over_time", "absent_over_time", "changes", "resets", "mad_over_time",
                "ts_of_max_over_time", "ts_of_min_over_time", "ts_of_last_over_time",
            ])
            return "\(function)(\(matrix(depth)))"
        }
    }

    private mutating func aggregation(_ depth: Int) -> String {
        let grouping = pick(["by ", "without ", "by "]) + labels() + " "
        let clause = number(0...3) == 0 ? "" : grouping
        let inner = vector(depth - 1)
        switch number(0...13) {
        case 0: return "\(pick(["topk", "bottomk"])) \(clause)(\(number(0...4)), \(inner))"
        case 1: return "quantile \(clause)(\(quantile(0)), \(inner))"
        case 2: return "count_values \(clause)(\"\(pick(["v", "job", "host"]))\", \(inner))"
        // The order of computed series is nobody's to tell.
        case 3: return "limitk \(clause)(\(number(0...4)), \(selector())\(shift()))"
        case 4:
            let ratio = pick(["0.5", "-0.5", "0.1", "-0.9", "1", "0", "1.5", "-2"])
            return "limit_ratio \(clause)(\(ratio), \(inner))"
        case 5: return "\(pick(["stddev", "stdvar"])) \(clause)(\(inner))"
        default:
            let operation = pick(["sum", "avg", "min", "max", "count", "group", "sum"])
            return number(0...3) == 0
                ? "\(operation)(\(inner)) \(clause)" : "\(operation) \(clause)(\(inner))"
        }
    }

    private mutating func elementwise(_ depth: Int) -> String {
        let inner = vector(depth - 1)
        switch number(0...5) {
        case 0: return "round(\(inner), \(pick(["5", "0.5", "10", "2"])))"
        case 1: return "clamp(\(inner), \(scalar(depth - 1)), \(scalar(depth - 1)))"
        case 2: return "\(pick(["clamp_min", "clamp_max"]))(\(inner), \(scalar(depth - 1)))"
        default:
            let function = pick([
                "abs", "ceil", "floor", "round", "exp", "ln", "log2", "log10", "sqrt", "sgn",
                "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh",
                "acosh", "atanh", "deg", "rad",
            ])
            return "\(function)(\(inner))"
        }
    }

    private mutating func matched(_ depth: Int) -> String {
        let operation = number(0...2) == 0 ? comparison() : arithmetic()
        let matching = pick(["", "on ", "ignoring "])
        let names = matching.isEmpty ? "" : labels()
        let group =
            matching.isEmpty
            ? ""
            : pick(["", " group_left ()", " group_left (version)", " group_right (room)"])
        let right = number(0...2) == 0 ? vector(depth - 1) : "\(selector())\(shift())"
        return "(\(vector(depth - 1))) \(operation) \(matching)\(names)\(group) (\(right))"
    }

    private mutating func relabelling(_ depth: Int) -> String {
        let inner = vector(depth - 1)
        return pick([
            "label_replace(\(inner), \"room\", \"r$1\", \"host\", \"h(.)\")",
            "label_replace(\(inner), \"job\", \"\", \"job\", \"api\")",
            "label_replace(\(inner), \"code\", \"$1$2\", \"code\", \"(.)(.*)\")",
            "label_replace(\(inner), \"new\", \"${x}-y\", \"instance\", \"(?P<x>[ab])\")",
            "label_replace(\(inner), \"a.b\", \"c\", \"nothing\", \"\")",
            "label_replace(\(inner), \"__name__\", \"other\", \"\", \"\")",
            "label_join(\(inner), \"both\", \"-\", \"job\", \"instance\")",
            "label_join(\(inner), \"host\", \"/\", \"room\")",
        ])
    }

    private mutating func histogram(_ depth: Int) -> String {
        let buckets = pick([
            "latency_bucket", "rate(latency_bucket[5m])", "sum by (le) (latency_bucket)",
            "sum by (job, le) (rate(latency_bucket[2m]))", "latency_bucket{job=\"odd\"}",
            "latency_bucket{le!=\"0.5\"}", "-latency_bucket",
        ])
        if number(0...3) == 0 {
            return "histogram_fraction(\(scalar(0)), \(scalar(0)), \(buckets))"
        }
        if number(0...9) == 0 {
            let function = pick(["count", "sum", "avg", "stddev", "stdvar"])
            return "histogram_\(function)(\(vector(depth - 1)))"
        }
        let input = number(0...5) == 0 ? vector(depth - 1) : buckets
        return "histogram_quantile(\(quantile(depth - 1)), \(input))"
    }

    private mutating func order(_ depth: Int) -> String {
        let inner = vector(depth - 1)
        return pick([
            "sort(\(inner))", "sort_desc(\(inner))", "sort_by_label(\(inner), \"job\")",
            "sort_by_label(\(inner), \"queue\", \"host\")",
            "sort_by_label_desc(\(inner), \"instance\", \"le\")",
        ])
    }

    private mutating func dates(_ depth: Int) -> String {
        let function = pick([
            "minute", "hour", "day_of_week", "day_of_month", "day_of_year", "days_in_month",
            "month", "year",
        ])
        return pick([
            "\(function)()", "\(function)(vector(time() * \(number(1...90)) - 9e9))",
            "\(function)(timestamp(\(vector(depth - 1))))",
        ])
    }
}
