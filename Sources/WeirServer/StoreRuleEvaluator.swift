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
                return samples.map { sample in
                    RuleSample(
                        labels: sample.labels,
                        value: sample.value,
                        histogram: sample.histogram?.stored
                    )
                }
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
        var numbers = RowBatch(signal: .metrics)
        var histograms = RowBatch(signal: .histograms)
        let time = atMilliseconds * 1_000_000
        for sample in samples {
            if let histogram = sample.histogram {
                histograms.streams.append(sample.labels)
                histograms.firstLines.append(0)
                histograms.append(histogram, stream: UInt32(histograms.rowCount), time: time)
            } else {
                numbers.streams.append(sample.labels)
                numbers.firstLines.append(0)
                numbers.streamIndexes.append(UInt32(numbers.rowCount))
                numbers.times.append(time)
                numbers.columns[0].floats.append(sample.value)
            }
        }
        if histograms.rowCount > 0 { try write(histograms) }
        if numbers.rowCount > 0 { try write(numbers) }
    }

    private func write(_ batch: RowBatch) throws(RuleEvaluationError) {
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
