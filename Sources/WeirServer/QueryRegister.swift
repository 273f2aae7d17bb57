internal import Synchronization
internal import WeirCore
internal import WeirQuery
internal import WeirSystem

/// The queries that run, and the last that ran with what they cost.
///
/// Safe from any thread.
final class QueryRegister: Sendable {
    /// A query as it was asked.
    struct Asked: Sendable {
        let path: String
        let text: String
        let remoteAddress: String
        /// Its parameters `start`, `end`, `step` and `time`, as they were given.
        let times: [(String, String)]
        /// Seconds between `start` and `end`.
        let rangeSeconds: Int
        let at: Int64

        init(
            path: String,
            parameters: [(String, String)],
            remoteAddress: String,
            at: Int64
        ) {
            func value(_ name: String) -> String? { parameters.first { $0.0 == name }?.1 }
            let asked = value("query") ?? value("q") ?? value("match[]") ?? ""
            self.path = path
            text =
                asked.utf8.count <= QueryRegister.textBytesMax
                ? asked
                : String(decoding: asked.utf8.prefix(QueryRegister.textBytesMax), as: UTF8.self)
            self.remoteAddress = remoteAddress
            times = parameters.filter { ["start", "end", "step", "time"].contains($0.0) }
            let start = value("start").flatMap(PrometheusTime.milliseconds)
            let end = value("end").flatMap(PrometheusTime.milliseconds)
            if let start, let end, end > start {
                rangeSeconds = Int(end.subtractingReportingOverflow(start).partialValue / 1000)
            } else {
                rangeSeconds = 0
            }
            self.at = at
        }
    }

    private struct Active {
        let asked: Asked
        let since: Int64
        let context: QueryContext
    }

    private struct Ended {
        let text: String
        let rangeSeconds: Int
        let at: Int64
        let seconds: Double
        let rows: Int
    }

    private struct State {
        var nextID: UInt64 = 1
        var active: [UInt64: Active] = [:]
        /// A ring of the last queries that had a text.
        var ended: [Ended] = []
        var next = 0
    }

    /// What is kept of a query's text.
    static let textBytesMax = 4096
    /// Queries that top queries are counted of.
    static let endedMax = 20_000

    private let log: QueryLog?
    private let state = Mutex(State())

    init(log: QueryLog?) { self.log = log }

    func begin(_ asked: Asked, _ context: QueryContext) -> UInt64 {
        let since = Stopwatch.monotonicNanoseconds()
        return state.withLock { state in
            let id = state.nextID
            state.nextID += 1
            state.active[id] = Active(asked: asked, since: since, context: context)
            return id
        }
    }

    /// Takes a query off the list; `status` is what it was answered with, if it ran.
    func end(_ id: UInt64, seconds: Double, status: Int?) {
        let active = state.withLock { state -> Active? in
            guard let active = state.active.removeValue(forKey: id) else { return nil }
            guard !active.asked.text.isEmpty, status != nil else { return active }
            let ended = Ended(
                text: active.asked.text,
                rangeSeconds: active.asked.rangeSeconds,
                at: active.asked.at,
                seconds: seconds,
                rows: active.context.rowsRead.load(ordering: .relaxed)
            )
            if state.ended.count < Self.endedMax {
                state.ended.append(ended)
            } else {
                state.ended[state.next] = ended
                state.next = (state.next + 1) % Self.endedMax
            }
            return active
        }
        if let active, let status, !active.asked.text.isEmpty {
            log?.write(active.asked, active.context, seconds: seconds, status: status)
        }
    }

    /// Ends a query at its next look at the clock.
    ///
    /// - Returns: False when there is none of that number.
    func cancel(_ id: UInt64) -> Bool {
        guard let active = state.withLock({ $0.active[id] }) else { return false }
        active.context.cancel()
        return true
    }

    /// The queries that run or wait, the oldest first, as JSON.
    func activeData() -> [UInt8] {
        let now = Stopwatch.monotonicNanoseconds()
        let active = state.withLock { $0.active }.sorted { $0.key < $1.key }
        var writer = JSONWriter()
        writer.beginArray()
        for (id, query) in active {
            writer.beginObject()
            writer.member("id", String(id))
            writer.member("query", query.asked.text)
            writer.member("path", query.asked.path)
            writer.member("remoteAddress", query.asked.remoteAddress)
            writer.member("startedAt", TimeText.rfc3339(nanoseconds: query.asked.at))
            writer.member("durationSeconds", Double(now - query.since) / 1e9)
            writer.member("rowsRead", query.context.rowsRead.load(ordering: .relaxed))
            writer.member("bytesRead", query.context.bytesRead.load(ordering: .relaxed))
            writer.endObject()
        }
        writer.endArray()
        return writer.bytes
    }

    private struct Total {
        var count = 0
        var seconds = 0.0
        var rows = 0
    }

    private struct Key: Hashable {
        let text: String
        let rangeSeconds: Int
    }

    /// VictoriaMetrics's `/api/v1/status/top_queries`, and the sums of rows.
    func topQueries(limit: Int, lifetime: Int64, now: Int64) -> [UInt8] {
        var totals: [Key: Total] = [:]
        for query in state.withLock({ $0.ended }) where now - query.at <= lifetime {
            let key = Key(text: query.text, rangeSeconds: query.rangeSeconds)
            totals[key, default: Total()].count += 1
            totals[key, default: Total()].seconds += query.seconds
            totals[key, default: Total()].rows += query.rows
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("status", "ok")
        writer.member("topN", String(limit))
        writer.member("maxLifetime", Units.text(nanoseconds: lifetime))
        writer.member("search.queryStats.lastQueriesCount", Self.endedMax)
        func list(_ name: String, _ member: String, _ cost: (Total) -> Double) {
            let top = totals.map { (key: $0.key, total: $0.value, cost: cost($0.value)) }
                .sorted { ($1.cost, $0.key.text) < ($0.cost, $1.key.text) }
                .prefix(limit)
            writer.key(name)
            writer.beginArray()
            for (key, total, cost) in top {
                writer.beginObject()
                writer.member("query", key.text)
                writer.member("timeRangeSeconds", key.rangeSeconds)
                if member != "count" { writer.member(member, cost) }
                writer.member("count", total.count)
                writer.endObject()
            }
            writer.endArray()
        }
        list("topByCount", "count") { Double($0.count) }
        list("topByAvgDuration", "avgDurationSeconds") { $0.seconds / Double(max(1, $0.count)) }
        list("topBySumDuration", "sumDurationSeconds") { $0.seconds }
        list("topBySumRows", "sumRows") { Double($0.rows) }
        writer.endObject()
        return writer.bytes
    }
}
