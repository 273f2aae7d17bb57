internal import WeirCore
internal import WeirPattern

/// Erasures that have begun and not ended, in the catalog's table `erasures`.
///
/// One that stands there when the store opens is carried out again. Safe from any thread.
struct ErasureTable: Sendable {
    private let database: SQLiteDatabase

    init(database: SQLiteDatabase) throws(SQLiteError) {
        self.database = database
        try database.execute(
            """
            CREATE TABLE IF NOT EXISTS erasures (
                id BIGINT PRIMARY KEY, tenant TEXT NOT NULL, selectors TEXT NOT NULL,
                first_time BIGINT NOT NULL, last_time BIGINT NOT NULL, through BIGINT NOT NULL)
            """
        )
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
            selectors: request.selectors,
            times: request.times,
            through: sequence
        )
        try database.execute(
            """
            INSERT INTO erasures (id, tenant, selectors, first_time, last_time, through)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            [
                .integer(erasure.id), .text(erasure.tenant),
                .text(Self.text(erasure.selectors)), .integer(erasure.times.lowerBound),
                .integer(erasure.times.upperBound), .integer(Int64(clamping: sequence)),
            ]
        )
        return erasure
    }

    func remove(_ erasure: Erasure) throws(SQLiteError) {
        try database.execute("DELETE FROM erasures WHERE id = ?", [.integer(erasure.id)])
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
                selectors: selectors,
                times: first...last,
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
