import WeirColumns
import WeirSystem

extension Bench {
    /// Sizes and speeds of codecs on six kinds of series, of two hours and of a day at 10 s.
    mutating func measureCodecs() {
        let codecs: [any SeriesCodec] = [
            RawCodec(), RunLengthCodec(), VarintCodec(isSecondOrder: false),
            VarintCodec(isSecondOrder: true), PackingCodec(), XORCodec(), ALPCodec(), WeirCodec(),
        ]
        for kind in SeriesKind.allCases {
            for (count, seriesCount) in [(720, 90), (8640, 8)] {
                progress("codecs: \(kind.rawValue), \(count) values")
                var numbers = SeededNumbers(seed: options.seed)
                let series = (0..<seriesCount).map { _ in
                    kind.values(count: count, &numbers)
                }
                report.begin(
                    "codecs: \(kind.rawValue), \(seriesCount) series of \(count) values "
                        + "(alone: B, ns to encode, ns to decode; then the same as one page)"
                )
                for codec in codecs { add(CodecMeasure(codec, series)) }
            }
        }
    }

    private mutating func add(_ measure: CodecMeasure) {
        func cell(_ value: Double, _ digits: Int, _ width: Int) -> String {
            let text = Figure.decimal(value, digits)
            return String(repeating: " ", count: max(1, width - text.utf8.count)) + text
        }
        let name =
            measure.name + String(repeating: " ", count: max(0, 24 - measure.name.utf8.count))
        report.add(
            name + cell(measure.plainBytes, 3, 7) + cell(measure.encodeNanoseconds, 1, 7)
                + cell(measure.decodeNanoseconds, 1, 6) + "; page"
                + cell(measure.pageEncodeNanoseconds, 1, 7)
                + cell(measure.pageDecodeNanoseconds, 1, 6),
            measure.pageBytes,
            .bytesPerValue
        )
        if !measure.isExact { report.note("codecs: \(measure.name) DOES NOT GIVE BACK ITS VALUES") }
    }
}

/// One codec on some series: bytes and nanoseconds a value, alone and as a compressed page.
struct CodecMeasure {
    let name: String
    private(set) var isExact = true
    private(set) var plainBytes = 0.0
    private(set) var encodeNanoseconds = 0.0
    private(set) var decodeNanoseconds = 0.0
    private(set) var pageBytes = 0.0
    private(set) var pageEncodeNanoseconds = 0.0
    private(set) var pageDecodeNanoseconds = 0.0

    init(_ codec: any SeriesCodec, _ series: [[Double]]) {
        name = codec.name
        let valueCount = Double(series.reduce(0) { $0 + $1.count })
        var bytes: [UInt8] = []
        encodeNanoseconds =
            Self.nanoseconds {
                bytes.removeAll(keepingCapacity: true)
                for values in series { codec.encode(values, to: &bytes) }
            } / valueCount
        plainBytes = Double(bytes.count) / valueCount
        var decoded: [Double] = []
        decodeNanoseconds =
            Self.nanoseconds {
                decoded.removeAll(keepingCapacity: true)
                var place = 0
                for values in series {
                    codec.decode(bytes, at: &place, count: values.count, to: &decoded)
                }
            } / valueCount
        isExact = decoded.map(\.bitPattern) == series.joined().map(\.bitPattern)
        measurePage(bytes, valueCount)
    }

    private mutating func measurePage(_ bytes: [UInt8], _ valueCount: Double) {
        let encoder = PageEncoder(effort: .thorough)
        var page = encoder.encode(bytes)
        pageEncodeNanoseconds =
            encodeNanoseconds + Self.nanoseconds { page = encoder.encode(bytes) } / valueCount
        pageBytes = Double(page.bytes.count) / valueCount
        let decoder = PageDecoder()
        let stored = page.bytes
        var unpacked: [UInt8] = []
        var isRead = true
        pageDecodeNanoseconds =
            decodeNanoseconds
            + Self.nanoseconds {
                do throws(PageError) {
                    try decoder.decode(
                        stored.span,
                        encoding: page.encoding,
                        rawCount: page.rawCount,
                        into: &unpacked
                    )
                } catch {
                    isRead = false
                }
            } / valueCount
        isExact = isExact && isRead && unpacked == bytes
    }

    /// The median of five timings, each of as many calls as take 3 ms or more.
    private static func nanoseconds(_ body: () -> Void) -> Double {
        body()
        let timings = (0..<5).map { _ in
            let start = Stopwatch.monotonicNanoseconds()
            var passed: Int64 = 0
            var calls = 0
            while passed < 3_000_000 {
                body()
                calls += 1
                passed = Stopwatch.monotonicNanoseconds() - start
            }
            return Double(passed) / Double(calls)
        }
        return Spread(timings).median
    }
}
