internal import WeirCore
internal import WeirQuery

/// Puts a real Prometheus's answers below the cases of a script written by hand.
///
/// What stood there before is dropped. A case that Weir answers otherwise is told and left without
/// an answer, so that the script fails.
package struct ScriptFiller {
    /// As exact as scripts are compared.
    private static let tolerance = 1e-9

    private let program: PrometheusServer.Program
    private var source = ArraySource()
    private var server: PrometheusServer?
    package private(set) var cases = 0
    package private(set) var differences = 0

    package init(_ program: PrometheusServer.Program) { self.program = program }

    /// - Returns: The whole script; nil when a line cannot be read or no Prometheus would start.
    package mutating func fill(_ text: String, notice: (String) -> Void) -> String? {
        defer { server?.stop() }
        var filled: [String] = []
        var loadStep: Int64?
        var isAnswer = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            let bare = line.drop { $0 == " " }
            let isIndented = line.hasPrefix(" ") && !bare.hasPrefix("#")
            if isIndented, isAnswer { continue }
            filled.append(line)
            if bare.isEmpty || bare.hasPrefix("#") { continue }
            if isIndented {
                guard let step = loadStep, let series = ScriptSeries(String(bare)) else {
                    notice("cannot be read: \(line)")
                    return nil
                }
                source.all.append(series.loaded(stepMilliseconds: step))
                continue
            }
            isAnswer = false
            if let evaluation = ScriptEvaluation(line) {
                isAnswer = true
                guard let lines = answer(evaluation, notice) else { return nil }
                filled += lines.map { "  \($0)" }
                continue
            }
            // New series are sent before the next case is asked.
            server?.stop()
            server = nil
            let words = line.split(separator: " ")
            if words.first == "clear" { source = ArraySource() }
            loadStep =
                words.first == "load" && words.count > 1
                ? PrometheusTime.durationMilliseconds(String(words[1])) : nil
        }
        return filled.joined(separator: "\n")
    }

    private mutating func answer(
        _ evaluation: ScriptEvaluation,
        _ notice: (String) -> Void
    ) -> [String]? {
        cases += 1
        let order = LabelOrder.sortedIndices(source.all.map(\.labels))
        let sorted = ArraySource(all: order.map { source.all[$0] })
        if server == nil { server = PrometheusServer(program, series: sorted.all) }
        let question = evaluation.question
        guard let their = server?.ask(question.path, question.parameters)?.body,
            let theirs = try? JSONParser.parse(their)
        else { return nil }
        let our = DifferentialRun.answer(question, sorted, semantics: .version3)
        guard let ours = try? JSONParser.parse(our.body) else { return nil }
        let isOrdered = evaluation.step == nil && AnswerComparison.isOrdered(evaluation.query)
        let verdict = AnswerComparison.compare(
            ours: ours,
            theirs: theirs,
            isOrdered: isOrdered,
            tolerance: Self.tolerance
        )
        switch verdict {
        case .equal, .close: break
        case .wording(let text), .different(let text):
            differences += 1
            notice("\(evaluation.query)\n    at \(question.times.map(\.1)): \(text)")
            return []
        }
        let value = try? evaluation.evaluate(sorted, context: QueryContext())
        guard let answer = ScriptAnswer(theirs, ours: value, of: evaluation) else {
            differences += 1
            notice("\(evaluation.query)\n    has an answer that scripts do not hold")
            return []
        }
        return answer.lines
    }
}
