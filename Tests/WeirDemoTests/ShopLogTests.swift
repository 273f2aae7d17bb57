import Testing
import WeirCore

@testable import WeirDemo

/// The shop's logs: whole JSON, in order, and in step with its metrics.
@Suite struct ShopLogTests {
    private static let anchor: Int64 = 1_764_000_000

    private func lines(until end: Int64, ticks: Int) -> [JSONValue] {
        var shop = ShopSimulator(
            seed: 7,
            startSeconds: end - Int64(ticks) * ShopSimulator.tickSeconds,
            anchorSeconds: Self.anchor
        )
        var bytes: [UInt8] = []
        var count = 0
        for _ in 0..<ticks {
            shop.advance(toSeconds: shop.seconds + ShopSimulator.tickSeconds)
            count += shop.appendLogLines(to: &bytes)
        }
        let lines = bytes.split(separator: 0x0A).compactMap { try? JSONParser.parse(Array($0)) }
        #expect(lines.count == count)
        return lines
    }

    @Test func everyLineIsJSONInTheOrderOfItsTime() {
        let lines = lines(until: Self.anchor, ticks: 6)
        #expect(lines.count > 500)
        let times = lines.compactMap { $0["time"]?.string }
        #expect(times.count == lines.count)
        #expect(times == times.sorted())
        #expect(
            times.allSatisfy { $0.hasPrefix("2025-11-24T15:5") || $0.hasPrefix("2025-11-24T16:0") }
        )
        #expect(Set(lines.compactMap { $0["service"]?.string }).count == 12)
        #expect(lines.allSatisfy { $0["message"]?.string?.isEmpty == false })
    }

    @Test func failuresAreManyInTheIncidentAndFewBefore() {
        func failures(until end: Int64) -> Int {
            lines(until: end, ticks: 6).count { $0["severity"]?.string == "ERROR" }
        }
        #expect(failures(until: Self.anchor) > 100)
        #expect(failures(until: Self.anchor - 1200) < 20)
    }

    @Test func aFailedPaymentIsTheSameTraceInCheckout() {
        let lines = lines(until: Self.anchor, ticks: 3)
        let failed = lines.filter { $0["severity"]?.string == "ERROR" }
        let traces = Set(failed.compactMap { $0["trace_id"]?.string })
        let told = lines.filter {
            $0["service"]?.string == "checkout" && $0["level"]?.string == "error"
        }
        #expect(told.contains { traces.contains($0["trace_id"]?.string ?? "") })
        #expect(told.allSatisfy { $0["message"]?.string?.contains("\n\tat ") == true })
    }

    @Test func sameSeedGivesSameLines() {
        let shop = ShopSimulator(seed: 3, startSeconds: 1_000_000, anchorSeconds: 1_000_000)
        var left: [UInt8] = []
        var right: [UInt8] = []
        _ = shop.appendLogLines(to: &left)
        _ = shop.appendLogLines(to: &right)
        #expect(left == right)
    }
}
