internal import WeirCore
package import WeirQuery
internal import WeirTestSupport

/// Asks Weir and a Prometheus the same of the same data, again and again.
package struct DifferentialRun {
    /// What came of a run.
    package struct Report {
        package var queries = 0
        package var equal = 0
        package var close = 0
        package var refused = 0
        package var empty = 0
        /// How often printing and trees were compared.
        package var forms = 0
        /// Refused by both in words of their own, or answered in a way that docs/promql.md explains.
        package var explained: [String: Int] = [:]
        /// Each with its query and when it was asked.
        package var differences: [String] = []

        package var summary: String {
            let reasons = explained.sorted { $0.key < $1.key }
                .map { "\($0.value) \($0.key)" }.joined(separator: ", ")
            return "\(queries) queries: \(equal) equal to the last bit, \(close) but for rounding, "
                + "\(differences.count) different; explained: "
                + (reasons.isEmpty ? "none" : reasons)
                + "; \(refused) refused, \(empty) empty; \(forms) printed and parsed"
        }
    }

    /// One question: the path and its parameters.
    package struct Question {
        package let query: String
        package let times: [(String, String)]
        package var isRange: Bool { times.count > 1 }
        package var path: String { isRange ? "/api/v1/query_range" : "/api/v1/query" }
        package var parameters: [(String, String)] { [("query", query)] + times }

        package init(query: String, times: [(String, String)]) {
            self.query = query
            self.times = times
        }
    }

    /// Every so many queries the data are made anew.
    package static let queriesPerData = 1000

    private let program: PrometheusServer.Program
    /// Says what was explained, too.
    package var isTalkative = false
    package private(set) var report = Report()
    /// What `--seed` makes `--ask` ask the same data.
    private var dataSeed: UInt64?

    package init(_ program: PrometheusServer.Program) { self.program = program }

    /// Asks `count` random queries, all told by `seed`.
    ///
    /// - Returns: False when no Prometheus would start.
    package mutating func run(count: Int, seed: UInt64, notice: (String) -> Void) -> Bool {
        var left = count
        var part: UInt64 = 0
        while left > 0 {
            let dataSeed = seed &* 1_000_003 &+ part
            let data = DifferentialData(seed: dataSeed, isVersion3: program.isVersion3)
            self.dataSeed = dataSeed
            guard let server = PrometheusServer(program, series: data.source.all) else {
                return false
            }
            defer { server.stop() }
            var queries = RandomQueries(
                seed: dataSeed ^ 0x5EED,
                histogramShare: program.isVersion3 ? 0.25 : 0
            )
            var random = SplitMix64(seed: dataSeed ^ 0x71AE)
            for _ in 0..<min(left, Self.queriesPerData) {
                let question = Self.question(queries.next(), &random)
                ask(question, server, data.source, notice)
                if program.isVersion3, queries.chance(of: 4) {
                    askForms(of: question.query, server, notice)
                }
            }
            left -= min(left, Self.queriesPerData)
            part += 1
        }
        return true
    }

    /// Asks both what `lines` say, each a query, a tab and its times, and shows both answers.
    ///
    /// - Returns: False when no Prometheus would start.
    package func show(_ lines: [String], seed: UInt64, _ notice: (String) -> Void) -> Bool {
        let data = DifferentialData(seed: seed, isVersion3: program.isVersion3)
        guard let server = PrometheusServer(program, series: data.source.all) else { return false }
        defer { server.stop() }
        for line in lines {
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false)
            let times = parts.dropFirst().joined(separator: "&").split(separator: "&").map { part in
                let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
                return (pair[0], pair.count > 1 ? pair[1] : "")
            }
            let question = Question(
                query: String(parts[0]),
                times: times.isEmpty ? [("time", "\(DifferentialData.start / 1000 + 600)")] : times
            )
            let theirs = server.ask(question.path, question.parameters)?.body ?? []
            let ours = Self.answer(
                question,
                data.source,
                semantics: program.isVersion3 ? .version3 : .version2
            )
            let texts = (
                AnswerComparison.withoutStats(ours.body), String(decoding: theirs, as: UTF8.self)
            )
            let isEqual =
                (try? JSONParser.parse(Array(texts.0.utf8)))
                == (try? JSONParser.parse(Array(texts.1.utf8)))
            if isEqual {
                notice("same   \(question.query)")
            } else {
                notice("differ \(question.query)\n  ours   \(texts.0)\n  theirs \(texts.1)")
            }
        }
        return true
    }

    private static func question(_ query: String, _ random: inout SplitMix64) -> Question {
        let first = DifferentialData.start / 1000
        let span = DifferentialData.spanSeconds
        let time = first + Int64.random(in: 0...(span / 15), using: &random) * 15
        switch Int.random(in: 0...5, using: &random) {
        case 0, 1: return Question(query: query, times: [("time", "\(time)")])
        case 2:
            let fraction = Int64.random(in: 100...999, using: &random)
            return Question(query: query, times: [("time", "\(time).\(fraction)")])
        case 3:
            return Question(
                query: query,
                times: [("start", "\(first)"), ("end", "\(first + span)"), ("step", "97")]
            )
        case 4:
            return Question(
                query: query,
                times: [("start", "\(time)"), ("end", "\(time + 600)"), ("step", "15")]
            )
        default:
            return Question(
                query: query,
                times: [("start", "\(time)"), ("end", "\(time + 300)"), ("step", "7.5")]
            )
        }
    }

    /// Compares how both print a query and what tree they see in it.
    package mutating func askForms(
        of query: String,
        _ server: PrometheusServer,
        _ notice: (String) -> Void
    ) {
        var options = PromQLOptions()
        options.hasExperiments = true
        let parameters = [("query", query)]
        for (path, ours) in [
            (
                "/api/v1/format_query",
                PrometheusAPI.formatQuery(parameters: parameters, options: options)
            ),
            (
                "/api/v1/parse_query",
                PrometheusAPI.parseQuery(parameters: parameters, options: options)
            ),
        ] {
            report.forms += 1
            let theirs = server.ask(path, parameters)?.body ?? []
            let answers = [ours.body, theirs].map { try? JSONParser.parse($0) }
            guard answers[0] != answers[1] else { continue }
            let printed = answers[0]?["data"]?.string
            if let reason = KnownDifferences.printingReason(query, printed) {
                report.explained[reason, default: 0] += 1
                continue
            }
            let texts = [ours.body, theirs].map { String(decoding: $0, as: UTF8.self) }
            report.differences.append("\(path) \(query)\n    \(texts[0])\n    \(texts[1])")
            notice(report.differences.last ?? "")
        }
    }

    /// Asks both one question and counts what came of it.
    package mutating func ask(
        _ question: Question,
        _ server: PrometheusServer,
        _ source: ArraySource,
        _ notice: (String) -> Void
    ) {
        report.queries += 1
        let times = question.times.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
        let place =
            "\(question.query)\t\(times)\n    of data \(dataSeed.map { "\($0)" } ?? "as given")"
        guard let theirs = server.ask(question.path, question.parameters),
            let their = try? JSONParser.parse(theirs.body)
        else {
            report.differences.append("\(place)\n    prometheus did not answer")
            notice(report.differences.last ?? "")
            return
        }
        let ours = Self.answer(
            question,
            source,
            semantics: program.isVersion3 ? .version3 : .version2
        )
        guard let our = try? JSONParser.parse(ours.body) else {
            report.differences.append("\(place)\n    our answer is no JSON")
            notice(report.differences.last ?? "")
            return
        }
        if theirs.status != 200 { report.refused += 1 }
        if their["data"]?["result"]?.array?.isEmpty ?? false { report.empty += 1 }
        let verdict = Self.compare(our, their, question)
        switch verdict {
        case .equal: report.equal += 1
        case .close: report.close += 1
        case .wording where !program.isVersion3: report.equal += 1
        case .wording(let text), .different(let text):
            let known = KnownDifferences.reason(
                ours: our,
                theirs: their,
                question: question,
                difference: text
            )
            let reason =
                known ?? unsteadiness(our, question, server)
                ?? (try? stepwise(question, source, server))
                ?? freshness(our, question, source)
                ?? KnownDifferences.countingReason(question, text)
            if let reason {
                report.explained[reason, default: 0] += 1
                if isTalkative { notice("\(reason): \(place)\n    \(text)") }
            } else {
                report.differences.append("\(place)\n    \(text)")
                notice(report.differences.last ?? "")
            }
        }
    }

    private static func compare(
        _ ours: JSONValue,
        _ theirs: JSONValue,
        _ question: Question
    ) -> AnswerComparison.Verdict {
        AnswerComparison.compare(
            ours: ours,
            theirs: theirs,
            isOrdered: !question.isRange && AnswerComparison.isOrdered(question.query)
        )
    }

    /// Whether Prometheus says something else when it is asked again, and then what Weir says.
    private func unsteadiness(
        _ ours: JSONValue,
        _ question: Question,
        _ server: PrometheusServer
    ) -> String? {
        for _ in 0..<8 where isAnswer(ours, question, server) {
            return "prometheus said the same when asked again"
        }
        return nil
    }

    /// Whether a Prometheus of the same data that was asked nothing before says what Weir says.
    private func freshness(
        _ ours: JSONValue,
        _ question: Question,
        _ source: ArraySource
    ) -> String? {
        guard let server = PrometheusServer(program, series: source.all) else { return nil }
        defer { server.stop() }
        let isSame = isAnswer(ours, question, server)
        return isSame ? "a prometheus asked nothing else before said the same" : nil
    }

    /// Whether Prometheus says of each time of a range what Weir says of that time.
    private func stepwise(
        _ question: Question,
        _ source: ArraySource,
        _ server: PrometheusServer
    ) throws(JSONError) -> String? {
        let numbers = question.times.compactMap { Double($0.1) }
        guard question.isRange, numbers.count == 3, !question.query.contains("start()"),
            !question.query.contains("end()")
        else { return nil }
        for time in stride(from: numbers[0], through: numbers[1], by: numbers[2]) {
            let single = Question(query: question.query, times: [("time", "\(time)")])
            let ours = Self.answer(single, source, semantics: .version3)
            guard isAnswer(try JSONParser.parse(ours.body), single, server) else { return nil }
        }
        return "prometheus said the same of each time alone"
    }

    private func isAnswer(
        _ ours: JSONValue,
        _ question: Question,
        _ server: PrometheusServer
    ) -> Bool {
        guard let body = server.ask(question.path, question.parameters)?.body,
            let theirs = try? JSONParser.parse(body)
        else { return false }
        switch Self.compare(ours, theirs, question) {
        case .equal, .close: return true
        default: return false
        }
    }

    /// What Weir answers.
    package static func answer(
        _ question: Question,
        _ source: ArraySource,
        semantics: PromQLSemantics
    ) -> PrometheusAnswer {
        var options = PromQLOptions()
        options.semantics = semantics
        options.hasExperiments = semantics.hasNotes
        let context = QueryContext()
        if question.isRange {
            return PrometheusAPI.queryRange(
                parameters: question.parameters,
                source: source,
                context: context,
                options: options
            )
        }
        return PrometheusAPI.query(
            parameters: question.parameters,
            source: source,
            context: context,
            nowMilliseconds: 0,
            options: options
        )
    }
}
