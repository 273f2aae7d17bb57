import Testing
import WeirCore
import WeirHTTP
import WeirQuery
import WeirWire

@testable import WeirServer

/// However many samples a series has, its text is written in pieces.
@Suite struct ExportPiecesTests {
    /// Labels of 60 KiB, which Prometheus's texts and line protocol repeat with each sample.
    private static let pairs = (0..<15).map { number in
        ("l\(number + 10)", String(repeating: "v", count: 4096))
    }
    private static let labels = Labels([(Labels.metricNameLabel, "work_total")] + pairs)
    private static let exposition =
        "work_total{" + pairs.map { "\($0)=\"\($1)\"" }.joined(separator: ",") + "}"

    /// Keeps what is written, and leaves after some pieces.
    private final class Client {
        private(set) var pieces: [[UInt8]] = []
        /// Whether who wrote thinks that it still reads.
        private(set) var isReading = true

        init(leavesAfter: Int = .max, _ append: (inout ExportPieces) -> Bool) {
            var pieces = ExportPieces { [self] piece in
                self.pieces.append(piece)
                return self.pieces.count < leavesAfter
            }
            isReading = append(&pieces) && pieces.writeRest()
        }
    }

    /// One stale and one infinite value among them.
    private static func values(_ count: Int) -> [Double] {
        (0..<count).map { $0 == 3 ? .staleMarker : $0 == 5 ? .infinity : Double($0) + 0.5 }
    }

    /// The whole text, made plainly.
    private static func text(
        _ format: ExportFormat,
        _ times: [Int64],
        _ values: [Double]
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        switch format {
        case .json:
            let names = [(Labels.metricNameLabel, "work_total")] + pairs
            let metric = names.map { "\"\($0)\":\"\($1)\"" }.joined(separator: ",")
            let numbers = values.map { $0.isNaN ? "null" : $0.isFinite ? "\($0)" : "\"Infinity\"" }
            bytes += "{\"metric\":{\(metric)},\"values\":[\(numbers.joined(separator: ","))]".utf8
            bytes += ",\"timestamps\":[\(times.map(String.init).joined(separator: ","))]}\n".utf8
        case .prometheus, .openmetrics:
            for (time, value) in zip(times, values) where !value.isNaN {
                bytes += exposition.utf8
                bytes += value.isFinite ? " \(value) ".utf8 : " +Inf ".utf8
                bytes += format == .openmetrics ? "\(time / 1000)\n".utf8 : "\(time)\n".utf8
            }
        case .line:
            let head = "work," + pairs.map { "\($0)=\($1)" }.joined(separator: ",") + " total="
            for (time, value) in zip(times, values) where value.isFinite {
                bytes += head.utf8
                bytes += "\(value) \(time)\n".utf8
            }
        }
        return bytes
    }

    private static func check(_ client: Client, _ text: [UInt8], sampleBytesMax: Int) {
        #expect(client.pieces.count > 3)
        for piece in client.pieces {
            #expect(piece.count < ExportPieces.pieceBytes + sampleBytesMax)
        }
        for piece in client.pieces.dropLast() { #expect(piece.count >= ExportPieces.pieceBytes) }
        let isSame = Array(client.pieces.joined()) == text
        #expect(isSame)
    }

    @Test(arguments: [
        (ExportFormat.json, 30_000), (.prometheus, 100), (.openmetrics, 100), (.line, 100),
    ])
    func aSeriesIsWrittenInPieces(format: ExportFormat, count: Int) {
        let times = (0..<count).map { 1_700_000_000_000 + Int64($0) * 15_000 }
        let values = Self.values(count)
        let client = Client { format.append(Self.labels, times, values, to: &$0) }
        #expect(client.isReading)
        let sampleBytesMax = format == .json ? 32 : Self.exposition.utf8.count + 64
        Self.check(client, Self.text(format, times, values), sampleBytesMax: sampleBytesMax)

        let leaver = Client(leavesAfter: 2) {
            format.append(Self.labels, times, values, to: &$0)
        }
        #expect(!leaver.isReading)
        #expect(leaver.pieces.count == 2)
    }

    @Test func histogramsAreWrittenInPieces() {
        var histogram = NativeHistogram()
        histogram.count = 3
        histogram.sum = 4.5
        histogram.positive = NativeHistogram.Side(
            spans: [NativeHistogram.BucketSpan(offset: 0, length: 2)],
            counts: [1, 2]
        )
        let word =
            "{count:3,sum:4.5,schema:0,zero_threshold:0,zero_count:0,"
            + "positive_spans:[0:2],positive_buckets:[1,2]}"
        var samples: GatheredHistograms.Samples = []
        var text: [UInt8] = []
        for time in 0..<Int64(100) {
            samples.append((time, histogram))
            text += Self.exposition.utf8
            text += " \(word) \(time)\n".utf8
        }
        let client = Client { ExportFormat.append(Self.labels, samples, to: &$0) }
        #expect(client.isReading)
        Self.check(client, text, sampleBytesMax: Self.exposition.utf8.count + word.utf8.count + 64)

        let leaver = Client(leavesAfter: 2) {
            ExportFormat.append(Self.labels, samples, to: &$0)
        }
        #expect(!leaver.isReading)
        #expect(leaver.pieces.count == 2)
    }

    /// The same through the server, one piece after another.
    @Test func largeLabelsAndManySamplesComeOutAsTheyWentIn() throws {
        let server = try LogServer()
        let head =
            "work_total{"
            + Self.pairs.prefix(3).map { "\($0)=\"\($1)\"" }
            .joined(separator: ",") + "}"
        var body = ""
        for sample in 0..<200 {
            body += "\(head) \(sample) \(1_700_000_000_000 + sample * 15_000)\n"
        }
        #expect(try server.post("/api/v1/import/prometheus", body).status == 204)
        let answer = try server.send("GET", "/api/v1/export?match[]=work_total&format=prometheus")
        #expect(answer.status == 200)
        let isSame = answer.body == Array(body.utf8)
        #expect(isSame)
    }
}
