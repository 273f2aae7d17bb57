/// Queries over the series of `HistogramData`: every function, operator and aggregation that does
/// something with native histograms, or with plain samples beside them.
enum HistogramQueries {
    static let all: [String] =
        selections + functions + windows + aggregations + operations + nested + subqueries

    private static let names = ["requests", "sizes", "custom", "mixed", "odd", "plain"]

    private static let selections =
        names + [
            "{__name__=~\"requests|custom\", instance=\"1\"}", "requests offset 5m",
            "requests @ 1700001000", "mixed offset 37s", "requests{instance=\"4\"}[3m]",
            "mixed[5m]", "requests[2m] offset 1m", "nothing", "-requests", "+custom",
            "-custom[2m:30s]", "{instance=\"0\"}",
        ]

    private static let functions: [String] = {
        var queries: [String] = []
        let numbers = [
            "histogram_count", "histogram_sum", "histogram_avg", "histogram_stddev",
            "histogram_stdvar",
        ]
        for name in names {
            for function in numbers { queries.append("\(function)(\(name))") }
            for phi in ["0", "0.1", "0.37", "0.5", "0.9", "0.999", "1", "-1", "2", "NaN"] {
                queries.append("histogram_quantile(\(phi), \(name))")
            }
            for bounds in [
                "0, 1", "-Inf, 0.3", "0.2, +Inf", "-Inf, +Inf", "-3, -0.1", "-0.5, 0.7", "1, 1",
                "NaN, 1", "2.5, 7", "0.0005, 0.3",
            ] {
                queries.append("histogram_fraction(\(bounds), \(name))")
            }
            for function in [
                "abs", "ceil", "sqrt", "sgn", "timestamp", "absent", "sort", "sort_desc", "minute",
                "count", "scalar", "deg", "ln",
            ] {
                queries.append("\(function)(\(name))")
            }
            queries += [
                "clamp(\(name), 1, 5)", "clamp_min(\(name), 1)", "round(\(name))",
                "label_replace(\(name), \"copy\", \"$1\", \"instance\", \"(.*)\")",
                "label_join(\(name), \"both\", \"-\", \"instance\", \"parity\")",
            ]
        }
        for phi in ["0.1", "0.5", "0.99"] {
            queries.append("histogram_quantile(\(phi), classic_bucket)")
            queries.append("histogram_quantile(\(phi), rate(classic_bucket[5m]))")
            queries.append("histogram_quantile(\(phi), {__name__=~\"classic_bucket|requests\"})")
        }
        for bounds in ["0, 1", "-Inf, 0.3", "0.7, 2", "0.2, +Inf", "-1, 5", "1, 0", "-Inf, +Inf"] {
            queries.append("histogram_fraction(\(bounds), classic_bucket)")
        }
        return queries
    }()

    private static let windows: [String] = {
        var queries: [String] = []
        for name in names {
            for function in [
                "rate", "increase", "delta", "irate", "idelta", "sum_over_time", "avg_over_time",
                "count_over_time", "last_over_time", "present_over_time", "absent_over_time",
                "min_over_time", "max_over_time", "stddev_over_time", "stdvar_over_time", "resets",
                "changes", "deriv", "mad_over_time", "ts_of_last_over_time",
                "ts_of_max_over_time",
            ] {
                queries.append("\(function)(\(name)[3m])")
            }
            queries += [
                "rate(\(name)[20m])", "increase(\(name)[31s])", "resets(\(name)[30m])",
                "changes(\(name)[30m])", "quantile_over_time(0.4, \(name)[4m])",
                "predict_linear(\(name)[5m], 60)", "rate(\(name)[5m] offset 2m)",
                "sum_over_time(\(name)[10m] @ 1700001200)", "avg_over_time(\(name)[10m])",
            ]
        }
        return queries
    }()

