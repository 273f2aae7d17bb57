import WeirCore
import WeirPattern
import WeirQuery

/// A script in the shape of Prometheus's own test language:.
///
///     load 5m
///       name{label="x"} 0+10x100 _ stale NaN
///     eval instant at 50m expression
///       {label="x"} 100
///     eval range from 0 to 10m step 1m expression
///       {} 1 2 _ 4
///     eval_ordered instant at 5m expression
///     eval_fail instant at 5m expression
///       part of the message
///     clear
struct TestScript {
    struct Failure: Error, CustomStringConvertible {
        let line: Int
        let reason: String
        var description: String { "line \(line): \(reason)" }
    }

    private var source = ArraySource()
    private(set) var evaluations = 0

    /// Runs all commands; throws at the first that does not hold.
    mutating func run(_ text: String) throws(Failure) {
        var lines: [(number: Int, text: String)] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            let bare = line.prefix(while: { $0 == " " || $0 == "\t" }).count
            if line.dropFirst(bare).hasPrefix("#") || line.count == bare { continue }
            lines.append((index + 1, String(line)))
        }
        var index = 0
        while index < lines.count {
            let command = lines[index]
            var body: [(number: Int, text: String)] = []
            index += 1
            while index < lines.count, lines[index].text.hasPrefix(" ") {
                body.append((lines[index].number, Self.trimmed(lines[index].text)))
                index += 1
            }
            try run(command, body)
        }
    }

    private static func trimmed(_ text: String) -> String {
        var text = Substring(text)
        while text.first == " " { text = text.dropFirst() }
        while text.last == " " { text = text.dropLast() }
        return String(text)
    }

    private mutating func run(
        _ command: (number: Int, text: String),
        _ body: [(number: Int, text: String)]
    ) throws(Failure) {
        let words = command.text.split(separator: " ", maxSplits: 4).map(String.init)
        func fail(_ reason: String) -> Failure { Failure(line: command.number, reason: reason) }
        switch words[0] {
        case "clear": source = ArraySource()
        case "load":
            guard let step = words.count > 1 ? Self.duration(words[1]) : nil else {
                throw fail("load wants a step")
            }
            for line in body { try load(line, step) }
        case "eval", "eval_ordered", "eval_fail":
            evaluations += 1
            if words.count == 5, words[1] == "instant", let time = Self.duration(words[3]) {
                try instant(words[0], words[4], time, command.number, body)
                return
            }
            let parts = command.text.split(separator: " ", maxSplits: 8).map(String.init)
            guard parts.count == 9, parts[1] == "range", let from = Self.duration(parts[3]),
                let through = Self.duration(parts[5]), let step = Self.duration(parts[7])
            else { throw fail("eval is not understood") }
            try range(words[0], parts[8], (from, through, step), command.number, body)
        default: throw fail("unknown command \(words[0])")
        }
    }

    private static func duration(_ text: String) -> Int64? {
        PrometheusTime.durationMilliseconds(text)
    }

    // MARK: Series

    private func labels(
        _ line: (number: Int, text: String)
    ) throws(Failure) -> (Labels, [Substring]) {
        var inBraces = false
        var inQuotes = false
        var end = line.text.startIndex
        for index in line.text.indices {
            let character = line.text[index]
            if character == "\"" { inQuotes.toggle() }
            if !inQuotes, character == "{" { inBraces = true }
            if !inQuotes, character == "}" { inBraces = false }
            if character == " ", !inBraces { break }
            end = line.text.index(after: index)
        }
        let selector = String(line.text[..<end])
        let rest = line.text[end...].split(separator: " ")
        if selector == "{}" { return (.empty, rest) }
        do throws(QueryError) {
            let matchers = try PromQLParser.parseSelector(selector).matchers
            return (Labels(matchers.map { ($0.name, $0.value) }), rest)
        } catch {
            throw Failure(line: line.number, reason: "\(selector): \(error)")
        }
    }

    private static func values(_ words: [Substring]) -> [Double?]? {
        var values: [Double?] = []
        for word in words {
            if word == "_" {
                values.append(nil)
            } else if word.hasPrefix("_x"), let count = Int(word.dropFirst(2)) {
                values += [Double?](repeating: nil, count: count)
            } else if word == "stale" {
                values.append(.absent)
            } else if let value = Double(word) {
                values.append(value)
            } else if let series = series(word) {
                values += series
            } else {
                return nil
            }
        }
        return values
    }

    /// `1+2x3` is 1 3 5 7; `5x3` is 5 5 5 5.
    private static func series(_ word: Substring) -> [Double?]? {
        guard let times = word.lastIndex(of: "x"),
            let count = Int(word[word.index(after: times)...])
        else { return nil }
        let head = word[..<times]
        let sign = head.dropFirst().lastIndex { $0 == "+" || $0 == "-" } ?? head.endIndex
        guard let first = Double(head[..<sign]),
            let step = sign == head.endIndex ? 0 : Double(head[sign...])
        else { return nil }
        return (0...count).map { first + Double($0) * step }
    }

    private mutating func load(
        _ line: (number: Int, text: String),
        _ step: Int64
    ) throws(Failure) {
        let (labels, words) = try labels(line)
        guard let values = Self.values(words) else {
            throw Failure(line: line.number, reason: "bad values")
        }
        var series = ArraySource.Series(labels: labels, times: [], values: [])
        for (index, value) in values.enumerated() {
            guard let value else { continue }
            series.times.append(Int64(index) * step)
            series.values.append(value)
        }
        source.all.append(series)
    }

    // MARK: Evaluation

    private func isClose(_ left: Double, _ right: Double) -> Bool {
        if left.isNaN || right.isNaN { return left.isNaN && right.isNaN }
        if left == right { return true }
        return (left - right).magnitude <= 1e-9 * max(left.magnitude, right.magnitude)
    }

    /// Evaluates over sources that hand out only what is asked for, and more than that.
    private func evaluate(
        _ kind: String,
        _ number: Int,
        _ body: [(number: Int, text: String)],
        _ run: (any SampleSource) throws(QueryError) -> QueryValue,
        _ check: (QueryValue) throws(Failure) -> Void
    ) throws(Failure) {
        for isGenerous in [false, true] {
            var source = source
            source.isGenerous = isGenerous
            let value: QueryValue
            do throws(QueryError) {
                value = try run(source)
            } catch {
                guard kind == "eval_fail" else {
                    throw Failure(line: number, reason: error.message(query: ""))
                }
                for part in body where !error.message(query: "").contains(part.text) {
                    throw Failure(line: part.number, reason: error.message(query: ""))
                }
                continue
            }
            guard kind != "eval_fail" else {
                throw Failure(line: number, reason: "it should have failed: \(value)")
            }
            try check(value)
        }
    }

    private func instant(
        _ kind: String,
        _ text: String,
        _ time: Int64,
        _ number: Int,
        _ body: [(number: Int, text: String)]
    ) throws(Failure) {
        try evaluate(kind, number, body) { (source) throws(QueryError) in
            try PromQL.evaluateInstant(
                text,
                atMilliseconds: time,
                source: source,
                context: QueryContext()
            )
        } _: { (value) throws(Failure) in
            switch value {
            case .scalar(_, let found):
                guard body.count == 1, let wanted = Double(body[0].text), isClose(found, wanted)
                else { throw Failure(line: number, reason: "got scalar \(found)") }
            case .string(_, let found):
                guard body.count == 1, body[0].text == PromQLStringLiteral.quote(found) else {
                    throw Failure(line: number, reason: "got string \(found)")
                }
            case .vector(_, let samples):
                guard samples.count == body.count else {
                    throw Failure(line: number, reason: "got \(samples)")
                }
                for (index, line) in body.enumerated() {
                    let (labels, words) = try labels(line)
                    let sample =
                        kind == "eval_ordered"
                        ? samples[index] : samples.first { $0.labels == labels }
                    guard let sample, sample.labels == labels, words.count == 1,
                        let wanted = Double(words[0]), isClose(sample.value, wanted)
                    else { throw Failure(line: line.number, reason: "got \(samples)") }
                }
            case .matrix(let series): try check(series, number, body, nil)
            }
        }
    }

    private func range(
        _ kind: String,
        _ text: String,
        _ times: (from: Int64, through: Int64, step: Int64),
        _ number: Int,
        _ body: [(number: Int, text: String)]
    ) throws(Failure) {
        try evaluate(kind, number, body) { (source) throws(QueryError) in
            try PromQL.evaluateRange(
                text,
                fromMilliseconds: times.from,
                throughMilliseconds: times.through,
                stepMilliseconds: times.step,
                source: source,
                context: QueryContext()
            )
        } _: { (value) throws(Failure) in
            guard case .matrix(let series) = value else {
                throw Failure(line: number, reason: "got \(value)")
            }
            try check(series, number, body, (times.from, times.step))
        }
    }

    /// Compares series with lines; without `grid` only the values are compared, in order.
    private func check(
        _ series: [QuerySeries],
        _ number: Int,
        _ body: [(number: Int, text: String)],
        _ grid: (from: Int64, step: Int64)?
    ) throws(Failure) {
        guard series.count == body.count else {
            throw Failure(line: number, reason: "got \(series)")
        }
        for line in body {
            let (labels, words) = try labels(line)
            guard let one = series.first(where: { $0.labels == labels }),
                let wanted = Self.values(words)
            else { throw Failure(line: line.number, reason: "got \(series)") }
            var times: [Int64] = []
            var values: [Double] = []
            for (index, value) in wanted.enumerated() {
                guard let value else { continue }
                times.append((grid?.from ?? 0) + Int64(index) * (grid?.step ?? 0))
                values.append(value)
            }
            let isEqual =
                one.values.count == values.count
                && zip(one.values, values).allSatisfy { isClose($0, $1) }
                && (grid == nil || one.times == times)
            guard isEqual else { throw Failure(line: line.number, reason: "got \(one)") }
        }
    }
}
