import Testing

@testable import WeirQuery

/// Which answers can be kept, and until which samples.
@Suite struct StepDependenceTests {
    @Test(
        arguments: [
            ("m", 0), ("m offset 5m", -300_000), ("m offset -5m", 300_000), ("rate(m[10m])", 0),
            ("rate(m[10m] offset -1m) + m offset 1h", 60000),
            ("max_over_time(rate(m[1m] offset -30s)[5m:1m] offset -10s)", 40000),
            ("sum(m offset 1m)", -60000), ("sum(rate({a=\"b\"}[5m]))", 0),
            ("avg(abs(-{a=\"b\"}))", 0), ("topk(3, m)", 0), ("absent(m)", 0),
        ] as [(String, Int64)]
    )
    func looksAhead(_ query: String, _ ahead: Int64) throws {
        let dependence = try #require(StepDependence(try PromQL.parse(query)))
        #expect(dependence.ahead == ahead)
        #expect(dependence.fixed == nil)
        #expect(dependence.isUntouched(at: 1_000_000, bySamplesFrom: 1_000_001 + ahead))
        #expect(!dependence.isUntouched(at: 1_000_000, bySamplesFrom: 1_000_000 + ahead))
    }

    @Test func looksAtFixedTimesToo() throws {
        let both = try #require(
            StepDependence(try PromQL.parse("m @ 100 offset 10s + sum_over_time(m[1m:5s] @ 50)"))
        )
        #expect(both.ahead == nil && both.fixed == 90000)
        #expect(both.isUntouched(at: 5_000_000, bySamplesFrom: 90001))
        #expect(!both.isUntouched(at: 0, bySamplesFrom: 90000))
        let none = try #require(StepDependence(try PromQL.parse("vector(time())")))
        #expect(none.isUntouched(at: 0, bySamplesFrom: .min))
    }

    @Test(arguments: [
        "m @ start()", "sum(rate(m[5m] @ end()))", "max_over_time(m[5m:1m] @ start())", "1 + 1",
        "scalar(m)", "-{a=\"b\"}", "rate({a=\"b\"}[5m])", "-(m or n)", "topk(scalar(n), m)",
        "topk(1, rate({a=\"b\"}[5m]))", "sum(round(rate({a=\"b\"}[5m])))",
        "sum(rate({a=\"b\"}[5m]) + 1)",
        "quantile(scalar(n), m)", "sum_over_time(topk(1, m)[5m:1m])",
        "max_over_time(sort(m)[5m:1m])", "info(m)",
    ])
    func someAnswersHangOnTheRange(_ query: String) throws {
        #expect(StepDependence(try PromQL.parse(query, hasExperiments: true)) == nil)
    }

    @Test(
        arguments: [
            ("m", true), ("rate(m[5m])", true), ("sum(m)", true), ("m * 2", true), ("m / n", true),
            ("m and n", true), ("topk(2, m)", true), ("abs(m)", true), ("sum by (a) (m)", false),
            ("m or n", false), ("m / on (a) n", false), ("histogram_quantile(0.5, m)", false),
            ("label_replace(m, \"a\", \"b\", \"c\", \"d\")", false), ("abs({a=\"b\"})", false),
            ("topk(2, sum by (a) (m))", false), ("sum(sum by (a) (m))", true),
        ] as [(String, Bool)]
    )
    func rowsComeInOneOrderOrNot(_ query: String, _ isOrdered: Bool) throws {
        #expect(RowShape(try PromQL.parse(query)).isOrdered == isOrdered)
    }
}
