import Testing
import WeirCore
import WeirTestSupport
import WeirWire

@Suite struct ProtobufExpositionTests {
    private static let now: Int64 = 1_790_000_000 * 1_000_000_000

    private static func message(_ body: (inout ProtobufWriter) -> Void) -> [UInt8] {
        var writer = ProtobufWriter()
        body(&writer)
        return writer.bytes
    }

    /// A family with its length before it.
    private static func family(
        _ name: String,
        type: UInt64,
        _ metrics: [[UInt8]]
    ) -> [UInt8] {
        let bytes = message { writer in
            writer.bytes(1, Array(name.utf8))
            writer.bytes(2, Array("Help of \(name)".utf8))
            writer.varint(3, type)
            for metric in metrics { writer.bytes(4, metric) }
        }
        var framed: [UInt8] = []
        UInt64(bytes.count).appendVarint(to: &framed)
        return framed + bytes
    }

    private static func label(_ name: String, _ value: String) -> [UInt8] {
        message {
            $0.bytes(1, Array(name.utf8))
            $0.bytes(2, Array(value.utf8))
        }
    }

    private static func double(_ value: Double) -> [UInt8] {
        message { $0.fixed64(1, value.bitPattern) }
    }

    private static let exemplar = message {
        $0.bytes(1, label("trace_id", "abc"))
        $0.fixed64(2, (0.5).bitPattern)
        $0.bytes(3, message { $0.varint(1, 1_789_999_990) })
    }

    private static func bucket(
        _ bound: Double,
        _ count: UInt64,
        hasExemplar: Bool = false
    )
        -> [UInt8]
    {
        message {
            $0.varint(1, count)
            $0.fixed64(2, bound.bitPattern)
            if hasExemplar { $0.bytes(3, exemplar) }
        }
    }

    private static let classic = message {
        $0.varint(1, 4)
        $0.fixed64(2, (7.5).bitPattern)
        $0.bytes(3, bucket(1, 3, hasExemplar: true))
        $0.bytes(3, bucket(2_500_000, 4))
    }

    private static let body: [UInt8] = {
        let quantile = message {
            $0.fixed64(1, (0.5).bitPattern)
            $0.fixed64(2, (3.0).bitPattern)
        }
        let summary = message {
            $0.varint(1, 2)
            $0.fixed64(2, (5.0).bitPattern)
            $0.bytes(3, quantile)
        }
        let native = message {
            $0.varint(1, 4)
            $0.fixed64(2, (7.5).bitPattern)
            $0.varint(5, UInt64(zigZag: 3))
            $0.fixed64(6, (0.001).bitPattern)
            $0.varint(7, 1)
            $0.bytes(12, RemoteWriteMessages.span(1, 2))
            $0.bytes(13, RemoteWriteMessages.packed([UInt64(zigZag: 2), UInt64(zigZag: -1)]))
            $0.bytes(3, bucket(1, 3))
            $0.bytes(16, exemplar)
        }
        return family(
            "hits",
            type: 0,
            [
                message {
                    $0.bytes(1, label("a", "b"))
                    $0.bytes(3, double(3) + message { $0.bytes(2, exemplar) })
                    $0.varint(6, 1_790_000_000_000 - 5)
                }
            ]
        ) + family("level", type: 1, [message { $0.bytes(2, double(-1.5)) }])
            + family("odd", type: 3, [message { $0.bytes(5, double(.nan)) }])
            + family("took", type: 2, [message { $0.bytes(4, summary) }])
            + family("size", type: 4, [message { $0.bytes(7, classic) }])
            + family("native", type: 4, [message { $0.bytes(7, native) }])
    }()

    private static func rows(_ result: ExpositionResult) -> [String] {
        let samples = result.batches.samples
        return (0..<samples.rowCount).map { row in
            let labels = samples.streams[Int(samples.streamIndexes[row])]
            let time = result.hasOwnTime[row] ? "@\((samples.times[row] - now) / 1_000_000)" : ""
            return "\(labels) \(samples.columns[0].floats[row])\(time)"
        }
    }

    @Test func familiesBecomeTheSeriesOfTheText() throws {
        let result = try ProtobufExpositionParser.parse(
            Self.body,
            options: ExpositionOptions(format: .prometheus, now: Self.now)
        )
        #expect(
            Self.rows(result) == [
                "hits{a=\"b\"} 3.0@-5", "level -1.5", "odd nan(0x1)", "took_count 2.0",
                "took_sum 5.0", "took{quantile=\"0.5\"} 3.0", "size_count 4.0", "size_sum 7.5",
                "size_bucket{le=\"1.0\"} 3.0", "size_bucket{le=\"2.5e+06\"} 4.0",
                "size_bucket{le=\"+Inf\"} 4.0",
            ]
        )
        #expect(result.batches.refusals.isEmpty)
        let histogram = try NativeHistogram(row: 0, of: result.batches.histograms.columns)
        #expect(result.batches.histograms.streams.map(\.description) == ["native"])
        #expect(histogram.count == 4)
        #expect(histogram.schema == 3)
        #expect(histogram.zeroThreshold == 0.001)
        #expect(histogram.positive.counts == [2, 1])
        #expect(!histogram.hasFloatCounts)
        #expect(
            result.batches.exemplars.streams.map(\.description) == [
                "hits{a=\"b\"}", "size_bucket{le=\"1.0\"}", "native",
            ]
        )
        #expect(result.batches.metadata.map(\.name).count == 6)
        #expect(result.batches.metadata[3].metadata.type == .summary)
    }

    @Test func cutAndChangedBodiesNeverTrap() {
        let options = ExpositionOptions(format: .prometheus, now: Self.now)
        for count in Self.body.indices {
            _ = try? ProtobufExpositionParser.parse(Array(Self.body[..<count]), options: options)
        }
        var random = SplitMix64(seed: 3)
        for _ in 0..<4000 {
            var changed = Self.body
            for _ in 0...(random.next() % 3) {
                changed[Int(random.next() % UInt64(changed.count))] ^=
                    UInt8(1 << (random.next() % 8))
            }
            _ = try? ProtobufExpositionParser.parse(changed, options: options)
        }
    }

    /// As Prometheus 3 scrapes text.
    @Test func boundsOfTextAreNormalised() {
        var options = ExpositionOptions(format: .prometheus, now: Self.now)
        options.normalisesBounds = true
        var interner = SeriesInterner()
        let text = """
            # TYPE a histogram
            a_bucket{le="1"} 1
            a_bucket{le="0.00001"} 1
            a_bucket{le="1000000"} 1
            a_bucket{le="123456.5"} 1
            a_bucket{le="+Inf",quantile="1"} 1
            # TYPE b summary
            b{quantile="1",le="1"} 1
            # TYPE c gauge
            c{le="1"} 1
            """
        let result = ExpositionParser.parse(
            Array(text.utf8),
            options: options,
            interner: &interner
        )
        #expect(
            Self.rows(result) == [
                "a_bucket{le=\"1.0\"} 1.0", "a_bucket{le=\"1e-05\"} 1.0",
                "a_bucket{le=\"1e+06\"} 1.0", "a_bucket{le=\"123456.5\"} 1.0",
                "a_bucket{le=\"+Inf\", quantile=\"1\"} 1.0",
                "b{le=\"1\", quantile=\"1.0\"} 1.0", "c{le=\"1\"} 1.0",
            ]
        )
    }
}
