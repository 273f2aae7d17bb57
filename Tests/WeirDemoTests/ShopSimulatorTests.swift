import Testing
import WeirCore
import WeirDemo
import WeirWire

@Suite struct ShopSimulatorTests {
    private static let anchor: Int64 = 1_764_000_000

    private func shop(seed: UInt64 = 7, pastSeconds: Int64 = 1800) -> ShopSimulator {
        ShopSimulator(
            seed: seed,
            startSeconds: Self.anchor - pastSeconds,
            anchorSeconds: Self.anchor
        )
    }

    private func lines(_ shop: ShopSimulator) -> [UInt8] {
        var bytes: [UInt8] = []
        shop.appendLines(to: &bytes)
        return bytes
    }

    /// The values of one moment by series.
    private func samples(_ bytes: [UInt8]) -> [String: Double] {
        var options = LineProtocolOptions(now: Self.anchor * 1_000_000_000)
        options.nanosecondsPerUnit = 1_000_000_000
        let result = LineProtocolParser.parse(bytes, options: options)
        #expect(result.refusedLineCount == 0)
        #expect(result.stringFieldCount == 0)
        var samples: [String: Double] = [:]
        for (row, stream) in result.batch.streamIndexes.enumerated() {
            let labels = result.batch.streams[Int(stream)].description
            samples[labels] = result.batch.columns[0].floats[row]
        }
        return samples
    }

    @Test func sameSeedGivesSameBytes() {
        var left = shop()
        var right = shop()
        left.advance(toSeconds: Self.anchor)
        right.advance(toSeconds: Self.anchor)
        #expect(lines(left) == lines(right))
        var other = shop(seed: 8)
        other.advance(toSeconds: Self.anchor)
        #expect(lines(left) != lines(other))
    }

    @Test func howOftenItIsToldDoesNotMatter() {
        var coarse = shop()
        var fine = shop()
        coarse.advance(toSeconds: Self.anchor)
        while fine.seconds < Self.anchor {
            fine.advance(toSeconds: fine.seconds + ShopSimulator.tickSeconds)
            _ = lines(fine)
        }
        #expect(fine.seconds == coarse.seconds)
        #expect(lines(fine) == lines(coarse))
    }

    @Test func everyLineParsesAndEveryValueIsASeries() {
        let shop = shop()
        let bytes = lines(shop)
        let samples = samples(bytes)
        #expect(samples.count == shop.seriesCount)
        #expect(bytes.count { $0 == 0x0A } == shop.lineCount)
        #expect((1500...3000).contains(shop.seriesCount))
    }

    @Test func countersNeverDecrease() {
        var shop = shop(pastSeconds: 7200)
        var before = samples(lines(shop))
        let isCounter = before.keys.filter { name in
            ["_total", "_bucket", "_sum", "_count"].contains { ending in
                name.contains(ending + "{") || name.contains(ending + "\"")
            }
        }
        #expect(isCounter.count > 1000)
        for moment in stride(from: Self.anchor - 6900, through: Self.anchor + 600, by: 300) {
            shop.advance(toSeconds: moment)
            let now = samples(lines(shop))
            for name in isCounter where (now[name] ?? -1) < (before[name] ?? 0) {
                Issue.record("\(name) fell from \(before[name] ?? 0) to \(now[name] ?? -1)")
                return
            }
            before = now
        }
    }

    @Test func bucketsAreCumulative() {
        var shop = shop()
        shop.advance(toSeconds: Self.anchor)
        var previous: (key: Substring, value: Int)?
        for line in String(decoding: lines(shop), as: UTF8.self).split(separator: "\n") {
            guard let le = line.firstRange(of: ",le="),
                let equals = line.firstRange(of: "_bucket=")
            else {
                previous = nil
                continue
            }
            let key = line[..<le.lowerBound]
            let value = Int(line[equals.upperBound...].prefix { $0 != "i" }) ?? -1
            if let previous, previous.key == key { #expect(value >= previous.value) }
            previous = (key, value)
        }
    }

    @Test func paymentFailsAtTheAnchorAndWasFineBefore() {
        func errorRatio(until end: Int64) -> Double {
            var shop = shop(pastSeconds: 3600)
            shop.advance(toSeconds: end - 60)
            let before = samples(lines(shop))
            shop.advance(toSeconds: end)
            let after = samples(lines(shop))
            func increase(_ status: String) -> Double {
                after.filter {
                    $0.key.contains("http_requests_total") && $0.key.contains("\"payment\"")
                        && $0.key.contains(status)
                }.reduce(0) { $0 + $1.value - (before[$1.key] ?? 0) }
            }
            let failed = increase("\"503\"")
            return failed / (failed + increase("\"200\"") + increase("\"201\""))
        }
        #expect(errorRatio(until: Self.anchor) > 0.1)
        #expect(errorRatio(until: Self.anchor - 1200) < 0.03)
    }
}
