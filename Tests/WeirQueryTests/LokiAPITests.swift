import Testing
import WeirCore
import WeirQuery

/// Answers byte for byte, without the stats, which hold a time.
@Suite struct LokiAPITests {
    private static let second: Int64 = 1_000_000_000

    private static let table: LogTable = {
        var table = LogTable()
        table.add(
            10 * second,
            ["service.name": "api", "host": "a"],
            "one \"1\"",
            ["level": "info"]
        )
        table.add(
            20 * second,
            ["service.name": "api", "host": "a"],
            "two 2",
            ["level": "error", "code": "500"]
        )
        table.add(30 * second + 5, ["service.name": "web"], "three 3", ["level": "info"])
        table.add(
            40 * second,
            ["service.name": "web"],
            nil,
            ["a.b": "x", "ok": "true", "n": "1.50"]
        )
        return table
    }()

    private static func api(_ parameters: [(String, String)]) -> LokiAPI {
        LokiAPI(
            parameters: parameters,
            source: table.source,
            context: QueryContext(),
            nowNanoseconds: 100 * second
        )
    }

    private static func logs(_ parameters: [(String, String)]) -> LogsAPI {
        LogsAPI(
            parameters: parameters,
            source: table.source,
            context: QueryContext(),
            nowNanoseconds: 100 * second
        )
    }

    /// Up to the stats.
    private static func text(_ answer: LokiAnswer) -> String {
        let text = String(decoding: answer.body, as: UTF8.self)
        guard let start = text.range(of: ",\"stats\":") else { return text }
        return String(text[..<start.lowerBound])
    }

