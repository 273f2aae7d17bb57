import Synchronization
import Testing
import WeirCore
import WeirPattern
import WeirStore
import WeirSystem
import WeirTestSupport

/// A budget that allows everything and remembers what was read.
final class FreeBudget: ScanBudget {
    let blocks = Atomic<Int>(0)
    let quarantined = Mutex<[String]>([])

    func charge(rows: Int, blocks: Int, bytes: Int) -> Bool {
        self.blocks.add(blocks, ordering: .relaxed)
        return true
    }

    func reserveSpare(bytes: Int) -> Bool { true }
    func release(bytes: Int) {}

    func noteQuarantined(path: String) { quarantined.withLock { $0.append(path) } }
}

/// A sample as tests compare it: bits, so that NaN equals itself.
struct Sample: Hashable, Comparable {
    let time: Int64
    let bits: UInt64

    init(_ time: Int64, _ value: Double) {
        self.time = time
        bits = value.bitPattern
    }

    static func < (left: Sample, right: Sample) -> Bool {
        (left.time, left.bits) < (right.time, right.bits)
    }
}

/// Builds batches and reads stores back.
enum StoreHarness {
    static let second: Int64 = 1_000_000_000
    static let start: Int64 = 1_790_000_000 * second

    static func open(
        _ directory: String,
        fileSystem: any FileSystem = HostFileSystem(),
        clock: any WallClock = ManualClock(nanoseconds: start),
        _ change: (inout StoreOptions) -> Void = { _ in },
        log: @escaping StoreLog = { _ in },
        onFatal: @escaping @Sendable (FileError) -> Void = { _ in }
    ) throws -> Store {
        var options = StoreOptions(directory: directory)
        options.diskFreeBytesMin = 0
        change(&options)
        return try Store(
            options: options,
            fileSystem: fileSystem,
            clock: clock,
            log: log,
            onFatal: onFatal
        )
    }

    static func batch(_ rows: [(Labels, Int64, Double)]) -> RowBatch {
        var batch = RowBatch(signal: .metrics)
        var indexes: [Labels: UInt32] = [:]
        for (labels, time, value) in rows {
            let index = indexes[labels] ?? UInt32(batch.streams.count)
            if indexes[labels] == nil {
                indexes[labels] = index
                batch.streams.append(labels)
                batch.firstLines.append(1)
            }
            batch.streamIndexes.append(index)
            batch.times.append(time)
            batch.columns[0].floats.append(value)
        }
        return batch
    }

    /// How many samples rollups say there are of what `matchers` choose; nil when none are used.
    static func rolledUpCount(
        _ store: Store,
        _ matchers: [LabelMatcher] = [],
        _ resolution: RollupResolution = .oneHour
    ) throws -> Int64? {
        let budget = FreeBudget()
        let selection = try store.selectRollups(
            matchers: matchers,
            times: Int64.min...Int64.max,
            resolutions: [resolution],
            budget: budget
        )
        guard let selection else { return nil }
        let total = Mutex<Int64>(0)
        _ = try selection.scan(columns: [RollupColumn.count.rawValue], budget: budget) {
            { _, rows in
                let count = rows.columns[RollupColumn.count.rawValue].ints.reduce(0, +)
                total.withLock { $0 += count }
                return true
            }
        }
        return total.withLock { $0 }
    }

    @discardableResult
    static func append(
        _ rows: [(Labels, Int64, Double)],
        to store: Store,
        batchID: [UInt8] = [],
        sync: SyncMode? = nil
    ) throws -> AppendOutcome {
        let outcome = Monitor<Result<AppendOutcome, StoreError>?>(nil)
        store.append(batch(rows), batchID: batchID, sync: sync) { result in
            outcome.update { $0 = result }
        }
        return try #require(outcome.wait { $0 }).get()
    }

    static func read(
        _ store: Store,
        _ matchers: [LabelMatcher] = [],
        times: ClosedRange<Int64> = Int64.min...Int64.max,
        budget: FreeBudget = FreeBudget()
    ) throws -> [Labels: [Sample]] {
        let selection = try store.select(
            signal: .metrics,
            matchers: matchers,
            times: times,
            budget: budget
        )
        let found = Mutex<[Labels: [Sample]]>([:])
        try selection.scanFloats(budget: budget) { stream, times, values in
            var samples: [Sample] = []
            for index in times.indices { samples.append(Sample(times[index], values[index])) }
            let rows = samples
            found.withLock { $0[selection.labels[stream]] = rows }
            return true
        }
        return found.withLock { $0 }
    }
}

extension StoreHarness {
    /// Copies a folder's files as they are, as a crash would leave them.
    ///
    /// Skips the copy itself.
    static func copyTree(_ source: String, to target: String) throws {
        let files = HostFileSystem()
        let names = try files.list(source)
        try files.createDirectories(target)
        for name in names where "\(source)/\(name)" != target {
            let path = "\(source)/\(name)"
            if (try? files.list(path)) != nil {
                try copyTree(path, to: "\(target)/\(name)")
            } else {
                let bytes = try files.readFile(path, bytesMax: 1 << 30)
                try files.openForWriting("\(target)/\(name)").write(bytes, at: 0)
            }
        }
    }

    static func removeTree(_ path: String) throws {
        let files = HostFileSystem()
        for name in try files.list(path) {
            if (try? files.list("\(path)/\(name)")) != nil {
                try removeTree("\(path)/\(name)")
            } else {
                try files.removeFile("\(path)/\(name)")
            }
        }
        try files.removeDirectory(path)
    }

    /// Waits for background work, without a fixed sleep; fails after ten seconds.
    static func eventually(_ isTrue: () throws -> Bool) throws {
        for _ in 0..<2000 {
            if try isTrue() { return }
            Thread.sleep(nanoseconds: 5_000_000)
        }
        Issue.record("did not come true within ten seconds")
    }
}
