/// Queries over the series of `NativeSeries`.
extension RandomQueries {
    mutating func nativeSelector() -> String {
        pick([
            "rpc_seconds", "rpc_seconds", "rpc_seconds{job=\"api\"}", "rpc_seconds{instance=\"a\"}",
            "rpc_seconds{instance=~\"a|b\",job!=\"web\"}", "request_size", "request_size",
            "request_size{job=\"api\"}", "custom_seconds", "custom_seconds",
            "custom_seconds{instance=\"a\"}", "custom_seconds{job=\"api\"}", "turns", "turns",
            "{__name__=~\"rpc_seconds|turns\",instance=\"a\"}", "odd_native{kind!=\"nan\"}",
            "odd_native{kind=\"constant\"}", "odd_native",
        ])
    }

    /// Something that native histograms are meant for; mostly of such.
    mutating func native(_ depth: Int) -> String {
        switch number(0...11) {
        case 0, 1: return "histogram_quantile(\(quantile(depth - 1)), \(input(depth)))"
        case 2:
            let bounds = pick([
                "0, 1", "-Inf, 0.3", "0.2, +Inf", "-3, -0.1", "-0.5, 0.7", "1, 1", "NaN, 1",
                "2.5, 7", "0.0005, 0.3", "-Inf, +Inf",
            ])
            return "histogram_fraction(\(bounds), \(input(depth)))"
        case 3, 4:
            let function = pick(["count", "sum", "avg", "stddev", "stdvar"])
            return "histogram_\(function)(\(input(depth)))"
        case 5: return overNativeTime()
        case 6:
            return
                "\(pick(["sum", "avg"])) \(pick(["by", "without"])) \(labels()) (\(input(depth)))"
        case 7: return "(\(input(depth))) \(pick(["*", "/"])) \(scalar(depth - 1))"
        case 8:
            let matching = pick(["", "on (job, instance) ", "ignoring (job) ", "on (instance) "])
            let group = matching.isEmpty ? "" : pick(["", "", "group_left () "])
            return "(\(input(depth))) \(pick(["+", "-", "+", "-", "==", "!="])) \(matching)\(group)"
                + "(\(input(depth)))"
        case 9:
            let step = pick(["", "30s", "1m", "97s", "15s"])
            let function = pick(Self.overTime)
            return "\(function)((\(input(depth)))[\(duration()):\(step)]\(shift()))"
        case 10: return "count_values \(pick(["", "by (job) "]))(\"v\", \(input(depth)))"
        default: return input(depth)
        }
    }

    private static let overTime = [
        "rate", "increase", "delta", "irate", "idelta", "sum_over_time", "avg_over_time",
        "last_over_time", "count_over_time", "present_over_time", "resets", "changes",
        "max_over_time", "ts_of_last_over_time",
    ]

    private mutating func overNativeTime() -> String {
        "\(pick(Self.overTime))(\(nativeSelector())[\(duration())]\(shift()))"
    }

    private mutating func input(_ depth: Int) -> String {
        switch number(0...7) {
        case 0, 1: nativeSelector() + shift()
        case 2, 3: overNativeTime()
        case 4: "sum by \(labels()) (\(overNativeTime()))"
        case 5: "sum \(pick(["by", "without"])) \(labels()) (\(nativeSelector()))"
        case 6 where depth > 1: vector(depth - 1)
        default: nativeSelector()
        }
    }
}
