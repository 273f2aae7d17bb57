internal import WeirCore

/// What one bucket holds, newest first to oldest: unsorted rows, sorted rows, segments.
struct Bucket: Sendable {
    /// In journal order, not yet sorted.
    var active: [ResolvedBatch] = []
    var activeRowCount = 0
    var activeByteCount = 0
    /// Sorted rows in memory, oldest first; of signals without fields.
    var parts: [MemoryPart] = []
    /// Encoded rows in memory, oldest first; of signals with fields.
    var fieldParts: [FieldPart] = []
    /// Ordered by sequence, oldest first.
    var segments: [LiveSegment] = []

    var isEmpty: Bool {
        active.isEmpty && parts.isEmpty && fieldParts.isEmpty && segments.isEmpty
    }

    var memoryByteCount: Int {
        activeByteCount + parts.reduce(0) { $0 + $1.byteCount }
            + fieldParts.reduce(0) { $0 + $1.byteCount }
    }

    var memoryRowCount: Int {
        activeRowCount + parts.reduce(0) { $0 + $1.rowCount }
            + fieldParts.reduce(0) { $0 + $1.rowCount }
    }

    /// Whether the unsorted rows are enough to be sorted, or encoded.
    ///
    /// Rows with fields take ten times their encoded size while they wait, so they wait less.
    func isSortDue(hasFields: Bool) -> Bool {
        hasFields
            ? activeRowCount >= Self.encodeRowsMin || activeByteCount >= Self.encodeBytesMin
            : activeRowCount >= Self.sortRowsMin
    }

    private static let sortRowsMin = 131_072
    private static let encodeRowsMin = 65_536
    private static let encodeBytesMin = 24 << 20
}

/// A segment that queries read.
struct LiveSegment: Sendable {
    let record: SegmentRecord
    let reader: SegmentReader
}

/// Everything that readers and writers share, behind the store's one lock.
///
/// Readers copy references out under it and read without it.
struct StoreState: Sendable {
    var buckets: [BucketKey: Bucket] = [:]
    /// Segments that are set aside; live are those that the next start will try again.
    var quarantined: [SegmentRecord] = []
    /// Rows in memory, in bytes.
    var memoryByteCount = 0
    /// The last batch that is visible.
    var lastSequence: UInt64 = 0
    var oldestRowAt: Int64?
    var isDiskFull = false
    var isMerging = false
    /// How far back samples and native histograms reached.
    var sampleWrites = WriteHistory()
    /// How often rows went that could be read before.
    var sampleGeneration: UInt64 = 0
    /// Paths of segments of metrics that no rollup came of: they hold staleness markers only.
    var withoutRollups: Set<String> = []

    /// Takes in a journaled batch, split by day.
    mutating func apply(_ batch: ResolvedBatch, tenant: String, signal: Signal, now: Int64) {
        lastSequence = batch.sequence
        guard batch.rowCount > 0 else { return }
        if signal == .metrics || signal == .histograms {
            sampleWrites.note(sequence: batch.sequence, leastTime: batch.timeRange.lowerBound)
        }
        if oldestRowAt == nil { oldestRowAt = now }
        let firstDay = BucketKey.day(of: batch.timeRange.lowerBound)
        let lastDay = BucketKey.day(of: batch.timeRange.upperBound)
        if firstDay == lastDay {
            append(batch, to: BucketKey(tenant: tenant, signal: signal, day: firstDay))
            return
        }
        var rowsByDay: [Int: [Int]] = [:]
        for row in 0..<batch.rowCount {
            rowsByDay[BucketKey.day(of: batch.times[row]), default: []].append(row)
        }
        for (day, rows) in rowsByDay {
            append(batch.selecting(rows), to: BucketKey(tenant: tenant, signal: signal, day: day))
        }
    }

    private mutating func append(_ batch: ResolvedBatch, to key: BucketKey) {
        memoryByteCount += batch.byteCount
        buckets[key, default: Bucket()].active.append(batch)
        buckets[key, default: Bucket()].activeRowCount += batch.rowCount
        buckets[key, default: Bucket()].activeByteCount += batch.byteCount
    }

    /// Makes a segment visible, in its place by sequence.
    mutating func insert(_ segment: LiveSegment) {
        let key = segment.record.bucket
        var bucket = buckets[key] ?? Bucket()
        bucket.segments.append(segment)
        bucket.segments.sort {
            $0.record.sequences.lowerBound < $1.record.sequences.lowerBound
        }
        buckets[key] = bucket
    }

    /// The segments of a bucket in groups, within which they may be merged, oldest first.
    ///
    /// A segment that comes back at the next start keeps its place among them: of equal rows the later wins.
    func neighbours(_ key: BucketKey) -> [[LiveSegment]] {
        let away = quarantined.filter { $0.bucket == key && $0.state == .live }
        var groups: [[LiveSegment]] = []
        for segment in buckets[key]?.segments ?? [] {
            let isCut = away.contains { record in
                guard let last = groups.last?.last else { return false }
                return last.record.sequences.upperBound < record.sequences.lowerBound
                    && record.sequences.upperBound < segment.record.sequences.lowerBound
            }
            if groups.isEmpty || isCut { groups.append([]) }
            groups[groups.count - 1].append(segment)
        }
        return groups
    }

    /// Takes segments out of sight, and rows with them that nothing replaces.
    mutating func removeRows(_ records: [SegmentRecord]) {
        remove(records)
        let hasSamples = records.contains {
            $0.bucket.signal == .metrics || $0.bucket.signal == .histograms
                || $0.bucket.signal.resolution != nil
        }
        if hasSamples { sampleGeneration += 1 }
    }

    /// Takes segments out of sight, for others that hold the same rows.
    mutating func remove(_ records: [SegmentRecord]) {
        for record in records {
            withoutRollups.remove(record.path)
            buckets[record.bucket]?.segments.removeAll { $0.record.name == record.name }
            if let bucket = buckets[record.bucket], bucket.isEmpty {
                buckets[record.bucket] = nil
            }
        }
    }
}
