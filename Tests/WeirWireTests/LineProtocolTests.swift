import Testing
import WeirCore
import WeirTestSupport
import WeirWire

@Suite struct LineProtocolTests {
    private static let now: Int64 = 1_790_000_000_000_000_000

    /// A body, the samples it holds as `series value time`, and its refusals as `line: reason`.
    struct Case: Sendable {
        let name: String
        let body: String
        var samples: [String] = []
        var refusals: [String] = []
        var strings = 0
    }

    static let cases: [Case] = [
        Case(name: "empty", body: ""),
        Case(name: "comment and blank lines", body: "# a comment\n\n   \n#x,y z=1\n"),
        Case(
            name: "one field",
            body: "cpu,host=a usage_user=1 5",
            samples: ["cpu_usage_user{host=\"a\"} 1.0 5"]
        ),
        Case(
            name: "no time is now",
            body: "cpu load=0.25",
            samples: ["cpu_load 0.25 \(now)"]
        ),
        Case(
            name: "all value types",
            body: "m f=1.5,i=-42i,u=18446744073709551615u,t=t,F=False 1",
            samples: [
                "m_f 1.5 1", "m_i -42.0 1", "m_u 1.8446744073709552e+19 1", "m_t 1.0 1",
                "m_F 0.0 1",
            ]
        ),
        Case(
            name: "exponents, signs and many digits",
            body: "m a=1e3,b=-2.5E-3,c=+7,d=0.1234567890123456789,e=.5,g=5. 1",
            samples: [
                "m_a 1000.0 1", "m_b -0.0025 1", "m_c 7.0 1", "m_d 0.12345678901234568 1",
                "m_e 0.5 1", "m_g 5.0 1",
            ]
        ),
        Case(
            name: "not a number and infinities are values",
            body: "m a=NaN,b=+Inf,c=-inf 1",
            samples: ["m_a nan 1", "m_b inf 1", "m_c -inf 1"]
        ),
        Case(
            name: "escapes",
            body: "my\\ m\\,x,ta\\=g=v\\ 1\\,2,p=C:\\dir fi\\ eld=1 7",
            samples: ["my m,x_fi eld{p=\"C:\\\\dir\", ta=g=\"v 1,2\"} 1.0 7"]
        ),
        Case(
            name: "unicode",
            body: "温度,ort=Köln wert=1 7",
            samples: ["温度_wert{ort=\"Köln\"} 1.0 7"]
        ),
        Case(
            name: "CRLF",
            body: "a v=1 1\r\nb v=2 2\r\n",
            samples: ["a_v 1.0 1", "b_v 2.0 2"]
        ),
        Case(
            name: "tags are put in order",
            body: "m,z=1,a=2 v=1 1",
            samples: ["m_v{a=\"2\", z=\"1\"} 1.0 1"]
        ),
        Case(
            name: "the last of equal tags wins",
            body: "m,a=1,a=2 v=1 1",
            samples: ["m_v{a=\"2\"} 1.0 1"]
        ),
        Case(
            name: "strings are left out, numbers kept",
            body: "m s=\"a, b=1\\\" c\",v=2 1\nm s=\"only\" 2\nm v=3 3",
            samples: ["m_v 2.0 1", "m_v 3.0 3"],
            strings: 2
        ),
        Case(
            name: "a string may hold a line feed",
            body: "m s=\"two\nlines\",v=1 1\nm v=2 2",
            samples: ["m_v 1.0 1", "m_v 2.0 2"],
            strings: 1
        ),
        Case(
            name: "fields in another order",
            body: "m a=1,b=2 1\nm b=3,a=4 2",
            samples: ["m_a 1.0 1", "m_b 2.0 1", "m_b 3.0 2", "m_a 4.0 2"]
        ),
        Case(
            name: "bad lines are refused, neighbours kept",
            body:
                "a v=1 1\nnonsense\nb v=2 2\nc v=x 3\n,t=1 v=1\nd,t v=1\ne,t= v=1 1\nf v=1 zz\ng v=4 4",
            samples: ["a_v 1.0 1", "b_v 2.0 2", "g_v 4.0 4"],
            refusals: [
                "2: missing fields", "4: field \"v\": \"x\" is no number, boolean or quoted string",
                "5: missing measurement", "6: tag without \"=\" at byte 3 of the line",
                "7: missing value of tag \"t\"", "8: \"zz\" is no timestamp",
            ]
        ),
        Case(
            name: "a bad field refuses its whole line",
            body: "m a=1,b=,c=3 1\nm a=2 2",
            samples: ["m_a 2.0 2"],
            refusals: ["1: missing value of field \"b\""]
        ),
        Case(
            name: "a string that never closes",
            body: "m s=\"open,v=1 1\nm v=2 2",
            samples: ["m_v 2.0 2"],
            refusals: ["1: field \"s\": string without closing quote"]
        ),
        Case(
            name: "numbers out of range",
            body: "m v=9223372036854775808i 1\nm v=-1u 1\nm v=1 99999999999999999999",
            refusals: [
                "1: field \"v\": \"9223372036854775808i\" does not fit 64 bits",
                "2: field \"v\": \"-1u\" is no number, boolean or quoted string",
                "3: timestamp \"99999999999999999999\" does not fit 64 bits of nanoseconds: is the precision right?",
            ]
        ),
        Case(
            name: "the future past the horizon",
            body: "m v=1 \(now + 172_800_000_000_001)\nm v=2 \(now + 1)",
            samples: ["m_v 2.0 \(now + 1)"],
            refusals: [
                "1: timestamp \"\(now + 172_800_000_000_001)\" is more than 2d in the future"
            ]
        ),
        Case(
            name: "the far past is taken",
            body: "m v=1 -9000000000000000000",
            samples: ["m_v 1.0 -9000000000000000000"]
        ),
        Case(
            name: "a trailing backslash ends with its line",
            body: "m v=1\\\nm v=2 2",
            samples: ["m_v 2.0 2"],
            refusals: ["1: field \"v\": \"1\\\" is no number, boolean or quoted string"]
        ),
        Case(
            name: "the name label is reserved",
            body: "m,__name__=x v=1 1",
            refusals: ["1: tag \"__name__\" is reserved"]
        ),
    ]

