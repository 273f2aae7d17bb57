import Testing
import WeirCore
import WeirQuery
import WeirTestSupport

struct TraceQLPropertyTests {
    @Test func randomQueriesFindWhatANaiveEvaluatorFinds() throws {
        for seed in 0..<40 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            let (naive, table) = NaiveTraceQL.random(&random)
            for _ in 0..<25 {
                let text = RandomTraceQL.spanset(&random)
                let query = try TraceQLParser.parse(text)
                #expect(try table.found(text) == naive.found(query), "seed \(seed): \(text)")
            }
        }
    }

    @Test func randomCountsAreThoseOfTheSpansFound() throws {
        for seed in 100..<120 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            let (naive, table) = NaiveTraceQL.random(&random)
            for _ in 0..<10 {
                let text = RandomTraceQL.spanset(&random, depth: 1)
                let count = naive.found(try TraceQLParser.parse(text)).count
                let series = try table.series(text + " | count_over_time()")
                #expect(series == (count == 0 ? [] : ["{} \(count)"]), "seed \(seed): \(text)")
            }
        }
    }
}
