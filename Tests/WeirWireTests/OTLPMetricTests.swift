import Testing
import WeirCore
import WeirTestSupport
import WeirWire

@Suite struct OTLPMetricTests {
    private typealias R = MetricRendering

    // MARK: Each kind, in both encodings

    private static let exemplar: Message = {
        Message().fixed64(2, R.time - 5).double(3, 0.25)
            .bytes(4, [0, 0, 0, 0, 0, 0, 0, 0xAB]).bytes(5, Array(1...16))
            .message(7, R.attribute("user.id", "u1"))
    }()

    private static let body: [UInt8] = {
        let labels = R.attribute("http.route", "/x")
        let whole = R.point().fixed64(6, UInt64(bitPattern: -3)).message(7, labels)
        let counter = R.point().double(4, 12.5).message(7, labels).message(5, exemplar)
        let histogram = R.point().fixed64(4, 6).double(5, 7.5).packed(6, [1, 2, 3])
            .packed(7, [(0.5).bitPattern, (2.0).bitPattern]).message(9, labels)
            .message(8, exemplar)
        let exponential = R.point().message(1, labels).fixed64(4, 9).double(5, 20.0).sint(6, 0)
            .fixed64(7, 2).message(8, Message().sint(1, 0).bytes(2, [3, 0, 1]))
            .message(9, Message().sint(1, 1).varint(2, 2).varint(2, 1)).double(14, 0.125)
            .message(11, exemplar)
        let quantile = Message().double(1, 0.99).double(2, 4.5)
        let summary = R.point().fixed64(4, 5).double(5, 11).message(6, quantile)
            .message(6, Message().double(1, 0).double(2, 1)).message(7, labels)
        let stale = R.point().varint(8, 1)
        return R.request(
            [
                R.metric("queue.depth", unit: "{item}", kind: 5, [whole]),
                R.metric(
                    "requests",
                    unit: "1",
                    kind: 7,
                    temporality: 2,
                    isMonotonic: true,
                    [counter]
                ),
                R.metric("in.flight", kind: 7, temporality: 2, [whole]),
                R.metric("latency", unit: "s", kind: 9, temporality: 2, [histogram]),
                R.metric("size", unit: "By", kind: 10, temporality: 2, [exponential]),
                R.metric("old", kind: 11, [summary]), R.metric("gone", kind: 5, [stale]),
            ],
            resource: [
                R.attribute("service.name", "web"), R.attribute("service.namespace", "shop"),
                R.attribute("service.instance.id", "i1"), R.attribute("host.name", "a1"),
                R.attribute("job", "not this one"),
            ],
            scope: Message().text(1, "kit.meter").text(2, "1.2.3")
        )
    }()

