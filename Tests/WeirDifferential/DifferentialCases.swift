/// Queries over `DifferentialData` that together use every function, operator, aggregation and way
/// of matching.
package enum DifferentialCases {
    package static var all: [String] {
        var queries = fixed
        for function in [
            "rate", "irate", "increase", "delta", "idelta", "deriv", "changes", "resets",
            "avg_over_time", "sum_over_time", "min_over_time", "max_over_time", "count_over_time",
            "stddev_over_time", "stdvar_over_time", "last_over_time", "present_over_time",
            "absent_over_time",
        ] {
            queries.append("\(function)(requests_total[5m])")
            queries.append("\(function)(temperature[7m] offset 90s)")
            queries.append("\(function)(churn[1m])")
            queries.append("\(function)(sum by (job) (requests_total)[10m:1m])")
            queries.append("\(function)(humidity[20m] @ 1700001500)")
            queries.append("\(function)(special[3m])")
        }
        for operation in ["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"] {
            queries.append("\(operation)(temperature)")
            queries.append("\(operation) by (room) (temperature)")
            queries.append("\(operation) without (host) (humidity)")
            queries.append("\(operation) by (job, code) (rate(requests_total[5m]))")
            queries.append("\(operation) by (__name__) ({__name__=~\"temperature|humidity\"})")
            queries.append("\(operation)(churn)")
        }
        for operation in ["sum", "avg", "min", "max", "count", "group"] {
            queries.append("\(operation)(special)")
        }
        for operation in ["+", "-", "*", "/", "%", "^", "atan2"] {
            queries.append("abs(temperature \(operation) humidity)")
            queries.append("abs(temperature \(operation) 3)")
            queries.append("abs(2 \(operation) temperature)")
            queries.append("7 \(operation) 3")
            queries.append("abs(special \(operation) 2)")
            queries.append("abs(temperature \(operation) on (host) humidity)")
        }
        for operation in ["==", "!=", "<", "<=", ">", ">="] {
            queries.append("temperature \(operation) humidity")
            queries.append("temperature \(operation) bool humidity")
            queries.append("queue_depth \(operation) 2")
            queries.append("2 \(operation) queue_depth")
            queries.append("queue_depth \(operation) bool 2")
            queries.append("3 \(operation) bool 2")
            queries.append("special \(operation) 2")
            queries.append("temperature \(operation) ignoring (room) humidity")
        }
        for operation in ["and", "or", "unless"] {
            queries.append("temperature \(operation) humidity")
            queries.append("temperature \(operation) (humidity > 20)")
            queries.append("temperature \(operation) on (room) (humidity > 22)")
            queries.append("requests_total \(operation) ignoring (code) up")
            queries.append("requests_total \(operation) on () churn")
            queries.append("churn{pod=\"p1\"} \(operation) churn{pod=~\"p[01]\"}")
        }
        for function in [
            "abs", "ceil", "floor", "round", "exp", "ln", "log2", "log10", "sqrt", "sgn", "sin",
            "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh",
            "atanh", "deg", "rad", "timestamp", "absent", "scalar", "sort", "sort_desc",
        ] {
            queries.append("\(function)(special)")
            queries.append("\(function)(temperature / 10 - 2)")
        }
        for function in [
            "minute", "hour", "day_of_week", "day_of_month", "day_of_year", "days_in_month",
            "month", "year",
        ] {
            queries.append("\(function)()")
            queries.append("\(function)(vector(time() * 37 - 9e9))")
        }
        return queries
    }

    private static let fixed = [
        "temperature + humidity", "temperature * 2", "2 - temperature",
        "temperature atan2 humidity",
        "1", "-1 ^ 2", "time()", "pi()", "vector(3)", "\"text\"", "-temperature", "+temperature",
        "temperature", "requests_total{code=\"500\"}", "requests_total{code!=\"500\",job=\"api\"}",
        "{__name__=~\"temp.*|hum.*\",room!~\"x|y\"}", "nothing_here", "errors_total",
        "requests_total{instance=~\"a|b\"} offset 10m", "requests_total offset -10m",
        "temperature @ 1700001200", "temperature @ start()", "temperature @ end() offset 5m",
        "churn", "churn[2m]", "temperature[3m] offset 1m", "requests_total[30s] @ 1700002000",
        "up[5m:30s]", "churn[10m:]", "rate(requests_total[1m])[10m:2m] offset 3m",
        "topk(2, temperature)", "topk by (room) (1, temperature)", "bottomk(3, temperature)",
        "bottomk by (room) (1, humidity)", "topk(0, temperature)", "topk(100, temperature)",
        "topk(scalar(count(up)), temperature)", "bottomk without (host) (1, temperature)",
        "topk(2, special)", "bottomk(2, special)",
        "quantile(0.5, temperature)", "quantile by (room) (0.9, temperature)",
        "quantile(-1, temperature)", "quantile(2, temperature)", "quantile(NaN, temperature)",
        "quantile(scalar(up{instance=\"a\"}), temperature)", "quantile(0.3, special)",
        "count_values(\"depth\", queue_depth)", "count_values by (queue) (\"d\", queue_depth)",
        "count_values without (queue) (\"d\", queue_depth)",
        "count_values(\"version\", up)", "count_values(\"v\", special)",
        "quantile_over_time(0.9, temperature[10m])", "quantile_over_time(0.1, special[5m])",
        "quantile_over_time(-1, temperature[10m])", "quantile_over_time(2, temperature[10m])",
        "quantile_over_time(scalar(up{instance=\"a\"}), humidity[5m])",
        "predict_linear(temperature[20m], 3600)",
        "predict_linear(requests_total[10m] offset 5m, 60)",
        "predict_linear(humidity[20m] @ 1700001500, 600)",
        "clamp(temperature, 18, 22)", "clamp_min(temperature, 20)", "clamp_max(temperature, 20)",
        "clamp(temperature, 22, 18)", "clamp(special, 0, 5)", "clamp_min(special, NaN)",
        "clamp_max(temperature, scalar(queue_depth{queue=\"q1\"}) * 10)",
        "round(temperature, 0.1)", "round(temperature, 5)", "round(-temperature)",
        "round(special, 2)",
        "histogram_quantile(0.9, latency_bucket)",
        "histogram_quantile(0.5, rate(latency_bucket[5m]))",
        "histogram_quantile(0.99, sum by (le) (rate(latency_bucket[10m])))",
        "histogram_quantile(-1, latency_bucket)", "histogram_quantile(1.5, latency_bucket)",
        "histogram_quantile(0, latency_bucket)", "histogram_quantile(1, latency_bucket)",
        "histogram_quantile(0.01, rate(latency_bucket[5m]))",
        "histogram_quantile(0.5, temperature)",
        "histogram_quantile(0.5, latency_bucket{le!=\"+Inf\"})",
        "histogram_quantile(NaN, latency_bucket)",
        "histogram_quantile(0.7, sum by (le, job) (latency_bucket))",
        "label_replace(temperature, \"floor\", \"f-$1\", \"room\", \"(.*)\")",
        "label_replace(temperature, \"room\", \"\", \"room\", \"x\")",
        "label_replace(temperature, \"n\", \"${host}_$2\", \"host\", \"(?P<host>h)([0-9])\")",
        "label_replace(temperature, \"n\", \"$$1$\", \"host\", \"h1|h2\")",
        "label_replace(temperature, \"host\", \"same\", \"host\", \".*\")",
        "label_replace(temperature, \"x\", \"y\", \"missing\", \"\")",
        "label_replace(churn, \"pod\", \"all\", \"pod\", \"p[02]\")",
        "label_join(temperature, \"where\", \"/\", \"room\", \"host\")",
        "label_join(temperature, \"host\", \"-\", \"room\", \"nothing\", \"host\")",
        "label_join(temperature, \"room\", \"-\")",
        "absent(nothing_here)", "absent(nothing_here{a=\"b\",c=~\"d\"})", "absent(temperature)",
        "absent(sum(nothing_here))", "absent(nothing_here{a=\"b\",a=\"c\"})",
        "absent_over_time(nothing_here{a=\"b\"}[5m])", "absent_over_time(churn{pod=\"p3\"}[2m])",
        "sort(temperature)", "sort_desc(temperature)", "scalar(sum(up))", "vector(scalar(up))",
        "requests_total / on (instance) group_left () up",
        "requests_total * on (instance) group_left (version) info",
        "info * on (instance) group_right (version) requests_total",
        "requests_total * ignoring (code, job) group_left (zone) info",
        "requests_total > on (instance) group_left (version) (info * 500)",
        "sum by (job, code) (rate(requests_total[5m])) / ignoring (code) group_left sum by (job) (rate(requests_total[5m]))",
        "requests_total{code=\"500\"} / ignoring (code) requests_total{code=\"200\"}",
        "requests_total / ignoring (code) requests_total",
        "requests_total / on (instance) up", "up / on (instance) requests_total",
        "up * on (job) group_left info", "requests_total + on (job) group_left up",
        "requests_total == on (instance, job, code) requests_total",
        "requests_total > bool on (instance, job, code) (requests_total offset 5m)",
        "temperature + on (room) group_left humidity", "temperature + on () humidity",
        "churn / on () group_left () count(churn)",
        "rate({__name__=~\"temperature|humidity\"}[5m])", "-{__name__=~\"temperature|humidity\"}",
        "abs({__name__=~\"temperature|humidity\"})", "{__name__=~\"temperature|humidity\"} * 2",
        "{__name__=~\"temperature|humidity\"} > 20",
        "last_over_time({__name__=~\"temperature|humidity\"}[5m])",
        "avg by (host) (avg_over_time({__name__=~\"temp.*|hum.*\"}[1h]))",
        "max_over_time(sum(rate(requests_total[1m]))[30m:1m])",
        "max_over_time((time() - 1.7e9)[10m:77s])", "sum_over_time(vector(1)[5m:10s])",
        "avg_over_time(temperature[1h:5m] @ end())", "min_over_time(churn[1h:] offset 20m)",
        "rate(sum by (job) (requests_total)[10m:30s])", "quantile_over_time(0.5, up[1h:1m])",
        "sum(rate(requests_total{job=~\".+\"}[5m])) by (job) > 0.5 and on (job) sum(up) by (job) > 1",
        "timestamp(temperature offset 5m)", "timestamp(temperature @ 1700001200)",
        "timestamp(vector(1))",
        "timestamp((temperature))", "time() - timestamp(churn)",
        "temperature > 18 < 22", "(temperature > bool 20) == 1", "1 + 2 * 3 - 4 / 5 % 6 ^ 7",
        "scalar(temperature)", "scalar(temperature{host=\"h1\"}) + time()",
        "sum(queue_depth == 1) or vector(0)", "topk(1, sum by (room) (temperature))",
        "sum(sum by (room) (temperature)) - sum(temperature)", "2 ^ 3 ^ 2", "-2 ^ 2",
        "group by (room) (temperature) * on (room) group_right () humidity",
        // Refused by both.
        "sum(", "foo{", "rate(temperature)", "temperature and 1", "1 > 2", "temperature[5m",
        "unknown_function(temperature)", "{}",
        "label_replace(temperature, \"a\", \"b\", \"host\", \"(\")",
        "topk(temperature)", "temperature offset 5", "sum(temperature[5m])",
        "temperature{a=~\"[\"}",
    ]
}
