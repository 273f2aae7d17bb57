import Testing
import WeirCore
import WeirTestSupport
import WeirWire

@Suite struct PushTests {
    private static let second: Int64 = 1_000_000_000
    private static let now: Int64 = 1_790_000_000 * second

    /// `labels value@seconds`, in ascending order, then refusals.
    private static func rows(_ batches: MetricBatches) -> [String] {
        let samples = batches.samples
        return (0..<samples.rowCount).map { row in
            let labels = samples.streams[Int(samples.streamIndexes[row])]
            let value = samples.columns[0].floats[row]
            let text = value.isNaN ? "stale" : "\(value)"
            return "\(labels) \(text)@\(samples.times[row] / second)"
        }.sorted() + batches.refusals.map(\.reason)
    }

    @Test(
        arguments: [
            ("a.b.c 1.5 1790000000\n", ["a_b_c 1.5@1790000000"]),
            (
                "a.b-c;host=x.y;rack=7 2 1790000001.5\r\n",
                ["a_b_c{host=\"x.y\", rack=\"7\"} 2.0@1790000001"]
            ),
            ("a 1\na 2 -1\na 3 N", ["a 1.0@1790000000", "a 2.0@1790000000", "a 3.0@1790000000"]),
            ("9a.b 1 5", ["_9a_b 1.0@5"]),
            ("a\t1\t5", ["a 1.0@5"]),
            ("a", ["there is no value"]),
            ("a b 5", ["\"b\" is no number"]),
            ("a 1 x", ["\"x\" is no timestamp"]),
            ("a 1 2 3", ["\"2\" is no timestamp"]),
            ("a;b 1 2", ["\"b\" is no tag"]),
            ("... 1 2", ["the metric has no name"]),
            ("a 1 1990000000", ["the time is more than 172800 s in the future"]),
            ("good 1 5\nbad\ngood 2 6", ["good 1.0@5", "good 2.0@6", "there is no value"]),
        ] as [(String, [String])]
    )
    func graphiteBecomesSamples(text: String, expected: [String]) {
        var parser = GraphiteParser(limits: MetricOptions(now: Self.now))
        parser.parse(Array(text.utf8), arrival: Self.now)
        #expect(Self.rows(parser.batches) == expected)
    }

    @Test(
        arguments: [
            (["hits:1|c", "hits:2|c|@0.5\nhits:3|c"], ["hits 8.0@1790000010"]),
            (["a.b:5|g"], ["a_b 5.0@1790000010"]),
            (["g:5|g", "g:+2|g", "g:-4|g"], ["g 3.0@1790000010"]),
            (["s:x|s", "s:y|s\ns:x|s"], ["s 2.0@1790000010"]),
            (["a:1|c|#x:1,flag,b.c:2"], ["a{b_c=\"2\", flag=\"true\", x=\"1\"} 1.0@1790000010"]),
            (["a,x=1,y=2:3|c"], ["a{x=\"1\", y=\"2\"} 3.0@1790000010"]),
            (["a#x=1:3|c"], ["a{x=\"1\"} 3.0@1790000010"]),
            (["a;x=1:3|c"], ["a{x=\"1\"} 3.0@1790000010"]),
            (["a[x=1:2,y=3]:3|c"], ["a{x=\"1:2\", y=\"3\"} 3.0@1790000010"]),
            (["a:1:2:3|c|#x:1|c:abc"], ["a{x=\"1\"} 6.0@1790000010"]),
            (["a:7|g|T1790000003"], ["a 7.0@1790000003", "a 7.0@1790000010"]),
            (
                ["t:100:300|ms", "t:200|ms"],
                [
                    "t_count 3.0@1790000010", "t_sum 0.6000000000000001@1790000010",
                    "t{quantile=\"0.5\"} 0.2@1790000010", "t{quantile=\"0.9\"} 0.3@1790000010",
                    "t{quantile=\"0.99\"} 0.3@1790000010",
                ]
            ),
            (
                ["t:8|h|@0.25"],
                [
                    "t_count 4.0@1790000010", "t_sum 32.0@1790000010",
                    "t{quantile=\"0.5\"} 8.0@1790000010", "t{quantile=\"0.9\"} 8.0@1790000010",
                    "t{quantile=\"0.99\"} 8.0@1790000010",
                ]
            ),
            (["_e{5,4}:title|text", "_sc|name|0"], []),
            (["a:1"], ["there is no value"]),
            (["a:|c"], ["there is no value"]),
            (["a:x|c"], ["\"x\" is no number"]),
            (["a:1|z"], ["\"z\" is no type of metrics"]),
            (["a:1|c|@0"], ["\"@0\" is no sample rate"]),
            (["a:1|c|@nan"], ["\"@nan\" is no sample rate"]),
            (["a:1|g|T0"], ["\"T0\" is no timestamp"]),
            (["a:1|g|T99999999999999999"], ["\"T99999999999999999\" is no timestamp"]),
            ([":1|c"], ["the metric has no name"]),
            (["a[x=1:3|c"], ["\"x=1\" is no tag"]),
        ] as [([String], [String])]
    )
    func statsdAddsUp(datagrams: [String], expected: [String]) {
        var totals = StatsDTotals(limits: MetricOptions(now: Self.now))
        for datagram in datagrams { totals.add(Array(datagram.utf8), at: Self.now) }
        #expect(Self.rows(totals.flush(at: Self.now + 10 * Self.second)) == expected)
    }

    @Test func countersGoOnAndTimersBeginAnew() {
        var totals = StatsDTotals(limits: MetricOptions(now: Self.now))
        totals.add(Array("c:1|c\nt:5|h\ns:x|s\ng:4|g".utf8), at: Self.now)
        _ = totals.flush(at: Self.now)
        totals.add(Array("c:2|c".utf8), at: Self.now)
        #expect(
            Self.rows(totals.flush(at: Self.now + Self.second)) == [
                "c 3.0@1790000001", "g 4.0@1790000001", "s 0.0@1790000001",
                "t_count 1.0@1790000001", "t_sum 5.0@1790000001",
            ]
        )
        // An hour without a word ends a series.
        let later = Self.now + 3601 * Self.second
        #expect(
            Self.rows(totals.flush(at: later)).filter { $0.hasPrefix("c ") || $0.hasPrefix("g ") }
                == ["c stale@1790003601", "g stale@1790003601"]
        )
        #expect(totals.flush(at: later + Self.second).rowCount == 0)
    }

    @Test func mutatedLinesNeverTrap() {
        let text = Array("a.b,x=1:1:+2|ms|@0.5|#a:b,c|T1790000000|c:id\n_e{1,2}:x|y".utf8)
        var random = SplitMix64(seed: 5)
        var totals = StatsDTotals(limits: MetricOptions(now: Self.now))
        var parser = GraphiteParser(limits: MetricOptions(now: Self.now))
        for _ in 0..<5000 {
            var changed = text
            for _ in 0...(random.next() % 4) {
                let place = Int(random.next() % UInt64(text.count))
                changed[place] = UInt8(truncatingIfNeeded: random.next())
            }
            totals.add(changed, at: Self.now)
            parser.parse(changed, arrival: Self.now)
        }
        _ = totals.flush(at: Self.now + Self.second)
    }
}
