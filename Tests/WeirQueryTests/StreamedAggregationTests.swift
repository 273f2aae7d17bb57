import Testing
import WeirDifferential
import WeirQuery

/// Aggregating while series are read gives what aggregating afterwards gives.
@Suite struct StreamedAggregationTests {
    @Test(arguments: ["sum", "avg", "min", "max", "count", "group"])
    func readingOrderDoesNotMatter(_ operation: String) throws {
        var source = DifferentialData(seed: 11).source
        source.isConcurrent = true
        for operand in [
            "temperature", "special", "rate(requests_total[5m])", "churn offset 3m", "nothing",
            "avg_over_time({__name__=~\"temperature|humidity\"}[10m])",
            "last_over_time(special[1m])",
            "quantile_over_time(0.5, queue_depth[5m])", "deriv(temperature[5m] @ 1700004000)",
        ] {
            for grouping in ["", " by (room)", " without (host)", " by (__name__)"] {
                let query = "\(operation)\(grouping) (\(operand))"
                let collected = try Self.answer(query, source, streamedCellsMin: .max)
                let streamed = try Self.answer(query, source, streamedCellsMin: 0)
                #expect(collected.map(\.labels) == streamed.map(\.labels), "\(query)")
                #expect(collected.map(\.times) == streamed.map(\.times), "\(query)")
                for (left, right) in zip(collected, streamed) {
                    let isClose = zip(left.values, right.values).allSatisfy { one, other in
                        one == other || (one.isNaN && other.isNaN)
                            || (one - other).magnitude <= 1e-12 * one.magnitude
                    }
                    #expect(isClose, "\(query)")
                }
            }
        }
    }

    private static func answer(
        _ query: String,
        _ source: ArraySource,
        streamedCellsMin: Int
    ) throws -> [QuerySeries] {
        var options = PromQLOptions()
        options.streamedCellsMin = streamedCellsMin
        let value = try PromQL.evaluateRange(
            query,
            fromMilliseconds: DifferentialData.start,
            throughMilliseconds: DifferentialData.start + 7_200_000,
            stepMilliseconds: 60000,
            source: source,
            context: QueryContext(),
            options: options
        )
        guard case .matrix(let series) = value else { return [] }
        return series
    }
}
