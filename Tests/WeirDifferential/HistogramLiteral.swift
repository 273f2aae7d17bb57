internal import WeirCore
package import WeirQuery

/// Native histograms as scripts write them, in the syntax of Prometheus's own tests:
/// `{{schema:1 count:4 sum:2.5 z_bucket:1 z_bucket_w:0.01 buckets:[2 0 1] offset:-1}}`.
package enum HistogramLiteral {
    /// No more buckets of one side are written, gaps among them counted.
    private static let bucketsMax = 60

    /// - Returns: Nil for what is no such literal, or lists buckets that cannot be.
    package static func parse(_ text: Substring) -> FloatHistogram? {
        guard text.hasPrefix("{{"), text.hasSuffix("}}") else { return nil }
        var histogram = FloatHistogram()
        var offsets: (positive: Int32, negative: Int32) = (0, 0)
        var counts: (positive: [Double], negative: [Double]) = ([], [])
        var rest = text.dropFirst(2).dropLast(2).drop { $0 == " " }
        while !rest.isEmpty {
            guard let colon = rest.firstIndex(of: ":") else { return nil }
            let key = rest[..<colon]
            rest = rest[rest.index(after: colon)...]
            let end: Substring.Index
            if rest.first == "[" {
                guard let closing = rest.firstIndex(of: "]") else { return nil }
                end = rest.index(after: closing)
            } else {
                end = rest.firstIndex(of: " ") ?? rest.endIndex
            }
            let value = rest[..<end]
            rest = rest[end...].drop { $0 == " " }
            switch key {
            case "schema":
                guard let schema = Int8(value),
                    NativeHistogram.schemas.contains(schema)
                        || schema == NativeHistogram.customSchema
                else { return nil }
                histogram.schema = schema
            case "counter_reset_hint":
                guard let hint = hint(value) else { return nil }
                histogram.resetHint = hint
            case "offset", "n_offset":
                guard let offset = Int32(value) else { return nil }
                if key == "offset" { offsets.positive = offset } else { offsets.negative = offset }
            case "buckets", "n_buckets", "custom_values":
                guard let list = list(value) else { return nil }
                switch key {
                case "buckets": counts.positive = list
                case "n_buckets": counts.negative = list
                default: histogram.customBounds = list
                }
            case "count", "sum", "z_bucket", "z_bucket_w":
                guard let number = Double(value) else { return nil }
                switch key {
                case "count": histogram.count = number
                case "sum": histogram.sum = number
                case "z_bucket": histogram.zeroCount = number
                default: histogram.zeroThreshold = number
                }
            default: return nil
            }
        }
        histogram.positive = buckets(counts.positive, from: offsets.positive)
        histogram.negative = buckets(counts.negative, from: offsets.negative)
        return histogram
    }

    private static func hint(_ text: Substring) -> NativeHistogram.ResetHint? {
        switch text {
        case "unknown": .unknown
        case "reset": .reset
        case "not_reset": .noReset
        case "gauge": .gauge
        default: nil
        }
    }

    private static func list(_ text: Substring) -> [Double]? {
        guard text.hasPrefix("["), text.hasSuffix("]") else { return nil }
        let words = text.dropFirst().dropLast().split(separator: " ")
        let numbers = words.compactMap { Double($0) }
        return numbers.count == words.count ? numbers : nil
    }

    private static func buckets(_ counts: [Double], from offset: Int32) -> FloatHistogram.Buckets {
        var buckets = FloatHistogram.Buckets()
        for (place, count) in counts.enumerated() {
            buckets.append(offset &+ Int32(truncatingIfNeeded: place), count)
        }
        return buckets
    }

    /// - Returns: Nil when it has too many buckets for a reader.
    package static func text(_ histogram: FloatHistogram) -> String? {
        var parts: [String] = []
        func add(_ key: String, _ number: Double) {
            parts.append("\(key):\(NumberText.sample(number))")
        }
        if histogram.schema != 0 { parts.append("schema:\(histogram.schema)") }
        add("count", histogram.count)
        add("sum", histogram.sum)
        if histogram.zeroCount != 0 { add("z_bucket", histogram.zeroCount) }
        if histogram.zeroThreshold != 0 { add("z_bucket_w", histogram.zeroThreshold) }
        for (side, prefix) in [(histogram.negative, "n_"), (histogram.positive, "")] {
            let listed = side.indexes.indices.filter { side.counts[$0] != 0 }
            guard let first = listed.first, let last = listed.last else { continue }
            let (start, end) = (Int(side.indexes[first]), Int(side.indexes[last]))
            guard end - start < bucketsMax else { return nil }
            var counts = [Double](repeating: 0, count: end - start + 1)
            for place in listed { counts[Int(side.indexes[place]) - start] = side.counts[place] }
            if start != 0 { parts.append("\(prefix)offset:\(start)") }
            parts.append("\(prefix)buckets:\(text(counts))")
        }
        if !histogram.customBounds.isEmpty {
            parts.append("custom_values:\(text(histogram.customBounds))")
        }
        if histogram.isGauge { parts.append("counter_reset_hint:gauge") }
        return "{{\(parts.joined(separator: " "))}}"
    }

    private static func text(_ numbers: [Double]) -> String {
        "[\(numbers.map { NumberText.sample($0) }.joined(separator: " "))]"
    }
}
