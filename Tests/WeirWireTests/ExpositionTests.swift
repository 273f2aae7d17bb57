import Testing
import WeirCore
import WeirTestSupport
import WeirWire

@Suite struct ExpositionTests {
    private static let now: Int64 = 1_790_000_000 * 1_000_000_000

    private static func parse(
        _ text: String,
        _ format: ExpositionFormat = .prometheus,
        _ change: (inout ExpositionOptions) -> Void = { _ in }
    ) -> ExpositionResult {
        var options = ExpositionOptions(format: format, now: now)
        change(&options)
        var interner = SeriesInterner()
        let result = ExpositionParser.parse(
            Array(text.utf8),
            options: options,
            interner: &interner
        )
        // What the interner knows is read as what it does not.
        let again = ExpositionParser.parse(Array(text.utf8), options: options, interner: &interner)
        #expect(rows(result) == rows(again))
        return result
    }

    /// A row each: `labels value`, and `@milliseconds` where it has a time of its own; then refusals.
    private static func rows(_ result: ExpositionResult) -> [String] {
        let samples = result.batches.samples
        return (0..<samples.rowCount).map { row in
            let labels = samples.streams[Int(samples.streamIndexes[row])]
            let time = result.hasOwnTime[row] ? "@\(samples.times[row] / 1_000_000)" : ""
            return "\(labels) \(samples.columns[0].floats[row])\(time)"
        } + result.batches.refusals.map { "\($0.line): \($0.reason)" }
    }

