package import Synchronization

/// Why a query was refused or failed.
///
/// The first three are the asker's doing.
package enum QueryError: Error, Hashable {
    /// The text does not parse; `offset` counts bytes from its start.
    case parse(offset: Int, reason: String)
    /// The text parses, but means nothing: wrong types, bad matching.
    case invalid(reason: String)
    /// A part of the language that is not there yet, named.
    case unsupported(name: String)
    /// A limit was reached: `name` is the setting, `limit` its value.
    case limit(name: String, limit: Int)
    case timedOut(milliseconds: Int)
    case cancelled
    /// The store could not be read.
    case storage(reason: String)
}

/// The limits, the clock and the bill of one query, shared by all threads that work for it.
package final class QueryContext: Sendable {
    package let samplesMax: Int
    package let seriesMax: Int
    package let memoryBytesMax: Int
    private let isCancelledFlag = Atomic<Bool>(false)
    package let segmentsRead = Atomic<Int>(0)
    package let blocksRead = Atomic<Int>(0)
    package let rowsRead = Atomic<Int>(0)
    package let bytesRead = Atomic<Int>(0)
    private let memoryBytes = Atomic<Int>(0)
    /// Rows that were read for an evaluation which another one takes the place of.
    private let rowsGivenBack = Atomic<Int>(0)
    private let noteList = Mutex(QueryNotes())
    private let markList = Mutex<QueryMarks?>(nil)
    private let deadline: ContinuousClock.Instant
    private let timeoutMilliseconds: Int

    package init(
        samplesMax: Int = 500_000_000,
        seriesMax: Int = 2_000_000,
        memoryBytesMax: Int = 1 << 30,
        timeoutMilliseconds: Int = 60_000
    ) {
        self.samplesMax = samplesMax
        self.seriesMax = seriesMax
        self.memoryBytesMax = memoryBytesMax
        self.timeoutMilliseconds = timeoutMilliseconds
        self.deadline = ContinuousClock.now + .milliseconds(timeoutMilliseconds)
    }

    /// What the asker should know of an answer that is not whole or not what was meant; each text
    /// once.
    package var warnings: [String] { noteList.withLock { $0.texts(of: .warning) } }

    /// What may be worth a look, and is no fault of the answer.
    package var infos: [String] { noteList.withLock { $0.texts(of: .info) } }

    package func warn(_ text: String) { noteList.withLock { $0.add(.warning, text, "") } }

    package func inform(_ text: String) { noteList.withLock { $0.add(.info, text, "") } }

    /// Keeps a note on a part of the query; of notes with one text the last one's place is told.
    package func note(_ kind: QueryNotes.Kind, _ text: String, at place: PromQLPlace) {
        noteList.withLock { $0.add(kind, text, " (\(place.line):\(place.column))") }
    }

    /// Notes that something stored could not be read, and that the answer is not whole.
    package func warnOfLoss(_ text: String) {
        warn(text)
        mark { $0.isPartial = true }
    }

    /// Hands over the notes kept so far, and forgets them.
    func takeNotes() -> QueryNotes {
        noteList.withLock { notes in
            let taken = notes
            notes = QueryNotes()
            return taken
        }
    }

    func keep(_ notes: QueryNotes) { noteList.withLock { $0.formUnion(notes) } }

    // MARK: Marks

    /// Changes what is marked of the evaluation; does nothing where nobody asked for marks.
    package func mark(_ body: (inout QueryMarks) -> Void) {
        markList.withLock { marks in
            guard var changed = marks else { return }
            body(&changed)
            marks = changed
        }
    }

    var isMarking: Bool { markList.withLock { $0 != nil } }

    /// Begins to keep marks, with none.
    func beginMarks() { markList.withLock { $0 = QueryMarks() } }

    /// Hands over the marks kept since `beginMarks`.
    func endMarks() -> QueryMarks {
        markList.withLock { marks in
            let taken = marks ?? QueryMarks()
            marks = nil
            return taken
        }
    }

    /// Called when the asker left.
    package func cancel() { isCancelledFlag.store(true, ordering: .relaxed) }

    /// - Throws: `.cancelled` or `.timedOut`. Cheap enough to call once per block or series.
    package func check() throws(QueryError) {
        if isCancelledFlag.load(ordering: .relaxed) { throw .cancelled }
        if ContinuousClock.now > deadline { throw .timedOut(milliseconds: timeoutMilliseconds) }
    }

    /// Counts rows that were decoded.
    ///
    /// - Throws: `.limit` when the query has read more than it may.
    package func count(rows: Int, blocks: Int, bytes: Int) throws(QueryError) {
        let total = rowsRead.add(rows, ordering: .relaxed).newValue
        blocksRead.add(blocks, ordering: .relaxed)
        bytesRead.add(bytes, ordering: .relaxed)
        guard total - rowsGivenBack.load(ordering: .relaxed) <= samplesMax else {
            throw .limit(name: "query samples", limit: samplesMax)
        }
    }

    /// Reserves memory for results before it is allocated.
    package func reserve(bytes: Int) throws(QueryError) {
        let total = memoryBytes.add(bytes, ordering: .relaxed).newValue
        guard total <= memoryBytesMax else {
            throw .limit(name: "query memory bytes", limit: memoryBytesMax)
        }
    }

    package func release(bytes: Int) { memoryBytes.subtract(bytes, ordering: .relaxed) }

    /// What a query has used of its limits so far.
    struct Use {
        fileprivate let rows: Int
        fileprivate let memoryBytes: Int
    }

    var use: Use {
        Use(
            rows: rowsRead.load(ordering: .relaxed) - rowsGivenBack.load(ordering: .relaxed),
            memoryBytes: memoryBytes.load(ordering: .relaxed)
        )
    }

    /// Takes what was used since off the limits, though not off the bill: another evaluation may use as
    /// much.
    ///
    /// Called when no thread evaluates, and nothing that was paid for meanwhile is left.
    func giveBack(since use: Use) {
        let now = self.use
        rowsGivenBack.add(max(0, now.rows - use.rows), ordering: .relaxed)
        release(bytes: max(0, now.memoryBytes - use.memoryBytes))
    }
}
