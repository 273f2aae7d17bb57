import Synchronization
package import WeirCore

/// What is known of metrics by family: in memory, and in the catalog's table `metadata`.
///
/// Bounded: a family keeps the latest few, and new families past the limit are left out. Safe from any
/// thread.
package final class MetadataTable: Sendable {
    /// What several senders of one family may say differently.
    package static let metadataPerFamilyMax = 4
    package static let familiesMax = 100_000
    /// Names and helps longer than these are left out.
    package static let nameBytesMax = 1024
    package static let helpBytesMax = 4096

    private struct State {
        var families: [String: [MetricMetadata]] = [:]
        var leftOutCount = 0
    }

    private let database: SQLiteDatabase
    private let tenant: String
    private let state = Mutex(State())

    init(database: SQLiteDatabase, tenant: String = "default") throws(SQLiteError) {
        self.database = database
        self.tenant = tenant
        try database.execute(
            """
            CREATE TABLE IF NOT EXISTS metadata (
                tenant TEXT NOT NULL, family TEXT NOT NULL, type TEXT NOT NULL, unit TEXT NOT NULL,
                help TEXT NOT NULL, place BIGINT NOT NULL, PRIMARY KEY (tenant, family, place))
            """
        )
        let rows = try database.query(
            "SELECT family, type, unit, help FROM metadata WHERE tenant = ? ORDER BY family, place",
            [.text(tenant)]
        )
        state.withLock { state in
            for row in rows {
                guard let family = row[0].text,
                    let type = row[1].text.flatMap(MetricType.init(rawValue:)),
                    let unit = row[2].text, let help = row[3].text
                else { continue }
                state.families[family, default: []].append(
                    MetricMetadata(type: type, unit: unit, help: help)
                )
            }
        }
    }

    /// Families that were left out, since there were too many or since they were too long.
    package var leftOutCount: Int { state.withLock { $0.leftOutCount } }

    /// Takes in what is new among `families`; durable when it returns.
    package func record(_ families: [FamilyMetadata]) throws(StoreError) {
        guard !families.isEmpty else { return }
        let changed = state.withLock { state in
            var changed: [String: [MetricMetadata]] = [:]
            for family in families {
                if state.families[family.name]?.contains(family.metadata) == true { continue }
                guard
                    state.families.count < Self.familiesMax
                        || state.families[family.name] != nil,
                    family.name.utf8.count <= Self.nameBytesMax, !family.name.isEmpty,
                    family.metadata.unit.utf8.count <= Self.nameBytesMax,
                    family.metadata.help.utf8.count <= Self.helpBytesMax
                else {
                    state.leftOutCount += 1
                    continue
                }
                var known = state.families[family.name] ?? []
                known.append(family.metadata)
                known.removeFirst(max(0, known.count - Self.metadataPerFamilyMax))
                state.families[family.name] = known
                changed[family.name] = known
            }
            return changed
        }
        guard !changed.isEmpty else { return }
        do throws(SQLiteError) {
            try database.transaction(changed.flatMap { statements(family: $0.key, $0.value) })
        } catch {
            // What is not in the catalog is not known: it is to be written the next time.
            state.withLock { state in
                for family in changed.keys { state.families[family] = nil }
            }
            throw .catalog(error)
        }
    }

    private func statements(family: String, _ known: [MetricMetadata]) -> [SQLiteStatement] {
        [
            SQLiteStatement(
                "DELETE FROM metadata WHERE tenant = ? AND family = ?",
                [.text(tenant), .text(family)]
            )
        ]
            + known.enumerated().map { place, metadata in
                SQLiteStatement(
                    """
                    INSERT INTO metadata (tenant, family, type, unit, help, place)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """,
                    [
                        .text(tenant), .text(family), .text(metadata.type.rawValue),
                        .text(metadata.unit), .text(metadata.help), .integer(Int64(place)),
                    ]
                )
            }
    }

    /// What is known of a family, the latest last.
    package func metadata(of family: String) -> [MetricMetadata] {
        state.withLock { $0.families[family] ?? [] }
    }

    /// All families in ascending order of name.
    package func all() -> [(family: String, metadata: [MetricMetadata])] {
        state.withLock { $0.families }
            .map { (family: $0.key, metadata: $0.value) }
            .sorted { $0.family < $1.family }
    }
}
