internal import WeirHTTP
internal import WeirStore
internal import WeirSystem

/// What the headers of a request that brings rows ask for.
struct IntakeHeaders: Sendable {
    private static let batchIDBytesMax = 128

    /// Why a request is refused before its body is looked at.
    struct Refusal: Error {
        let response: HTTPResponse
    }

    /// A batch whose id was accepted before is not stored again; empty: no id.
    let batchID: [UInt8]
    /// What "acknowledged" means for this request; nil: what the server's setting says.
    let sync: SyncMode?

    /// Reads `X-Weir-Batch-Id` and `X-Weir-Sync`.
    init(_ head: HTTPRequestHead) throws(Refusal) {
        batchID = Array((head.header("x-weir-batch-id") ?? "").utf8)
        guard batchID.count <= Self.batchIDBytesMax else {
            throw Refusal(
                response: .badRequest(
                    reason: "X-Weir-Batch-Id has \(batchID.count) bytes",
                    hint: "at most \(Self.batchIDBytesMax) are allowed"
                )
            )
        }
        guard let text = head.header("x-weir-sync") else {
            sync = nil
            return
        }
        guard let mode = SyncMode(text: text) else {
            throw Refusal(
                response: .badRequest(
                    reason: "X-Weir-Sync is not a sync mode",
                    hint: "use \"always\" or a duration such as \"1s\""
                )
            )
        }
        sync = mode
    }
}

extension HTTPResponse {
    static func badRequest(reason: String, hint: String) -> HTTPResponse {
        .error(400, error: "bad_request", reason: reason, hint: hint)
    }

    /// The answer to rows that the store did not take.
    static func failure(_ error: StoreError) -> HTTPResponse {
        switch error {
        case .diskFull(let error):
            .error(
                507,
                error: "disk_full",
                reason: error.description,
                hint: "nothing was stored; make room, and send it again"
            )
        case .memoryFull(let bytes, let limit):
            HTTPResponse.error(
                429,
                error: "memory_full",
                reason: "rows in memory take \(bytes) bytes of memory-rows-max \(limit)",
                hint: "nothing was stored; send it again in a moment"
            ).adding("Retry-After", "1")
        case .batchTooLarge(let bytes, let limit):
            .error(
                413,
                error: "too_large",
                reason: "the rows take up to \(bytes) bytes, and \(limit) are stored at once",
                hint: "nothing was stored; send fewer rows at once"
            )
        case .labelsTooLong(let bytes, let limit):
            .error(
                400,
                error: "labels_too_long",
                reason: "a stream has labels of \(bytes) bytes, at most \(limit) are allowed",
                hint: "nothing was stored; put what is long into fields"
            )
        case .stopping:
            HTTPResponse.error(
                503,
                error: "stopping",
                reason: "the server is stopping",
                hint: "nothing was stored; send it again"
            ).adding("Retry-After", "5")
        default:
            .error(
                500,
                error: "storage",
                reason: "\(error)",
                hint: "nothing was stored; see the server's log"
            )
        }
    }

    /// With the headers that tell how a batch was kept.
    func telling(_ outcome: AppendOutcome) -> HTTPResponse {
        var response = self
        if outcome.isDuplicate { response.headers.append(("X-Weir-Duplicate", "true")) }
        response.headers.append(
            ("X-Weir-Durability", outcome.isDurable ? "synced" : "interval")
        )
        return response
    }
}