    @Test func streamsAreFoldedByTheirLabels() {
        let answer = Self.api([
            ("query", "{service_name=\"api\"}"), ("start", "0"), ("end", "60"),
        ]).queryRange()
        #expect(answer.status == 200)
        #expect(answer.contentType == "application/json")
        #expect(
            Self.text(answer)
                == #"{"status":"success","data":{"resultType":"streams","result":[{"stream":{"code":"500","host":"a","level":"error","service_name":"api"},"values":[["20000000000","two 2"]]},{"stream":{"host":"a","level":"info","service_name":"api"},"values":[["10000000000","one \"1\""]]}]"#
        )
    }

    @Test func theEndIsNotWithin() {
        let answer = Self.api([
            ("query", "{}"), ("start", "1970-01-01T00:00:20Z"), ("end", "30000000005"),
            ("direction", "forward"),
        ]).queryRange()
        #expect(Self.text(answer).contains("two 2"))
        #expect(!Self.text(answer).contains("three 3"))
    }

    @Test func limitTakesTheNewest() {
        let answer = Self.api([
            ("query", "{} |= \"o\""), ("start", "0"), ("end", "60"), ("limit", "1"),
        ]).queryRange()
        #expect(Self.text(answer).contains(#"{\"a.b\":\"x\",\"ok\":true,\"n\":1.50}"#))
        #expect(!Self.text(answer).contains("two"))
    }

    @Test func metricsAreAMatrix() {
        let answer = Self.api([
            ("query", "sum by (level) (count_over_time({}[20s]))"), ("start", "20"),
            ("end", "40"), ("step", "20"),
        ]).queryRange()
        #expect(
            Self.text(answer)
                == #"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[40,"1"]]},{"metric":{"level":"error"},"values":[[20,"1"]]},{"metric":{"level":"info"},"values":[[20,"1"],[40,"1"]]}]"#
        )
    }

    @Test func instantIsAVector() {
        let answer = Self.api([("query", "sum(count_over_time({}[1m]))"), ("time", "50.5")]).query()
        #expect(
            Self.text(answer)
                == #"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[50.500,"4"]}]"#
        )
        #expect(
            Self.text(Self.api([("query", "1+1"), ("time", "50")]).query()).contains(
                #""scalar","result":[50,"2"]"#
            )
        )
    }

    @Test func refusalsSayWhere() {
        let answer = Self.api([("query", "{a=\"b\"}\n|= 5")]).queryRange()
        #expect(answer.status == 400)
        #expect(
            Self.text(answer)
                == "parse error at line 2, col 4: unexpected \"5\", expected a quoted string\n"
        )
        #expect(Self.api([("query", "{}"), ("start", "x")]).queryRange().status == 400)
        #expect(Self.api([("query", "{}"), ("limit", "100001")]).queryRange().status == 400)
        #expect(
            Self.api([("query", "{}"), ("start", "5"), ("end", "4")]).queryRange().status == 400
        )
        #expect(Self.api([("query", "{}"), ("direction", "up")]).queryRange().status == 400)
    }

    @Test func namesAndSeries() {
        #expect(
            Self.text(Self.api([]).labels())
                == #"{"status":"success","data":["host","service_name"]}"#
        )
        #expect(
            Self.text(Self.api([]).labelValues("service_name"))
                == #"{"status":"success","data":["api","web"]}"#
        )
        #expect(
            Self.text(Self.api([("query", "{host=\"a\"}")]).labelValues("service_name"))
                == #"{"status":"success","data":["api"]}"#
        )
        #expect(
            Self.text(Self.api([("match[]", "{service_name=\"web\"}")]).series())
                == #"{"status":"success","data":[{"service_name":"web"}]}"#
        )
    }

    @Test func volumesAndStats() {
        #expect(
            Self.text(
                Self.api([("query", "{host=\"a\"}"), ("start", "0"), ("end", "60")]).indexStats()
            )
                == #"{"streams":1,"chunks":1,"entries":2,"bytes":12}"#
        )
        #expect(
            Self.text(
                Self.api([
                    ("query", "{}"), ("start", "0"), ("end", "35"),
                    ("targetLabels", "service_name"),
                ]).volume()
            )
                == #"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"service_name":"api"},"value":[35,"12"]},{"metric":{"service_name":"web"},"value":[35,"7"]}]"#
        )
        #expect(
            Self.text(
                Self.api([
                    ("query", "{service_name=\"web\"}"), ("start", "30"), ("end", "50"),
                    ("step", "20"),
                ]).volumeRange()
            )
                == #"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"service_name":"web"},"values":[[50,"37"]]}]"#
        )
    }

    @Test func detections() {
        #expect(
            Self.text(Self.api([("start", "0"), ("end", "60")]).detectedLabels())
                == #"{"detectedLabels":[{"label":"host","cardinality":1},{"label":"service_name","cardinality":2}]}"#
        )
        #expect(
            Self.text(Self.api([("query", "{}"), ("start", "0"), ("end", "60")]).detectedFields())
                == #"{"fields":[{"label":"a_b","type":"string","cardinality":1,"parsers":null},{"label":"code","type":"int","cardinality":1,"parsers":null},{"label":"level","type":"string","cardinality":2,"parsers":null},{"label":"n","type":"float","cardinality":1,"parsers":null},{"label":"ok","type":"boolean","cardinality":1,"parsers":null}],"limit":1000}"#
        )
        #expect(
            Self.text(
                Self.api([
                    ("query", "{service_name=\"api\"}"), ("start", "0"), ("end", "60"),
                    ("step", "60"),
                ]).patterns()
            )
                == #"{"status":"success","data":[{"pattern":"one \"<_>\"","level":"info","samples":[[0,1]]},{"pattern":"two <_>","level":"error","samples":[[0,1]]}]}"#
        )
        #expect(
            Self.text(Self.api([("query", "{ a=\"b\" }|=`x`")]).formatQuery())
                == #"{"status":"success","data":"{a=\"b\"} |= \"x\""}"#
        )
    }

    private static func rows(_ parameters: [(String, String)]) -> String {
        var text = ""
        switch logs(parameters).rows() {
        case .failure(let refusal): return String(decoding: refusal.body, as: UTF8.self)
        case .success(let rows):
            rows.send { bytes in
                text += String(decoding: bytes, as: UTF8.self)
                return true
            }
        }
        return text
    }

    @Test func rowsStreamWithTheirTypes() {
        #expect(
            Self.rows([("query", ""), ("limit", "2")])
                == #"{"_time":"1970-01-01T00:00:40Z","_stream":{"service.name":"web"},"a.b":"x","ok":true,"n":1.50}"#
                + "\n"
                + #"{"_time":"1970-01-01T00:00:30.000000005Z","_stream":{"service.name":"web"},"_msg":"three 3","level":"info"}"#
                + "\n"
        )
        #expect(
            Self.rows([("query", "two"), ("fields", "code,service_name")])
                == #"{"_time":"1970-01-01T00:00:20Z","service_name":"api","code":500}"# + "\n"
        )
        #expect(
            Self.rows([("direction", "forward"), ("end", "25")]).split(separator: "\n").count == 2
        )
        #expect(
            Self.rows([("query", "{")]).contains(
                #""error":"bad_query","reason":"parse error at line 1, col 2"#
            )
        )
    }

    @Test func rowsStopWhenNobodyListens() {
        guard case .success(let rows) = Self.logs([]).rows() else {
            Issue.record("refused")
            return
        }
        var count = 0
        rows.send { _ in
            count += 1
            return false
        }
        #expect(count == 1)
    }

    @Test(arguments: [
        ("-9223372036854775808", "9223372036854775807", ""),
        ("-9223372036", "9223372036", ""),
        ("-9223372036854775808", "0", "4611686017s"),
        ("9223372036854775000", "9223372036854775807", "30s"),
        ("0", "9223372036854775807", "4611686017s"),
    ])
    func noTimesAreTooGreatToCount(start: String, end: String, step: String) {
        let parameters = [("start", start), ("end", end), ("step", step)]
        for answer in [
            Self.logs(parameters).hits(), Self.logs(parameters).patterns(),
            Self.logs(parameters).facets(),
        ] { #expect([200, 400, 422].contains(answer.status)) }
    }

    @Test func hitsAndFacets() {
        #expect(
            Self.text(Self.logs([("start", "0"), ("end", "60"), ("step", "30s")]).hits())
                == #"{"start":"0","step":"30s","hits":[{"fields":{"level":"info"},"total":2,"timestamps":["1970-01-01T00:00:00Z","1970-01-01T00:00:30Z"],"values":[1,1]},{"fields":{},"total":1,"timestamps":["1970-01-01T00:00:00Z","1970-01-01T00:00:30Z"],"values":[0,1]},{"fields":{"level":"error"},"total":1,"timestamps":["1970-01-01T00:00:00Z","1970-01-01T00:00:30Z"],"values":[1,0]}]"#
        )
        #expect(
            Self.text(Self.logs([("start", "0"), ("end", "60"), ("fields", "level")]).facets())
                == #"{"rows":4,"facets":[{"field_name":"level","rows":3,"distinct":2,"values":[{"field_value":"info","hits":2},{"field_value":"error","hits":1}]}]"#
        )
    }
}

extension String {
    /// Where `part` first is.
    fileprivate func range(of part: String) -> Range<Index>? {
        firstRange(of: part)
    }
}
