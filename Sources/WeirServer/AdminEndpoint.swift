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
                switch action {
                case .flush: try store.flush()
                case .merge:
                    try store.flush()
                    try store.merge()
                case .snapshot: try store.snapshot(to: directory)
                }
                exchange.respond(.json(Array("{\"status\":\"done\"}\n".utf8)))
            } catch {
                exchange.respond(.failure(error))
            }
        }
    }
}
