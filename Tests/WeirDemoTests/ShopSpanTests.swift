import Testing
import WeirCore
import WeirWire

@testable import WeirDemo

/// The shop's traces: OTLP that is understood, in step with its log lines.
@Suite struct ShopSpanTests {
    private static let anchor: Int64 = 1_764_000_000

    private struct Spans {
        var count = 0
        var traces: Set<String> = []
        /// Trace and span.
        var ids: Set<String> = []
        var parents: [String] = []
        var errors = 0
        var bytes: [UInt8] = []
    }

    private func shop(_ ticks: Int, until end: Int64) -> ShopSimulator {
        ShopSimulator(
            seed: 7,
            startSeconds: end - Int64(ticks) * ShopSimulator.tickSeconds,
            anchorSeconds: Self.anchor
        )
    }

    private func spans(_ ticks: Int, until end: Int64 = anchor) throws -> Spans {
        var shop = shop(ticks, until: end)
        var writer = SpanWriter()
        for _ in 0..<ticks {
            shop.advance(toSeconds: shop.seconds + ShopSimulator.tickSeconds)
            shop.appendSpans(to: &writer)
        }
        var spans = Spans()
        let count = writer.spanCount
        spans.bytes = writer.take()
        #expect(writer.spanCount == 0)
        let options = SpanOptions(now: end * 1_000_000_000)
        let result = try OTLPSpanParser.parse(spans.bytes, options: options)
        #expect(result.refusedCount == 0)
        func texts(_ name: String) -> [String?] {
            (0..<result.batch.rowCount).map { row in
                guard let column = result.batch.fields[name], let index = column.index(ofRow: row)
                else { return nil }
                return String(decoding: column.values[index], as: UTF8.self)
            }
        }
        let traces = texts(SpanField.traceID).compactMap { $0 }
        spans.count = traces.count
        spans.traces = Set(traces)
        spans.ids = Set(zip(traces, texts(SpanField.spanID)).map { $0 + ($1 ?? "") })
        spans.parents = zip(traces, texts(SpanField.parentID)).compactMap { trace, parent in
            parent.map { trace + $0 }
        }
        spans.errors = texts(SpanField.status).count { $0 == "error" }
        #expect(spans.count == count)
        #expect(spans.ids.count == count)
        let durations = texts(SpanField.duration).compactMap { $0.flatMap { Int64($0) } }
        #expect(durations.count == count)
        #expect(durations.allSatisfy { $0 >= 0 })
        return spans
    }

    @Test func spansAreWholeOTLPWithIdsOfTheirOwn() throws {
        let spans = try spans(12)
        #expect((1000...10_000).contains(spans.count))
        // Some senders lose a span on purpose.
        let lost = spans.parents.count { !spans.ids.contains($0) }
        #expect(lost < spans.count / 50)
        #expect(spans.errors > 0)
    }

    @Test func everyIdInTheLogsIsThatOfASpan() throws {
        let spans = try spans(6)
        var shop = shop(6, until: Self.anchor)
        var bytes: [UInt8] = []
        for _ in 0..<6 {
            shop.advance(toSeconds: shop.seconds + ShopSimulator.tickSeconds)
            _ = shop.appendLogLines(to: &bytes)
        }
        let lines = bytes.split(separator: 0x0A).compactMap { try? JSONParser.parse(Array($0)) }
        let ids = lines.compactMap { line -> String? in
            guard let trace = line["trace_id"]?.string else { return nil }
            return trace + (line["span_id"]?.string ?? "")
        }
        #expect(ids.count > 30)
        let unknown = ids.filter { !spans.ids.contains($0) }
        #expect(unknown == [])
    }

    @Test func failuresAreManyInTheIncidentAndFewBefore() throws {
        let bad = try spans(6)
        let good = try spans(6, until: Self.anchor - 1200)
        #expect(Double(bad.errors) / Double(bad.count) > 0.04)
        #expect(Double(good.errors) / Double(good.count) < 0.04)
    }

    @Test func sameSeedGivesSameSpans() throws {
        #expect(try spans(2).bytes == (try spans(2).bytes))
    }

    @Test func longAgoFewerAreTold() throws {
        let past = try spans(12, until: Self.anchor - 7200)
        #expect(past.count * 4 < (try spans(12).count))
    }
}
