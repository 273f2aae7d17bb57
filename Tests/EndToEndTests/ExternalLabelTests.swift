import Testing
import WeirCore
import WeirHTTP
import WeirSystem
import WeirTestSupport
import WeirWire

extension EndToEnd {
    /// Weir and a real Prometheus 3, with the same `external_labels` and series, give out the same by
    /// `/federate` and remote read.
    @Suite struct ExternalLabelTests {
        private static let configuration = """
            global:
              external_labels:
                zone: z1
                cluster: "a\\"b"
                job: own
                "host.name": h
                odd: x$$y${NOT_SET_HERE}z
            scrape_configs: []

            """

        private struct Pair {
            let theirs: WeirClient
            let ours: WeirClient
            /// The latest sample of all series, milliseconds.
            let now: Int64
            private let prometheus: PrometheusProcess
            private let server: WeirProcess

            init(_ folder: TemporaryDirectory, _ configuration: String) throws {
                prometheus = try PrometheusProcess(
                    #require(PrometheusProcess.peer("prometheus")),
                    folder: "\(folder.path)/prometheus",
                    configuration: configuration,
                    ["--web.enable-remote-write-receiver"]
                )
                try HostFileSystem().writeFileAtomically(
                    Array(configuration.utf8),
                    to: "\(folder.path)/scrape.yml",
                    inDirectory: folder.path
                )
                server = try WeirProcess(
                    data: "\(folder.path)/weir",
                    ["--scrape-config", "\(folder.path)/scrape.yml"]
                )
                theirs = WeirClient(prometheus.base)
                ours = WeirClient(server)
                now = HostClock().nowNanoseconds() / 1_000_000
                let body = ExternalLabelTests.series(now)
                for client in [theirs, ours] {
                    let answer = try client.post(
                        "/api/v1/write",
                        body,
                        headers: [
                            ("Content-Type", "application/x-protobuf"),
                            ("Content-Encoding", "snappy"),
                        ]
                    )
                    try #require(answer.status / 100 == 2)
                }
            }
        }

        private static func series(_ now: Int64) -> [UInt8] {
            var request = ProtobufWriter()
            for (place, labels) in [
                [("__name__", "b"), ("zone", "mine")], [("__name__", "a")],
                [("__name__", "a"), ("instance", "i"), ("job", "j")],
                [("__name__", "a"), ("zone", "z1"), ("zzz", "last")],
                [("__name__", "c.d"), ("cluster", "c"), ("host.name", "g")],
            ].enumerated() {
                var series = ProtobufWriter()
                for label in labels { series.bytes(1, pair(label)) }
                var sample = ProtobufWriter()
                sample.fixed64(1, (Double(place) + 0.5).bitPattern)
                sample.varint(2, UInt64(now - 1000))
                series.bytes(2, sample.bytes)
                request.bytes(1, series.bytes)
            }
            return SnappyBlock.pack(request.bytes)
        }

        private static func pair(_ label: (String, String)) -> [UInt8] {
            var writer = ProtobufWriter()
            writer.bytes(1, Array(label.0.utf8))
            writer.bytes(2, Array(label.1.utf8))
            return writer.bytes
        }

        @Test(.enabled(if: PrometheusProcess.peer("prometheus") != nil))
        func externalLabelsAreAddedAsPrometheusDoes() throws {
            for (name, configuration) in [
                ("some", Self.configuration), ("none", "scrape_configs: []\n"),
                (
                    "instance",
                    "global: {external_labels: {instance: own}}\nscrape_configs: []\n"
                ),
            ] {
                let folder = try TemporaryDirectory()
                let pair = try Pair(folder, configuration)
                try federate(pair, name)
                try remoteRead(pair, name)
            }
        }

        private func federate(_ pair: Pair, _ name: String) throws {
            let selectors = ["{__name__=~\".%2B\"}", "a", "a{zone=\"z1\"}", "{cluster=\"c\"}"]
            for selector in selectors {
                for accept in ["*/*", "text/plain;version=1.0.0;escaping=allow-utf-8,*/*;q=0.1"] {
                    let answers = try [pair.ours, pair.theirs].map {
                        try $0.get(
                            "/federate?match[]=\(selector)",
                            headers: [("Accept", accept)]
                        )
                    }
                    let texts = answers.map {
                        String(decoding: $0.body, as: UTF8.self).split(separator: "\n").sorted()
                    }
                    let types = answers.map { $0.header("content-type") }
                    #expect(answers.allSatisfy { $0.status == 200 })
                    #expect(texts[0] == texts[1], "\(name): \(selector)")
                    #expect(types[0] == types[1])
                }
            }
        }

        private struct Matcher {
            let kind: UInt64
            let name: String
            let value: String
        }

        private func remoteRead(_ pair: Pair, _ name: String) throws {
            let any = Matcher(kind: 2, name: "__name__", value: ".+")
            for matchers in [
                [any], [any, Matcher(kind: 0, name: "zone", value: "z1")],
                [any, Matcher(kind: 0, name: "zone", value: "mine")],
                [any, Matcher(kind: 0, name: "zone", value: "")],
                [any, Matcher(kind: 1, name: "zone", value: "z1")],
                [any, Matcher(kind: 2, name: "zone", value: "z1")],
                [any, Matcher(kind: 0, name: "zzz", value: "")],
                [any, Matcher(kind: 0, name: "host.name", value: "h")],
                [Matcher(kind: 0, name: "__name__", value: "a")],
                [
                    Matcher(kind: 0, name: "__name__", value: "a"),
                    Matcher(kind: 0, name: "job", value: "own"),
                ],
                [any, Matcher(kind: 0, name: "instance", value: "own")],
            ] {
                var query = ProtobufWriter()
                query.varint(1, UInt64(pair.now - 60_000))
                query.varint(2, UInt64(pair.now))
                for matcher in matchers {
                    var message = ProtobufWriter()
                    message.varint(1, matcher.kind)
                    message.bytes(2, Array(matcher.name.utf8))
                    message.bytes(3, Array(matcher.value.utf8))
                    query.bytes(3, message.bytes)
                }
                var request = ProtobufWriter()
                request.bytes(1, query.bytes)
                let body = SnappyBlock.pack(request.bytes)
                let found = try [pair.ours, pair.theirs].map { try Self.read($0, body) }
                #expect(found[0] == found[1], "\(name): \(matchers)")
            }
        }

        /// The series of an answer as they were sent, in order of their bytes.
        private static func read(_ client: WeirClient, _ body: [UInt8]) throws -> [String] {
            // The client of the others does not know the encoding of the answer.
            let answer = try #require(
                LoopbackHTTP.request(
                    port: UInt16(client.base.split(separator: ":").last ?? "") ?? 0,
                    path: "/api/v1/read",
                    headers: [
                        ("Content-Type", "application/x-protobuf"), ("Content-Encoding", "snappy"),
                    ],
                    body: body
                )
            )
            #expect(answer.status == 200)
            let message = try SnappyBlock.unpack(answer.body, bytesMax: 1 << 20)
            var texts: [String] = []
            for result in try fields(message, 0..<message.count) {
                for series in try fields(message, result) {
                    texts.append(String(decoding: message[series], as: UTF8.self))
                }
            }
            return texts.sorted()
        }

        /// The ranges of the messages in field 1.
        private static func fields(
            _ bytes: [UInt8],
            _ range: Range<Int>
        ) throws -> [Range<Int>] {
            var reader = ProtobufReader(range)
            var found: [Range<Int>] = []
            while let field = try reader.next(bytes.span) {
                if field.number == 1, field.wire == .bytes { found.append(field.range) }
            }
            return found
        }
    }
}
