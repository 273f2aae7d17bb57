import Testing
import WeirDifferential
import WeirQuery

/// A source may hand out series on several threads; the answer is the same.
@Suite struct ConcurrentScanTests {
    @Test(arguments: [
        "avg by (job) (rate(requests_total[5m]))", "temperature + on (host) humidity",
        "temperature", "max_over_time(sum(temperature)[10m:1m])", "quantile(0.5, churn)",
    ])
    func threadsDoNotChangeTheAnswer(_ query: String) throws {
        var source = DifferentialData(seed: 3).source
        var answers: [QueryValue] = []
        for isConcurrent in [false, true] {
            source.isConcurrent = isConcurrent
            answers.append(
                try PromQL.evaluateRange(
                    query,
                    fromMilliseconds: DifferentialData.start,
                    throughMilliseconds: DifferentialData.start + 3_600_000,
                    stepMilliseconds: 15000,
                    source: source,
                    context: QueryContext()
                )
            )
        }
        #expect(answers[0] == answers[1])
    }
}
