package import WeirCore

/// Compares two answers of the Prometheus API.
package enum AnswerComparison {
    package enum Verdict: Equatable {
        /// To the last bit.
        case equal
        /// But for the rounding of numbers.
        case close
        /// Both refuse, each in its own words.
        case wording(String)
        case different(String)
    }

    /// How far apart two numbers may be, as a share of the larger.
    ///
    /// Sums of the same terms in another order, logarithms and sines of another library, and what
    /// deviations of large numbers that differ little make of that.
    package static let tolerance = 1e-7

    /// Whether the outermost part of a query says the order of the answer.
    package static func isOrdered(_ query: String) -> Bool {
        query.hasPrefix("sort") || query.hasPrefix("topk(") || query.hasPrefix("bottomk(")
    }

    /// The text of an answer without its `stats` member.
    package static func withoutStats(_ body: [UInt8]) -> String {
        let text = String(decoding: body, as: UTF8.self)
        guard let start = text.firstRange(of: ",\"stats\":{"),
            let end = text[start.upperBound...].firstIndex(of: "}")
        else { return text }
        return String(text[..<start.lowerBound]) + text[text.index(after: end)...]
    }

    package static func compare(
        ours: JSONValue,
        theirs: JSONValue,
        isOrdered: Bool,
        tolerance: Double = Self.tolerance
    ) -> Verdict {
        let status = (ours["status"]?.string ?? "", theirs["status"]?.string ?? "")
        let errors = (ours["error"]?.string ?? "", theirs["error"]?.string ?? "")
        guard status.0 == status.1 else {
            return .different("ours is \(status.0) (\(errors.0)), theirs \(status.1) (\(errors.1))")
        }
        if status.0 == "error" {
            let kinds = (ours["errorType"]?.string ?? "", theirs["errorType"]?.string ?? "")
            let text = "ours is \(kinds.0) (\(errors.0)), theirs \(kinds.1) (\(errors.1))"
            guard kinds.0 == kinds.1 else { return .different(text) }
            return errors.0 == errors.1 ? .equal : .wording(text)
        }
        for kind in ["warnings", "infos"] {
            let left = Set((ours[kind]?.array ?? []).compactMap(\.string))
            let right = Set((theirs[kind]?.array ?? []).compactMap(\.string))
            guard left == right else {
                return .different("\(kind): ours \(left.sorted()), theirs \(right.sorted())")
            }
        }
        let types = (
            ours["data"]?["resultType"]?.string ?? "", theirs["data"]?["resultType"]?.string ?? ""
        )
        guard types.0 == types.1 else {
            return .different("ours is a \(types.0), theirs a \(types.1)")
        }
        guard let left = ours["data"]?["result"], let right = theirs["data"]?["result"] else {
            return .different("a result is missing")
        }
        if types.0 == "scalar" || types.0 == "string" {
            return points([left], [right], tolerance)
        }
        return series(left.array ?? [], right.array ?? [], isOrdered: isOrdered, tolerance)
    }

    private static func series(
        _ ours: [JSONValue],
        _ theirs: [JSONValue],
        isOrdered: Bool,
        _ tolerance: Double
    ) -> Verdict {
        guard ours.count == theirs.count else {
            return .different(
                "ours has \(ours.count) series, theirs \(theirs.count): "
                    + "\(ours.map(key).prefix(4)) \(theirs.map(key).prefix(4))"
            )
        }
        if isOrdered, let text = order(ours, theirs) { return .different(text) }
        var byKey: [String: JSONValue] = [:]
        for one in ours { byKey[key(one)] = one }
        var verdict = Verdict.equal
        for one in theirs {
            guard let own = byKey[key(one)] else {
                return .different("ours lacks \(key(one)): \(ours.map(key).prefix(4))")
            }
            for kind in ["value", "histogram"] {
                switch points(members(own, kind), members(one, kind), tolerance) {
                case .equal: continue
                case .different(let text): return .different("\(key(one)): \(text)")
                case let other: verdict = other
                }
            }
        }
        return verdict
    }

    /// Series of one value may be in any order.
    private static func order(_ ours: [JSONValue], _ theirs: [JSONValue]) -> String? {
        for (left, right) in zip(ours, theirs) where key(left) != key(right) {
            let values = [left, right].map { $0["value"]?.array?.last?.string ?? "" }
            guard isClose(values[0], values[1], tolerance) else {
                return "order: \(ours.map(key)) \(theirs.map(key))"
            }
        }
        return nil
    }

    private static func key(_ series: JSONValue) -> String {
        (series["metric"]?.members ?? []).map { "\($0.key)=\($0.value.string ?? "")" }
            .joined(separator: ",")
    }

    /// A series' points of one kind, be it one or many.
    private static func members(_ series: JSONValue, _ kind: String) -> [JSONValue] {
        series["\(kind)s"]?.array ?? series[kind].map { [$0] } ?? []
    }

    private static func points(
        _ ours: [JSONValue],
        _ theirs: [JSONValue],
        _ tolerance: Double
    ) -> Verdict {
        guard ours.count == theirs.count else {
            return .different("ours has \(ours.count) points, theirs \(theirs.count)")
        }
        var verdict = Verdict.equal
        for (left, right) in zip(ours, theirs) {
            guard let left = left.array, let right = right.array, left.count == 2,
                right.count == 2, case .number(let ourTime) = left[0],
                case .number(let theirTime) = right[0], ourTime == theirTime
            else { return .different("times: \(left) \(right)") }
            if left[1] == right[1] { continue }
            let isSame =
                if let own = left[1].string, let other = right[1].string {
                    isClose(own, other, tolerance)
                } else {
                    HistogramAnswer(left[1])?.isClose(to: HistogramAnswer(right[1]), tolerance)
                        ?? false
                }
            guard isSame else {
                return .different("at \(ourTime): ours \(left[1]), theirs \(right[1])")
            }
            verdict = .close
        }
        return verdict
    }

    static func isClose(_ ours: String, _ theirs: String, _ tolerance: Double) -> Bool {
        if ours == theirs { return true }
        guard let left = Double(ours), let right = Double(theirs), left.isFinite, right.isFinite
        else { return false }
        return (left - right).magnitude
            <= tolerance * (1 + max(left.magnitude, right.magnitude))
    }
}

/// A native histogram of an answer.
private struct HistogramAnswer {
    private let count: String
    private let sum: String
    /// Counts by rule and bounds.
    private var buckets: [[JSONValue]: String] = [:]

    init?(_ value: JSONValue) {
        guard let count = value["count"]?.string, let sum = value["sum"]?.string else { return nil }
        (self.count, self.sum) = (count, sum)
        for bucket in value["buckets"]?.array ?? [] {
            guard let parts = bucket.array, parts.count == 4, let count = parts[3].string else {
                return nil
            }
            buckets[Array(parts.prefix(3))] = count
        }
    }

    /// A bucket that rounding left with next to nothing may be missing on one side.
    func isClose(to other: Self?, _ tolerance: Double) -> Bool {
        guard let other, AnswerComparison.isClose(count, other.count, tolerance),
            AnswerComparison.isClose(sum, other.sum, tolerance)
        else { return false }
        return Set(buckets.keys).union(other.buckets.keys).allSatisfy {
            AnswerComparison.isClose(buckets[$0] ?? "0", other.buckets[$0] ?? "0", tolerance)
        }
    }
}