    private static let aggregations: [String] = {
        var queries: [String] = []
        for operation in ["sum", "avg", "count", "group", "min", "max", "stddev", "stdvar"] {
            for name in names { queries.append("\(operation)(\(name))") }
            queries += [
                "\(operation) by (parity) (requests)", "\(operation) without (instance) (custom)",
                "\(operation)({__name__=~\"requests|plain\"})",
                "\(operation) by (__name__) ({instance=\"0\"})",
                "\(operation)(rate(requests[3m]))", "\(operation) by (parity) (rate(custom[3m]))",
            ]
        }
        for name in names {
            queries += [
                "topk(2, \(name))", "bottomk(2, \(name))", "quantile(0.5, \(name))",
                "count_values(\"value\", \(name))", "limitk(2, \(name))",
                "limit_ratio(0.5, \(name))", "limit_ratio(-0.3, \(name))",
                "sort_by_label(\(name), \"parity\")",
            ]
        }
        return queries
    }()

    private static let operations: [String] = {
        var queries: [String] = []
        for operation in ["+", "-", "*", "/", "%", "^", "atan2", "==", "!=", ">", "<=", "> bool"] {
            queries += [
                "requests \(operation) 2", "2 \(operation) requests", "custom \(operation) 0",
                "requests \(operation) requests", "custom \(operation) custom",
                "mixed \(operation) mixed", "requests \(operation) ignoring (instance) mixed",
                "requests \(operation) on (instance) sizes",
                "requests \(operation) on (instance) custom",
                "plain \(operation) on (instance) requests",
                "requests \(operation) on (parity) group_left () sum by (parity) (requests)",
                "requests \(operation) requests offset 2m",
            ]
        }
        queries += [
            "requests == bool requests", "requests != bool requests offset 1m",
            "requests and plain", "requests and on (instance) plain",
            "requests unless on (instance) plain", "plain or requests",
            "requests or on (instance) custom", "mixed and mixed > 3", "custom unless requests",
            "requests * time()", "requests / scalar(plain{instance=\"0\"})",
            "odd{instance=\"2\"} == odd{instance=\"2\"}", "requests * NaN", "requests / -4",
            "requests * 0", "custom / 0.1",
        ]
        return queries
    }()

    private static let nested: [String] = [
        "histogram_quantile(0.9, rate(requests[5m]))",
        "histogram_quantile(0.9, sum(rate(requests[5m])))",
        "histogram_quantile(0.2, sum by (parity) (rate(requests[2m])))",
        "histogram_quantile(0.5, sum(rate(custom{instance!=\"1\"}[5m])))",
        "histogram_count(rate(requests[5m]))", "histogram_sum(increase(requests[5m]))",
        "histogram_avg(rate(custom[5m]))", "histogram_stddev(sum(requests))",
        "histogram_fraction(0, 0.5, sum(rate(requests[5m])))",
        "histogram_fraction(-1, 2, avg(sizes))", "sum(requests) - avg(requests)",
        "count(requests - requests offset 1m)", "histogram_count(sum(requests) / 3)",
        "sum(histogram_count(requests))", "count(rate(requests[5m]) > 0)",
        "histogram_quantile(0.7, requests - requests offset 5m)",
        "histogram_quantile(scalar(plain{instance=\"0\"}) / 1000, requests)",
        "sum by (__name__) (rate({__name__=~\"requests|sizes|plain\"}[4m]))",
        "absent(nothing) or requests", "histogram_count(requests) / histogram_count(requests)",
        "label_replace(sum(requests), \"a\", \"b\", \"\", \"\")",
        "avg by (parity) (avg_over_time(sizes[2m]))", "-sum(requests)", "sum(-custom)",
        "sum({__name__=~\"custom|requests\"})", "avg({__name__=~\"custom|requests\"})",
        "sum(custom{instance=~\"0|1\"})", "avg(custom)",
    ]

    private static let subqueries: [String] = [
        "rate(requests[10m:1m])", "increase(custom[10m:15s])", "sum_over_time(sizes[5m:30s])",
        "avg_over_time(rate(requests[2m])[6m:1m])", "last_over_time(mixed[10m:20s])",
        "resets(requests[20m:45s])", "changes(sum(requests)[20m:1m])",
        "max_over_time(histogram_count(requests)[10m:1m])", "count_over_time(mixed[9m:13s])",
        "histogram_quantile(0.9, sum_over_time(rate(requests[1m])[5m:1m]))",
        "delta(sizes[5m:1m])", "irate(requests[5m:1m])", "idelta(sizes[5m:1m])",
        "present_over_time(nothing[5m:1m])", "min_over_time(mixed[10m:1m])",
    ]
}
