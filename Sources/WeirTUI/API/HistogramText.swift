package import WeirCore

/// A native histogram of an answer as one line.
package enum HistogramText {
    /// `{count:3, sum:2.5, (0.5,1]:3}` of the API's
    /// `{"count":"3","sum":"2.5","buckets":[[0,"0.5","1","3"]]}`.
    package static func line(_ histogram: JSONValue) -> String {
        func text(_ value: JSONValue?) -> String { value?.string ?? "" }
        var line = "{count:\(text(histogram["count"])), sum:\(text(histogram["sum"]))"
        for bucket in histogram["buckets"]?.array ?? [] {
            guard let parts = bucket.array, parts.count == 4, let rule = parts[0].int else {
                continue
            }
            let lower = rule == 1 || rule == 3 ? "[" : "("
            let upper = rule == 0 || rule == 3 ? "]" : ")"
            line += ", \(lower)\(text(parts[1])),\(text(parts[2]))\(upper):\(text(parts[3]))"
        }
        return line + "}"
    }
}
