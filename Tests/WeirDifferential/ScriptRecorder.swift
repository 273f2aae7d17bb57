internal import WeirCore
internal import WeirQuery
internal import WeirTestSupport

/// Writes scripts of cases that a real Prometheus and Weir answered alike.
///
/// Data and queries are seeded; docs/testing.md says how the scripts read.
package struct ScriptRecorder {
    /// No answer with more series or points is kept: scripts are for reading.
    private static let seriesMax = 4
    private static let lengthMax = 110

    private let program: PrometheusServer.Program

    /// Whether native histograms are among the series, and most of the queries are about them.
    private let hasHistograms: Bool

    package init(_ program: PrometheusServer.Program, hasHistograms: Bool) {
        self.program = program
        self.hasHistograms = hasHistograms
    }

    /// One script with `count` cases.
    ///
    /// - Returns: Nil when no Prometheus would start.
    package func record(count: Int, seed: UInt64) -> String? {
        let data = ScriptData(seed: seed, hasHistograms: hasHistograms)
        var source = ArraySource()
        for one in data.series {
            source.all.append(one.loaded(stepMilliseconds: ScriptData.stepSeconds * 1000))
        }
        let order = LabelOrder.sortedIndices(source.all.map(\.labels))
        source.all = order.map { source.all[$0] }
        guard let server = PrometheusServer(program, series: source.all) else { return nil }
        defer { server.stop() }
        var text = "# Recorded: a Prometheus 3.5 and Weir gave these answers alike. Seed \(seed).\n"
        text += "clear\nload \(ScriptData.stepSeconds)s\n"
        for index in order {
            guard let line = data.series[index].text else { return nil }
            text += "  \(line)\n"
        }
        var queries = RandomQueries(
            seed: seed ^ 0x5EED,
            firstSecond: 0,
            spanSeconds: 600,
            histogramShare: hasHistograms ? 0.8 : 0
        )
        var random = SplitMix64(seed: seed ^ 0x71AE)
        var kept: Set<String> = []
        var empties = 0
        var tries = 0
        while kept.count < count, tries < count * 40 {
            tries += 1
            let query = queries.next()
            guard query.utf8.count <= Self.lengthMax, !kept.contains(query),
                let entry = record(query, server, source, &random)
            else { continue }
            if entry.isEmpty {
                empties += 1
                guard empties * 10 < kept.count + 20 else { continue }
            }
            kept.insert(query)
            text += "\n\(entry.text)"
        }
        return text
    }

    private func record(
        _ query: String,
        _ server: PrometheusServer,
        _ source: ArraySource,
        _ random: inout SplitMix64
    ) -> (text: String, isEmpty: Bool)? {
        let time = Int64.random(in: 0...22, using: &random) * 30
        let isRange = Int.random(in: 0...2, using: &random) == 0
        let step = [15, 30, 60, 90].randomElement(using: &random) ?? 60
        let evaluation = ScriptEvaluation(
            query,
            from: time * 1000,
            through: (isRange ? time + 240 : time) * 1000,
            step: isRange ? Int64(step) * 1000 : nil
        )
        let question = evaluation.question
        let ours = DifferentialRun.answer(question, source, semantics: .version3)
        guard let their = server.ask(question.path, question.parameters)?.body,
            let theirs = try? JSONParser.parse(their),
            let our = try? JSONParser.parse(ours.body)
        else { return nil }
        let isOrdered = !isRange && AnswerComparison.isOrdered(query)
        switch AnswerComparison.compare(ours: our, theirs: theirs, isOrdered: isOrdered) {
        case .equal, .close: break
        default: return nil
        }
        let head =
            isRange
            ? "eval range from \(time)s to \(time + 240)s step \(step)s \(query)\n"
            : "eval instant at \(time)s \(query)\n"
        let value = try? evaluation.evaluate(source, context: QueryContext())
        guard let answer = ScriptAnswer(theirs, ours: value, of: evaluation),
            answer.seriesCount <= Self.seriesMax
        else { return nil }
        return (head + answer.lines.map { "  \($0)\n" }.joined(), answer.isEmpty)
    }
}
