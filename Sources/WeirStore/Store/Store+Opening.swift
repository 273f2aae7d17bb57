internal import Synchronization
internal import WeirCore
internal import WeirSystem

/// Rebuilds from the journal what was in memory when the process ended.
struct Replay {
    var state: StoreState
    var seen: SeenBatches
    var registries: [Store.RegistryKey: StreamRegistry]
    let now: Int64
    private var fileNumber = -1
    /// The references of the file being read, in terms of today's registries; each tenant and signal
    /// counts its own.
    private var references: [Store.RegistryKey: [UInt32: UInt32]] = [:]

    init(
        state: StoreState,
        seen: SeenBatches,
        registries: [Store.RegistryKey: StreamRegistry],
        now: Int64
    ) {
        self.state = state
        self.seen = seen
        self.registries = registries
        self.now = now
    }

    mutating func apply(_ record: JournalRecord, fileNumber: Int, checkpoint: UInt64) {
        if fileNumber != self.fileNumber {
            self.fileNumber = fileNumber
            references = [:]
        }
        let key = Store.RegistryKey(tenant: record.tenant, signal: record.signal)
        let registry = registries[key] ?? StreamRegistry()
        registries[key] = registry
        let resolution = registry.resolve(
            record.definitions.map(\.labels),
            limit: .max,
            now: now
        )
        for (definition, reference) in zip(record.definitions, resolution.references) {
            references[key, default: [:]][definition.reference] = reference
        }
        guard record.sequence > checkpoint else { return }
        // A reference that no record of its file defined cannot be named: the row is dropped.
        var rows: [Int] = []
        var resolved: [UInt32] = []
        let known = references[key] ?? [:]
        rows.reserveCapacity(record.times.count)
        resolved.reserveCapacity(record.times.count)
        for (row, reference) in record.references.enumerated() {
            guard let known = known[reference] else { continue }
            rows.append(row)
            resolved.append(known)
        }
        var batch = ResolvedBatch(
            sequence: record.sequence,
            references: record.references,
            times: record.times,
            columns: record.columns,
            fields: record.fields
        )
        if rows.count < record.times.count { batch = batch.selecting(rows) }
        let named = ResolvedBatch(
            sequence: record.sequence,
            references: resolved,
            times: batch.times,
            columns: batch.columns,
            fields: batch.fields
        )
        state.apply(named, tenant: record.tenant, signal: record.signal, now: now)
        if !record.batchID.isEmpty {
            seen.insert(SeenBatches.key(tenant: record.tenant, id: record.batchID), at: now)
        }
    }
}

extension Store {
    /// Opens every segment the catalog lists, quarantines those that cannot be read, and removes
    /// the files it does not know.
    static func openSegments(
        _ catalog: Catalog,
        directory: String,
        fileSystem: any FileSystem,
        log: StoreLog
    ) throws(SQLiteError) -> StoreState {
        var state = StoreState()
        var knownPaths: Set<String> = []
        for record in try catalog.segments() {
            knownPaths.insert(record.path)
            guard record.state == .live else {
                state.quarantined.append(record)
                continue
            }
            do throws(SegmentError) {
                let reader = try SegmentReader(
                    path: "\(directory)/\(record.path)",
                    fileSystem: fileSystem
                )
                guard reader.footer.signal == record.bucket.signal,
                    reader.footer.sequences == record.sequences,
                    reader.footer.rowCount == record.rowCount
                else { throw .notASegment(path: reader.path) }
                state.buckets[record.bucket, default: Bucket()].segments.append(
                    LiveSegment(record: record, reader: reader)
                )
            } catch {
                log("quarantined \(record.path): \(error)")
                if error.isDamage {
                    try catalog.quarantine(path: record.path, reason: "\(error)")
                }
                var record = record
                if error.isDamage { record.state = .quarantined }
                record.reason = "\(error)"
                state.quarantined.append(record)
            }
        }
        for key in state.buckets.keys {
            state.buckets[key]?.segments.sort {
                $0.record.sequences.lowerBound < $1.record.sequences.lowerBound
            }
        }
        sweep(directory: directory, knownPaths: knownPaths, fileSystem: fileSystem, log: log)
        return state
    }

    /// Removes files a crash left behind: written, but never published.
    private static func sweep(
        directory: String,
        knownPaths: Set<String>,
        fileSystem: any FileSystem,
        log: StoreLog
    ) {
        for path in dataFiles(in: directory, fileSystem) {
            let isOurs = path.hasSuffix(".seg") || path.hasSuffix(".tmp")
            guard isOurs, !knownPaths.contains(path) else { continue }
            log("removed \(path): the catalog does not know it")
            try? fileSystem.removeFile("\(directory)/\(path)")
        }
    }

    /// Refuses a folder that holds segments and no catalog: all of them would be swept away.
    static func checkCatalog(
        in directory: String,
        _ fileSystem: any FileSystem,
        log: StoreLog
    ) throws(FileError) {
        let catalog = "\(directory)/catalog.sqlite"
        if fileSystem.exists(catalog), try fileSystem.openForReading(catalog).size() > 0 { return }
        guard
            let segment = dataFiles(in: directory, fileSystem).first(where: {
                $0.hasSuffix(".seg")
            })
        else { return }
        log("\(catalog) is missing, and \(segment) is there: put it back, or move data/ away")
        throw FileError(.open, path: catalog, code: 2)
    }

    /// The files of segments, and others beside them, below the folder.
    private static func dataFiles(in directory: String, _ fileSystem: any FileSystem) -> [String] {
        var folders = ["data"]
        // Tenant, signal, day.
        for _ in 0..<3 {
            folders = folders.flatMap { folder in
                ((try? fileSystem.list("\(directory)/\(folder)")) ?? []).map { "\(folder)/\($0)" }
            }
        }
        return folders.flatMap { folder in
            ((try? fileSystem.list("\(directory)/\(folder)")) ?? []).map { "\(folder)/\($0)" }
        }
    }
}
