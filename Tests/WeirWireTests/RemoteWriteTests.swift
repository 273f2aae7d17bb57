import Testing
import WeirCore
import WeirTestSupport
import WeirWire

@Suite struct RemoteWriteTests {
    private static let now: Int64 = 1_790_000_000 * 1_000_000_000
    private static let time: Int64 = 1_790_000_000_000

    private typealias Messages = RemoteWriteMessages

    private static func parse(
        _ body: [UInt8],
        _ version: RemoteWriteVersion = .one,
        interner: SeriesInterner = SeriesInterner()
    ) throws -> MetricBatches {
        var interner = interner
        return try RemoteWriteParser.parse(
            body,
            version: version,
            options: MetricOptions(now: now),
            interner: &interner
        )
    }

    /// `labels value@milliseconds`, a row each.
    static func rows(_ batch: RowBatch) -> [String] {
        (0..<batch.rowCount).map { row in
            let labels = batch.streams[Int(batch.streamIndexes[row])]
            return "\(labels) \(batch.columns[0].floats[row])@\(batch.times[row] / 1_000_000)"
        }
    }

    @Test func samplesComeAsTheyWereSent() throws {
        let body = Messages.request([
            Messages.series(
                [("__name__", "up"), ("instance", "a:1"), ("job", "x")],
                [(1, Self.time), (0, Self.time + 1), (-2.5, 0), (1e300, -5)]
            ),
            Messages.series([("Zone", "b"), ("__name__", "up"), ("empty", "")], [(2, Self.time)]),
        ])
        let batches = try Self.parse(body)
        #expect(batches.refusedCount == 0)
        #expect(
            Self.rows(batches.samples) == [
                "up{instance=\"a:1\", job=\"x\"} 1.0@1790000000000",
                "up{instance=\"a:1\", job=\"x\"} 0.0@1790000000001",
                "up{instance=\"a:1\", job=\"x\"} -2.5@0",
                "up{instance=\"a:1\", job=\"x\"} 1e+300@-5",
                "up{Zone=\"b\"} 2.0@1790000000000",
            ]
        )
        for labels in batches.samples.streams { _ = try Labels(validating: labels.bytes) }
    }

    @Test func staleMarkersAndOtherNotNumbersKeepTheirBits() throws {
        let odd = Double(bitPattern: 0x7FF8_0000_0000_1234)
        let body = Messages.request([
            Messages.series(
                [("__name__", "a")],
                [(.staleMarker, Self.time), (odd, Self.time + 1), (-0.0, Self.time + 2)]
            )
        ])
        let values = try Self.parse(body).samples.columns[0].floats.map(\.bitPattern)
        #expect(values == [0x7FF0_0000_0000_0002, 0x7FF8_0000_0000_1234, 1 << 63])
    }

    @Test func aSeriesIsOneStreamHoweverOftenItComes() throws {
        var interner = SeriesInterner()
        let one = Messages.series([("__name__", "a"), ("x", "1")], [(1, Self.time)])
        let other = Messages.series([("__name__", "a"), ("x", "2")], [(2, Self.time)])
        let options = MetricOptions(now: Self.now)
        var handles: [StreamHandle] = []
        for _ in 0..<3 {
            let batches = try RemoteWriteParser.parse(
                Messages.request([one, other, one]),
                version: .one,
                options: options,
                interner: &interner
            )
            #expect(batches.samples.streamIndexes == [0, 1, 0])
            #expect(batches.samples.streams.count == 2)
            #expect(batches.samples.handles.count == 2)
            if handles.isEmpty { handles = batches.samples.handles }
            #expect(zip(handles, batches.samples.handles).allSatisfy { $0 === $1 })
        }
    }

    @Test func aFullInternerStillReadsEverySeries() throws {
        var interner = SeriesInterner(byteCountMax: 20_000)
        let options = MetricOptions(now: Self.now)
        for round in 0..<6 {
            let series = (0..<300).map { number in
                Messages.series(
                    [("__name__", "m"), ("number", "\(number)"), ("round", "\(round % 2)")],
                    [(Double(number), Self.time)]
                )
            }
            let batches = try RemoteWriteParser.parse(
                Messages.request(series),
                version: .one,
                options: options,
                interner: &interner
            )
            #expect(batches.samples.rowCount == 300)
            for row in 0..<300 {
                let labels = batches.samples.streams[Int(batches.samples.streamIndexes[row])]
                #expect(labels["number"] == "\(row)")
                #expect(labels["round"] == "\(round % 2)")
            }
        }
    }

    @Test(arguments: [
        ([("job", "x")], "the series has no metric name"),
        ([("__name__", "a"), ("", "x")], "a label has no name"),
        ([("__name__", "a"), ("b", "1"), ("b", "2")], "label \"b\" stands there twice"),
        ([("__name__", "a"), ("__name__", "b")], "label \"__name__\" stands there twice"),
        (
            [("__name__", "a"), ("b", String(repeating: "x", count: 5000))],
            "value of label \"b\" has 5000 bytes where at most 4096 are allowed"
        ),
    ])
    func badSeriesAreRefusedAndTheirNeighboursKept(
        labels: [(String, String)],
        reason: String
    ) throws {
        let good = Messages.series([("__name__", "good")], [(1, Self.time)])
        let batches = try Self.parse(
            Messages.request([
                good, Messages.series(labels, [(1, Self.time), (2, Self.time + 1)]), good,
            ])
        )
        #expect(batches.samples.rowCount == 2)
        #expect(batches.refusedCount == 2)
        #expect(batches.refusals.first?.line == 2)
        #expect(batches.refusals.first?.reason.hasSuffix(reason) == true)
    }

    @Test func labelsThatAreNoUTF8AreRefused() throws {
        var writer = ProtobufWriter()
        writer.bytes(1, [0x0A, 1, 0x61, 0x12, 2, 0xC3, 0x28])
        writer.bytes(1, Messages.label("__name__", "m"))
        writer.bytes(2, Messages.sample(1, Self.time))
        let batches = try Self.parse(Messages.request([writer.bytes]))
        #expect(batches.samples.rowCount == 0)
        #expect(batches.refusals.map(\.reason) == ["a label is not UTF-8"])
    }

    @Test func timesFarAwayAreRefusedByThemselves() throws {
        let batches = try Self.parse(
            Messages.request([
                Messages.series(
                    [("__name__", "a")],
                    [(1, .max), (2, Self.time), (3, Self.time + 4 * 86_400_000), (4, .min)]
                )
            ])
        )
        #expect(Self.rows(batches.samples) == ["a 2.0@1790000000000"])
        #expect(batches.refusedCount == 3)
        #expect(
            batches.refusals.map(\.reason) == [
                "a: the time is outside of the years 1678 to 2261",
                "a: the time is more than 2d in the future",
                "a: the time is outside of the years 1678 to 2261",
            ]
        )
    }

    @Test func histogramsExemplarsAndMetadataAreTaken() throws {
        let body = Messages.request(
            [
                Messages.series([("__name__", "h"), ("job", "x")], [(1, Self.time)]) { writer in
                    var exemplar = ProtobufWriter()
                    exemplar.bytes(1, Messages.label("trace_id", "abc"))
                    exemplar.fixed64(2, (0.25).bitPattern)
                    exemplar.varint(3, UInt64(Self.time))
                    writer.bytes(3, exemplar.bytes)
                    writer.bytes(4, Messages.histogram())
                }
            ],
            metadata: [Messages.metadata(3, "h", help: "How long", unit: "seconds")]
        )
        let batches = try Self.parse(body)
        #expect(batches.refusedCount == 0)
        #expect(batches.samples.rowCount == 1)
        let histogram = try NativeHistogram(row: 0, of: batches.histograms.columns)
        #expect(histogram.count == 4)
        #expect(histogram.sum == 9.5)
        #expect(histogram.schema == 3)
        #expect(histogram.resetHint == .noReset)
        #expect(histogram.zeroCount == 1)
        #expect(histogram.positive.counts == [2, 1])
        #expect(histogram.positive.spans.map(\.offset) == [1, 2])
        #expect(batches.exemplars.streams.map(\.description) == ["h{job=\"x\"}"])
        #expect(batches.exemplars.times == [Self.time * 1_000_000])
        #expect(
            batches.metadata == [
                FamilyMetadata(
                    name: "h",
                    MetricMetadata(type: .histogram, unit: "seconds", help: "How long")
                )
            ]
        )
    }

    @Test(arguments: [
        (RemoteWriteMessages.histogram(schema: 9), "schema 9 is not known"),
        (
            RemoteWriteMessages.histogram(count: 5),
            "4.0 observations in buckets where the count is 5.0"
        ),
        (
            RemoteWriteMessages.histogram(deltas: [2, -3]),
            "a positive bucket's count is below zero"
        ),
        (
            RemoteWriteMessages.histogram(deltas: [2, -1, 0]),
            "positive spans have 2 buckets, and 3 counts"
        ),
    ])
    func histogramsThatDoNotHangTogetherAreRefused(message: [UInt8], reason: String) throws {
        let batches = try Self.parse(
            Messages.request([
                Messages.series([("__name__", "h")], [(1, Self.time)]) { $0.bytes(4, message) }
            ])
        )
        #expect(batches.samples.rowCount == 1)
        #expect(batches.histograms.rowCount == 0)
        #expect(batches.refusals.map(\.reason) == ["h: native histogram: \(reason)"])
    }

    @Test func versionTwoReadsSymbols() throws {
        var request = SymbolRequest()
        request.add([("__name__", "up"), ("job", "x")], [(1, Self.time)]) { writer, request in
            var metadata = ProtobufWriter()
            metadata.varint(1, 2)
            metadata.varint(3, request.reference("Whether it is up"))
            metadata.varint(4, 0)
            writer.bytes(5, metadata.bytes)
            writer.varint(6, UInt64(Self.time - 1000))
        }
        request.add([("__name__", "h_bucket"), ("le", "1")], [(2, Self.time)]) { writer, request in
            var exemplar = ProtobufWriter()
            exemplar.bytes(1, request.references([("trace_id", "abc")]))
            exemplar.fixed64(2, (0.5).bitPattern)
            exemplar.varint(3, UInt64(Self.time))
            writer.bytes(3, Messages.histogram())
            writer.bytes(4, exemplar.bytes)
            var metadata = ProtobufWriter()
            metadata.varint(1, 3)
            writer.bytes(5, metadata.bytes)
        }
        let batches = try Self.parse(request.bytes, .two)
        #expect(
            Self.rows(batches.samples) == [
                "up{job=\"x\"} 1.0@1790000000000", "h_bucket{le=\"1\"} 2.0@1790000000000",
            ]
        )
        #expect(batches.histograms.rowCount == 1)
        #expect(batches.exemplars.rowCount == 1)
        #expect(
            batches.metadata == [
                FamilyMetadata(
                    name: "up",
                    MetricMetadata(type: .gauge, unit: "", help: "Whether it is up")
                ),
                FamilyMetadata(name: "h", MetricMetadata(type: .histogram)),
            ]
        )
    }

    @Test func versionTwoRefusesReferencesToNothing() throws {
        var writer = ProtobufWriter()
        for symbol in ["", "__name__", "a"] { writer.bytes(4, Array(symbol.utf8)) }
        for references in [[1, 2], [1, 9], [1, 2, 2], [UInt64.max, 2]] {
            var series = ProtobufWriter()
            series.bytes(1, Messages.packed(references))
            series.bytes(2, Messages.sample(1, Self.time))
            writer.bytes(5, series.bytes)
        }
        let batches = try Self.parse(writer.bytes, .two)
        #expect(batches.samples.rowCount == 1)
        #expect(
            batches.refusals.map { "\($0.line) \($0.reason)" } == [
                "2 symbol 9 is not in the table", "3 a label has a name and no value",
                "4 symbol 18446744073709551615 is not in the table",
            ]
        )
    }

    /// Every cut, and many flips of a bit: read, or refused, and never more rows than were sent.
    @Test func damagedRequestsNeverTrap() throws {
        var request = SymbolRequest()
        request.add([("__name__", "up"), ("job", "x")], [(1, Self.time), (2, 3)]) { writer, _ in
            writer.bytes(3, Messages.histogram())
        }
        let bodies: [(RemoteWriteVersion, [UInt8])] = [
            (
                .one,
                Messages.request([
                    Messages.series([("__name__", "a"), ("b", "c")], [(1, Self.time)]) {
                        $0.bytes(4, Messages.histogram())
                    }
                ])
            ), (.two, request.bytes),
        ]
        var random = SplitMix64(seed: 7)
        for (version, body) in bodies {
            for count in body.indices { _ = try? Self.parse(Array(body[..<count]), version) }
            for _ in 0..<3000 {
                var changed = body
                for _ in 0...(random.next() % 3) {
                    let place = Int(random.next() % UInt64(body.count))
                    changed[place] ^= UInt8(1 << (random.next() % 8))
                }
                if let batches = try? Self.parse(changed, version) {
                    #expect(batches.rowCount <= body.count)
                }
            }
        }
    }
}
