import Testing
import WeirCore
import WeirTestSupport
import WeirWire

/// Bodies read with what earlier bodies named give what they give alone.
@Suite struct LineSeriesTests {
    private static let options = LineProtocolOptions(now: 1_790_000_000_000_000_000)

    private static func rows(_ batch: RowBatch) -> [String] {
        (0..<batch.rowCount).map { row in
            let labels = batch.streams[Int(batch.streamIndexes[row])]
            return "\(labels) \(batch.columns[0].floats[row]) \(batch.times[row])"
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func bodiesReadAloneAndTogetherAreAlike(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var series = LineSeries()
        for _ in 0..<6 {
            let body = Self.body(&random)
            let alone = LineProtocolParser.parse(body, options: Self.options)
            let together = LineProtocolParser.parse(body, options: Self.options, series: &series)
            #expect(Self.rows(together.batch) == Self.rows(alone.batch), "seed \(seed)")
            #expect(together.refusals == alone.refusals, "seed \(seed)")
            #expect(together.stringFieldCount == alone.stringFieldCount, "seed \(seed)")
            #expect(together.batch.isSound, "seed \(seed)")
        }
    }

    /// Lines over a few prefixes and fields, in changing orders, some of them broken.
    private static func body(_ random: inout SplitMix64) -> [UInt8] {
        var body = ""
        for _ in 0..<Int.random(in: 1...20, using: &random) {
            let prefix =
                ["cpu,host=a", "cpu,host=ab", "cpu,h\\ o=a\\,b", "m", "cpu", "m\\"]
                .randomElement(using: &random) ?? "m"
            if Int.random(in: 0..<8, using: &random) == 0 {
                body += prefix + "\n"
                continue
            }
            var fields: [String] = []
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                let key =
                    ["a", "ab", "user", "usage_of_time", "usage_of_tide", "k\\=e", "k\\"]
                    .randomElement(using: &random) ?? "a"
                let value =
                    ["1", "2i", "-0.5", "1.25", "t", "\"a b,c=d\"", "", "1x", "12345678901234i"]
                    .randomElement(using: &random) ?? "1"
                fields.append("\(key)=\(value)")
            }
            body +=
                "\(prefix) \(fields.joined(separator: ",")) \(Int.random(in: 0...99, using: &random))\n"
        }
        return Array(body.utf8)
    }

    @Test func aSeriesKeepsItsHandle() {
        var series = LineSeries()
        let body = Array("m,a=1 x=1,y=2 1\nm,a=1 x=3,y=4 2".utf8)
        let first = LineProtocolParser.parse(body, options: Self.options, series: &series).batch
        let second = LineProtocolParser.parse(body, options: Self.options, series: &series).batch
        #expect(first.handles.count == 2)
        #expect(zip(first.handles, second.handles).allSatisfy { $0 === $1 })
        #expect(first.streams == second.streams)
    }

    @Test func otherExtraLabelsMakeOtherSeries() {
        var series = LineSeries()
        var options = Self.options
        options.extraLabels = [("db", "one")]
        let body = Array("m,a=1 x=1 1".utf8)
        let first = LineProtocolParser.parse(body, options: options, series: &series).batch
        #expect(series.isMade(for: options))
        options.extraLabels = [("db", "two")]
        #expect(!series.isMade(for: options))
        let second = LineProtocolParser.parse(body, options: options, series: &series).batch
        #expect(first.streams.map(\.description) == ["m_x{a=\"1\", db=\"one\"}"])
        #expect(second.streams.map(\.description) == ["m_x{a=\"1\", db=\"two\"}"])
    }

    @Test func fieldsOfEarlierBodiesDoNotCountAgainstALimit() {
        var series = LineSeries()
        var options = Self.options
        options.fieldsMax = 2
        for body in ["m a=1,b=1 1", "m c=1,d=1 1", "m a=1,d=1 1"] {
            let result = LineProtocolParser.parse(
                Array(body.utf8),
                options: options,
                series: &series
            )
            #expect(result.batch.rowCount == 2, "\(body)")
        }
        let result = LineProtocolParser.parse(
            Array("m a=1,b=1,c=1 1".utf8),
            options: options,
            series: &series
        )
        #expect(result.refusals.map(\.error) == [.tooManyFields(limit: 2)])
    }

    @Test func whatGrewTooLargeBeginsAnew() {
        var series = LineSeries(byteCountMax: 20_000)
        for turn in 0..<50 {
            let lines = (0..<20).map { "m,t=\(turn) f\($0)=\($0) \(turn)" }
            let batch = LineProtocolParser.parse(
                Array(lines.joined(separator: "\n").utf8),
                options: Self.options,
                series: &series
            ).batch
            #expect(batch.rowCount == 20)
            #expect(batch.isSound)
        }
    }
}
