import Synchronization
import Testing
import WeirCore
import WeirPattern
import WeirStore
import WeirSystem
import WeirTestSupport

/// Rows that are erased are gone from queries and files, and no others are.
@Suite struct ErasureTests {
    private typealias H = StoreHarness
    private typealias Rows = [(Labels, Int64, Double)]

    private static let secret = LabelMatcher(name: "host", operation: .equal, value: "secret-host")

    /// Two days of three hosts, of which one is to be erased.
    private static func rows(_ batch: Int, count: Int = 24) -> Rows {
        (0..<count).map { row in
            let day = Int64(row % 2) * 86_400 * H.second
            let host = ["secret-host", "b", "c"][row % 3]
            return (
                Labels([("__name__", "m\(row % 2)"), ("host", host)]),
                H.start + Int64(batch * 100 + row) * H.second - day,
                Double(batch * 100 + row) + 0.5
            )
        }
    }

    private static func isSecret(_ labels: Labels) -> Bool { labels["host"] == "secret-host" }

    private static func samples(_ rows: Rows) -> [Labels: [Sample]] {
        var samples: [Labels: [Sample]] = [:]
        for (labels, time, value) in rows {
            samples[labels, default: []].append(Sample(time, value))
        }
        return samples.mapValues { $0.sorted() }
    }

    /// The files below `path` that hold `text` as it is; a merge may take others away meanwhile.
    private static func files(below path: String, hold text: String) throws -> [String] {
        let host = HostFileSystem()
        var found: [String] = []
        for name in try host.list(path) {
            let place = "\(path)/\(name)"
            if (try? host.list(place)) != nil {
                found += try files(below: place, hold: text)
                continue
            }
            do throws(FileError) {
                let bytes = try host.readFile(place, bytesMax: 1 << 24)
                if contains(bytes, Array(text.utf8)) { found.append(place) }
            } catch {
                guard error.isNotFound else { throw error }
            }
        }
        return found
    }

    private static func contains(_ bytes: [UInt8], _ text: [UInt8]) -> Bool {
        guard bytes.count >= text.count else { return false }
        return (0...(bytes.count - text.count)).contains { start in
            bytes[start..<(start + text.count)].elementsEqual(text)
        }
    }

    @Test func erasedRowsAreGoneFromMemoryJournalAndSegments() throws {
        let folder = try TemporaryDirectory()
        let store = try H.open(folder.path)
        for batch in 0..<4 { try H.append(Self.rows(batch), to: store) }
        try store.flush()
        for batch in 4..<6 { try H.append(Self.rows(batch), to: store) }
        #expect(try !Self.files(below: "\(folder.path)/journal", hold: "secret-host").isEmpty)
        let receipt = try store.erase(
            selectors: [[Self.secret]],
            times: Int64.min...Int64.max
        )
        let kept = (0..<6).flatMap { Self.rows($0) }.filter { !Self.isSecret($0.0) }
        #expect(receipt.series == 2)
        #expect(receipt.rows == [.metrics: 48])
        // Two days in two segments each, unless a merge came first.
        #expect((2...4).contains(receipt.segmentsRewritten))
        #expect(receipt.segmentsRemoved == 0)
        #expect(receipt.bytesAfter < receipt.bytesBefore)
        #expect(try H.read(store) == Self.samples(kept))
        #expect(try Self.files(below: "\(folder.path)/data", hold: "secret-host").isEmpty)
        #expect(try Self.files(below: "\(folder.path)/journal", hold: "secret-host").isEmpty)
        // What comes later is taken in, also with the same labels; and merges keep working.
        try H.append(Self.rows(9), to: store)
        try store.flush()
        try store.merge()
        #expect(try H.read(store) == Self.samples(kept + Self.rows(9)))
        store.stop()
        let again = try H.open(folder.path)
        #expect(try H.read(again) == Self.samples(kept + Self.rows(9)))
        again.stop()
        #expect(try StoreChecker.check(folder.path).problems.isEmpty)
    }

    @Test func onlyRowsAtTheTimesAreErased() throws {
        let folder = try TemporaryDirectory()
        let store = try H.open(folder.path)
        let rows = (0..<3).flatMap { Self.rows($0) }
        try H.append(rows, to: store)
        let times = H.start...(H.start + 99 * H.second)
        let receipt = try store.erase(selectors: [[Self.secret]], times: times)
        let kept = rows.filter { !(Self.isSecret($0.0) && times.contains($0.1)) }
        #expect(receipt.rows == [.metrics: rows.count - kept.count])
        #expect(kept.count < rows.count)
        #expect(receipt.segmentsRewritten == 1)
        #expect(try H.read(store) == Self.samples(kept))
        // The same once more finds nothing, and leaves the files as they are.
        let second = try store.erase(selectors: [[Self.secret]], times: times)
        #expect(second.rows.isEmpty && second.series == 0 && second.bytesBefore == 0)
        // A whole segment goes when nothing is left of it.
        let all = LabelMatcher(name: "__name__", operation: .matches, value: "m.*")
        let third = try store.erase(
            selectors: [[Self.secret], [all]],
            times: Int64.min...Int64.max
        )
        #expect(third.rows == [.metrics: kept.count])
        #expect(third.segmentsRemoved == 2 && third.bytesAfter == 0)
        #expect(try H.read(store).isEmpty)
        store.stop()
        let again = try H.open(folder.path)
        #expect(try H.read(again).isEmpty)
        again.stop()
    }

