internal import WeirCore
internal import WeirQuery

/// Why an answer may differ from Prometheus's; each reason is a row of docs/promql.md.
enum KnownDifferences {
    /// Functions whose last bit another library may see otherwise.
    private static let inexact = [
        "^", "exp(", "ln(", "log2(", "log10(", "sin", "cos", "tan", "std", "avg", "rate(",
        "increase(", "delta(", "deriv(", "predict_linear(", "smoothing(", "quantile", "sum",
        "fraction(", "%",
    ]
    /// Parts of queries that tell numbers apart which differ in the last bit only.
    private static let telling = [
        "count_values", "topk", "bottomk", "==", "!=", "<", ">", "round(", "floor(", "ceil(", "%",
        "sgn(", "changes(", "resets(", "ts_of_m", "irate(", "rate(", "increase(", "clamp(", "sort",
    ]

    /// - Returns: Nil for a difference that nothing explains.
    static func reason(
        ours: JSONValue,
        theirs: JSONValue,
        question: DifferentialRun.Question,
        difference: String
    ) -> String? {
        let error = theirs["error"]?.string ?? ""
        let ourError = ours["error"]?.string ?? ""
        let query = question.query
        let isAnswered = ours["status"]?.string == "success"
        if error == SeriesGrid.duplicateLabels { return "equal series aggregated" }
        let hasNaN = query.contains("odd_native") && !query.contains("odd_native{kind")
        if isAnswered, hasNaN, query.contains("histogram_quantile(") {
            return "quantiles with observations of NaN"
        }
        let duplicates = "found duplicate series for the match group"
        if error.hasPrefix(duplicates), ourError.hasPrefix(duplicates) {
            return "duplicates named in another order"
        }
        if query.contains("sort_by_label"), difference.hasPrefix("order") {
            return "labels missing where they are sorted by"
        }
        if isAnswered, error.isEmpty, query.contains("topk") || query.contains("bottomk"),
            difference.contains("ours has") || difference.contains("ours lacks")
        {
            return "equal values ranked"
        }
        if error.contains("error parsing regexp"), ourError.contains("error parsing regexp") {
            return "regular expressions' own words"
        }
        if error.contains("unexpected error: runtime error") { return "prometheus failed" }
        let numbers = ["NaN", "+Inf", "-Inf"].map {
            "(key: \"count\", value: WeirCore.JSONValue.string(\"\($0)\")"
        }
        if isAnswered, numbers.contains(where: difference.contains) {
            return "empty buckets scaled by what is no number"
        }
        if isOmitting(ours), isOmitting(theirs) { return "others of more than ten notes told" }
        let anchors = query.count { $0 == "@" }
        let hasAnchor = anchors > 0
        if question.isRange, query.contains(":"),
            anchors > 1 || hasAnchor && query.contains("offset")
        {
            return "@ inside and outside a subquery, or inside and an offset"
        }
        let isOverTime = question.isRange || query.contains(":")
        if query.contains("info("), hasAnchor || query.contains("offset") || isOverTime {
            return "info where info samples are missing"
        }
        if query.contains("timestamp("), hasAnchor, query.contains("offset") {
            return "timestamp with @ and offset"
        }
        if query.contains("predict_linear("), hasAnchor, difference.hasPrefix("warnings") {
            return "notes on steps that are not used"
        }
        if query.contains("sinh(") || query.contains("cosh("), difference.contains("Inf") {
            return "hyperbolic functions at the end of the numbers"
        }
        if isAnswered, difference.hasPrefix("warnings"), difference.contains("got ") {
            return "last bits told"
        }
        if isAnswered, error.isEmpty, inexact.contains(where: query.contains),
            telling.contains(where: query.contains)
        {
            return "last bits told apart"
        }
        return nil
    }

    /// Why the numbers of a query over native histograms may differ that counts how they change: asked
    /// last, as it looks at the query alone.
    static func countingReason(
        _ question: DifferentialRun.Question,
        _ difference: String
    ) -> String? {
        let query = question.query
        guard isNative(query), difference.contains(": at "),
            query.contains("resets(") || query.contains("changes(")
        else { return nil }
        return "empty buckets listed hide resets or count as changes"
    }

    /// Whether a query is about native histograms.
    private static func isNative(_ query: String) -> Bool {
        ["rpc_seconds", "request_size", "custom_seconds", "turns", "odd_native"]
            .contains(where: query.contains)
    }

    /// Why a query may be printed otherwise: what Prometheus prints there is another query, or none.
    static func printingReason(_ query: String, _ printed: String?) -> String? {
        guard let printed else { return nil }
        if printed.contains("on (\"host.name\")") || printed.contains("ignoring (\"host.name\")") {
            return "names of labels quoted in matching"
        }
        if printed.contains("ignoring () group_") { return "empty ignoring with a group kept" }
        return printed.contains("Inf ^") ? "Inf as a base without a sign" : nil
    }

    private static func isOmitting(_ answer: JSONValue) -> Bool {
        ["warnings", "infos"].contains { kind in
            (answer[kind]?.array ?? []).contains { $0.string?.hasSuffix("omitted") ?? false }
        }
    }
}
