internal import WeirCore
internal import WeirHTTP
internal import WeirStore
internal import WeirSystem

/// What operators ask for: flush, merge, snapshot.
///
/// Each waits on a thread of its own pool.
struct AdminEndpoint: Sendable {
    enum Action: Sendable {
        case flush
        case merge
        case snapshot
    }

    let store: Store
    let pool: WorkerPool

    func handle(_ action: Action, _ exchange: HTTPExchange) {
        let directory = exchange.parameters["directory"] ?? ""
        if action == .snapshot, !directory.hasPrefix("/") {
            exchange.respond(
                .error(
                    400,
                    error: "bad_request",
                    reason: "directory \"\(directory)\" is no full path",
                    hint: "POST /api/v1/admin/snapshot?directory=/full/path on the data's disk"
                )
            )
            return
        }
        pool.submit {
            do throws(StoreError) {
                var warnings: [String] = []
                switch action {
                case .flush: try store.flush()
                case .merge:
                    try store.flush()
                    try store.merge()
                case .snapshot:
                    warnings = try store.snapshot(to: directory).setAside.map(\.warning)
                }
                exchange.respond(.json(Self.done(warnings)))
            } catch {
                exchange.respond(.failure(error))
            }
        }
    }

    /// `{"status":"done"}`, with `warnings` where there are any.
    private static func done(_ warnings: [String]) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("status", "done")
        if !warnings.isEmpty {
            writer.key("warnings")
            writer.beginArray()
            for warning in warnings { writer.value(warning) }
            writer.endArray()
        }
        writer.endObject()
        return writer.bytes + [UInt8(ascii: "\n")]
    }
}
