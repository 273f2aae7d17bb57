internal import WeirAlerts
internal import WeirCore
internal import WeirQuery
internal import WeirStore
internal import WeirSystem

/// Evaluates rules over the store.
///
/// Runs on the rule loop's own threads: users' queries, however many wait, never keep a rule from
/// being evaluated.
struct StoreRuleEvaluator: RuleEvaluator {
    let store: Store
    let source: StoreSampleSource
    let logSource: any RowSource
    let configuration: ServerConfiguration
    let telemetry: ServerTelemetry

    func check(_ expression: String) -> String? { check(expression, language: .automatic) }

    func check(_ expression: String, language: RuleLanguage) -> String? {
        RuleExpressions.check(
            expression,
            language: language,
            hasExperiments: configuration.promqlExperimentalFunctions
        )
    }

    func canonical(_ expression: String) -> String { canonical(expression, language: .automatic) }

    func canonical(_ expression: String, language: RuleLanguage) -> String {
        RuleExpressions.canonical(expression, language: language)
    }

    func evaluate(
        _ expression: String,
        atMilliseconds: Int64
    ) throws(RuleEvaluationError) -> [RuleSample] {
        try evaluate(expression, language: .automatic, atMilliseconds: atMilliseconds)
    }

    func evaluate(
        _ expression: String,
        language: RuleLanguage,
        atMilliseconds: Int64
    ) throws(RuleEvaluationError) -> [RuleSample] {
        let start = Stopwatch.monotonicNanoseconds()
        defer {
            telemetry.ruleEvaluations.observe(
                seconds: Double(Stopwatch.monotonicNanoseconds() - start) / 1e9
            )
        }
        let context = QueryContext(
            samplesMax: configuration.querySamplesMax,
            seriesMax: configuration.querySeriesMax,
            memoryBytesMax: configuration.queryMemoryBytesMax,
            timeoutMilliseconds: Int(configuration.queryTimeout / 1_000_000)
        )
        do throws(QueryError) {
            switch try value(expression, language, atMilliseconds, context) {
            case .vector(_, let samples):
                return samples.map { RuleSample(labels: $0.labels, value: $0.value) }
            case .scalar(_, let value): return [RuleSample(labels: .empty, value: value)]
            case .string, .matrix:
                throw .invalid(reason: "rule result is not a vector or scalar")
            }
        } catch {
            telemetry.ruleFailures.add(1)
            throw RuleEvaluationError(reason: error.message(query: expression))
        }
    }

    private func value(
        _ expression: String,
        _ language: RuleLanguage,
        _ milliseconds: Int64,
        _ context: QueryContext
    ) throws(QueryError) -> QueryValue {
        switch try RuleExpressions.parse(expression, language: language) {
        case .promQL(let parsed):
            return try PromQL.evaluateInstant(
                parsed,
                atMilliseconds: milliseconds,
                source: source,
                context: context
            )
        case .logQL(let parsed):
            let (time, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
            guard !overflow else { throw .invalid(reason: "time is out of range") }
            return try LogQL.evaluateInstant(
                parsed,
                atNanoseconds: time,
                source: logSource,
                context: context
            )
        }
    }

    func write(
        _ samples: [RuleSample],
        atMilliseconds: Int64
    ) throws(RuleEvaluationError) {
        guard !samples.isEmpty else { return }
        var batch = RowBatch(signal: .metrics)
        for (index, sample) in samples.enumerated() {
            batch.streams.append(sample.labels)
            batch.firstLines.append(0)
            batch.streamIndexes.append(UInt32(index))
            batch.times.append(atMilliseconds * 1_000_000)
            batch.columns[0].floats.append(sample.value)
        }
        let outcome = Monitor<Result<AppendOutcome, StoreError>?>(nil)
        store.append(batch) { result in outcome.update { $0 = result } }
        switch outcome.wait(until: { $0 }) {
        case .failure(let error)?: throw RuleEvaluationError(reason: "\(error)")
        case .success(let taken)?:
            if let refusal = taken.refusal {
                throw RuleEvaluationError(
                    reason: "series-max: \(refusal.refusedStreams) series refused"
                )
            }
        case nil: throw RuleEvaluationError(reason: "the store is stopping")
        }
    }
}
