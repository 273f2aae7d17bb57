internal import WeirCore
internal import WeirHTTP
internal import WeirQuery
internal import WeirStore
internal import WeirSystem

/// Prometheus's `/api/v1/admin/tsdb`: erasing series, and snapshots.
///
/// Answered only when `admin-api` says so. Each request waits on a thread of the operators' pool.
struct AdminTSDBEndpoint: Sendable {
    enum Action: String, CaseIterable, Sendable {
        case deleteSeries = "delete_series"
        case cleanTombstones = "clean_tombstones"
        case snapshot
    }

    let store: Store
    /// Answers that may hold what is erased.
    let results: ResultsCache?
    let configuration: ServerConfiguration
    let clock: any WallClock
    let pool: WorkerPool

    static func addRoutes(
        to router: inout Router<RequestHandler.Route>,
        _ route: (Action) -> RequestHandler.Route
    ) {
        for action in Action.allCases {
            router.add("POST", "PUT", at: "/api/v1/admin/tsdb/\(action.rawValue)", route(action))
        }
    }

    func handle(_ action: Action, _ exchange: HTTPExchange) {
        guard configuration.hasAdminAPI else {
            exchange.respond(PrometheusAPI.unavailable("admin APIs disabled").response)
            return
        }
        let parameters = exchange.parameters.items.map { ($0.name, $0.value) }
        let isReceiptWanted =
            parameters.contains { $0.0 == "receipt" && $0.1 != "0" && $0.1 != "false" }
            || exchange.head.header("accept")?.contains("application/json") == true
        pool.submit {
            switch action {
            case .deleteSeries:
                let answer = deleteSeries(parameters)
                exchange.respond(
                    answer.status == 200 && !isReceiptWanted ? .empty(204) : answer.response
                )
            // Rows that are deleted are gone at once, so none are marked and left.
            case .cleanTombstones: exchange.respond(.empty(204))
            case .snapshot: exchange.respond(snapshot().response)
            }
        }
    }

    private func deleteSeries(_ parameters: [(String, String)]) -> PrometheusAnswer {
        PrometheusAPI.deleteSeries(parameters: parameters) {
            selectors,
            from,
            through throws(QueryError) in
            do throws(StoreError) {
                let receipt = try store.erase(
                    selectors: selectors,
                    times: StoreSampleSource.nanoseconds(from, through)
                )
                results?.removeAll()
                return Self.json(receipt)
            } catch {
                throw Self.queryError(error)
            }
        }
    }

    /// A snapshot in the data folder, named by its time and a random number.
    private func snapshot() -> PrometheusAnswer {
        let name = Self.snapshotName(
            at: clock.nowNanoseconds(),
            random: UInt64.random(in: 0...UInt64.max)
        )
        let receipt: SnapshotReceipt
        do throws(StoreError) {
            receipt = try store.snapshot(to: "\(configuration.data)/snapshots/\(name)")
        } catch {
            return PrometheusAPI.failed(Self.queryError(error))
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("name", name)
        writer.endObject()
        return PrometheusAPI.success(
            data: writer.bytes,
            warnings: receipt.setAside.map(\.warning)
        )
    }

    /// `20260131T235959Z-0123456789abcdef`.
    static func snapshotName(at nanoseconds: Int64, random: UInt64) -> String {
        let time = TimeText.rfc3339(nanoseconds: nanoseconds).utf8.prefix(19)
            .filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: ":") }
        let digits = String(random, radix: 16)
        return String(decoding: time, as: UTF8.self) + "Z-"
            + String(repeating: "0", count: 16 - digits.count) + digits
    }

    private static func json(_ receipt: ErasureReceipt) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("series", receipt.series)
        writer.member("rows", receipt.rows.values.reduce(0, +))
        writer.key("rowsBySignal")
        writer.beginObject()
        for signal in Signal.allCases {
            if let count = receipt.rows[signal] { writer.member(signal.name, count) }
        }
        writer.endObject()
        writer.member("segmentsRewritten", receipt.segmentsRewritten)
        writer.member("segmentsRemoved", receipt.segmentsRemoved)
        writer.member("segmentsUnreadable", receipt.segmentsUnreadable)
        writer.member("bytesBefore", receipt.bytesBefore)
        writer.member("bytesAfter", receipt.bytesAfter)
        writer.endObject()
        return writer.bytes
    }

    private static func queryError(_ error: StoreError) -> QueryError {
        StoreSampleSource.queryError(error, QueryBudget(context: QueryContext()))
    }
}

extension PrometheusAnswer {
    /// As an HTTP answer.
    var response: HTTPResponse { HTTPResponse.json(body, status: status) }
}
