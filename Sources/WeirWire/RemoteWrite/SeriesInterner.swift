internal import WeirCore

/// Remembers the series of earlier remote write requests by the bytes their labels had.
///
/// A sender sends the same labels with every sample. So what a request brings is looked up as raw bytes,
/// and labels are read once. Not for use by two threads at once: each takes one of its own, and gives it
/// back. Bounded: when `byteCountMax` is reached nothing is added, and after as many misses as it has
/// entries it begins anew.
package struct SeriesInterner: Sendable {
    /// One known series.
    struct Entry: Sendable {
        let labels: Labels
        let handle = StreamHandle()
        /// Its place among the samples' streams of the batch `stamp` stands for.
        var stream: UInt32 = 0
        var stamp: UInt32 = 0
        /// The series that followed the last time; -1: none is known.
        var next: Int32 = -1
        /// The type, help and unit that came with it last, as numbers of symbols; 0: none yet.
        var metadata: UInt64 = 0

        init(_ labels: Labels) { self.labels = labels }
    }

    private let byteCountMax: Int
    private var table = ByteTable()
    private(set) var symbols = ByteTable()
    var entries: [Entry] = []
    private var labelByteCount = 0
    private var missCount = 0
    /// The batch that is being made.
    private(set) var stamp: UInt32 = 0
    /// The series that was found last; the first, before there was one.
    private var last: Int32 = -1
    /// The streams of the samples of the batch.
    var streams = BatchStreams()
    /// Rows of the batch before, as many as the next will have.
    var rowCountBefore = 0

    package init(byteCountMax: Int = 32 << 20) { self.byteCountMax = byteCountMax }

    /// Starts a batch: no series has a place in it.
    mutating func beginBatch() {
        let isFull = byteCount >= byteCountMax
        if (isFull && missCount > entries.count) || stamp == .max {
            self = SeriesInterner(byteCountMax: byteCountMax)
        }
        stamp += 1
        streams.begin()
    }

    /// The place of a series among the samples' streams of the batch; `line` is where it was named.
    mutating func stream(of entry: Int, line: Int) -> UInt32 {
        if entries[entry].stamp == stamp { return entries[entry].stream }
        let stream =
            streams.repeats(entry, line: line)
            ?? streams.add(
                entries[entry].labels,
                entries[entry].handle,
                number: entry,
                line: line
            )
        entries[entry].stream = stream
        entries[entry].stamp = stamp
        return stream
    }

    /// The series that is to come if the order is that of the last time, when its key stands at `start`
    /// and ends before `end`.
    ///
    /// Senders go through their series in the same order again and again.
    func predicted(at start: Int, before end: Int, in bytes: Span<UInt8>) -> Int? {
        guard let next = following, table.length(of: next) <= end - start,
            table.isString(next, at: start, in: bytes)
        else { return nil }
        return next
    }

    /// The same for a key of numbers of symbols, when `references` in `bytes` stand for them.
    func predicted(
        by references: Range<Int>,
        in bytes: Span<UInt8>,
        numbers: Span<UInt32>
    ) -> Int? {
        guard let next = following,
            table.isString(next, ofNumbers: numbers, at: references, in: bytes)
        else { return nil }
        return next
    }

    /// The series that followed the one found last, the last time.
    private var following: Int? {
        guard last >= 0 else { return nil }
        let next = Int(entries[Int(last)].next)
        return next >= 0 ? next : nil
    }

    func keyLength(of entry: Int) -> Int { table.length(of: entry) }

    /// Remembers that a series was found, after the one before.
    mutating func found(_ entry: Int) {
        if last >= 0, entries[Int(last)].next != Int32(entry) {
            entries[Int(last)].next = Int32(entry)
        }
        last = Int32(entry)
    }

    private var byteCount: Int {
        table.byteCount + symbols.byteCount + labelByteCount + entries.count * 140
    }

    func find(_ key: Range<Int>, hash: UInt64, in bytes: Span<UInt8>) -> Int? {
        table.find(key, hash: hash, in: bytes)
    }

    /// Adds a series that `find` did not find; nil where there is no room.
    mutating func insert(
        _ key: Range<Int>,
        hash: UInt64,
        labels: Labels,
        in bytes: Span<UInt8>
    ) -> Int? {
        guard byteCount < byteCountMax else {
            missCount += 1
            return nil
        }
        labelByteCount += labels.bytes.count
        entries.append(Entry(labels))
        return table.insert(key, hash: hash, in: bytes)
    }

    /// The number of a string; nil where there is no room for another.
    mutating func symbol(_ range: Range<Int>, in bytes: Span<UInt8>) -> Int? {
        let hash = ByteHash.hash(range, in: bytes)
        if let known = symbols.find(range, hash: hash, in: bytes) { return known }
        guard byteCount < byteCountMax else {
            missCount += 1
            return nil
        }
        return symbols.insert(range, hash: hash, in: bytes)
    }
}
