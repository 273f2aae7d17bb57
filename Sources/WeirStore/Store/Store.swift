import Synchronization
internal import WeirCore
package import WeirSystem

/// The storage engine: takes batches in durably, keeps them in columns, and gives streams out.
///
/// Threads of its own: *commit* journals and applies batches in groups; *flush* turns rows in
/// memory into segments; *merge* turns small segments into large ones. Readers and writers share
/// `StoreState` behind one lock that is held for moments only.
package final class Store: Sendable {
    package let options: StoreOptions
    let fileSystem: any FileSystem
    let clock: any WallClock
    let log: StoreLog
    /// Called once when the disk can no longer be trusted; the process should end.
    private let onFatal: @Sendable (FileError) -> Void

    let state = Mutex(StoreState())
    let catalog: Catalog
    /// Type, unit and help of metrics.
    package let metadata: MetadataTable
    let erasures: ErasureTable
    /// When metrics were last read.
    package let reads: ReadTable
    let registries = Mutex<[RegistryKey: StreamRegistry]>([:])
    let commits = Monitor(CommitQueue())
    let flushes = Monitor(WorkQueue())
    let merges = Monitor(WorkQueue())
    /// Serialises what changes the set of segments, so that it can be listed in peace.
    let publishing = Mutex<Void>(())
    let seenBatches = Mutex(SeenBatches())
    let scanPool: WorkerPool
    package let counters = StoreCounters()
    /// What replaying the journal found at start.
    package let replayReport: StoreReplayReport

    /// Released when the store has stopped.
    private let lock: Mutex<DirectoryLock?>
    private let threads = Mutex<[Thread]>([])

    /// A registry's place: each tenant's signals have streams of their own.
    struct RegistryKey: Hashable, Sendable {
        let tenant: String
        let signal: Signal
    }

    /// Opens the folder, or makes it, replays the journal, and starts the threads.
    ///
    /// Segments that cannot be read are quarantined; everything else is served.
    package init(
        options: StoreOptions,
        fileSystem: any FileSystem = HostFileSystem(),
        clock: any WallClock = HostClock(),
        log: @escaping StoreLog = { _ in },
        onFatal: @escaping @Sendable (FileError) -> Void
    ) throws(StoreError) {
        self.options = options
        self.fileSystem = fileSystem
        self.clock = clock
        self.log = log
        self.onFatal = onFatal
        let journal: Journal
        do throws(FileError) {
            let isNew = !fileSystem.exists(options.directory)
            try fileSystem.createDirectories(options.directory)
            lock = Mutex(try DirectoryLock(directory: options.directory))
            try Self.checkCatalog(in: options.directory, fileSystem, log: log)
            journal = try Journal(
                directory: "\(options.directory)/journal",
                fileSystem: fileSystem
            )
            // The names of the folders themselves must be durable before what is in them counts.
            try fileSystem.syncDirectory(options.directory)
            if isNew { try fileSystem.syncDirectory(Self.parent(of: options.directory)) }
        } catch {
            if error.path.hasSuffix("/LOCK") { throw .locked(path: options.directory) }
            throw .file(error)
        }
        let opened: (state: StoreState, seen: SeenBatches, unfinished: [Erasure])
        let owed: [String: [ErasedRows?]]
        let checkpoint: UInt64
        do throws(SQLiteError) {
            catalog = try Catalog(path: "\(options.directory)/catalog.sqlite")
            metadata = try MetadataTable(database: catalog.database)
            erasures = try ErasureTable(database: catalog.database)
            reads = try ReadTable(database: catalog.database)
            checkpoint = try catalog.checkpoint()
            let remembered = try catalog.batches(
                since: clock.nowNanoseconds() - options.batchMemory
            )
            opened = (
                try Self.openSegments(
                    catalog,
                    directory: options.directory,
                    fileSystem: fileSystem,
                    log: log
                ),
                SeenBatches(remembered),
                try erasures.all()
            )
            owed = try erasures.owed()
        } catch {
            throw .catalog(error)
        }
        scanPool = WorkerPool(name: "weir-scan", threadCount: options.scanThreadCount)
        var replay = Replay(
            state: opened.state,
            seen: opened.seen,
            registries: [:],
            now: clock.nowNanoseconds()
        )
        replay.state.lastSequence = checkpoint
        let report: Journal.ReplayReport
        do throws(FileError) {
            report = try journal.replay(after: checkpoint) { record, fileNumber in
                replay.apply(record, fileNumber: fileNumber, checkpoint: checkpoint)
            }
        } catch {
            throw .file(error)
        }
        replayReport = StoreReplayReport(
            batches: report.recordCount,
            rows: report.rowCount,
            tornTails: report.tornTails,
            gaps: report.gaps.map { "\($0.lowerBound)-\($0.upperBound)" }
        )
        let recovered = replay
        state.withLock { $0 = recovered.state }
        seenBatches.withLock { $0 = recovered.seen }
        registries.withLock { $0 = recovered.registries }
        for note in report.tornTails { log("journal: \(note)") }
        for gap in report.gaps {
            log("journal: batches \(gap.lowerBound) to \(gap.upperBound) are missing")
        }
        payOwedErasures(owed)
        start(journal: journal, erasing: opened.unfinished)
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private func start(journal: Journal, erasing unfinished: [Erasure]) {
        let firstSequence = state.withLock { $0.lastSequence } + 1
        threads.withLock { threads in
            threads.append(
                Thread(name: "weir-commit") { [journal = SendableBox(journal)] in
                    self.runCommits(CommitLog(journal: journal.value, nextSequence: firstSequence))
                }
            )
            threads.append(Thread(name: "weir-flush") { self.runFlushes() })
            threads.append(Thread(name: "weir-merge") { self.runMerges(unfinished) })
        }
    }

    /// Hands a value that is not `Sendable` to the one thread that will own it.
    private struct SendableBox<Value>: @unchecked Sendable {
        let value: Value
        init(_ value: Value) { self.value = value }
    }

    func registry(tenant: String, signal: Signal) -> StreamRegistry {
        registries.withLock { registries in
            let key = RegistryKey(tenant: tenant, signal: signal)
            if let known = registries[key] { return known }
            let made = StreamRegistry()
            registries[key] = made
            return made
        }
    }

    /// The disk did not keep what it was given: nothing more is acknowledged.
    func fail(_ error: FileError) {
        log("fatal: \(error); what is on the disk is no longer known")
        commits.update { $0.isPoisoned = true }
        onFatal(error)
    }

    /// Finishes what was taken in, flushes it into segments, and joins the threads.
    ///
    /// Afterwards every append is refused. With `isFlushing` false, rows are left to the journal,
    /// which has them all.
    package func stop(isFlushing: Bool = true) {
        commits.update { $0.isStopping = true }
        if isFlushing, commits.read({ !$0.isPoisoned }) { _ = try? flush() }
        flushes.update { $0.isStopping = true }
        merges.update { $0.isStopping = true }
        commits.update { $0.isStopped = true }
        let running = threads.withLock { threads in
            let running = threads
            threads = []
            return running
        }
        for thread in running { thread.join() }
        scanPool.stop()
        reads.flush()
        lock.withLock { $0 = nil }
    }

    /// The wall clock's time, in nanoseconds.
    package var now: Int64 { clock.nowNanoseconds() }

    /// The catalog's SQLite file, in which other parts of Weir keep tables of their own.
    package var catalogDatabase: SQLiteDatabase { catalog.database }

    func path(_ relative: String) -> String { "\(options.directory)/\(relative)" }
}

/// What replaying the journal found.
package struct StoreReplayReport: Hashable, Sendable {
    package let batches: Int
    package let rows: Int
    package let tornTails: [String]
    package let gaps: [String]
}
