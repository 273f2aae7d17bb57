package import WeirCore
internal import WeirSystem

/// One segment as the catalog knows it.
struct SegmentRecord: Hashable, Sendable {
    enum State: String, Hashable, Sendable {
        case live
        /// Damaged or missing: kept out of queries, named in the status.
        case quarantined
    }

    /// The file's name inside its bucket's folder.
    ///
    /// Derives from what went in.
    let name: String
    let bucket: BucketKey
    let sequences: ClosedRange<UInt64>
    let streamCount: Int
    let rowCount: Int
    let byteCount: Int
    /// Nanoseconds, inclusive.
    let times: ClosedRange<Int64>
    var state: State = .live
    var reason = ""

    /// The path below the data folder.
    var path: String { "\(bucket.path)/\(name)" }
}

/// A bucket: one tenant's rows of one signal in one UTC day.
package struct BucketKey: Hashable, Sendable {
    package let tenant: String
    package let signal: Signal
    /// Days since 1970-01-01.
    package let day: Int

    package init(tenant: String, signal: Signal, day: Int) {
        self.tenant = tenant
        self.signal = signal
        self.day = day
    }

    static let nanosecondsPerDay: Int64 = 86_400_000_000_000

    /// The day that holds `time`, in nanoseconds.
    static func day(of time: Int64) -> Int {
        Int(time / nanosecondsPerDay - (time % nanosecondsPerDay < 0 ? 1 : 0))
    }

    /// When the day is over; the end of time for the last of all days.
    var end: Int64 {
        let (end, overflow) = (Int64(day) + 1).multipliedReportingOverflow(
            by: Self.nanosecondsPerDay
        )
        return overflow ? (day < 0 ? .min : .max) : end
    }

    /// The folder below the data folder.
    package var path: String { "data/\(tenant)/\(signal.name)/\(CivilDate(daysSinceEpoch: day))" }
}

/// What exists in the data folder, in SQLite: a segment exists when the catalog says so.
///
/// The SQL is plain, so that PostgreSQL can hold the same tables. Safe from any thread.
final class Catalog: Sendable {
    let database: SQLiteDatabase

    static let version: Int64 = 1

    init(path: String) throws(SQLiteError) {
        database = try SQLiteDatabase(path: path)
        try database.transaction([
            SQLiteStatement(
                """
                CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value BIGINT NOT NULL)
                """
            ),
            SQLiteStatement(
                """
                CREATE TABLE IF NOT EXISTS segments (
                    path TEXT PRIMARY KEY, tenant TEXT NOT NULL, signal TEXT NOT NULL,
                    day BIGINT NOT NULL, name TEXT NOT NULL, first_sequence BIGINT NOT NULL,
                    last_sequence BIGINT NOT NULL, stream_count BIGINT NOT NULL,
                    row_count BIGINT NOT NULL, byte_count BIGINT NOT NULL,
                    first_time BIGINT NOT NULL, last_time BIGINT NOT NULL, state TEXT NOT NULL,
                    reason TEXT NOT NULL)
                """
            ),
            SQLiteStatement(
                """
                CREATE TABLE IF NOT EXISTS batches (
                    id TEXT PRIMARY KEY, accepted_at BIGINT NOT NULL)
                """
            ),
            SQLiteStatement(
                "INSERT INTO settings (name, value) VALUES ('version', ?) ON CONFLICT DO NOTHING",
                [.integer(Self.version)]
            ),
        ])
    }

    func setting(_ name: String) throws(SQLiteError) -> Int64? {
        try database.query("SELECT value FROM settings WHERE name = ?", [.text(name)])
            .first?[0].integer
    }

    /// The sequence up to which all batches are in segments.
    func checkpoint() throws(SQLiteError) -> UInt64 {
        UInt64(clamping: try setting("checkpoint") ?? 0)
    }

