internal import WeirCore
package import WeirQuery

/// One place in a line of a script that lists values: nothing, a number or the end of a series
/// (`Double.absent`), or a native histogram.
package enum ScriptValue: Sendable {
    case none
    case number(Double)
    case histogram(FloatHistogram)

    /// Values with blanks between them: `1 2+3x4 _ _x2 stale {{count:1 sum:2}}x3`.
    ///
    /// - Returns: Nil where one cannot be read.
    package static func list(_ text: Substring) -> [ScriptValue]? {
        var values: [ScriptValue] = []
        for word in words(text) {
            if word == "_" {
                values.append(.none)
            } else if word.hasPrefix("_x"), let count = Int(word.dropFirst(2)) {
                values += [ScriptValue](repeating: .none, count: count)
            } else if word == "stale" {
                values.append(.number(.absent))
            } else if word.hasPrefix("{{") {
                guard let series = histograms(word) else { return nil }
                values += series
            } else if let series = numbers(word) {
                // Before numbers: `0x3` is no hexadecimal one here.
                values += series
            } else if let value = Double(word) {
                values.append(.number(value))
            } else {
                return nil
            }
        }
        return values
    }

    /// Parts between blanks; those within `{{` and `}}` do not count.
    private static func words(_ text: Substring) -> [Substring] {
        var words: [Substring] = []
        var start: Substring.Index?
        var depth = 0
        for index in text.indices {
            let character = text[index]
            if character == "{" { depth += 1 }
            if character == "}" { depth -= 1 }
            if character == " ", depth == 0 {
                if let start { words.append(text[start..<index]) }
                start = nil
            } else if start == nil {
                start = index
            }
        }
        if let start { words.append(text[start...]) }
        return words
    }

    /// `1+2x3` is 1 3 5 7; `5x3` is 5 5 5 5.
    private static func numbers(_ word: Substring) -> [ScriptValue]? {
        guard let times = word.lastIndex(of: "x"),
            let count = Int(word[word.index(after: times)...])
        else { return nil }
        let head = word[..<times]
        // A sign after an `e` is one of an exponent.
        let sign =
            head.indices.dropFirst().last { index in
                (head[index] == "+" || head[index] == "-")
                    && head[head.index(before: index)].lowercased() != "e"
            } ?? head.endIndex
        guard let first = Double(head[..<sign]),
            let step = sign == head.endIndex ? 0 : Double(head[sign...])
        else { return nil }
        return (0...count).map { .number(first + Double($0) * step) }
    }

    /// `{{…}}`, `{{…}}x3`, `{{…}}+{{…}}x3`, `{{…}}-{{…}}x3`: as with numbers.
    private static func histograms(_ word: Substring) -> [ScriptValue]? {
        guard let firstEnd = word.firstRange(of: "}}")?.upperBound,
            let first = HistogramLiteral.parse(word[..<firstEnd])
        else { return nil }
        var rest = word[firstEnd...]
        if rest.isEmpty { return [.histogram(first)] }
        var change: FloatHistogram?
        let isFalling = rest.first == "-"
        if rest.first == "+" || isFalling {
            rest = rest.dropFirst()
            guard let end = rest.firstRange(of: "}}")?.upperBound,
                let read = HistogramLiteral.parse(rest[..<end])
            else { return nil }
            change = read
            rest = rest[end...]
        }
        guard rest.first == "x", let count = Int(rest.dropFirst()) else { return nil }
        var current = first
        var values: [ScriptValue] = [.histogram(first)]
        do throws(HistogramMismatch) {
            for _ in 0..<count {
                if let change {
                    if isFalling { try current.subtract(change) } else { try current.add(change) }
                }
                values.append(.histogram(current))
            }
        } catch {
            return nil
        }
        return values
    }

    // MARK: Comparing

    /// Whether an answer is what was expected, within one part in 10⁹.
    ///
    /// Of histograms what an answer of the HTTP API shows is compared: count, sum and populated
    /// buckets with their bounds.
    package static func isClose(_ left: FloatHistogram, _ right: FloatHistogram) -> Bool {
        guard isClose(left.count, right.count), isClose(left.sum, right.sum) else { return false }
        let least = 1e-9 * (1 + left.count.magnitude)
        let buckets = [left, right].map { one in
            one.allBuckets().filter { !($0.count.magnitude <= least) }
        }
        return buckets[0].count == buckets[1].count
            && zip(buckets[0], buckets[1]).allSatisfy { own, other in
                own.lower == other.lower && own.upper == other.upper
                    && own.includesLower == other.includesLower
                    && own.includesUpper == other.includesUpper
                    && isClose(own.count, other.count)
            }
    }

    package static func isClose(_ left: Double, _ right: Double) -> Bool {
        if left.isNaN || right.isNaN { return left.isNaN && right.isNaN }
        if left == right { return true }
        return (left - right).magnitude <= 1e-9 * (1 + max(left.magnitude, right.magnitude))
    }

    // MARK: Writing

    /// As it is written alone; nil for a histogram with too many buckets.
    package var text: String? {
        switch self {
        case .none: "_"
        case .number(let number): number.isAbsent ? "stale" : NumberText.sample(number)
        case .histogram(let histogram): HistogramLiteral.text(histogram)
        }
    }

    /// Runs of one text as `5x3`: it and three more.
    package static func line(_ written: [String]) -> String {
        var parts: [String] = []
        var index = 0
        while index < written.count {
            var end = index
            while end + 1 < written.count, written[end + 1] == written[index] { end += 1 }
            let more = end - index
            let isSpecial = written[index] == "stale" || written[index].hasPrefix("NaN")
            if more < 2 || isSpecial {
                for _ in index...end { parts.append(written[index]) }
            } else if written[index] == "_" {
                parts.append("_x\(more + 1)")
            } else {
                parts.append("\(written[index])x\(more)")
            }
            index = end + 1
        }
        return parts.joined(separator: " ")
    }
}
