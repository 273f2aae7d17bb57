import WeirCore
import WeirDifferential
import WeirPattern
import WeirQuery

/// A script in the shape of Prometheus's own test language; docs/testing.md describes it.
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

    /// What the lines below an `eval` say of its answer.
    private struct Expectation {
        /// Lines of the answer itself.
        var body: [(number: Int, text: String)] = []
        /// The answer is refused; with this text, if one is given.
        var failure: (number: Int, text: String)?
        var isOrdered = false
        var warnings: [String] = []
        var infos: [String] = []

        init(_ lines: [(number: Int, text: String)]) throws(Failure) {
            for line in lines {
                guard line.text.hasPrefix("expect ") else {
                    body.append(line)
                    continue
                }
                let said = line.text.dropFirst("expect ".count)
                let kind = String(said.prefix { $0 != " " })
                let text = String(said.dropFirst(kind.count + " msg: ".count))
                switch kind {
                case "ordered": isOrdered = true
                case "fail": failure = (line.number, text)
                case "warn": warnings.append(text)
                case "info": infos.append(text)
                default: throw Failure(line: line.number, reason: "expect \(kind) is not known")
                }
            }
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
        case "eval":
            evaluations += 1
            let expectation = try Expectation(body)
            if words.count == 5, words[1] == "instant", let time = Self.duration(words[3]) {
                try instant(words[4], time, command.number, expectation)
                return
            }
            let parts = command.text.split(separator: " ", maxSplits: 8).map(String.init)
            guard parts.count == 9, parts[1] == "range", let from = Self.duration(parts[3]),
                let through = Self.duration(parts[5]), let step = Self.duration(parts[7])
            else { throw fail("eval is not understood") }
            try range(parts[8], (from, through, step), command.number, expectation)
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
        var isEscaped = false
        var end = line.text.startIndex
        for index in line.text.indices {
            let character = line.text[index]
            if character == "\"", !isEscaped { inQuotes.toggle() }
            isEscaped = character == "\\" && !isEscaped
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
            } else if let series = series(word) {
                // Before numbers: `0x3` is no hexadecimal one here.
                values += series
            } else if let value = Double(word) {
                values.append(value)
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
        // A sign after an `e` is one of an exponent.
        let sign =
            head.indices.dropFirst().last { index in
                (head[index] == "+" || head[index] == "-")
                    && head[head.index(before: index)].lowercased() != "e"
            } ?? head.endIndex
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
        return (left - right).magnitude <= 1e-9 * (1 + max(left.magnitude, right.magnitude))
    }

    private static var options: PromQLOptions {
        var options = PromQLOptions()
        options.hasExperiments = true
        return options
    }

    /// Evaluates over sources that hand out only what is asked for, and more than that.
    private func evaluate(
        _ text: String,
        _ number: Int,
        _ expectation: Expectation,
        _ run: (any SampleSource, QueryContext) throws(QueryError) -> QueryValue,
        _ check: (QueryValue) throws(Failure) -> Void
    ) throws(Failure) {
        for isGenerous in [false, true] {
            var source = source
            source.isGenerous = isGenerous
            let context = QueryContext()
            let value: QueryValue
            do throws(QueryError) {
                value = try run(source, context)
            } catch {
                let message = error.message(query: text)
                guard let failure = expectation.failure else {
                    throw Failure(line: number, reason: message)
                }
                guard message.contains(failure.text) else {
                    throw Failure(line: failure.number, reason: message)
                }
                continue
            }
            guard expectation.failure == nil else {
                throw Failure(line: number, reason: "it should have failed: \(value)")
            }
            guard context.warnings.sorted() == expectation.warnings.sorted() else {
                throw Failure(line: number, reason: "warnings: \(context.warnings)")
            }
            guard context.infos.sorted() == expectation.infos.sorted() else {
                throw Failure(line: number, reason: "infos: \(context.infos)")
            }
            try check(value)
        }
    }

    private func instant(
        _ text: String,
        _ time: Int64,
        _ number: Int,
        _ expectation: Expectation
    ) throws(Failure) {
        let body = expectation.body
        try evaluate(text, number, expectation) { (source, context) throws(QueryError) in
            try PromQL.evaluateInstant(
                text,
                atMilliseconds: time,
                source: source,
                context: context,
                options: Self.options
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
                        expectation.isOrdered
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
        _ text: String,
        _ times: (from: Int64, through: Int64, step: Int64),
        _ number: Int,
        _ expectation: Expectation
    ) throws(Failure) {
        try evaluate(text, number, expectation) { (source, context) throws(QueryError) in
            try PromQL.evaluateRange(
                text,
                fromMilliseconds: times.from,
                throughMilliseconds: times.through,
                stepMilliseconds: times.step,
                source: source,
                context: context,
                options: Self.options
            )
        } _: { (value) throws(Failure) in
            guard case .matrix(let series) = value else {
                throw Failure(line: number, reason: "got \(value)")
            }
            try check(series, number, expectation.body, (times.from, times.step))
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
