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
    private let warningList = Mutex<[String]>([])
    private let infoList = Mutex<[String]>([])
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

    /// What the asker should know of an answer that is not whole; each text once.
    package var warnings: [String] { warningList.withLock { $0 } }

    /// What the asker may like to know of how an answer came about; each text once.
    package var infos: [String] { infoList.withLock { $0 } }

    package func inform(_ text: String) {
        infoList.withLock { list in
            if list.count < 16, !list.contains(text) { list.append(text) }
        }
    }

    package func warn(_ text: String) {
        warningList.withLock { list in
            if list.count < 16, !list.contains(text) { list.append(text) }
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
        guard total <= samplesMax else { throw .limit(name: "query samples", limit: samplesMax) }
    }

    /// Reserves memory for results before it is allocated.
    package func reserve(bytes: Int) throws(QueryError) {
        let total = memoryBytes.add(bytes, ordering: .relaxed).newValue
        guard total <= memoryBytesMax else {
            throw .limit(name: "query memory bytes", limit: memoryBytesMax)
        }
    }

    package func release(bytes: Int) { memoryBytes.subtract(bytes, ordering: .relaxed) }
}
