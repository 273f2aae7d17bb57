import Testing
import WeirCore
import WeirTestSupport

@testable import WeirWire

/// Native histograms as one word of text.
@Suite struct NativeHistogramTextTests {
    private static let time: Int64 = 1_790_000_000_000

    private static func parse(_ text: String) -> ExpositionResult {
        var interner = SeriesInterner()
        return ExpositionParser.parse(
            Array(text.utf8),
            options: ExpositionOptions(format: .prometheus, now: time * 1_000_000),
            interner: &interner
        )
    }

    private static func histogram(_ random: inout SplitMix64) -> NativeHistogram {
        let isCustom = Int.random(in: 0..<4, using: &random) == 0
        func side(_ countMax: Int) -> NativeHistogram.Side {
            var side = NativeHistogram.Side()
            for place in 0..<Int.random(in: 0...3, using: &random) {
                let length = Int.random(in: 0...countMax, using: &random)
                let offset = Int32.random(
                    in: (place == 0 && !isCustom ? -9 : 0)...2,
                    using: &random
                )
                side.spans.append(.init(offset: offset, length: UInt32(length)))
                for _ in 0..<length {
                    side.counts.append(Double(Int.random(in: 0...9, using: &random)))
                }
            }
            return side
        }
        var one = NativeHistogram()
        one.schema =
            isCustom ? NativeHistogram.customSchema : Int8.random(in: -4...8, using: &random)
        one.positive = side(4)
        if isCustom {
            one.customBounds = (0..<24).map { Double($0) * 0.3 - 1 }
        } else {
            one.negative = side(3)
            one.zeroThreshold = [0, 1e-128, 0x1p-128, 0.1][Int.random(in: 0..<4, using: &random)]
            one.zeroCount = Double(Int.random(in: 0...5, using: &random))
        }
        one.count =
            one.zeroCount + one.positive.counts.reduce(0, +) + one.negative.counts.reduce(0, +)
        one.sum =
            [-0.0, 1e300, 3, Double.random(in: -9...9, using: &random), .infinity][
                Int.random(in: 0..<5, using: &random)
            ]
        if Int.random(in: 0..<3, using: &random) == 0 {
            one.hasFloatCounts = true
            for place in one.positive.counts.indices {
                one.positive.counts[place] += 0.25
                one.count += 0.25
            }
        }
        one.resetHint = [.unknown, .reset, .noReset, .gauge][Int.random(in: 0..<4, using: &random)]
        return one
    }

    @Test(arguments: 0..<300 as Range<UInt64>)
    func whatIsWrittenIsReadBack(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let histogram = Self.histogram(&random)
        var bytes = Array("h{a=\"b c\"} ".utf8)
        NativeHistogramText.append(histogram, to: &bytes)
        let text = String(decoding: bytes, as: UTF8.self) + " \(Self.time)\n"
        let batches = Self.parse(text).batches
        #expect(batches.refusals.isEmpty, "seed \(seed): \(text) \(batches.refusals)")
        try #require(batches.histograms.rowCount == 1)
        #expect(batches.histograms.streams == [Labels([("__name__", "h"), ("a", "b c")])])
        #expect(batches.histograms.times == [Self.time * 1_000_000])
        let found = try NativeHistogram(row: 0, of: batches.histograms.columns)
        #expect(found == histogram && found.sum.sign == histogram.sum.sign, "seed \(seed): \(text)")
        // Nothing that is wrong is more than refused.
        for _ in 0..<200 {
            var damaged = Array(text.utf8)
            for _ in 0...Int.random(in: 0..<3, using: &random) {
                let place = Int.random(in: 0..<damaged.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: damaged[place] = UInt8.random(in: 0x20...0x7E, using: &random)
                case 1: damaged.remove(at: place)
                default: damaged.insert(damaged[place], at: place)
                }
            }
            let result = Self.parse(String(decoding: damaged, as: UTF8.self)).batches
            for row in 0..<result.histograms.rowCount {
                _ = try NativeHistogram(row: row, of: result.histograms.columns)
            }
        }
    }

    @Test(
        arguments: [
            ("{count:1,sum:2}", "schema is missing"), ("{count:1,sum:2,schema:0", "cannot be read"),
            ("{count:1,sum:2,schema:9}", "schema 9 is not known"),
            ("{count:1,count:1,sum:2,schema:0}", "twice"), ("{}", "count is missing"),
            ("{count:x,sum:2,schema:0}", "no number"), ("{count:1,sum:2,schema:0.5}", "no integer"),
            ("{count:1,sum:2,schema:0,colour:3}", "no part of a histogram"),
            ("{count:1,sum:2,schema:0,positive_spans:[0:1],positive_buckets:[2]}", "observations"),
            ("{count:1,sum:2,schema:0,positive_spans:[0:2],positive_buckets:[1]}", "buckets"),
            ("{count:1,sum:2,schema:0,positive_spans:[0:4294967296]}", "no integer"),
            ("{count:0.5,sum:2,schema:0,zero_count:0.5}", "counts:float"),
            ("{count:1,sum:2,schema:0,zero_count:1,reset_hint:never}", "no reset_hint"),
            ("{count:1,sum:2,schema:0,positive_buckets:1}", "in brackets"), ("{", "cannot be read"),
        ]
    )
    func whatIsWrongIsNamed(_ word: String, _ reason: String) {
        let batches = Self.parse("h{} \(word) 5\n").batches
        #expect(batches.rowCount == 0 && batches.refusedCount == 1)
        #expect(batches.refusals.first?.reason.contains(reason) == true, "\(batches.refusals)")
    }
}