    @Test func exemplarsAndNativeHistogramsGoAsWell() throws {
        let folder = try TemporaryDirectory()
        let store = try H.open(folder.path)
        try Self.appendExemplars(to: store)
        try Self.appendHistograms(to: store)
        let receipt = try store.erase(selectors: [[Self.secret]], times: Int64.min...Int64.max)
        #expect(receipt.rows == [.exemplars: 10, .histograms: 5])
        #expect(receipt.series == 1)
        #expect(try Self.files(below: "\(folder.path)/data", hold: "secret-host").isEmpty)
        #expect(try Self.files(below: "\(folder.path)/data", hold: "trace-of-secret").isEmpty)
        let status = store.status()
        #expect(status.signals.first { $0.signal == .exemplars }?.segmentRows == 10)
        #expect(status.signals.first { $0.signal == .histograms }?.segmentRows == 5)
        store.stop()
        #expect(try StoreChecker.check(folder.path).problems.isEmpty)
    }

    private static func append(_ batch: RowBatch, to store: Store) throws {
        let outcome = Monitor<Result<AppendOutcome, StoreError>?>(nil)
        store.append(batch) { result in outcome.update { $0 = result } }
        #expect(try outcome.wait { $0 }?.get().rowCount == batch.rowCount)
    }

    private static let hosts = [
        Labels([("__name__", "m"), ("host", "keep")]),
        Labels([("__name__", "m"), ("host", "secret-host")]),
    ]

    private static func appendExemplars(to store: Store) throws {
        var batch = RowBatch(signal: .exemplars)
        batch.streams = hosts
        batch.firstLines = [1, 1]
        var column = FieldColumn(name: "trace_id")
        for row in 0..<20 {
            batch.streamIndexes.append(UInt32(row % 2))
            batch.times.append(H.start + Int64(row) * H.second)
            let text = Array((row % 2 == 0 ? "trace-to-keep" : "trace-of-secret").utf8)
            column.append(row, .text, text.span)
        }
        batch.fields.append(column)
        try append(batch, to: store)
    }

    private static func appendHistograms(to store: Store) throws {
        var batch = RowBatch(signal: .histograms)
        batch.streams = hosts
        batch.firstLines = [1, 1]
        for row in 0..<10 {
            batch.streamIndexes.append(UInt32(row % 2))
            batch.times.append(H.start + Int64(row) * H.second)
            var histogram = NativeHistogram()
            histogram.schema = 0
            histogram.count = Double(row)
            histogram.sum = Double(row)
            histogram.append(to: &batch.columns)
        }
        try append(batch, to: store)
    }

    // MARK: Faults

    private struct Outcome {
        var taken: [Int] = []
        /// Whether the store said that the rows were erased.
        var isErased = false
    }

    /// Appends, flushes, and erases on `disk`.
    private static func work(_ directory: String, _ disk: FaultFileSystem) -> Outcome {
        var outcome = Outcome()
        guard let store = try? H.open(directory, fileSystem: disk) else { return outcome }
        for batch in 0..<4 {
            if (try? H.append(rows(batch), to: store)) != nil { outcome.taken.append(batch) }
            if batch % 2 == 1 { try? store.flush() }
        }
        let receipt = try? store.erase(selectors: [[secret]], times: Int64.min...Int64.max)
        outcome.isErased = receipt != nil
        store.stop(isFlushing: false)
        return outcome
    }

    /// Cuts the power, or fails one operation, at each operation: the neighbours stay, and what was
    /// to be erased is, once that is said, and also once it was begun.
    @Test(arguments: [(true, Int32(5)), (false, 5), (false, 28)])
    func faultAtAnyOperationErasesNoNeighbour(isCrash: Bool, code: Int32) throws {
        let folder = try TemporaryDirectory()
        let free = FaultFileSystem(graveyard: "\(folder.path)/graves")
        let whole = Self.work("\(folder.path)/free", free)
        #expect(whole.taken.count == 4 && whole.isErased)
        var (said, later, never) = (0, 0, 0)
        for operation in 1...free.operations {
            let directory = "\(folder.path)/\(operation)"
            let disk = FaultFileSystem(
                graveyard: "\(folder.path)/graves-\(operation)",
                seed: UInt64(operation)
            )
            disk.change { plan in
                plan.failAt = operation
                plan.code = code
                plan.isCrash = isCrash
            }
            let outcome = Self.work(directory, disk)
            let store = try H.open(directory)
            // A merge comes after the erasures that were interrupted.
            try store.merge()
            let found = try H.read(store)
            let taken = outcome.taken.flatMap { Self.rows($0) }
            for (labels, samples) in Self.samples(taken.filter { !Self.isSecret($0.0) }) {
                let known = Set(found[labels] ?? [])
                #expect(known.isSuperset(of: samples), "\(labels) at \(operation)")
            }
            let secrets = taken.filter { Self.isSecret($0.0) }
            let present = secrets.filter { found[$0.0]?.contains(Sample($0.1, $0.2)) == true }
            #expect(present.isEmpty || present.count == secrets.count, "at \(operation)")
            if outcome.isErased {
                #expect(present.isEmpty, "at \(operation)")
                said += 1
            } else if present.isEmpty {
                later += 1
            } else {
                never += 1
            }
            #expect(store.status().quarantined.isEmpty, "at \(operation)")
            store.stop()
            #expect(try StoreChecker.check(directory).problems.isEmpty, "at \(operation)")
            try H.removeTree(directory)
        }
        // All three happen, or the sweep has not swept.
        #expect(said > 0 || isCrash)
        #expect(later > 0 && never > 0)
    }
}
