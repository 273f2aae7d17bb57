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

    package init(_ program: PrometheusServer.Program) { self.program = program }

    /// One script with `count` cases.
    ///
    /// - Returns: Nil when no Prometheus would start.
    package func record(count: Int, seed: UInt64) -> String? {
        let data = ScriptData(seed: seed)
        var source = ArraySource()
        for one in data.series {
            var series = ArraySource.Series(labels: one.labels, times: [], values: [])
            for (index, value) in one.values.enumerated() {
                guard let value else { continue }
                series.times.append(Int64(index) * ScriptData.stepSeconds * 1000)
                series.values.append(value)
            }
            source.all.append(series)
        }
        let order = LabelOrder.sortedIndices(source.all.map(\.labels))
        source.all = order.map { source.all[$0] }
        guard let server = PrometheusServer(program, series: source.all) else { return nil }
        defer { server.stop() }
        var text = "# Recorded: a Prometheus 3.5 and Weir gave these answers alike. Seed \(seed).\n"
        text += "clear\nload \(ScriptData.stepSeconds)s\n"
        for index in order {
            let one = data.series[index]
            text += "  \(Self.text(one.labels)) \(Self.text(one.values))\n"
        }
        var queries = RandomQueries(seed: seed ^ 0x5EED, firstSecond: 0, spanSeconds: 600)
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
        let question = DifferentialRun.Question(
            query: query,
            times: isRange
                ? [("start", "\(time)"), ("end", "\(time + 240)"), ("step", "\(step)")]
                : [("time", "\(time)")]
        )
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
        guard theirs["status"]?.string == "success" else {
            let message = theirs["error"]?.string ?? ""
            let reason = message.replacing("invalid parameter \"query\": ", with: "")
            return ("\(head)  expect fail msg: \(reason)\n", false)
        }
        var text = isOrdered ? "\(head)  expect ordered\n" : head
        for (kind, word) in [("warnings", "warn"), ("infos", "info")] {
            for note in (theirs[kind]?.array ?? []).compactMap(\.string).sorted() {
                if note.hasSuffix("omitted") { return nil }
                text += "  expect \(word) msg: \(note)\n"
            }
        }
        let result = theirs["data"]?["result"]?.array ?? []
        switch theirs["data"]?["resultType"]?.string {
        case "scalar": return ("\(text)  \(result.last?.string ?? "")\n", false)
        case "vector":
            guard result.count <= Self.seriesMax else { return nil }
            for one in result {
                text += "  \(Self.labels(one)) \(one["value"]?.array?.last?.string ?? "")\n"
            }
        case "matrix":
            guard result.count <= Self.seriesMax else { return nil }
            for one in result { text += "  \(Self.labels(one)) \(Self.row(one, time, step))\n" }
        default: return nil
        }
        return (text, result.isEmpty)
    }

    private static func labels(_ series: JSONValue) -> String {
        text(Labels((series["metric"]?.members ?? []).map { ($0.key, $0.value.string ?? "") }))
    }

    /// Values at each step, `_` where there is none.
    private static func row(_ series: JSONValue, _ start: Int64, _ step: Int) -> String {
        var texts: [String?] = []
        for point in series["values"]?.array ?? [] {
            guard let pair = point.array, pair.count == 2, case .number(let time) = pair[0],
                let seconds = Double(time), let text = pair[1].string
            else { continue }
            let index = Int((seconds - Double(start)) / Double(step))
            while texts.count < index { texts.append(nil) }
            texts.append(text)
        }
        return runs(texts.map { $0 ?? "_" })
    }

    /// `name{a="b"}` as scripts write series.
    private static func text(_ labels: Labels) -> String {
        var pairs = LabelOrder.pairs(labels)
        var name = ""
        if let own = labels[Labels.metricNameLabel], PromQLPrinter.label(own) == own {
            name = own
            pairs.removeAll { $0.name == Labels.metricNameLabel }
        }
        let matchers = pairs.map { pair in
            PromQLPrinter.label(pair.name) + "=" + PromQLStringLiteral.quote(pair.value)
        }
        if matchers.isEmpty, !name.isEmpty { return name }
        return "\(name){\(matchers.joined(separator: ","))}"
    }

    private static func text(_ values: [Double?]) -> String {
        runs(
            values.map { value in
                guard let value else { return "_" }
                return value.isAbsent ? "stale" : NumberText.sample(value)
            }
        )
    }

    /// Runs of one value as `5x3`: it and three more.
    private static func runs(_ written: [String]) -> String {
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