    private static let json: [UInt8] = {
        let attributes = #""attributes":[{"key":"http.route","value":{"stringValue":"/x"}}]"#
        let times =
            #""startTimeUnixNano":"\#(R.start)","timeUnixNano":\#(R.time),"#
        let exemplar =
            #""exemplars":[{"timeUnixNano":"\#(R.time - 5)","asDouble":0.25,"spanId":"00000000000000AB","#
            + #""traceId":"0102030405060708090a0b0c0d0e0f10","filteredAttributes":[{"key":"user.id","#
            + #""value":{"stringValue":"u1"}}]}]"#
        let whole = #"{\#(times)"asInt":"-3",\#(attributes)}"#
        let metrics = [
            #"{"name":"queue.depth","unit":"{item}","gauge":{"dataPoints":[\#(whole)]}}"#,
            #"{"name":"requests","unit":"1","sum":{"aggregationTemporality":2,"isMonotonic":true,"#
                + #""dataPoints":[{\#(times)"asDouble":12.5,\#(attributes),\#(exemplar)}]}}"#,
            #"{"name":"in.flight","sum":{"aggregationTemporality":"AGGREGATION_TEMPORALITY_CUMULATIVE","#
                + #""isMonotonic":false,"dataPoints":[\#(whole)]}}"#,
            #"{"name":"latency","unit":"s","histogram":{"aggregationTemporality":2,"dataPoints":[{\#(times)"#
                + #""count":"6","sum":7.5,"bucketCounts":["1",2,"3"],"explicitBounds":[0.5,2],"#
                + #"\#(attributes),\#(exemplar)}]}}"#,
            #"{"name":"size","unit":"By","exponentialHistogram":{"aggregationTemporality":2,"#
                + #""dataPoints":[{\#(times)"count":9,"sum":20,"scale":0,"zeroCount":"2","#
                + #""positive":{"offset":0,"bucketCounts":["3","0","1"]},"#
                + #""negative":{"offset":1,"bucketCounts":[2,1]},"zeroThreshold":0.125,"#
                + #"\#(attributes),\#(exemplar)}]}}"#,
            #"{"name":"old","summary":{"dataPoints":[{\#(times)"count":"5","sum":11,"quantileValues":["#
                + #"{"quantile":0.99,"value":4.5},{"quantile":0,"value":1}],\#(attributes)}]}}"#,
            #"{"name":"gone","gauge":{"dataPoints":[{\#(times)"flags":1}]}}"#,
        ]
        let resource = [
            ("service.name", "web"), ("service.namespace", "shop"), ("service.instance.id", "i1"),
            ("host.name", "a1"), ("job", "not this one"),
        ].map { #"{"key":"\#($0.0)","value":{"stringValue":"\#($0.1)"}}"# }
        return Array(
            (#"{"resourceMetrics":[{"resource":{"attributes":[\#(resource.joined(separator: ","))]},"#
                + #""scopeMetrics":[{"scope":{"name":"kit.meter","version":"1.2.3"},"metrics":["#
                + metrics.joined(separator: ",") + "]}]}]}").utf8
        )
    }()

    private static let expected: [String] = {
        func labels(_ extra: String = "", _ own: String = #"http_route="/x", "#) -> String {
            var pairs = ["instance=\"i1\"", "job=\"shop/web\""]
            if !own.isEmpty { pairs.append("http_route=\"/x\"") }
            if !extra.isEmpty { pairs.append(extra) }
            pairs += ["otel_scope_name=\"kit.meter\"", "otel_scope_version=\"1.2.3\""]
            return "{\(pairs.sorted().joined(separator: ", "))}"
        }
        func le(_ bound: String) -> String { labels(#"le="\#(bound)""#) }
        return [
            "queue_depth\(labels()) -3", "requests_total\(labels()) 12.5",
            "in_flight\(labels()) -3", "latency_seconds_bucket\(le("0.5")) 1",
            "latency_seconds_bucket\(le("2")) 3", "latency_seconds_bucket\(le("+Inf")) 6",
            "latency_seconds_count\(labels()) 6", "latency_seconds_sum\(labels()) 7.5",
            // Below zero: what is at most -4, then at most -2.
            "size_bytes_bucket\(le("-4")) 1", "size_bytes_bucket\(le("-2")) 3",
            "size_bytes_bucket\(le("0.125")) 5", "size_bytes_bucket\(le("2")) 8",
            "size_bytes_bucket\(le("4")) 8", "size_bytes_bucket\(le("8")) 9",
            "size_bytes_bucket\(le("+Inf")) 9", "size_bytes_count\(labels()) 9",
            "size_bytes_sum\(labels()) 20", "old\(labels(#"quantile="0.99""#)) 4.5",
            "old\(labels(#"quantile="0""#)) 1", "old_sum\(labels()) 11", "old_count\(labels()) 5",
            "gone\(labels("", "")) stale",
            #"target_info{host_name="a1", instance="i1", job="shop/web"} 1"#,
        ]
    }()

    @Test func everyKindOfProtobufBecomesItsSeries() throws {
        let result = try R.parse(Self.body)
        #expect(result.refusedCount == 0)
        #expect(R.samples(result).map(Self.normal) == Self.expected.map(Self.normal))
    }

    /// `description` of labels leaves the order of names to bytes, and tests should not.
    private static func normal(_ text: String) -> String { text.filter { $0 != " " } }

    @Test func jsonBecomesTheSameSeriesAndExemplars() throws {
        let fromProtobuf = try R.parse(Self.body)
        let fromJSON = try OTLPMetricJSONParser.parse(Self.json, options: R.options())
        #expect(R.samples(fromJSON) == R.samples(fromProtobuf))
        #expect(R.exemplars(fromJSON.points) == R.exemplars(fromProtobuf.points))
        #expect(R.refusals(fromJSON).isEmpty)
    }

    @Test func exemplarsStandAtTheBucketThatHoldsThem() throws {
        let found = R.exemplars(try R.parse(Self.body).points)
        try #require(found.count == 3)
        #expect(found[0].hasPrefix("requests_total{"))
        #expect(found[1].hasPrefix("latency_seconds_bucket{") && found[1].contains(#"le="0.5""#))
        #expect(found[2].hasPrefix("size_bytes_bucket{") && found[2].contains(#"le="2""#))
        for text in found {
            #expect(
                text.hasSuffix(
                    ": =0.25 span_id=00000000000000ab "
                        + "trace_id=0102030405060708090a0b0c0d0e0f10 user_id=u1"
                )
            )
        }
        // At a bound, above all bounds, and no number at all.
        for (value, bound) in [(0.5, "0.5"), (2.0, "2"), (2.5, "+Inf"), (.nan, "+Inf")] {
            let point = R.point().fixed64(4, 1).packed(6, [1, 0, 0])
                .packed(7, [(0.5).bitPattern, (2.0).bitPattern])
                .message(8, Message().fixed64(2, R.time).double(3, value))
            let points = try R.parse(R.request([R.metric("h", kind: 9, [point])])).points
            #expect(R.exemplars(points).first?.contains(#"le="\#(bound)""#) == true, "\(value)")
        }
    }

    // MARK: Exponential histograms

    private static func buckets(
        scale: Int64,
        positive: (offset: Int64, counts: [UInt64]) = (0, []),
        negative: (offset: Int64, counts: [UInt64]) = (0, []),
        zero: UInt64 = 0
    ) throws -> [(bound: Double, total: Double)] {
        func message(_ buckets: (offset: Int64, counts: [UInt64])) -> Message {
            var list: [UInt8] = []
            for count in buckets.counts { count.appendVarint(to: &list) }
            return Message().sint(1, buckets.offset).bytes(2, list)
        }
        let count = (positive.counts + negative.counts).reduce(zero, +)
        let point = R.point().fixed64(4, count).sint(6, scale).fixed64(7, zero)
            .message(8, message(positive)).message(9, message(negative))
        let points = try R.parse(R.request([R.metric("h", kind: 10, [point])])).points
        let batch = MetricRows(points, hasClassicHistograms: true).samples
        return (0..<batch.rowCount).compactMap { row in
            let labels = batch.streams[Int(batch.streamIndexes[row])]
            guard let text = labels["le"] else { return nil }
            let bound = text == "+Inf" ? .infinity : Double(text) ?? .nan
            return (bound, batch.columns[0].floats[row])
        }
    }

    @Test(arguments: [-10, -4, -1, 0, 1, 2, 3, 8, 20] as [Int64])
    func totalsAtBoundsAreRightAtEveryScale(_ scale: Int64) throws {
        var random = SplitMix64(seed: UInt64(bitPattern: scale))
        let offset = Int64.random(in: -6...4, using: &random)
        let counts = (0..<12).map { _ in UInt64.random(in: 0...5, using: &random) }
        let found = try Self.buckets(
            scale: scale,
            positive: (offset, counts),
            negative: (offset, counts),
            zero: 3
        )
        #expect(zip(found, found.dropFirst()).allSatisfy { $0.bound < $1.bound })
        #expect(zip(found, found.dropFirst()).allSatisfy { $0.total <= $1.total })
        #expect(found.last?.total == Double(counts.reduce(0, +) * 2 + 3))
        // Each total is that of the buckets that lie below the bound, to the last bit of the index.
        let factor = max(0, scale - 2)
        for (bound, total) in found where bound.isFinite && bound != 0 {
            var expected: UInt64 = bound > 0 ? 3 : 0
            for (place, count) in counts.enumerated() {
                let index = (Int(offset) + place) >> Int(factor)
                let coarse = Double(min(scale, 2))
                let lower = Self.power(Double(index), coarse)
                let upper = Self.power(Double(index + 1), coarse)
                if bound > 0 {
                    expected += count
                    if upper > bound * (1 + 1e-12) { expected -= count }
                    // Everything below zero lies below.
                    expected += 0
                } else if -lower <= bound * (1 - 1e-12) {
                    expected += count
                }
            }
            if bound > 0 { expected += counts.reduce(0, +) }
            #expect(total == Double(expected), "scale \(scale), bound \(bound)")
        }
    }

    /// base^index, base 2^(2^-scale).
    private static func power(_ index: Double, _ scale: Double) -> Double {
        var exponent = index
        if scale >= 0 {
            for _ in 0..<Int(scale) { exponent /= 2 }
        } else {
            for _ in 0..<Int(-scale) { exponent *= 2 }
        }
        // Exact for whole exponents, which is all that coarse scales have.
        if exponent == exponent.rounded(), abs(exponent) < 1023 {
            return Double(sign: .plus, exponent: Int(exponent), significand: 1)
        }
        if exponent >= 1023 { return .infinity }
        if exponent <= -1022 { return 0 }
        let whole = exponent.rounded(.down)
        var root = 1.0
        let quarter = (2.0).squareRoot().squareRoot()
        for _ in 0..<Int((exponent - whole) * 4) { root *= quarter }
        return Double(sign: .plus, exponent: Int(whole), significand: 1) * root
    }

    @Test func zeroBucketStandsWhereItHoldsSomethingOrThereIsSomethingBelow() throws {
        let none = try Self.buckets(scale: 0, positive: (0, [1]))
        #expect(none.map(\.bound) == [2, .infinity])
        let zeros = try Self.buckets(scale: 0, zero: 4)
        #expect(zeros.map(\.bound) == [0, .infinity] && zeros.map(\.total) == [4, 4])
        let below = try Self.buckets(scale: 0, negative: (0, [1]))
        #expect(below.map(\.bound) == [-1, 0, .infinity] && below.map(\.total) == [1, 1, 1])
        #expect(try Self.buckets(scale: 3).map(\.total) == [0])
    }

    @Test func wideHistogramsAreMadeCoarser() throws {
        // 1000 buckets of 2^(1/4) are more than are kept.
        let wide = try Self.buckets(
            scale: 2,
            positive: (-400, Array(repeating: 1, count: 800))
        )
        #expect(wide.count <= 161)
        #expect(wide.last?.total == 800)
        // Bounds at the ends of what there is, at scales and offsets that no SDK has.
        for (scale, offset) in [(20, Int64(Int32.max)), (0, -2_000_000_000), (-10, 2_147_483_000)]
            as [(Int64, Int64)]
        {
            let found = try Self.buckets(
                scale: scale,
                positive: (offset, [1, 1]),
                negative: (-offset, [1, 1])
            )
            #expect(found.count < 170 && found.allSatisfy { !$0.bound.isNaN })
            #expect(found.last?.total == 4)
        }
    }

    // MARK: Refusals

    @Test func pointsAreRefusedByNameAndTheRestIsTaken() throws {
        func number(_ point: Message) -> Message { point.double(4, 1) }
        let many = (0..<65).reduce(number(R.point())) {
            $0.message(7, R.attribute("a\($1)", "x"))
        }
        let long = number(R.point()).message(
            7,
            R.attribute("a", String(repeating: "x", count: 5000))
        )
        let future = number(R.point(time: UInt64(LogRendering.now) + 3 * 86_400 * R.second))
        func histogram(_ counts: [UInt64], _ bounds: [Double]) -> Message {
            R.point().fixed64(4, 1).packed(6, counts).packed(7, bounds.map(\.bitPattern))
        }
        let body = R.request([
            R.metric("good", kind: 5, [number(R.point()), R.point()]),
            R.metric("", kind: 5, [number(R.point())]),
            R.metric("...", kind: 5, [number(R.point())]),
            R.metric("untimed", kind: 5, [Message().double(4, 1), number(R.point(time: 1 << 63))]),
            R.metric("later", kind: 5, [future]), R.metric("many", kind: 5, [many]),
            R.metric("long", kind: 5, [long]),
            R.metric(
                "h",
                kind: 9,
                [
                    histogram([1], [1]), histogram([1, 2, 3], [2, 1]), histogram([1, 2], [.nan]),
                    histogram(Array(repeating: 0, count: 1025), []),
                ]
            ),
            R.metric(
                "e",
                kind: 10,
                [
                    R.point().sint(6, 21), R.point().sint(6, -11), R.point().double(14, -1),
                    R.point().message(8, Message().bytes(2, Array(repeating: 1, count: 5000))),
                ]
            ),
        ])
        let result = try R.parse(body)
        #expect(R.samples(result) == ["good 1"])
        #expect(
            R.refusals(result) == [
                "good: the point has no value", ": the metric has no name",
                "...: the metric has no name",
                "untimed: the time is missing or outside of the years 1678 to 2261",
                "untimed: the time is missing or outside of the years 1678 to 2261",
                "later: the time is more than 2d in the future",
                "many: 65 labels, at most 64 are taken", "long: label a: longer than 4096 bytes",
                "h: histogram: 1 buckets for 1 bounds", "h: histogram: bounds do not ascend",
                "h: histogram: bounds do not ascend", "h: more than 1024 buckets",
                "e: histogram: scale 21 is not in -10 to 20",
                "e: histogram: scale -11 is not in -10 to 20",
                "e: histogram: the zero threshold is below zero", "e: more than 1024 buckets",
            ]
        )
        #expect(result.refusedCount == 16)
    }

    @Test func aBodyOfTooManyPointsIsRefusedAsAWhole() throws {
        var options = R.options()
        options.pointsMax = 3
        let points = (0..<4).map { _ in R.point().double(4, 1) }
        let body = R.request([R.metric("m", kind: 5, points)])
        let result = try OTLPMetricParser.parse(body, options: options)
        #expect(result.isTooLarge && result.points.isEmpty)
    }

    @Test func attributesThatBecomeOneLabelArePutTogether() throws {
        let point = R.point().double(4, 1).message(7, R.attribute("a.b", "1"))
            .message(7, R.attribute("a_b", "2")).message(7, R.attribute("ü", "none"))
            .message(7, R.attribute("empty", "")).message(7, R.attribute("job", "own"))
        let result = try R.parse(
            R.request(
                [R.metric("m", kind: 5, [point])],
                resource: [R.attribute("service.name", "web")]
            )
        )
        #expect(R.samples(result).map(Self.normal) == [#"m{a_b="1;2",job="web"}1"#])
    }

    // MARK: Hostile bytes

    @Test func bytesThatAreCutOrFlippedAreRefusedOrHoldTogether() throws {
        for (body, isJSON) in [(Self.body, false), (Self.json, true)] {
            for length in body.indices { Self.check(Array(body[..<length]), isJSON: isJSON) }
            var random = SplitMix64(seed: 6)
            for _ in 0..<3000 {
                var bytes = body
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    let place = Int.random(in: bytes.indices, using: &random)
                    bytes[place] = UInt8.random(in: 0...255, using: &random)
                }
                Self.check(bytes, isJSON: isJSON)
            }
        }
    }

