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
        isOrdered: Bool
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
        if types.0 == "scalar" || types.0 == "string" { return points([left], [right]) }
        return series(left.array ?? [], right.array ?? [], isOrdered: isOrdered)
    }

    private static func series(
        _ ours: [JSONValue],
        _ theirs: [JSONValue],
        isOrdered: Bool
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
            let left = own["values"]?.array ?? [own["value"] ?? .null]
            let right = one["values"]?.array ?? [one["value"] ?? .null]
            switch points(left, right) {
            case .equal: continue
            case .different(let text): return .different("\(key(one)): \(text)")
            case let other: verdict = other
            }
        }
        return verdict
    }

    /// Series of one value may be in any order.
    private static func order(_ ours: [JSONValue], _ theirs: [JSONValue]) -> String? {
        for (left, right) in zip(ours, theirs) where key(left) != key(right) {
            let values = [left, right].map { $0["value"]?.array?.last?.string ?? "" }
            guard isClose(values[0], values[1]) else {
                return "order: \(ours.map(key)) \(theirs.map(key))"
            }
        }
        return nil
    }

    private static func key(_ series: JSONValue) -> String {
        (series["metric"]?.members ?? []).map { "\($0.key)=\($0.value.string ?? "")" }
            .joined(separator: ",")
    }

    private static func points(_ ours: [JSONValue], _ theirs: [JSONValue]) -> Verdict {
        guard ours.count == theirs.count else {
            return .different("ours has \(ours.count) points, theirs \(theirs.count)")
        }
        var verdict = Verdict.equal
        for (left, right) in zip(ours, theirs) {
            guard let left = left.array, let right = right.array, left.count == 2,
                right.count == 2, case .number(let ourTime) = left[0],
                case .number(let theirTime) = right[0], ourTime == theirTime
            else { return .different("times: \(left) \(right)") }
            let values = (left[1].string ?? "", right[1].string ?? "")
            if values.0 == values.1 { continue }
            guard isClose(values.0, values.1) else {
                return .different("at \(ourTime): ours \(values.0), theirs \(values.1)")
            }
            verdict = .close
        }
        return verdict
    }

    private static func isClose(_ ours: String, _ theirs: String) -> Bool {
        if ours == theirs { return true }
        guard let left = Double(ours), let right = Double(theirs), left.isFinite, right.isFinite
        else { return false }
        return (left - right).magnitude
            <= tolerance * (1 + max(left.magnitude, right.magnitude))
    }
}
