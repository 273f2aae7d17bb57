import Testing
import WeirCore
import WeirDifferential
import WeirQuery

struct TraceAPITests {
    private let one = SpanTable.traceID(1)

    private func request(_ parameters: [(String, String)] = []) -> TracesRequest {
        let hasTimes = parameters.contains { $0.0 == "start" }
        return TracesRequest(
            parameters: parameters + (hasTimes ? [] : [("since", "1h")]),
            spans: SpanTable.shop.source,
            context: QueryContext(),
            nowNanoseconds: 10_000_000_000
        )
    }

    private func json(_ answer: TracesAnswer) throws -> JSONValue {
        #expect(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
        return try JSONParser.parse(answer.body)
    }

    // MARK: Weir's own

    @Test func weirAnswersATraceWhole() throws {
        let json = try json(TracesAPI(request()).trace(one))
        #expect(json["traceID"]?.string == one)
        #expect(json["spanCount"]?.int == 5)
        #expect(json["isPartial"]?.bool == false)
        #expect(json["rootService"]?.string == "frontend")
        #expect(json["durationNanos"]?.string == "900000000")
        let spans = try #require(json["spans"]?.array)
        #expect(
            spans.compactMap { $0["spanID"]?.string }.map { $0.suffix(2) } == [
                "11", "12", "13", "14", "15",
            ]
        )
        let charge = spans[4]
        #expect(charge["status"]?.string == "error")
        #expect(charge["statusMessage"]?.string == "card refused")
        #expect(charge["attributes"]?["amount"] == .number("9.5"))
        #expect(charge["attributes"]?["retry"] == .bool(true))
        #expect(charge["events"]?.array?.first?["at"]?.string == "120000")
        #expect(charge["events"]?.array?.first?["attributes"]?["n"] == .number("2"))
        #expect(charge["links"]?.array?.first?["spanID"]?.string == "0000000000000021")
        #expect(charge["scope"]?.string == "kit")
        let resources = try #require(json["resources"]?.array)
        #expect(resources[try #require(charge["resource"]?.int)]["service"]?.string == "pay")
    }

    @Test(arguments: [("00", 404), ("zz", 400), ("", 400)])
    func anIdThatIsNotThereOrNoneIsRefused(id: String, status: Int) {
        #expect(TracesAPI(request()).trace(id).status == status)
        #expect(TempoAPI(request()).trace(id, isProtobuf: false).status == status)
        #expect(TempoAPI(request()).traceV2(id, isProtobuf: true).status == status)
        #expect(JaegerAPI(request()).trace(id).status == status)
    }

    @Test func weirSearches() throws {
        let json = try json(TracesAPI(request([("q", "{ status = error }")])).search())
        let trace = try #require(json["traces"]?.array?.first)
        #expect(trace["traceID"]?.string == one)
        #expect(trace["errorCount"]?.int == 1)
        #expect(trace["matched"]?.int == 1)
        #expect(trace["services"]?.array?.count == 3)
        #expect(
            trace["spanSets"]?.array?.first?["spans"]?.array?.first?["name"]?.string == "charge"
        )
        #expect(json["cost"]?["rows"]?.int != nil)
    }

    @Test(arguments: [
        [("q", "{ nonsense }")], [("limit", "-1")], [("limit", "1000000")], [("sort", "colour")],
        [("start", "yesterday")], [("start", "20"), ("end", "10")], [("q", "{} | rate()")],
    ])
    func badParametersAreRefused(parameters: [(String, String)]) throws {
        let answer = TracesAPI(request(parameters)).search()
        #expect([400, 422].contains(answer.status))
        #expect(try JSONParser.parse(answer.body.dropLast())["reason"]?.string != nil)
    }

    // MARK: Tempo

    @Test func tempoAnswersATraceAsOTLP() throws {
        let json = try json(TempoAPI(request()).trace(one, isProtobuf: false))
        let batches = try #require(json["batches"]?.array)
        let spans = batches.flatMap { $0["scopeSpans"]?.array ?? [] }.flatMap {
            $0["spans"]?.array ?? []
        }
        #expect(spans.count == 5)
        let charge = try #require(spans.first { $0["name"]?.string == "charge" })
        #expect(charge["traceId"]?.string == "AAAAAAAAAAAAAAAAAAAAAQ==")
        #expect(charge["spanId"]?.string == "AAAAAAAAABU=")
        #expect(charge["parentSpanId"]?.string == "AAAAAAAAABE=")
        #expect(charge["kind"]?.string == "SPAN_KIND_SERVER")
        #expect(charge["status"]?["code"]?.string == "STATUS_CODE_ERROR")
        #expect(charge["endTimeUnixNano"]?.string == "1850000000")
        #expect(charge["events"]?.array?.first?["timeUnixNano"]?.string == "1400120000")
        let attributes = try #require(charge["attributes"]?.array)
        #expect(attributes[0]["key"]?.string == "amount")
        #expect(attributes[0]["value"]?["doubleValue"] == .number("9.5"))
        let root = try #require(spans.first { $0["name"]?.string == "GET /checkout" })
        #expect(root["attributes"]?.array?.last?["value"]?["intValue"]?.string == "200")
    }

    @Test func tempoAnswersTheSecondVersionWithAStatus() throws {
        let json = try json(TempoAPI(request()).traceV2(one, isProtobuf: false))
        #expect(json["status"]?.string == "COMPLETE")
        #expect(json["trace"]?["resourceSpans"]?.array?.count == 3)
    }

    @Test func protobufHoldsWhatJSONHolds() {
        let answer = TempoAPI(request()).trace(one, isProtobuf: true)
        #expect(answer.contentType == "application/protobuf")
        // Field 1, length-delimited: a ResourceSpans; its field 1 a Resource.
        #expect(answer.body.first == 0x0A)
        for text in ["charge", "card refused", "retry", "GET /checkout", "service.name", "kit"] {
            #expect(answer.body.firstRange(of: Array(text.utf8)) != nil)
        }
        let second = TempoAPI(request()).traceV2(one, isProtobuf: true).body
        #expect(second.firstRange(of: answer.body) != nil)
    }

    @Test func bothFormsAreInOneObjectOnTheSharedPath() throws {
        let json = try json(JaegerAPI(request()).traceForBoth(one))
        #expect(json["batches"]?.array?.count == 3)
        #expect(json["data"]?.array?.first?["spans"]?.array?.count == 5)
    }

    @Test(arguments: [
        [("q", "{ status = error }")], [("tags", "amount=9.5 retry=true")],
        [("tags", "name=\"charge\""), ("minDuration", "100ms"), ("maxDuration", "500ms")],
    ])
    func tempoSearches(parameters: [(String, String)]) throws {
        let json = try json(TempoAPI(request(parameters)).search())
        let traces = try #require(json["traces"]?.array)
        #expect(traces.count == 1)
        #expect(traces.first?["traceID"]?.string == one)
        #expect(traces.first?["rootTraceName"]?.string == "GET /checkout")
        #expect(traces.first?["durationMs"]?.int == 900)
        #expect(traces.first?["serviceStats"]?["pay"]?["errorCount"]?.int == 1)
        #expect(traces.first?["spanSets"]?.array?.first?["matched"]?.int == 1)
    }

    @Test func tempoListsTagsAndValues() throws {
        let tags = try json(TempoAPI(request()).tagNames())["tagNames"]?.array ?? []
        #expect(tags.contains(.string("service.name")) && tags.contains(.string("db.system")))
        let scopes = try json(TempoAPI(request()).tagNamesV2())["scopes"]?.array ?? []
        #expect(scopes.first?["name"]?.string == "resource")
        #expect(scopes.first?["tags"]?.array == [.string("service.name"), .string("zone")])
        let only = try json(TempoAPI(request([("scope", "span")])).tagNamesV2())["scopes"]
        #expect(only?.array?.count == 1)
        #expect(TempoAPI(request([("scope", "x")])).tagNamesV2().status == 400)
        func values(_ tag: String, _ query: String? = nil) throws -> [String] {
            let parameters = query.map { [("q", $0)] } ?? []
            return try json(TempoAPI(request(parameters)).tagValuesV2(tag))["tagValues"]?.array?
                .map { "\($0["type"]?.string ?? "") \($0["value"]?.string ?? "")" } ?? []
        }
        #expect(
            try values("resource.service.name") == ["string cart", "string frontend", "string pay"]
        )
        #expect(try values("span.http.status_code") == ["string 200", "int 200"])
        #expect(try values("status") == ["keyword error", "keyword ok", "keyword unset"])
        #expect(try values("rootName") == ["string GET /", "string GET /checkout"])
        #expect(
            try values("name", "{ resource.service.name = \"cart\" }") == [
                "string load", "string select",
            ]
        )
        #expect(TempoAPI(request()).tagValuesV2("{").status == 400)
        let plain = try json(TempoAPI(request()).tagValues("service.name"))["tagValues"]?.array
        #expect(plain?.count == 3)
    }

    @Test func tempoAnswersMetrics() throws {
        let parameters = [
            ("q", "{} | count_over_time() by (status)"), ("start", "0"), ("end", "60"),
            ("step", "60s"),
        ]
        let series = try json(TempoAPI(request(parameters)).metricsRange())["series"]?.array ?? []
        #expect(series.count == 3)
        #expect(series[0]["promLabels"]?.string == #"{status="error"}"#)
        #expect(series[0]["labels"]?.array?.first?["value"]?["stringValue"]?.string == "error")
        #expect(series[0]["samples"]?.array?.first?["timestampMs"]?.string == "0")
        #expect(series[0]["samples"]?.array?.first?["value"]?.double == 1)
        let instant =
            try json(TempoAPI(request(parameters)).metricsInstant())["series"]?.array ?? []
        #expect(instant[2]["value"]?.double == 7)
        #expect(TempoAPI(request()).metricsRange().status == 400)
        #expect(TempoAPI(request([("q", "{}")])).metricsRange().status == 400)
    }

    @Test(arguments: [
        ("-9223372036854775808", "0", "4611686017s"),
        ("-9223372036854775800", "9223372036854775807", "4611686017s"),
        ("0", "9223372036854775807", "4611686017s"),
        ("9223372036854775000", "9223372036854775807", "4611686017s"),
        ("9223372036854775000", "9223372036854775807", "7s"),
        ("-9223372036854775808", "-9223372036854775808", "7s"),
    ])
    func noTimesAndStepsAreTooGreatToAnswer(start: String, end: String, step: String) {
        let parameters = [
            ("q", "{} | rate()"), ("query", "{}"), ("start", start), ("end", end), ("step", step),
        ]
        let answers = [
            TempoAPI(request(parameters)).metricsRange(),
            TempoAPI(request(parameters)).metricsInstant(), TempoAPI(request(parameters)).search(),
            TracesAPI(request(parameters)).trace(one),
        ]
        for answer in answers { #expect([200, 400, 404, 422].contains(answer.status)) }
    }

    @Test func aHintFitsWhatWasWrong() throws {
        func named(_ answer: TracesAnswer) throws -> String? {
            try JSONParser.parse(answer.body)["error"]?.string
        }
        #expect(try named(TracesAPI(request()).trace("zz")) == "bad_id")
        #expect(try named(TracesAPI(request()).trace("99")) == "not_found")
        #expect(try named(TracesAPI(request([("limit", "-1")])).search()) == "bad_parameter")
        #expect(try named(TracesAPI(request([("sort", "x")])).search()) == "bad_parameter")
        #expect(try named(TracesAPI(request([("q", "{ foo }")])).search()) == "bad_query")
        let early = TempoAPI(request([("start", "1"), ("end", "2")]))
            .trace("99", isProtobuf: false)
        #expect(String(decoding: early.body, as: UTF8.self).hasSuffix("of the times asked for"))
    }

    // MARK: Jaeger

    @Test func jaegerAnswersATrace() throws {
        let json = try json(JaegerAPI(request()).trace(one))
        let trace = try #require(json["data"]?.array?.first)
        let spans = try #require(trace["spans"]?.array)
        let charge = spans[4]
        #expect(charge["operationName"]?.string == "charge")
        #expect(charge["startTime"]?.int == 1_400_000)
        #expect(charge["duration"]?.int == 450_000)
        let references = try #require(charge["references"]?.array)
        #expect(references.compactMap { $0["refType"]?.string } == ["CHILD_OF", "FOLLOWS_FROM"])
        let tags = try #require(charge["tags"]?.array)
        #expect(tags.contains { $0["key"]?.string == "error" && $0["value"]?.bool == true })
        #expect(tags.contains { $0["key"]?.string == "amount" && $0["type"]?.string == "float64" })
        #expect(charge["logs"]?.array?.first?["timestamp"]?.int == 1_400_120)
        let process = try #require(charge["processID"]?.string)
        #expect(trace["processes"]?[process]?["serviceName"]?.string == "pay")
    }

    @Test func jaegerListsAndSearches() throws {
        func data(_ answer: TracesAnswer) throws -> [JSONValue] {
            try json(answer)["data"]?.array ?? []
        }
        #expect(
            try data(JaegerAPI(request()).services())
                == [.string("cart"), .string("frontend"), .string("pay")]
        )
        #expect(
            try data(JaegerAPI(request()).operations(of: "cart"))
                == [.string("load"), .string("select")]
        )
        let kinds = try data(JaegerAPI(request([("service", "cart")])).operations())
        #expect(kinds.compactMap { $0["spanKind"]?.string } == ["server", "client"])
        #expect(JaegerAPI(request()).operations().status == 400)
        func found(_ parameters: [(String, String)]) throws -> [String] {
            try data(
                JaegerAPI(request(parameters + [("start", "0"), ("end", "10000000000000")]))
                    .search()
            )
            .compactMap { $0["traceID"]?.string }
        }
        #expect(try found([("service", "cart")]) == [SpanTable.traceID(3), one])
        #expect(
            try found([("service", "cart"), ("operation", "select"), ("minDuration", "100ms")]) == [
                one
            ]
        )
        #expect(
            try found([("service", "pay"), ("tags", #"{"error":"true","retry":true}"#)]) == [one]
        )
        #expect(try found([("service", "pay"), ("tag", "amount:9.5")]) == [one])
        #expect(try found([("traceID", one)]) == [one])
        #expect(JaegerAPI(request([("service", "x"), ("tags", "{")])).search().status == 400)
        #expect(JaegerAPI(request()).search().status == 400)
    }

    @Test func jaegerCountsCalls() throws {
        let json = try json(
            JaegerAPI(request([("endTs", "10000"), ("lookback", "10000")])).dependencies()
        )
        let edges = try #require(json["data"]?.array)
        #expect(edges.compactMap { $0["child"]?.string } == ["cart", "pay"])
        #expect(edges.first?["parent"]?.string == "frontend")
        #expect(edges.first?["callCount"]?.int == 1)
    }

    // MARK: Other signals

    @Test func logsOfATraceAndOfASpanAreFound() throws {
        var logs = LogTable()
        logs.add(
            1_400_000_000,
            ["service": "pay"],
            "refused",
            ["trace_id": one, "span_id": SpanTable.spanID(0x15)]
        )
        logs.add(1_000_000_000, ["service": "cart"], "loading", ["traceID": one, "n": "7"])
        logs.add(1_000_000_000, ["service": "cart"], "other", ["trace_id": SpanTable.traceID(2)])
        let all = try json(TracesAPI(request()).logs(one, source: logs.source))["logs"]?.array ?? []
        #expect(all.compactMap { $0["body"]?.string } == ["loading", "refused"])
        #expect(all[0]["labels"]?["service"]?.string == "cart")
        #expect(all[0]["fields"]?["n"] == .number("7"))
        let span = [("span", SpanTable.spanID(0x15))]
        let few = try json(TracesAPI(request(span)).logs(one, source: logs.source))["logs"]?.array
        #expect(few?.compactMap { $0["body"]?.string } == ["refused"])
    }

    @Test func exemplarsLeadToTheirTraces() throws {
        var batch = RowBatch(signal: .exemplars)
        batch.streams = [Labels(["__name__": "latency_bucket", "le": "1"])]
        batch.firstLines = [0]
        for (row, trace) in [1, 2, 99].enumerated() {
            batch.streamIndexes.append(0)
            batch.times.append(Int64(row + 1) * 1_000_000_000)
            batch.fields.set(ExemplarField.value, row: row, kind: .number, value: "0.\(trace)")
            batch.fields.set(
                ExemplarField.traceID,
                row: row,
                kind: .text,
                value: SpanTable.traceID(UInt64(trace))
            )
        }
        let source = BatchRowSource(batch)
        let query = [("query", "histogram_quantile(0.9, rate(latency_bucket[5m]))")]
        let json = try json(ExemplarsAPI(request(query), exemplars: source).query())
        #expect(json["status"]?.string == "success")
        let series = try #require(json["data"]?.array?.first)
        #expect(series["seriesLabels"]?["le"]?.string == "1")
        #expect(series["exemplars"]?.array?.count == 3)
        #expect(series["exemplars"]?.array?.first?["value"]?.string == "0.1")
        #expect(series["exemplars"]?.array?.first?["labels"]?["trace_id"]?.string == one)
        let traces = try self.json(ExemplarsAPI(request(query), exemplars: source).traces())
        #expect(
            traces["traces"]?.array?.compactMap { $0["traceID"]?.string }
                == [SpanTable.traceID(2), one]
        )
        #expect(ExemplarsAPI(request([("query", "(")]), exemplars: source).query().status == 400)
    }

    @Test func aServicesMetricsAreAskedAround() throws {
        let source = ArraySource()
        let json = try json(
            TracesAPI(request([("span", SpanTable.spanID(0x15))])).metrics(one, source: source)
        )
        #expect(json["service"]?.string == "pay")
        #expect(json["queries"]?.array?.count == 4)
        let graph = try self.json(TracesAPI(request()).graph(source: source))
        #expect(graph["edges"]?.array?.isEmpty == true)
        #expect(TracesAPI(request([("span", "77")])).metrics(one, source: source).status == 404)
    }
}
