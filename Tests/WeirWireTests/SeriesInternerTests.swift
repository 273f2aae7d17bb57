import Testing
import WeirCore
import WeirTestSupport
import WeirWire

/// Requests read with what earlier requests named give what they give alone.
@Suite struct SeriesInternerTests {
    private typealias Messages = RemoteWriteMessages
    private static let time: Int64 = 1_790_000_000_000
    private static let now: Int64 = time * 1_000_000

    private static func parse(
        _ body: [UInt8],
        _ version: RemoteWriteVersion,
        _ interner: inout SeriesInterner
    ) throws -> MetricBatches {
        var options = MetricOptions(now: now)
        options.labelsMax = 3
        return try RemoteWriteParser.parse(
            body,
            version: version,
            options: options,
            interner: &interner
        )
    }

    /// A generous interner, and one that is full after some of the series.
    @Test(arguments: 0..<60 as Range<UInt64>, [32 << 20, 20_000])
    func requestsReadAloneAndTogetherAreAlike(_ seed: UInt64, _ byteCountMax: Int) throws {
        var random = SplitMix64(seed: seed)
        var interner = SeriesInterner(byteCountMax: byteCountMax)
        var list = Self.list(&random)
        for _ in 0..<8 {
            if Int.random(in: 0..<3, using: &random) == 0 { list = Self.list(&random) }
            let version: RemoteWriteVersion = Bool.random(using: &random) ? .one : .two
            let body = Self.request(list, version, &random)
            var fresh = SeriesInterner()
            let alone = try Self.parse(body, version, &fresh)
            let together = try Self.parse(body, version, &interner)
            #expect(
                RemoteWriteTests.rows(together.samples) == RemoteWriteTests.rows(alone.samples),
                "seed \(seed)"
            )
            #expect(together.refusals == alone.refusals, "seed \(seed)")
            #expect(together.samples.firstLines == alone.samples.firstLines, "seed \(seed)")
            #expect(together.samples.isSound, "seed \(seed)")
        }
    }

    @Test func referencesOfThreeBytesAreRead() throws {
        var interner = SeriesInterner()
        for unused in [0, 17_000, 17_000] {
            var request = SymbolRequest()
            request.reserveReferences(unused)
            request.add([("__name__", "a"), ("job", "b")], [(1, Self.time)])
            let batches = try Self.parse(request.bytes, .two, &interner)
            #expect(
                RemoteWriteTests.rows(batches.samples) == ["a{job=\"b\"} 1.0@\(Self.time)"]
            )
        }
    }

    /// Series in some order: names and values that are the beginnings of others, some seen twice, and some
    /// with a label too many or without a name.
    private static func list(_ random: inout SplitMix64) -> [[(String, String)]] {
        (0..<Int.random(in: 1...12, using: &random)).map { _ in
            var labels = [("__name__", ["a", "ab", "abc"].randomElement(using: &random) ?? "a")]
            for name in ["h", "host", "i", "job"] where Bool.random(using: &random) {
                labels.append((name, String(Int.random(in: 8...120, using: &random) / 10)))
            }
            if Int.random(in: 0..<12, using: &random) == 0 { labels.removeFirst() }
            return labels
        }
    }

    private static func request(
        _ list: [[(String, String)]],
        _ version: RemoteWriteVersion,
        _ random: inout SplitMix64
    ) -> [UInt8] {
        func samples() -> [(Double, Int64)] {
            (0..<Int.random(in: 0...2, using: &random)).map {
                (Double.random(in: 0...9, using: &random), time - Int64($0))
            }
        }
        switch version {
        case .one:
            return Messages.request(list.map { Messages.series($0, samples()) })
        case .two:
            var request = SymbolRequest()
            // References of one byte in some requests, and of two in others.
            if Bool.random(using: &random) { request.reserveReferences(130) }
            for labels in list {
                request.add(labels, samples()) { writer, request in
                    // What comes in a second piece belongs to the labels too.
                    guard Int.random(in: 0..<20, using: &random) == 0 else { return }
                    writer.bytes(1, request.references([("zone", "b")]))
                }
            }
            return request.bytes
        }
    }
}
