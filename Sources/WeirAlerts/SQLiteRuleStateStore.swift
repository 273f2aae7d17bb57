internal import Synchronization
internal import WeirCore
package import WeirStore

/// Rule state in SQLite; plain SQL that PostgreSQL takes too.
///
/// Labels and annotations are JSON texts, values the bits of the double, so that a NaN survives.
package final class SQLiteRuleStateStore: RuleStateStore {
    private let database: SQLiteDatabase
    /// What is known to be in the tables, so that only changes are written.
    private let saved = Mutex<[RuleGroupKey: [String: [ActiveAlert]]]>([:])

    package init(database: SQLiteDatabase) throws(RuleStateError) {
        self.database = database
        for statement in Self.schema {
            try Self.wrapping { () throws(SQLiteError) in
                try database.execute(statement)
            }
        }
    }

    private static let schema = [
        """
        CREATE TABLE IF NOT EXISTS rule_groups (
            file TEXT NOT NULL, name TEXT NOT NULL, last_evaluation BIGINT NOT NULL,
            PRIMARY KEY (file, name))
        """,
        """
        CREATE TABLE IF NOT EXISTS rule_alerts (
            file TEXT NOT NULL, group_name TEXT NOT NULL, rule_key TEXT NOT NULL,
            labels TEXT NOT NULL, annotations TEXT NOT NULL, phase TEXT NOT NULL,
            value_bits BIGINT NOT NULL, active_at BIGINT NOT NULL, fired_at BIGINT,
            resolved_at BIGINT, keep_firing_since BIGINT,
            PRIMARY KEY (file, group_name, rule_key, labels))
        """,
        """
        CREATE TABLE IF NOT EXISTS notification_records (
            record_key TEXT NOT NULL PRIMARY KEY, first_seen BIGINT NOT NULL, last_flush BIGINT,
            last_sent BIGINT, firing TEXT NOT NULL, resolved TEXT NOT NULL)
        """,
        """
        CREATE TABLE IF NOT EXISTS notification_queue (
            queue_key TEXT NOT NULL PRIMARY KEY, receiver TEXT NOT NULL, body TEXT NOT NULL,
            created_at BIGINT NOT NULL, attempts BIGINT NOT NULL, next_attempt BIGINT NOT NULL)
        """,
    ]

    private static func wrapping<Result>(
        _ body: () throws(SQLiteError) -> Result
    ) throws(RuleStateError) -> Result {
        do throws(SQLiteError) {
            return try body()
        } catch {
            throw RuleStateError(reason: "\(error.message) (SQLite code \(error.code))")
        }
    }

    // MARK: - Groups

    package func loadGroup(_ key: RuleGroupKey) throws(RuleStateError) -> RuleGroupRecord? {
        let groups = try Self.wrapping { () throws(SQLiteError) in
            try database.query(
                "SELECT last_evaluation FROM rule_groups WHERE file = ? AND name = ?",
                [.text(key.file), .text(key.name)]
            )
        }
        guard let last = groups.first?.first?.integer else { return nil }
        let rows = try Self.wrapping { () throws(SQLiteError) in
            try database.query(
                """
                SELECT rule_key, labels, annotations, phase, value_bits, active_at, fired_at,
                    resolved_at, keep_firing_since
                FROM rule_alerts WHERE file = ? AND group_name = ?
                """,
                [.text(key.file), .text(key.name)]
            )
        }
        var alerts: [String: [ActiveAlert]] = [:]
        for row in rows {
            guard row.count == 9, let rule = row[0].text, let alert = Self.alert(row) else {
                continue
            }
            alerts[rule, default: []].append(alert)
        }
        for rule in alerts.keys { alerts[rule]?.sort { $0.labels < $1.labels } }
        saved.withLock { $0[key] = alerts }
        return RuleGroupRecord(lastEvaluation: last, alerts: alerts)
    }

    private static func alert(_ row: [SQLiteValue]) -> ActiveAlert? {
        guard let labels = row[1].text.flatMap({ pairs($0) }),
            let annotations = row[2].text.flatMap({ pairs($0) }),
            let phase = row[3].text.flatMap({ AlertPhase(rawValue: $0) }),
            let bits = row[4].integer, let activeAt = row[5].integer
        else { return nil }
        return ActiveAlert(
            labels: Labels(labels.map { ($0.name, $0.value) }),
            annotations: annotations,
            phase: phase,
            value: Double(bitPattern: UInt64(bitPattern: bits)),
            activeAt: activeAt,
            firedAt: row[6].integer,
            resolvedAt: row[7].integer,
            keepFiringSince: row[8].integer
        )
    }

    package func saveGroup(
        _ key: RuleGroupKey,
        _ record: RuleGroupRecord
    ) throws(RuleStateError) {
        let before = saved.withLock { $0[key] } ?? [:]
        var statements = [
            SQLiteStatement(
                """
                INSERT INTO rule_groups (file, name, last_evaluation) VALUES (?, ?, ?)
                ON CONFLICT (file, name) DO UPDATE SET last_evaluation = excluded.last_evaluation
                """,
                [.text(key.file), .text(key.name), .integer(record.lastEvaluation)]
            )
        ]
        for rule in Set(before.keys).union(record.alerts.keys).sorted() {
            let old = before[rule] ?? []
            let new = record.alerts[rule] ?? []
            guard old != new else { continue }
            let oldByLabels = Dictionary(old.map { ($0.labels, $0) }) { _, last in last }
            let newLabels = Set(new.map(\.labels))
            for alert in old where !newLabels.contains(alert.labels) {
                statements.append(
                    SQLiteStatement(
                        """
                        DELETE FROM rule_alerts
                        WHERE file = ? AND group_name = ? AND rule_key = ? AND labels = ?
                        """,
                        [
                            .text(key.file), .text(key.name), .text(rule),
                            .text(Self.text(alert.labels)),
                        ]
                    )
                )
            }
            for alert in new where oldByLabels[alert.labels] != alert {
                statements.append(Self.upsert(alert, rule: rule, key))
            }
        }
        let all = statements
        try Self.wrapping { () throws(SQLiteError) in try database.transaction(all) }
        saved.withLock { $0[key] = record.alerts }
    }

    private static func upsert(
        _ alert: ActiveAlert,
        rule: String,
        _ key: RuleGroupKey
    ) -> SQLiteStatement {
        func optional(_ number: Int64?) -> SQLiteValue { number.map { .integer($0) } ?? .null }
        return SQLiteStatement(
            """
            INSERT INTO rule_alerts (file, group_name, rule_key, labels, annotations, phase,
                value_bits, active_at, fired_at, resolved_at, keep_firing_since)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (file, group_name, rule_key, labels) DO UPDATE SET
                annotations = excluded.annotations, phase = excluded.phase,
                value_bits = excluded.value_bits, active_at = excluded.active_at,
                fired_at = excluded.fired_at, resolved_at = excluded.resolved_at,
                keep_firing_since = excluded.keep_firing_since
            """,
            [
                .text(key.file), .text(key.name), .text(rule), .text(text(alert.labels)),
                .text(text(alert.annotations)), .text(alert.phase.rawValue),
                .integer(Int64(bitPattern: alert.value.bitPattern)), .integer(alert.activeAt),
                optional(alert.firedAt), optional(alert.resolvedAt),
                optional(alert.keepFiringSince),
            ]
        )
    }

    // MARK: - Notifications

    package func loadNotifications() throws(RuleStateError) -> (
        records: [NotificationRecord], queue: [QueuedNotification]
    ) {
        let rows = try Self.wrapping { () throws(SQLiteError) in
            try database.query(
                """
                SELECT record_key, first_seen, last_flush, last_sent, firing, resolved
                FROM notification_records ORDER BY record_key
                """
            )
        }
        let queued = try Self.wrapping { () throws(SQLiteError) in
            try database.query(
                """
                SELECT queue_key, receiver, body, created_at, attempts, next_attempt
                FROM notification_queue ORDER BY created_at, queue_key
                """
            )
        }
        var records: [NotificationRecord] = []
        for row in rows {
            guard row.count == 6, let key = row[0].text, let first = row[1].integer else {
                continue
            }
            var record = NotificationRecord(key: key, firstSeenMilliseconds: first)
            record.lastFlushMilliseconds = row[2].integer
            record.lastSentMilliseconds = row[3].integer
            record.firing = Self.words(row[4].text)
            record.resolved = Self.words(row[5].text)
            records.append(record)
        }
        let queue = queued.compactMap { row -> QueuedNotification? in
            guard row.count == 6, let key = row[0].text, let receiver = row[1].text,
                let body = row[2].text, let created = row[3].integer,
                let attempts = row[4].integer, let next = row[5].integer
            else { return nil }
            return QueuedNotification(
                key: key,
                receiver: receiver,
                body: Array(body.utf8),
                createdMilliseconds: created,
                attempts: Int(attempts),
                nextAttemptMilliseconds: next
            )
        }
        return (records, queue)
    }

    private static func words(_ text: String?) -> Set<String> {
        Set((text ?? "").split(separator: " ").map(String.init))
    }

    package func saveNotifications(
        records: [NotificationRecord],
        removedRecords: [String],
        queued: [QueuedNotification],
        removedQueued: [String]
    ) throws(RuleStateError) {
        func optional(_ number: Int64?) -> SQLiteValue { number.map { .integer($0) } ?? .null }
        var statements: [SQLiteStatement] = []
        for key in removedRecords {
            statements.append(
                SQLiteStatement(
                    "DELETE FROM notification_records WHERE record_key = ?",
                    [.text(key)]
                )
            )
        }
        for key in removedQueued {
            statements.append(
                SQLiteStatement("DELETE FROM notification_queue WHERE queue_key = ?", [.text(key)])
            )
        }
        for record in records {
            statements.append(
                SQLiteStatement(
                    """
                    INSERT INTO notification_records
                        (record_key, first_seen, last_flush, last_sent, firing, resolved)
                    VALUES (?, ?, ?, ?, ?, ?)
                    ON CONFLICT (record_key) DO UPDATE SET first_seen = excluded.first_seen,
                        last_flush = excluded.last_flush, last_sent = excluded.last_sent,
                        firing = excluded.firing, resolved = excluded.resolved
                    """,
                    [
                        .text(record.key), .integer(record.firstSeenMilliseconds),
                        optional(record.lastFlushMilliseconds),
                        optional(record.lastSentMilliseconds),
                        .text(record.firing.sorted().joined(separator: " ")),
                        .text(record.resolved.sorted().joined(separator: " ")),
                    ]
                )
            )
        }
        for message in queued {
            statements.append(
                SQLiteStatement(
                    """
                    INSERT INTO notification_queue
                        (queue_key, receiver, body, created_at, attempts, next_attempt)
                    VALUES (?, ?, ?, ?, ?, ?)
                    ON CONFLICT (queue_key) DO UPDATE SET receiver = excluded.receiver,
                        body = excluded.body, created_at = excluded.created_at,
                        attempts = excluded.attempts, next_attempt = excluded.next_attempt
                    """,
                    [
                        .text(message.key), .text(message.receiver),
                        .text(String(decoding: message.body, as: UTF8.self)),
                        .integer(message.createdMilliseconds), .integer(Int64(message.attempts)),
                        .integer(message.nextAttemptMilliseconds),
                    ]
                )
            )
        }
        guard !statements.isEmpty else { return }
        let all = statements
        try Self.wrapping { () throws(SQLiteError) in try database.transaction(all) }
    }

    // MARK: - Texts

    private static func text(_ labels: Labels) -> String {
        text(labels.pairs.map { NamedText(name: $0.name, value: $0.value) })
    }

    private static func text(_ pairs: [NamedText]) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        for pair in pairs { writer.member(pair.name, pair.value) }
        writer.endObject()
        return writer.text
    }

    private static func pairs(_ text: String) -> [NamedText]? {
        guard let members = (try? JSONParser.parse(Array(text.utf8)))?.members else { return nil }
        return members.map { NamedText(name: $0.key, value: $0.value.string ?? "") }
    }
}