    @Test(arguments: cases.indices)
    func bodiesBecomeSamples(_ index: Int) {
        let row = Self.cases[index]
        let result = LineProtocolParser.parse(
            Array(row.body.utf8),
            options: LineProtocolOptions(now: Self.now)
        )
        #expect(Self.samples(result.batch) == row.samples, "\(row.name)")
        #expect(
            result.refusals.map { "\($0.line): \($0.error)" } == row.refusals,
            "\(row.name)"
        )
        #expect(result.refusedLineCount == row.refusals.count, "\(row.name)")
        #expect(result.stringFieldCount == row.strings, "\(row.name)")
    }

    private static func samples(_ batch: RowBatch) -> [String] {
        (0..<batch.rowCount).map { row in
            let labels = batch.streams[Int(batch.streamIndexes[row])]
            return "\(labels) \(batch.columns[0].floats[row]) \(batch.times[row])"
        }
    }

    @Test(
        arguments: [
            ("s", "1", 1_000_000_000), ("ms", "1", 1_000_000), ("u", "1", 1000), ("us", "1", 1000),
            ("n", "1", 1), ("", "1", 1), ("m", "1", 60_000_000_000), ("h", "1", 3_600_000_000_000),
        ] as [(String, String, Int64)]
    )
    func precisionScalesTimes(_ precision: String, _ text: String, _ expected: Int64) throws {
        var options = LineProtocolOptions(now: Self.now)
        options.nanosecondsPerUnit = try #require(
            LineProtocolOptions.nanosecondsPerUnit(precision: precision)
        )
        let result = LineProtocolParser.parse(Array("m v=1 \(text)".utf8), options: options)
        #expect(result.batch.times == [expected])
    }

    @Test func unknownPrecisionIsRefused() {
        #expect(LineProtocolOptions.nanosecondsPerUnit(precision: "fortnight") == nil)
    }

    @Test func limitsAreNamed() {
        var options = LineProtocolOptions(now: Self.now)
        options.labelsMax = 2
        options.labelValueBytesMax = 4
        let body = "m,a=1,b=2,c=3 v=1 1\nm,a=12345 v=1 1\nm,a=1234 v=1 1"
        let result = LineProtocolParser.parse(Array(body.utf8), options: options)
        #expect(
            result.refusals.map(\.error) == [
                .tooManyLabels(count: 3, limit: 2),
                .labelValueTooLong(tag: "a", bytes: 5, limit: 4),
            ]
        )
        #expect(result.batch.rowCount == 1)
    }

    @Test func tagsThatAreTooLongTogetherAreRefused() {
        let value = String(repeating: "x", count: 4000)
        let tags = (0..<20).map { "t\($0)=\(value)" }.joined(separator: ",")
        let body = Array("m,\(tags) v=1 1\nm,a=1 v=2 2".utf8)
        let result = LineProtocolParser.parse(body, options: LineProtocolOptions(now: Self.now))
        #expect(result.refusals.map(\.line) == [1])
        #expect(result.refusals.first?.error.description.contains("tags of 80") == true)
        #expect(result.batch.rowCount == 1)
    }

    @Test func invalidUTF8IsRefused() {
        let body = Array("m,a=".utf8) + [0xFF, 0xFE] + Array(" v=1 1\nm v=2 2".utf8)
        let result = LineProtocolParser.parse(body, options: LineProtocolOptions(now: Self.now))
        #expect(result.refusals.map(\.line) == [1])
        #expect(result.refusals.map(\.error) == [.invalidUTF8])
        #expect(result.batch.rowCount == 1)
    }

    /// Any bytes give rows and refusals that add up, and never trap; good lines around them stay.
    @Test(arguments: 0..<200 as Range<UInt64>)
    func survivesMutatedBodies(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let line = "cpu,host=a\\ b,x=\"q\" user=1.5,sys=2i,up=true,s=\"a b\" 1000"
        var bytes = Array(line.utf8)
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            let alphabet = Array("\\\", =\n\r#i.u1-\u{0}".utf8)
            bytes[Int.random(in: bytes.indices, using: &random)] =
                alphabet.randomElement(using: &random) ?? 0xFF
        }
        let body = Array("first v=1 1\n".utf8) + bytes + Array("\nlast v=1 1".utf8)
        let result = LineProtocolParser.parse(body, options: LineProtocolOptions(now: Self.now))
        let batch = result.batch
        #expect(batch.streamIndexes.count == batch.times.count, "seed \(seed)")
        #expect(batch.columns[0].floats.count == batch.times.count, "seed \(seed)")
        #expect(batch.streamIndexes.allSatisfy { Int($0) < batch.streams.count }, "seed \(seed)")
        #expect(Self.samples(batch).first == "first_v 1.0 1", "seed \(seed)")
    }
}