    @Test(
        arguments: [
            ("up 1", ["up 1.0"]),
            ("  up\t1 ", ["up 1.0"]),
            ("up 1 1790000000123", ["up 1.0@1790000000123"]),
            ("up 1 -5", ["up 1.0@-5"]),
            ("up{} 1\r\n\r\nup 2\n", ["up 1.0", "up 2.0"]),
            (#"a:b_c{le="+Inf",x="1",} 5e-1"#, [#"a:b_c{le="+Inf", x="1"} 0.5"#]),
            (#"a {b="c"} 1"#, [#"a{b="c"} 1.0"#]),
            (#"a { b = "c" , d = "e" } 1"#, [#"a{b="c", d="e"} 1.0"#]),
            (#"a{b="q\"\\\n\t}"} 1"#, [#"a{b="q\"\\\n\\t}"} 1.0"#]),
            (#"{"my.metric","a.b"="c",d="e"} 1"#, [#"my.metric{a.b="c", d="e"} 1.0"#]),
            (#"{__name__="up",job="x"} 3 7"#, [#"up{job="x"} 3.0@7"#]),
            (#"a{empty=""} 1"#, ["a 1.0"]),
            (
                "a NaN\na +Inf\na -inf\na 0x1",
                [
                    "a nan(0x1)", "a inf", "a -inf", "4: \"0x1\" is no number",
                ]
            ),
            ("# a comment\n#\n# HELP\nup 1", ["up 1.0"]),
            ("up", ["1: missing value"]),
            (
                "a 1\n9a 1\na 2",
                ["a 1.0", "a 2.0", "2: \"9a\" is no metric name; others are quoted, in braces"]
            ),
            ("a.b 1", ["1: \"a.b\" is no metric name; others are quoted, in braces"]),
            (#"a{b="c} 1"#, ["1: string without closing quote"]),
            (#"a{b="c" 1"#, ["1: labels without closing brace"]),
            (#"a{b} 1"#, ["1: label \"b\" without a quoted value"]),
            (#"a{b="1"c="2"} 1"#, ["1: comma or closing brace expected, not \"c\""]),
            (#"a{1b="1"} 1"#, ["1: \"1b=\"1\"\" is no label name; others are quoted"]),
            (#"a{b="1",b="2"} 1"#, ["1: label \"b\" stands there twice"]),
            (#"{b="1"} 1"#, ["1: the series has no metric name"]),
            ("a 1 2 3", ["1: unexpected \"3\" at the end of the line"]),
            ("a 1 1.5", ["1: \"1.5\" is no timestamp"]),
            ("a 1e999", ["1: \"1e999\" is no number"]),
            ("a 1_000", ["1: \"1_000\" is no number"]),
            ("a nan(3)", ["1: \"nan(3)\" is no number"]),
            (
                #"a{} {count:1, sum:2} 5"#,
                ["1: this text of a native histogram cannot be read back"]
            ),
            ("a 1 99999999999999999999", ["1: \"99999999999999999999\" is no timestamp"]),
            ("a 1 1890000000000", ["1: the time is more than 2d in the future"]),
            ("# TYPE a wrong", ["1: \"wrong\" is no type of metrics"]),
        ] as [(String, [String])]
    )
    func textBecomesSamples(text: String, expected: [String]) {
        let found = Self.rows(Self.parse(text))
        #expect(found == expected, "\(text)")
    }

    @Test func openMetricsHasSecondsExemplarsAndAnEnd() throws {
        let text = """
            # HELP http_seconds How long \\"it\\" took\\nin all
            # TYPE http_seconds histogram
            # UNIT http_seconds seconds
            http_seconds_bucket{le="0.1"} 5 1520879607.789 # {trace_id="abc",span_id="d"} 0.05 1520879607.5
            http_seconds_bucket{le="+Inf"} 6 1520879607 # {} 2
            http_seconds_count 6 -0.001
            http_seconds_created 1520430000.123456789
            # TYPE hits counter
            hits_total 1e3 1.5e9
            # EOF
            late 1
            """
        let result = Self.parse(text, .openMetrics)
        #expect(result.hasEnd)
        #expect(
            Self.rows(result) == [
                "http_seconds_bucket{le=\"0.1\"} 5.0@1520879607789",
                "http_seconds_bucket{le=\"+Inf\"} 6.0@1520879607000",
                "http_seconds_count 6.0@-1", "http_seconds_created 1520430000.1234567",
                "hits_total 1000.0@1500000000000", "11: data after # EOF",
            ]
        )
        let exemplars = result.batches.exemplars
        #expect(exemplars.times == [1_520_879_607_500_000_000, 1_520_879_607_000_000_000])
        #expect(
            exemplars.streams.map(\.description) == [
                "http_seconds_bucket{le=\"0.1\"}", "http_seconds_bucket{le=\"+Inf\"}",
            ]
        )
        #expect(
            result.batches.metadata == [
                FamilyMetadata(
                    name: "http_seconds",
                    MetricMetadata(
                        type: .histogram,
                        unit: "seconds",
                        help: "How long \"it\" took\nin all"
                    )
                ), FamilyMetadata(name: "hits", MetricMetadata(type: .counter)),
            ]
        )
    }

    @Test(arguments: [
        "a 1 # {b=\"c\"}", "a 1 # b", "a 1 # {b=\"c\"} x", "a 1 # {b=\"c\"} 1 x",
        "a 1 # {b=\"c\"} 1 2 3", "a 1 # {b=\"c} 1",
    ])
    func aBadExemplarRefusesItsLine(line: String) {
        let result = Self.parse("good 1\n\(line)\ngood 2\n", .openMetrics)
        #expect(result.batches.samples.rowCount == 2)
        #expect(result.batches.exemplars.rowCount == 0)
        #expect(result.batches.refusals.map(\.line) == [2])
    }

    @Test func extraLabelsWinAndTheDefaultTimeIsGiven() {
        let result = Self.parse("a{job=\"own\",x=\"1\"} 1\nb 2 3\n") { options in
            options.extraLabels = [("job", "given"), ("zone", "z")]
            options.defaultTime = 42_000_000
        }
        #expect(
            Self.rows(result) == [
                "a{job=\"given\", x=\"1\", zone=\"z\"} 1.0",
                "b{job=\"given\", zone=\"z\"} 2.0@3",
            ]
        )
        #expect(result.batches.samples.times == [42_000_000, 3_000_000])
        let ignoring = Self.parse("b 2 3\n") { $0.honorsTimes = false }
        #expect(ignoring.batches.samples.times == [Self.now])
        #expect(ignoring.hasOwnTime == [false])
    }

    @Test func dumpsHaveGoStrings() {
        let text =
            #"{__name__="a", b="tab\there \u00e9 \U0001f30a \xc3\xa9 \x22"} -1.5e-07 1790000000000"#
            + "\n" + #"{__name__="a", b="\q"} 1 2"#
        #expect(
            Self.rows(Self.parse(text, .dump)) == [
                "a{b=\"tab\\there é 🌊 é \\\"\"} -1.5e-07@1790000000000",
                "2: \"\\q\" is no escape",
            ]
        )
    }

    @Test func metadataOfTextIsKept() {
        let text = """
            # TYPE x untyped
            # HELP x a \\\\ b\\nc \\"d\\"
            # TYPE "my.metric" gauge
            """
        #expect(
            Self.parse(text).batches.metadata == [
                FamilyMetadata(
                    name: "x",
                    MetricMetadata(type: .unknown, help: "a \\ b\nc \\\"d\\\"")
                ), FamilyMetadata(name: "my.metric", MetricMetadata(type: .gauge)),
            ]
        )
    }

    @Test func notANumberHasPrometheusBits() {
        let values = Self.parse("a NaN\n").batches.samples.columns[0].floats
        #expect(values.map(\.bitPattern) == [0x7FF8_0000_0000_0001])
    }

    @Test func mutatedTextsNeverTrap() {
        let text = Array(
            """
            # HELP a_b x\\n
            # TYPE a_b counter
            a_b{c="d\\"",e="f"} 1.5e3 1790000000.123 # {t="u"} 5 1.5
            {"a.b","c.d"="e"} NaN
            # EOF
            """.utf8
        )
        var random = SplitMix64(seed: 11)
        var interner = SeriesInterner()
        for format in [ExpositionFormat.prometheus, .openMetrics, .dump] {
            let options = ExpositionOptions(format: format, now: Self.now)
            for count in text.indices {
                _ = ExpositionParser.parse(
                    Array(text[..<count]),
                    options: options,
                    interner: &interner
                )
            }
            for _ in 0..<4000 {
                var changed = text
                for _ in 0...(random.next() % 4) {
                    let place = Int(random.next() % UInt64(text.count))
                    changed[place] = UInt8(truncatingIfNeeded: random.next())
                }
                let result = ExpositionParser.parse(
                    changed,
                    options: options,
                    interner: &interner
                )
                #expect(result.batches.rowCount <= 12)
            }
        }
    }
}
