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
            guard let step = words.count > 1 ? PrometheusTime.durationMilliseconds(words[1]) : nil
            else {
                throw fail("load wants a step")
            }
            for line in body { try load(line, step) }
        case "eval":
            evaluations += 1
            guard let evaluation = ScriptEvaluation(command.text) else {
                throw fail("eval is not understood")
            }
            try check(evaluation, command.number, try Expectation(body))
        default: throw fail("unknown command \(words[0])")
        }
    }

    // MARK: Series

    private mutating func load(
        _ line: (number: Int, text: String),
        _ step: Int64
    ) throws(Failure) {
        guard let series = ScriptSeries(line.text) else {
            throw Failure(line: line.number, reason: "cannot be read")
        }
        source.all.append(series.loaded(stepMilliseconds: step))
    }

    // MARK: Evaluation

    /// Evaluates over sources that hand out only what is asked for, and more than that.
    private func evaluate(
        _ evaluation: ScriptEvaluation,
        _ number: Int,
        _ expectation: Expectation,
        _ check: (QueryValue) throws(Failure) -> Void
    ) throws(Failure) {
        for isGenerous in [false, true] {
            var source = source
            source.isGenerous = isGenerous
            let context = QueryContext()
            let value: QueryValue
            do throws(QueryError) {
                value = try evaluation.evaluate(source, context: context)
            } catch {
                let message = error.message(query: evaluation.query)
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

    private func check(
        _ evaluation: ScriptEvaluation,
        _ number: Int,
        _ expectation: Expectation
    ) throws(Failure) {
        let body = expectation.body
        try evaluate(evaluation, number, expectation) { (value) throws(Failure) in
            switch value {
            case .scalar(_, let found):
                guard body.count == 1, let wanted = Double(body[0].text),
                    ScriptValue.isClose(found, wanted)
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
                    let wanted = ScriptSeries(line.text)
                    let sample =
                        expectation.isOrdered
                        ? samples[index] : samples.first { $0.labels == wanted?.labels }
                    guard let wanted, let sample, sample.labels == wanted.labels,
                        wanted.values.count == 1,
                        Self.isClose(sample.value, sample.histogram, wanted.values[0])
                    else { throw Failure(line: line.number, reason: "got \(samples)") }
                }
            case .matrix(let series): try check(series, number, body, evaluation)
            }
        }
    }

    private static func isClose(
        _ number: Double,
        _ histogram: FloatHistogram?,
        _ wanted: ScriptValue
    ) -> Bool {
        switch (histogram, wanted) {
        case (nil, .number(let wanted)): ScriptValue.isClose(number, wanted)
        case (let histogram?, .histogram(let wanted)): ScriptValue.isClose(histogram, wanted)
        default: false
        }
    }

    /// Compares series with lines; at one time only the values are compared, in order.
    private func check(
        _ series: [QuerySeries],
        _ number: Int,
        _ body: [(number: Int, text: String)],
        _ evaluation: ScriptEvaluation
    ) throws(Failure) {
        guard series.count == body.count else {
            throw Failure(line: number, reason: "got \(series)")
        }
        for line in body {
            guard let wanted = ScriptSeries(line.text),
                let one = series.first(where: { $0.labels == wanted.labels })
            else { throw Failure(line: line.number, reason: "got \(series)") }
            var found: [(time: Int64, number: Double, histogram: FloatHistogram?)] = []
            for index in one.times.indices {
                found.append((one.times[index], one.values[index], nil))
            }
            for point in one.histograms { found.append((point.time, 0, point.histogram)) }
            found.sort { $0.time < $1.time }
            var expected: [(time: Int64, value: ScriptValue)] = []
            for (index, value) in wanted.values.enumerated() {
                if case .none = value { continue }
                let time = evaluation.from + Int64(index) * (evaluation.step ?? 0)
                expected.append((time, value))
            }
            let isEqual =
                found.count == expected.count
                && zip(found, expected).allSatisfy { own, other in
                    Self.isClose(own.number, own.histogram, other.value)
                        && (evaluation.step == nil || own.time == other.time)
                }
            guard isEqual else { throw Failure(line: line.number, reason: "got \(one)") }
        }
    }
}
