internal import WeirCore
internal import WeirPattern

/// Erasures that are not carried out everywhere, in two of the catalog's tables.
///
/// `erasures` has those that have begun and not ended: one that stands there when the store opens is
/// carried out again. `owed_erasures` has, by the path of a segment that was set aside, what ended
/// erasures were to take out of it: that is done before the segment is read again. Safe from any thread.
struct ErasureTable: Sendable {
    private let database: SQLiteDatabase

    init(database: SQLiteDatabase) throws(SQLiteError) {
        self.database = database
        try database.transaction([
            SQLiteStatement(
                """
                CREATE TABLE IF NOT EXISTS erasures (
                    id BIGINT PRIMARY KEY, tenant TEXT NOT NULL, selectors TEXT NOT NULL,
                    first_time BIGINT NOT NULL, last_time BIGINT NOT NULL, through BIGINT NOT NULL)
                """
            ),
            SQLiteStatement(
                """
                CREATE TABLE IF NOT EXISTS owed_erasures (
                    path TEXT NOT NULL, selectors TEXT NOT NULL, first_time BIGINT NOT NULL,
                    last_time BIGINT NOT NULL,
                    PRIMARY KEY (path, selectors, first_time, last_time))
                """
            ),
        ])
    }

    /// Notes what is to be erased; durable when it returns.
    func add(
        _ request: ErasureRequest,
        through sequence: UInt64
    ) throws(SQLiteError) -> Erasure {
        let last = try database.query("SELECT COALESCE(MAX(id), 0) FROM erasures").first?[0].integer
        let erasure = Erasure(
            id: (last ?? 0) + 1,
            tenant: request.tenant,
            rows: request.rows,
            through: sequence
        )
        try database.execute(
            """
            INSERT INTO erasures (id, tenant, selectors, first_time, last_time, through)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            [
                .integer(erasure.id), .text(erasure.tenant),
                .text(Self.text(erasure.rows.selectors)),
                .integer(erasure.rows.times.lowerBound), .integer(erasure.rows.times.upperBound),
                .integer(Int64(clamping: sequence)),
            ]
        )
        return erasure
    }

    /// Ends an erasure, and notes that it is still to be carried out on the segments at `paths`, all at
    /// once.
    func end(_ erasure: Erasure, owing paths: [String] = []) throws(SQLiteError) {
        let owed = paths.map { path in
            SQLiteStatement(
                """
                INSERT INTO owed_erasures (path, selectors, first_time, last_time)
                VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING
                """,
                [
                    .text(path), .text(Self.text(erasure.rows.selectors)),
                    .integer(erasure.rows.times.lowerBound),
                    .integer(erasure.rows.times.upperBound),
                ]
            )
        }
        let end = SQLiteStatement("DELETE FROM erasures WHERE id = ?", [.integer(erasure.id)])
        try database.transaction(owed + [end])
    }

    /// What is to be taken out of segments before they are read, by their paths; nil for what cannot be
    /// told.
    ///
    /// Segments that the catalog no longer knows are forgotten.
    func owed() throws(SQLiteError) -> [String: [ErasedRows?]] {
        try database.execute(
            "DELETE FROM owed_erasures WHERE path NOT IN (SELECT path FROM segments)"
        )
        let rows = try database.query(
            "SELECT path, selectors, first_time, last_time FROM owed_erasures"
        )
        var owed: [String: [ErasedRows?]] = [:]
        for row in rows {
            guard let path = row[0].text else { continue }
            guard let selectors = row[1].text.flatMap(Self.selectors), let first = row[2].integer,
                let last = row[3].integer, first <= last
            else {
                owed[path, default: []].append(nil)
                continue
            }
            owed[path, default: []].append(ErasedRows(selectors: selectors, times: first...last))
        }
        return owed
    }

    /// What to say in the transaction that puts a segment without those rows in the place of the one at
    /// `path`.
    static func settlement(of path: String) -> SQLiteStatement {
        SQLiteStatement("DELETE FROM owed_erasures WHERE path = ?", [.text(path)])
    }

    /// Those that have not ended, in the order they began.
    func all() throws(SQLiteError) -> [Erasure] {
        try database.query(
            """
            SELECT id, tenant, selectors, first_time, last_time, through FROM erasures ORDER BY id
            """
        ).compactMap { row in
            guard let id = row[0].integer, let tenant = row[1].text,
                let selectors = row[2].text.flatMap(Self.selectors), let first = row[3].integer,
                let last = row[4].integer, first <= last, let through = row[5].integer
            else { return nil }
            return Erasure(
                id: id,
                tenant: tenant,
                rows: ErasedRows(selectors: selectors, times: first...last),
                through: UInt64(clamping: through)
            )
        }
    }

    /// Selectors as JSON: `[[["name","=","value"],…],…]`.
    private static func text(_ selectors: [[LabelMatcher]]) -> String {
        var writer = JSONWriter()
        writer.beginArray()
        for matchers in selectors {
            writer.beginArray()
            for matcher in matchers {
                writer.beginArray()
                writer.value(matcher.name)
                writer.value(matcher.operation.rawValue)
                writer.value(matcher.value)
                writer.endArray()
            }
            writer.endArray()
        }
        writer.endArray()
        return writer.text
    }

    private static func selectors(_ text: String) -> [[LabelMatcher]]? {
        guard let lists = try? JSONParser.parse(Array(text.utf8)).array else { return nil }
        var selectors: [[LabelMatcher]] = []
        for list in lists {
            var matchers: [LabelMatcher] = []
            for item in list.array ?? [] {
                guard let parts = item.array, parts.count == 3, let name = parts[0].string,
                    let operation = parts[1].string.flatMap(LabelMatcher.Operation.init(rawValue:)),
                    let value = parts[2].string
                else { return nil }
                matchers.append(LabelMatcher(name: name, operation: operation, value: value))
            }
            selectors.append(matchers)
        }
        return selectors
    }
}
