import WeirCore

/// The gauges as Prometheus's sender writes them: a series a sample, some thousand of them a request.
enum RemoteWriteData {
    /// What Prometheus sends at most in one request, if not told otherwise.
    static let samplesPerRequest = 2000

    /// The same samples as `GaugeData.set` makes of the same seed.
    ///
    /// `version` is the protocol's, 1 or 2; `pack` makes a snappy block.
    static func set(
        hosts: Int = 100,
        minutes: Int64,
        seed: UInt64,
        version: Int,
        pack: ([UInt8]) -> [UInt8]
    ) -> DataSet {
        let lines = GaugeData.set(hosts: hosts, minutes: minutes, seed: seed)
        var writer = Writer(version: version)
        var bodies: [[UInt8]] = []
        for body in lines.bodies {
            for line in body.split(separator: UInt8(ascii: "\n")) {
                writer.add(line) { bodies.append(pack($0)) }
            }
        }
        writer.finish { bodies.append(pack($0)) }
        var set = DataSet(
            name: "remote write \(version).0",
            bodies: bodies,
            sampleCount: lines.sampleCount,
            seriesCount: lines.seriesCount,
            start: lines.start,
            end: lines.end,
            path: "/api/v1/write"
        )
        set.headers = [("Content-Encoding", "snappy")]
        set.contentType =
            version == 1
            ? "application/x-protobuf"
            : "application/x-protobuf;proto=io.prometheus.write.v2.Request"
        return set
    }

    /// Reads lines that the bench made itself, and writes requests.
    private struct Writer {
        let version: Int
        private var symbols: [String: UInt64] = ["": 0]
        private var symbolTexts = [""]
        private var waiting: [[UInt8]] = []
        private var known: [[UInt8]: Series] = [:]

        private struct Series {
            let pairs: [(String, String)]
            /// As fields of a `TimeSeries` of version 1.
            let labels: ProtobufWriter
        }

        init(version: Int) { self.version = version }

        mutating func add(_ line: ArraySlice<UInt8>, _ send: ([UInt8]) -> Void) {
            let words = line.split(separator: UInt8(ascii: " "))
            let time = UInt64(String(decoding: words[2], as: UTF8.self)) ?? 0
            for field in words[1].split(separator: UInt8(ascii: ",")) {
                let parts = field.split(separator: UInt8(ascii: "="))
                let value = Double(String(decoding: parts[1].dropLast(), as: UTF8.self)) ?? .nan
                var sample = ProtobufWriter()
                if value != 0 { sample.fixed64(1, value.bitPattern) }
                sample.varint(2, time / 1_000_000)
                var one = ProtobufWriter()
                let known = series(words[0], parts[0])
                if version == 1 {
                    one = known.labels
                } else {
                    var references: [UInt8] = []
                    for (name, value) in known.pairs {
                        symbol(name).appendVarint(to: &references)
                        symbol(value).appendVarint(to: &references)
                    }
                    one.bytes(1, references)
                }
                one.bytes(2, sample.bytes)
                waiting.append(one.bytes)
                if waiting.count == RemoteWriteData.samplesPerRequest { finish(send) }
            }
        }

        /// A series' labels, which are made once.
        private mutating func series(
            _ head: ArraySlice<UInt8>,
            _ field: ArraySlice<UInt8>
        ) -> Series {
            let key = Array(head + [0x20] + field)
            if let made = known[key] { return made }
            let parts = String(decoding: head, as: UTF8.self).split(separator: ",")
            var pairs = parts.dropFirst().map { tag in
                let halves = tag.split(separator: "=")
                return (String(halves[0]), String(halves[1]))
            }
            pairs.append(("__name__", "\(parts[0])_\(String(decoding: field, as: UTF8.self))"))
            pairs.sort { $0.0 < $1.0 }
            var labels = ProtobufWriter()
            for (name, value) in pairs {
                var label = ProtobufWriter()
                label.bytes(1, name.utf8)
                label.bytes(2, value.utf8)
                labels.bytes(1, label.bytes)
            }
            let made = Series(pairs: pairs, labels: labels)
            known[key] = made
            return made
        }

        private mutating func symbol(_ text: String) -> UInt64 {
            if let known = symbols[text] { return known }
            let number = UInt64(symbolTexts.count)
            symbols[text] = number
            symbolTexts.append(text)
            return number
        }

        mutating func finish(_ send: ([UInt8]) -> Void) {
            guard !waiting.isEmpty else { return }
            var request = ProtobufWriter()
            if version == 2 {
                for text in symbolTexts { request.bytes(4, text.utf8) }
            }
            for one in waiting { request.bytes(version == 1 ? 1 : 5, one) }
            send(request.bytes)
            waiting = []
            symbols = ["": 0]
            symbolTexts = [""]
        }
    }
}
