import Testing
import WeirCore
import WeirTestSupport

@testable import WeirWire

/// What remote reads are answered with, read back.
@Suite struct RemoteReadTests {
    /// Reads bits, the first one first.
    private struct Bits {
        let bytes: [UInt8]
        var place: Int

        mutating func next(_ count: Int) throws -> UInt64 {
            var value: UInt64 = 0
            for _ in 0..<count {
                try #require(place / 8 < bytes.count)
                value = value << 1 | UInt64(bytes[place / 8] >> UInt8(7 - place % 8) & 1)
                place += 1
            }
            return value
        }

        mutating func varint() throws -> UInt64 {
            var value: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 70, by: 7) {
                let byte = try next(8)
                value |= (byte & 0x7F) << shift
                if byte < 0x80 { break }
            }
            return value
        }
    }

    /// An XOR chunk's samples, as the format's page describes them.
    private static func samples(_ data: [UInt8]) throws -> [(Int64, UInt64)] {
        var bits = Bits(bytes: data, place: 16)
        let count = Int(data[0]) << 8 | Int(data[1])
        let first = try bits.varint()
        var time = Int64(bitPattern: first >> 1) ^ -Int64(bitPattern: first & 1)
        var value = try bits.next(64)
        var found = [(time, value)]
        var delta: Int64 = 0
        var (leading, width) = (0, 0)
        while found.count < count {
            if found.count == 1 {
                delta = Int64(bitPattern: try bits.varint())
            } else {
                var ones = 0
                while ones < 4, try bits.next(1) == 1 { ones += 1 }
                let size = [0, 14, 17, 20, 64][ones]
                var change = Int64(bitPattern: try bits.next(size))
                if (1..<64).contains(size), change > 1 << (size - 1) { change -= 1 << size }
                delta &+= change
            }
            time &+= delta
            if try bits.next(1) == 1 {
                if try bits.next(1) == 1 {
                    leading = Int(try bits.next(5))
                    width = Int(try bits.next(6))
                    if width == 0 { width = 64 }
                }
                value ^= try bits.next(width) << UInt64(64 - leading - width)
            }
            found.append((time, value))
        }
        // Nothing but padding is left.
        #expect(data.count * 8 - bits.place < 8)
        return found
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func chunksHoldTheSamples(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let count = Int.random(in: 1...300, using: &random)
        var times: [Int64] = []
        var values: [Double] = []
        var time =
            seed % 5 == 0
            ? Int64.random(in: -(1 << 50)...(1 << 50), using: &random) : 1_790_000_000_000
        for _ in 0..<count {
            times.append(time)
            time +=
                [
                    15000, 15000 + Int64.random(in: -3...3, using: &random),
                    Int64.random(in: 1...20000, using: &random),
                    Int64.random(in: 1...2_000_000, using: &random),
                    Int64.random(in: 1...(1 << 40), using: &random),
                ][Int.random(in: 0..<(seed % 2 == 0 ? 2 : 5), using: &random)]
            switch Int.random(in: 0..<8, using: &random) {
            case 0: values.append(values.last ?? 0)
            case 1: values.append(Double(bitPattern: random.next()))
            case 2: values.append(.staleMarker)
            case 3: values.append(-0.0)
            default: values.append(Double(Int.random(in: 0..<1000, using: &random)) / 10)
            }
        }
        var found: [(Int64, UInt64)] = []
        for start in stride(from: 0, to: count, by: FloatChunk.samplesMax) {
            let range = start..<min(count, start + FloatChunk.samplesMax)
            let chunk = FloatChunk(times.span, values.span, range)
            #expect(chunk.first == times[range.lowerBound])
            #expect(chunk.last == times[range.upperBound - 1])
            found += try Self.samples(chunk.data)
        }
        #expect(found.map(\.0) == times, "seed \(seed)")
        #expect(found.map(\.1) == values.map(\.bitPattern), "seed \(seed)")
    }

    /// The check value of the CRC catalogue.
    @Test func framesHaveLengthAndChecksum() {
        let message = Array("123456789".utf8)
        #expect(ChunkFrame.checksum(of: message) == 0xE306_9283)
        var bytes: [UInt8] = [7]
        ChunkFrame.append(message, to: &bytes)
        #expect(bytes == [7, 9, 0xE3, 0x06, 0x92, 0x83] + message)
        var long: [UInt8] = []
        ChunkFrame.append([UInt8](repeating: 1, count: 300), to: &long)
        #expect(long.count == 306 && long[0] == 0xAC && long[1] == 2)
    }

    /// The messages are those of remote write, by which they are read back.
    @Test(arguments: 0..<50 as Range<UInt64>)
    func histogramsComeBack(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        func side() -> NativeHistogram.Side {
            let counts = (0..<Int.random(in: 0...5, using: &random)).map { _ in
                Double(Int.random(in: 0...1_000_000, using: &random))
            }
            guard !counts.isEmpty else { return .init() }
            let offset = Int32.random(in: -20...20, using: &random)
            return .init(
                spans: [.init(offset: offset, length: UInt32(counts.count))],
                counts: counts
            )
        }
        var histogram = NativeHistogram()
        histogram.schema = Int8.random(in: -4...8, using: &random)
        histogram.positive = side()
        histogram.negative = side()
        histogram.zeroThreshold = 0x1p-128
        histogram.zeroCount = Double(Int.random(in: 0...9, using: &random))
        histogram.sum = Double.random(in: -5...5, using: &random)
        histogram.count =
            histogram.zeroCount + histogram.positive.counts.reduce(0, +)
            + histogram.negative.counts.reduce(0, +)
        histogram.hasFloatCounts = seed % 3 == 0
        if histogram.hasFloatCounts {
            for place in histogram.positive.counts.indices {
                histogram.positive.counts[place] += 0.5
                histogram.count += 0.5
            }
        }
        histogram.resetHint = [.unknown, .reset, .noReset, .gauge][Int(seed % 4)]
        let time: Int64 = 1_790_000_000_000 + Int64(seed)
        let message = RemoteReadMessages.timeSeries(
            [(name: "__name__", value: "h"), (name: "a", value: "b")],
            [time - 1],
            [4.5],
            [(time, histogram)]
        )
        var request = ProtobufWriter()
        request.bytes(1, message)
        var interner = SeriesInterner()
        let batches = try RemoteWriteParser.parse(
            request.bytes,
            version: .one,
            options: MetricOptions(now: time * 1_000_000),
            interner: &interner
        )
        #expect(batches.refusedCount == 0)
        #expect(RemoteWriteTests.rows(batches.samples) == ["h{a=\"b\"} 4.5@\(time - 1)"])
        try #require(batches.histograms.rowCount == 1)
        #expect(batches.histograms.times == [time * 1_000_000])
        let found = try NativeHistogram(row: 0, of: batches.histograms.columns)
        #expect(found == histogram, "seed \(seed)")
    }
}
