import Testing
import WeirCore
import WeirDifferential
import WeirQuery

@Suite struct PrometheusAPITests {
    private static let source = ArraySource(all: [
        .init(
            labels: Labels([("__name__", "up"), ("job", "x"), ("Zone", "eu \"1\"")]),
            times: [1000, 61000, 121_000],
            values: [1, 0.5, 1e21]
        ),
        .init(
            labels: Labels([("__name__", "up"), ("job", "y")]),
            times: [1000, 61000],
            values: [.nan, -.infinity]
        ),
        .init(labels: Labels([("__name__", "late")]), times: [9_000_000], values: [1]),
    ])

    /// The body without its stats, which hold a time.
    private static func body(_ answer: PrometheusAnswer) -> String {
        AnswerComparison.withoutStats(answer.body)
    }

    private static func query(_ parameters: [(String, String)]) -> PrometheusAnswer {
        PrometheusAPI.query(
            parameters: parameters,
            source: source,
            context: QueryContext(),
            nowMilliseconds: 61500
        )
    }

    @Test func instantVectorIsWrittenAsPrometheusWritesIt() {
        let answer = Self.query([("query", "up"), ("time", "61.25")])
        #expect(answer.status == 200)
        #expect(
            Self.body(answer)
                == #"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"Zone":"eu \"1\"","__name__":"up","job":"x"},"value":[61.250,"0.5"]},{"metric":{"__name__":"up","job":"y"},"value":[61.250,"-Inf"]}]}}"#
        )
    }

    @Test(arguments: [
        ("1", #"{"status":"success","data":{"resultType":"scalar","result":[61.5,"1"]}}"#),
        ("'a'", #"{"status":"success","data":{"resultType":"string","result":[61.5,"a"]}}"#),
        ("nothing", #"{"status":"success","data":{"resultType":"vector","result":[]}}"#),
        (
            "up{job='y'}[2m]",
            #"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up","job":"y"},"values":[[1,"NaN"],[61,"-Inf"]]}]}}"#
        ),
    ])
    func everyTypeHasItsShape(_ query: String, _ body: String) {
        #expect(Self.body(Self.query([("query", query)])) == body)
    }

    @Test func rangeIsAMatrix() {
        let answer = PrometheusAPI.queryRange(
            parameters: [
                ("query", "up{job=\"x\"}"), ("start", "1970-01-01T00:01:01Z"), ("end", "180"),
                ("step", "1m"),
            ],
            source: Self.source,
            context: QueryContext()
        )
        #expect(
            Self.body(answer)
                == #"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"Zone":"eu \"1\"","__name__":"up","job":"x"},"values":[[61,"0.5"],[121,"1e+21"]]}]}}"#
        )
    }

    @Test(
        arguments: [
            (
                [("query", "sum(")], 400, "bad_data",
                "invalid parameter \"query\": 1:5: parse error: unclosed left parenthesis"
            ),
            ([("query", "\n up +")], 400, "bad_data", "2:6: parse error"),
            ([], 400, "bad_data", "no expression found in input"),
            (
                [("query", "up"), ("time", "x")], 400, "bad_data",
                "invalid parameter \"time\": invalid time value for 'time': cannot parse \"x\""
            ),
            ([("query", "up"), ("limit", "-1")], 400, "bad_data", "limit must be non-negative"),
            ([("query", "up + on () up")], 422, "execution", "many-to-many matching not allowed"),
            ([("query", "info(up)")], 400, "bad_data", "function \"info\" is not enabled"),
        ] as [([(String, String)], Int, String, String)]
    )
    func errorsHaveTheirTypeAndText(
        _ parameters: [(String, String)],
        _ status: Int,
        _ type: String,
        _ part: String
    ) throws {
        let answer = Self.query(parameters)
        #expect(answer.status == status)
        let json = try JSONParser.parse(answer.body)
        #expect(json["status"]?.string == "error")
        #expect(json["errorType"]?.string == type)
        #expect(json["error"]?.string?.contains(part) == true, "\(json)")
    }

    @Test(arguments: [
        (["start": "0", "end": "10", "step": "0"], "zero or negative query resolution step"),
        (
            ["start": "0", "end": "20000", "step": "1"],
            "exceeded maximum resolution of 11,000 points"
        ),
        (["start": "10", "end": "0", "step": "1"], "end timestamp must not be before start time"),
        (["end": "0", "step": "1"], "invalid parameter \"start\": cannot parse \"\""),
        (
            ["start": "0", "end": "1"],
            "invalid parameter \"step\": cannot parse \"\" to a valid duration"
        ),
        (["start": "0", "end": "1e300", "step": "1"], "invalid parameter \"end\""),
    ])
    func badRangesAreRefused(_ parameters: [String: String], _ part: String) throws {
        let answer = PrometheusAPI.queryRange(
            parameters: parameters.map { ($0.key, $0.value) } + [("query", "up")],
            source: Self.source,
            context: QueryContext()
        )
        #expect(answer.status == 400)
        let json = try JSONParser.parse(answer.body)
        #expect(json["error"]?.string?.contains(part) == true, "\(json)")
    }

    @Test func labelsAndValuesAndSeriesAreSorted() {
        let context = QueryContext()
        #expect(
            Self.body(PrometheusAPI.labels(parameters: [], source: Self.source, context: context))
                == #"{"status":"success","data":["Zone","__name__","job"]}"#
        )
        #expect(
            Self.body(
                PrometheusAPI.labelValues(
                    name: "__name__",
                    parameters: [("end", "100")],
                    source: Self.source,
                    context: context
                )
            ) == #"{"status":"success","data":["up"]}"#
        )
        #expect(
            Self.body(
                PrometheusAPI.labelValues(
                    name: "job",
                    parameters: [("match[]", "up"), ("limit", "1")],
                    source: Self.source,
                    context: context
                )
            )
                == #"{"status":"success","data":["x"],"warnings":["results truncated due to limit"]}"#
        )
        #expect(
            Self.body(
                PrometheusAPI.series(
                    parameters: [("match[]", "up{job='y'}"), ("match[]", "late")],
                    source: Self.source,
                    context: context
                )
            )
                == #"{"status":"success","data":[{"__name__":"late"},{"__name__":"up","job":"y"}]}"#
        )
    }

    @Test func seriesWantsAMatcher() {
        let answer = PrometheusAPI.series(
            parameters: [],
            source: Self.source,
            context: QueryContext()
        )
        #expect(
            Self.body(answer)
                == #"{"status":"error","errorType":"bad_data","error":"no match[] parameter provided"}"#
        )
    }

    @Test func formatQueryPrintsCanonicalText() {
        let answer = PrometheusAPI.formatQuery(parameters: [("query", "sum(up)by(job)")])
        #expect(Self.body(answer) == #"{"status":"success","data":"sum by (job) (up)"}"#)
    }

    @Test func statsTellWhatWasRead() throws {
        let json = try JSONParser.parse(Self.query([("query", "up")]).body)
        let stats = try #require(json["data"]?["stats"])
        #expect(stats["rows"]?.int == 4)
        #expect(stats["blocks"]?.int == 2)
        #expect(stats["bytes"]?.int == 64)
        #expect(stats["milliseconds"]?.double != nil)
    }

    @Test func lookbackAndTimeoutComeFromTheRequest() {
        let answer = Self.query([("query", "up"), ("time", "65"), ("lookback_delta", "3s")])
        #expect(Self.body(answer).contains(#""result":[]"#))
        #expect(PrometheusAPI.timeoutMilliseconds(in: [("timeout", "2s")], maximum: 9000) == 2000)
        #expect(PrometheusAPI.timeoutMilliseconds(in: [("timeout", "1h")], maximum: 9000) == 9000)
        #expect(PrometheusAPI.timeoutMilliseconds(in: [], maximum: 9000) == 9000)
    }

    @Test(
        arguments: [
            ("1435781430.781", 1_435_781_430_781), ("-1.5", -1500),
            ("2015-07-01T20:10:30.781Z", 1_435_781_430_781),
            ("2015-07-01T22:10:30+02:00", 1_435_781_430_000),
            ("2015-02-29T00:00:00Z", nil), ("2015-13-01T00:00:00Z", nil), ("", nil), ("now", nil),
            ("1e300", nil), ("NaN", nil), ("2015-07-01T20:10:30", nil),
        ] as [(String, Int64?)]
    )
    func timesAreRead(_ text: String, _ milliseconds: Int64?) {
        #expect(PrometheusTime.milliseconds(text) == milliseconds)
    }
}