    func segments() throws(SQLiteError) -> [SegmentRecord] {
        let rows = try database.query(
            """
            SELECT tenant, signal, day, name, first_sequence, last_sequence, stream_count,
                row_count, byte_count, first_time, last_time, state, reason
            FROM segments ORDER BY path
            """
        )
        return rows.compactMap { row in
            guard let tenant = row[0].text, let signal = row[1].text.flatMap(Signal.init(name:)),
                let day = row[2].integer, let name = row[3].text,
                let first = row[4].integer, let last = row[5].integer, first >= 0, last >= first,
                let streams = row[6].integer, let count = row[7].integer,
                let bytes = row[8].integer, let firstTime = row[9].integer,
                let lastTime = row[10].integer, lastTime >= firstTime,
                let state = row[11].text.flatMap(SegmentRecord.State.init(rawValue:))
            else { return nil }
            return SegmentRecord(
                name: name,
                bucket: BucketKey(tenant: tenant, signal: signal, day: Int(day)),
                sequences: UInt64(first)...UInt64(last),
                streamCount: Int(streams),
                rowCount: Int(count),
                byteCount: Int(bytes),
                times: firstTime...lastTime,
                state: state,
                reason: row[12].text ?? ""
            )
        }
    }

    /// Adds and retires segments, moves the checkpoint, records batch ids, and does `others`, all at once.
    func publish(
        adding added: [SegmentRecord],
        retiring retired: [SegmentRecord],
        checkpoint: UInt64? = nil,
        batches: [(id: String, acceptedAt: Int64)] = [],
        others: [SQLiteStatement] = []
    ) throws(SQLiteError) {
        var statements = retired.map {
            SQLiteStatement("DELETE FROM segments WHERE path = ?", [.text($0.path)])
        }
        statements += added.map(Self.insertion)
        if let checkpoint {
            statements.append(
                SQLiteStatement(
                    """
                    INSERT INTO settings (name, value) VALUES ('checkpoint', ?)
                    ON CONFLICT (name) DO UPDATE SET value = excluded.value
                    """,
                    [.integer(Int64(clamping: checkpoint))]
                )
            )
        }
        statements += batches.map {
            SQLiteStatement(
                "INSERT INTO batches (id, accepted_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
                [.text($0.id), .integer($0.acceptedAt)]
            )
        }
        try database.transaction(statements + others)
    }

    private static func insertion(_ segment: SegmentRecord) -> SQLiteStatement {
        SQLiteStatement(
            """
            INSERT INTO segments (path, tenant, signal, day, name, first_sequence, last_sequence,
                stream_count, row_count, byte_count, first_time, last_time, state, reason)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (path) DO NOTHING
            """,
            [
                .text(segment.path), .text(segment.bucket.tenant),
                .text(segment.bucket.signal.name), .integer(Int64(segment.bucket.day)),
                .text(segment.name), .integer(Int64(clamping: segment.sequences.lowerBound)),
                .integer(Int64(clamping: segment.sequences.upperBound)),
                .integer(Int64(segment.streamCount)), .integer(Int64(segment.rowCount)),
                .integer(Int64(segment.byteCount)), .integer(segment.times.lowerBound),
                .integer(segment.times.upperBound), .text(segment.state.rawValue),
                .text(segment.reason),
            ]
        )
    }

    func quarantine(path: String, reason: String) throws(SQLiteError) {
        try database.execute(
            "UPDATE segments SET state = ?, reason = ? WHERE path = ?",
            [.text(SegmentRecord.State.quarantined.rawValue), .text(reason), .text(path)]
        )
    }

    /// Batch ids that were accepted since `time`; older ones are forgotten.
    func batches(since time: Int64) throws(SQLiteError) -> [(id: String, acceptedAt: Int64)] {
        try database.execute("DELETE FROM batches WHERE accepted_at < ?", [.integer(time)])
        return try database.query("SELECT id, accepted_at FROM batches").compactMap { row in
            guard let id = row[0].text, let time = row[1].integer else { return nil }
            return (id, time)
        }
    }
}
