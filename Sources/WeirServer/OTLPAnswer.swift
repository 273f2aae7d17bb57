internal import WeirCore
internal import WeirHTTP
internal import WeirWire

/// The answers that OpenTelemetry's exporters read.
enum OTLPAnswer {
    private static let protobufType = "application/x-protobuf"

    /// 415 where the body says to be neither protobuf nor JSON; one that says nothing is protobuf.
    static func refusal(contentType: String) -> HTTPResponse? {
        let known = [
            "", "application/json", protobufType, "application/protobuf",
            "application/octet-stream",
        ]
        guard !known.contains(contentType) else { return nil }
        return .error(
            415,
            error: "unknown_content_type",
            reason: "Content-Type \(contentType) is not understood here",
            hint: "send \(protobufType), or JSON as application/json"
        )
    }

    /// 200 with `partial_success`, which is left out when nothing was refused.
    ///
    /// - Parameters:
    ///   - refused: How many records or spans were not taken.
    ///   - message: Why the first was not.
    ///   - isJSON: Whether the request was JSON, as the answer then is.
    ///   - refusedName: What JSON calls the count.
    /// - Returns: The answer, in the encoding of the request.
    static func partialSuccess(
        refused: Int,
        message: String?,
        isJSON: Bool,
        refusedName: String = "rejectedLogRecords"
    ) -> HTTPResponse {
        guard isJSON else {
            var writer = ProtobufWriter()
            if refused > 0 {
                var inner = ProtobufWriter()
                inner.varint(1, UInt64(refused))
                inner.bytes(2, Array((message ?? "").utf8))
                writer.bytes(1, inner.bytes)
            }
            return protobuf(writer.bytes, status: 200)
        }
        var writer = JSONWriter()
        writer.beginObject()
        if refused > 0 {
            writer.key("partialSuccess")
            writer.beginObject()
            writer.member(refusedName, String(refused))
            writer.member("errorMessage", message ?? "")
            writer.endObject()
        }
        writer.endObject()
        return .json(writer.bytes)
    }

    /// The same refusal as a `google.rpc.Status`, as exporters of protobuf expect.
    static func status(_ response: HTTPResponse) -> HTTPResponse {
        var message = ""
        if case .bytes(let bytes) = response.body, let tree = try? JSONParser.parse(bytes) {
            message = tree["reason"]?.string ?? ""
        }
        var writer = ProtobufWriter()
        // INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNAVAILABLE, INTERNAL.
        let code: UInt64 =
            switch response.status {
            case 400..<429: 3
            case 429, 507: 8
            case 503: 14
            default: 13
            }
        writer.varint(1, code)
        writer.bytes(2, Array(message.utf8))
        var answer = protobuf(writer.bytes, status: response.status)
        if let seconds = response.header("retry-after") {
            answer = answer.adding("Retry-After", seconds)
        }
        return answer
    }

    private static func protobuf(_ bytes: [UInt8], status: Int) -> HTTPResponse {
        var response = HTTPResponse.json(bytes, status: status)
        response.headers = [("Content-Type", protobufType)]
        return response
    }
}
