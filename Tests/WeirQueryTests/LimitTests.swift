import Testing
import WeirCore
import WeirDifferential
import WeirQuery

/// Hostile queries are refused by the name of the limit they reach, before they cost much.
@Suite struct LimitTests {
    private static let source = ArraySource(
        all: (0..<50).map { index in
            ArraySource.Series(
                labels: Labels([("__name__", "m"), ("i", "\(index)")]),
                times: [1000],
                values: [Double(index)]
            )
        }
    )

    private static func error(
        _ query: String,
        _ context: QueryContext = QueryContext(memoryBytesMax: 1 << 20)
    ) -> QueryError? {
        do throws(QueryError) {
            _ = try PromQL.evaluateInstant(
                query,
                atMilliseconds: 2000,
                source: source,
                context: context
            )
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        ("max_over_time(m[10d:1s])", "query memory bytes"),
        ("sum_over_time(vector(time() + time())[5d:1s])", "query memory bytes"),
        ("max_over_time(m[100y:1ms])", "subquery steps"),
        (
            "label_join(m, \"a\", \"\(String(repeating: "x", count: 40000))\", \"i\", \"i\")",
            "label value bytes"
        ),
        ("m{a=\"\(String(repeating: "x", count: 70000))\"}", "query length in bytes"),
    ])
    func limitIsNamed(_ query: String, _ name: String) {
        guard case .limit(let found, _) = Self.error(query) else {
            Issue.record("\(query.prefix(60)): \(String(describing: Self.error(query)))")
            return
        }
        #expect(found == name)
    }

    @Test func seriesAndSamplesAreCounted() {
        #expect(
            Self.error("m", QueryContext(seriesMax: 49))
                == .limit(name: "query series", limit: 49)
        )
        #expect(
            Self.error("m", QueryContext(samplesMax: 49))
                == .limit(name: "query samples", limit: 49)
        )
    }

    @Test func cancelledAndLateQueriesStop() {
        let context = QueryContext()
        context.cancel()
        #expect(Self.error("m", context) == .cancelled)
        #expect(
            Self.error("m", QueryContext(timeoutMilliseconds: -1))
                == .timedOut(milliseconds: -1)
        )
    }

    @Test func memoryIsGivenBack() throws {
        let context = QueryContext(memoryBytesMax: 100_000)
        for _ in 0..<1000 {
            _ = try PromQL.evaluateInstant(
                "sum(abs(m) + on (i) m)",
                atMilliseconds: 2000,
                source: Self.source,
                context: context
            )
        }
    }

    /// Whatever parses is answered or refused; nothing traps.
    @Test(arguments: 0..<12)
    func randomQueriesNeverTrap(_ seed: Int) {
        let names = ["up", "a:b:c", "sum", "by", "_m", "start", "bottomk", "Offset", "up.q"]
        let values = [
            1, .nan, .infinity, -.infinity, 1e308, -1e308, .absent, 0, -0.0,
            Double.leastNonzeroMagnitude,
        ]
        let source = ArraySource(
            all: names.flatMap { name in
                (0..<3).map { index in
                    ArraySource.Series(
                        labels: Labels([("__name__", name), ("a", "x\(index)"), ("job", "j")]),
                        times: (0..<40).map { Int64($0) * 15000 + Int64(index) },
                        values: (0..<40).map { values[($0 + index) % values.count] }
                    )
                }
            }
        )
        var generator = ExpressionGenerator(seed: UInt64(seed) &+ 500)
        for _ in 0..<150 {
            guard let expression = try? PromQL.parse(generator.vector(depth: 4)) else { continue }
            for time in [Int64(300_000), PrometheusTime.millisecondsMax] {
                _ = try? PromQL.evaluateInstant(
                    expression,
                    atMilliseconds: time,
                    source: source,
                    context: QueryContext(memoryBytesMax: 1 << 20)
                )
            }
            _ = try? PromQL.evaluateRange(
                expression,
                fromMilliseconds: 0,
                throughMilliseconds: 600_000,
                stepMilliseconds: 60000,
                source: source,
                context: QueryContext(memoryBytesMax: 1 << 20)
            )
        }
    }
}
