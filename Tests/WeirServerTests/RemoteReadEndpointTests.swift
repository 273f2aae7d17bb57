import Testing
import WeirCore
import WeirHTTP
import WeirServer
import WeirTestSupport
import WeirWire

/// Which answer of a remote read is chosen.
@Suite struct RemoteReadEndpointTests {
    private static func request(accepting types: [UInt64]) -> [UInt8] {
        var matcher = ProtobufWriter()
        matcher.varint(1, 0)
        matcher.bytes(2, Array("__name__".utf8))
        matcher.bytes(3, Array("a".utf8))
        var query = ProtobufWriter()
        query.varint(1, 1_790_000_000_000)
        query.varint(2, 1_790_000_001_000)
        query.bytes(3, matcher.bytes)
        var request = ProtobufWriter()
        request.bytes(1, query.bytes)
        for type in types { request.varint(2, type) }
        return SnappyBlock.pack(request.bytes)
    }

    private enum Kind {
        case stream
        case samples
        case refusal
    }

    @Test(
        arguments: [
            ([], .samples), ([0], .samples), ([1], .stream), ([1, 0], .stream), ([0, 1], .stream),
            ([7], .refusal), ([7, 0], .samples),
        ] as [([UInt64], Kind)]
    )
    private func theAnswerIsOneThatIsAccepted(_ types: [UInt64], _ kind: Kind) throws {
        let server = try LogServer()
        let text = "a{b=\"c\"} 1.5 1790000000000\na{b=\"c\"} 2.5 1790000001000\n"
        #expect(try server.post("/api/v1/import/prometheus", text).status == 204)
        let answer = try #require(
            LoopbackHTTP.request(
                port: UInt16(server.server.port),
                path: "/api/v1/read",
                headers: [],
                body: Self.request(accepting: types)
            )
        )
        #expect(answer.status == (kind == .refusal ? 400 : 200))
        switch kind {
        case .stream:
            // Length, checksum, message, and nothing after it.
            let length = Int(answer.body[0])
            try #require(answer.body.count == length + 5)
            var frame: [UInt8] = []
            ChunkFrame.append(Array(answer.body.dropFirst(5)), to: &frame)
            #expect(frame == answer.body)
        case .samples: #expect(try SnappyBlock.unpack(answer.body, bytesMax: 1 << 16).count > 40)
        case .refusal: break
        }
    }
}
