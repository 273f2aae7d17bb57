import Synchronization

/// The day on which each metric was last read, in memory and in the catalog's table `reads`.
///
/// Written lazily: a day's first read of a metric within a minute, or when the store stops; a crash
/// can lose that. Bounded; safe from any thread.
package final class ReadTable: Sendable {
    /// Metrics past this many are not noted.
    package static let metricsMax = 1_000_000
    private static let flushNanoseconds: Int64 = 60_000_000_000

    private struct State {
        /// Days since 1970, by metric.
        var days: [String: Int64] = [:]
        var changed: Set<String> = []
        var flushedAt: Int64 = 0
    }

    private let database: SQLiteDatabase
    private let tenant: String
    private let state = Mutex(State())

    init(database: SQLiteDatabase, tenant: String = "default") throws(SQLiteError) {
        self.database = database
        self.tenant = tenant
        try database.execute(
            """
            CREATE TABLE IF NOT EXISTS reads (
                tenant TEXT NOT NULL, metric TEXT NOT NULL, day BIGINT NOT NULL,
                PRIMARY KEY (tenant, metric))
            """
        )
        let rows = try database.query(
            "SELECT metric, day FROM reads WHERE tenant = ?",
            [.text(tenant)]
        )
        state.withLock { state in
            for row in rows {
                if let metric = row[0].text, let day = row[1].integer { state.days[metric] = day }
            }
        }
    }

    /// Notes that metrics were read at `now`, in nanoseconds.
    package func note(_ metrics: [String], at now: Int64) {
        let day = Int64(BucketKey.day(of: now))
        let isDue = state.withLock { state in
            for metric in metrics where state.days[metric] != day {
                guard state.days.count < Self.metricsMax || state.days[metric] != nil else {
                    continue
                }
                state.days[metric] = day
                state.changed.insert(metric)
            }
            guard !state.changed.isEmpty, now - state.flushedAt >= Self.flushNanoseconds else {
                return false
            }
            state.flushedAt = now
            return true
        }
        if isDue { flush() }
    }

    /// Writes what was noted; what cannot be written is tried again.
    package func flush() {
        let changed = state.withLock { state in
            let changed = state.changed.map { ($0, state.days[$0] ?? 0) }
            state.changed = []
            return changed
        }
        guard !changed.isEmpty else { return }
        do throws(SQLiteError) {
            try database.transaction(
                changed.map { metric, day in
                    SQLiteStatement(
                        """
                        INSERT INTO reads (tenant, metric, day) VALUES (?, ?, ?)
                        ON CONFLICT (tenant, metric) DO UPDATE SET day = excluded.day
                        """,
                        [.text(tenant), .text(metric), .integer(day)]
                    )
                }
            )
        } catch {
            state.withLock { $0.changed.formUnion(changed.map(\.0)) }
        }
    }

    /// Days since 1970 on which metrics were last read; those never read are not in it.
    package var days: [String: Int64] { state.withLock { $0.days } }
}