    private static func check(_ body: [UInt8], isJSON: Bool) {
        let result =
            isJSON
            ? try? OTLPMetricJSONParser.parse(body, options: R.options())
            : try? OTLPMetricParser.parse(body, options: R.options())
        guard var points = result?.points else { return }
        var totals = MetricTotals()
        _ = totals.accumulate(&points)
        let rows = MetricRows(points)
        #expect(rows.samples.streamIndexes.count == rows.samples.rowCount)
        #expect(rows.samples.columns[0].floats.count == rows.samples.rowCount)
    }

    @Test func absurdCountsCostNoMoreThanTheyWeigh() throws {
        // A million buckets, exemplars, quantiles and attributes of one point.
        let ones = Array(repeating: UInt8(1), count: 1_000_000)
        let buckets = Message().bytes(2, ones)
        func empty(_ number: UInt8) -> [UInt8] {
            (0..<400_000).map { $0 % 2 == 0 ? number << 3 | 2 : 0 }
        }
        var exemplars = R.point().double(4, 1)
        exemplars.bytes += empty(5)
        var attributes = R.point().double(4, 1)
        attributes.bytes += empty(7)
        var quantiles = R.point()
        quantiles.bytes += empty(6)
        let result = try R.parse(
            R.request([
                R.metric("b", kind: 10, [R.point().message(8, buckets)]),
                R.metric("x", kind: 5, [exemplars]), R.metric("a", kind: 5, [attributes]),
                R.metric("q", kind: 11, [quantiles]),
            ])
        )
        #expect(result.points.count <= 2)
        #expect(result.points.allSatisfy { $0.exemplars.count <= 256 })
        #expect(R.refusals(result).contains("b: more than 1024 buckets"))
        #expect(R.refusals(result).contains("q: more than 1024 buckets"))
    }
}
