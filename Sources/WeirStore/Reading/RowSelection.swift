internal import Synchronization
internal import WeirColumns
package import WeirCore
package import WeirPattern
internal import WeirSystem

/// The streams with fields that satisfied some matchers, and the blocks that may hold their rows.
///
/// Immutable: what is written later is not in it.
package final class RowSelection: Sendable {
    /// One per stream; the index is the stream's number below.
    package let labels: [Labels]
    /// In the order their rows arrived, days ascending.
    package let blocks: [Block]
    /// How many segments are read.
    package let segmentCount: Int
    /// Nanoseconds, inclusive.
    let times: ClosedRange<Int64>
    let store: Store

    /// One block of rows, of selected and other streams.
    package struct Block: Sendable {
        enum Place: Sendable {
            case encoded(any FieldPages, LiveSegment?)
            /// As it arrived; rows' references are the registry's.
            ///
            /// `shared` has the streams by reference where they are fields of their rows.
            case batch(ResolvedBatch, shared: [Labels]?)
        }

        let place: Place
        /// The selection's number of each of the place's streams; -1: not selected.
        let numbers: [Int32]
        /// Of all its rows; nanoseconds, inclusive.
        package let times: ClosedRange<Int64>
        package let rowCount: Int
        let byteCount: Int
    }

    init(
        labels: [Labels],
        blocks: [Block],
        segmentCount: Int,
        times: ClosedRange<Int64>,
        store: Store
    ) {
        self.labels = labels
        self.blocks = blocks
        self.segmentCount = segmentCount
        self.times = times
        self.store = store
    }

    /// The indexes of the blocks that may hold a span of a trace, few others among them.
    ///
    /// - Parameters:
    ///   - id: 32 hexadecimal digits in lower case; anything else is in no block.
    ///   - budget: Is told of damage; blocks of a damaged segment are left out.
    /// - Returns: Ascending.
    package func blocks(ofTrace id: [UInt8], budget: some ScanBudget) -> [Int] {
        guard let trace = TraceID(digits: id.span) else { return [] }
        let fingerprint = trace.fingerprint
        let decoder = PageDecoder()
        var found: [Int] = []
        // Blocks of a segment come one after the other, ascending, some left out by their times.
        var segment: (path: String, blocks: [Int])?
        for (index, block) in blocks.enumerated() {
            switch block.place {
            case .batch(let batch, _):
                if batch.fields[SpanField.traceID]?.values.holds(id) == true {
                    found.append(index)
                }
            case .encoded(let pages as MemoryFieldPages, _):
                if pages.traces.contains(fingerprint) { found.append(index) }
            case .encoded(let pages as SegmentFieldPages, let live):
                if segment?.path != pages.segment.path {
                    let blocks = Self.blocks(of: trace, pages, decoder) { error in
                        if let live { store.quarantine(live, error) }
                        budget.noteQuarantined(path: live?.record.path ?? pages.segment.path)
                    }
                    segment = (pages.segment.path, blocks)
                }
                if segment?.blocks.contains(pages.index) == true { found.append(index) }
            case .encoded: found.append(index)
            }
        }
        return found
    }

    private static func blocks(
        of trace: TraceID,
        _ pages: SegmentFieldPages,
        _ decoder: PageDecoder,
        onDamage: (SegmentError) -> Void
    ) -> [Int] {
        do throws(SegmentError) {
            return try pages.segment.blocks(ofTrace: trace, decoder: decoder)
        } catch {
            onDamage(error)
            return []
        }
    }

    /// Opens blocks in the order of `indexes`, some at the same time on several threads.
    ///
    /// `isWanted` is asked just before a block would be opened, and false skips it. `body` uses the
    /// block inside the call, on one thread; false stops the scan.
    ///
    /// - Throws: `StoreError.budget` when `budget` said stop or `body` returned false.
    package func scan(
        _ indexes: [Int],
        budget: some ScanBudget,
        isWanted: @escaping @Sendable (Int) -> Bool,
        _ body: @escaping @Sendable (_ index: Int, _ block: RowBlock) -> Bool
    ) throws(StoreError) {
        let isStopped = StopFlag()
        store.scanPool.forEach(count: indexes.count) { place in
            let index = indexes[place]
            guard !isStopped.isSet, isWanted(index) else { return }
            let block = self.blocks[index]
            guard budget.charge(rows: block.rowCount, blocks: 1, bytes: block.byteCount) else {
                isStopped.set()
                return
            }
            let rows = RowBlock(block, times: self.times)
            let goesOn = body(index, rows)
            if let failure = rows.failure, case .encoded(_, let segment?) = block.place {
                self.store.quarantine(segment, failure)
                budget.noteQuarantined(path: segment.record.path)
            }
            if !goesOn { isStopped.set() }
        }
        if isStopped.isSet { throw .budget }
    }

    private final class StopFlag: Sendable {
        private let flag = Atomic<Bool>(false)
        var isSet: Bool { flag.load(ordering: .relaxed) }
        func set() { flag.store(true, ordering: .relaxed) }
    }
}

extension Store {
    /// Finds the streams of one tenant and signal that satisfy every matcher, and the blocks that
    /// may hold rows of theirs in `times` (nanoseconds, inclusive).
    package func selectRows(
        tenant: String = "default",
        signal: Signal,
        matchers: [LabelMatcher],
        times: ClosedRange<Int64>,
        budget: some ScanBudget
    ) throws(StoreError) -> RowSelection {
        let compiled = try StreamMatchers.compiled(matchers)
        let buckets = buckets(tenant: tenant, signal: signal, times: times)
        noteDamage(tenant: tenant, signal: signal, times: times, budget: budget)
        var gathering = Gathering(times: times)
        let decoder = PageDecoder()
        for bucket in buckets {
            for segment in bucket.segments where segment.record.times.overlaps(times) {
                let streams = try find(compiled, in: segment, decoder: decoder, budget: budget)
                gathering.add(segment, streams)
            }
            for part in bucket.fieldParts where part.timeRange.overlaps(times) {
                gathering.add(part, try find(compiled, in: part.labels))
            }
            if !bucket.active.isEmpty {
                let labels = registry(tenant: tenant, signal: signal).snapshot().labels
                try gathering.add(
                    bucket.active,
                    labels: labels,
                    isShared: signal.schema.isOrderedByTrace,
                    compiled
                )
            }
        }
        return gathering.finish(self)
    }

    /// Tells of the quarantined segments in range: every answer that lacks rows says so, not only the
    /// one that met the damage.
    func noteDamage(
        tenant: String,
        signal: Signal,
        times: ClosedRange<Int64>,
        budget: some ScanBudget
    ) {
        let damaged = state.withLock { state in
            state.quarantined.filter { record in
                // Rollups are missed where there are no samples to read instead.
                let isStandIn =
                    signal == .metrics && record.bucket.signal.resolution != nil
                    && state.rollupDay(record.bucket.metrics).isAlone(record)
                return record.bucket.tenant == tenant
                    && (record.bucket.signal == signal || isStandIn)
                    && record.times.overlaps(times)
            }
        }
        for record in damaged { budget.noteQuarantined(path: record.path) }
    }

    func find(
        _ matchers: StreamMatchers,
        in labels: [Labels]
    ) throws(StoreError) -> [(Int32, Labels)] {
        var run = StreamMatchers.Run(matchers)
        var streams: [(Int32, Labels)] = []
        do throws(PatternError) {
            for (ordinal, stream) in labels.enumerated() where try run.matches(stream) {
                streams.append((Int32(ordinal), stream))
            }
        } catch {
            throw .pattern(error)
        }
        return streams
    }

    /// Builds a selection source by source.
    private struct Gathering {
        let times: ClosedRange<Int64>
        private var labels: [Labels] = []
        private var numbers: [Labels: Int32] = [:]
        private var blocks: [RowSelection.Block] = []
        private var segmentCount = 0

        init(times: ClosedRange<Int64>) { self.times = times }

        private mutating func number(of stream: Labels) -> Int32 {
            if let known = numbers[stream] { return known }
            let number = Int32(labels.count)
            labels.append(stream)
            numbers[stream] = number
            return number
        }

        private mutating func numbers(
            _ streams: [(Int32, Labels)],
            count: Int
        ) -> [Int32] {
            var result = [Int32](repeating: -1, count: count)
            for (ordinal, stream) in streams { result[Int(ordinal)] = number(of: stream) }
            return result
        }

        mutating func add(_ segment: LiveSegment, _ streams: [(Int32, Labels)]) {
            guard !streams.isEmpty else { return }
            segmentCount += 1
            let footer = segment.reader.footer
            let numbers = numbers(streams, count: footer.streamCount)
            for (index, entry) in footer.fieldBlocks.enumerated()
            where entry.times.overlaps(times) {
                let isSelected = numbers[entry.firstStream...entry.lastStream].contains { $0 >= 0 }
                guard isSelected else { continue }
                blocks.append(
                    RowSelection.Block(
                        place: .encoded(
                            SegmentFieldPages(segment: segment.reader, index: index),
                            segment
                        ),
                        numbers: numbers,
                        times: entry.times,
                        rowCount: entry.rowCount,
                        byteCount: entry.storedCount
                    )
                )
            }
        }

        mutating func add(_ part: FieldPart, _ streams: [(Int32, Labels)]) {
            guard !streams.isEmpty else { return }
            let numbers = numbers(streams, count: part.labels.count)
            for (index, block) in part.blocks.enumerated() where block.timeRange.overlaps(times) {
                blocks.append(
                    RowSelection.Block(
                        place: .encoded(MemoryFieldPages(part: part, index: index), nil),
                        numbers: numbers,
                        times: block.timeRange,
                        rowCount: block.rowCount,
                        byteCount: block.byteCount
                    )
                )
            }
        }

        mutating func add(
            _ batches: [ResolvedBatch],
            labels all: [Labels],
            isShared: Bool,
            _ matchers: StreamMatchers
        ) throws(StoreError) {
            var run = StreamMatchers.Run(matchers)
            var numbers = [Int32](repeating: -2, count: all.count)
            do throws(PatternError) {
                for batch in batches where batch.timeRange.overlaps(times) {
                    var isSelected = false
                    for reference in batch.references {
                        let index = Int(reference)
                        if numbers[index] == -2 {
                            let matches = try run.matches(all[index])
                            numbers[index] = matches ? number(of: all[index]) : -1
                        }
                        isSelected = isSelected || numbers[index] >= 0
                    }
                    guard isSelected else { continue }
                    blocks.append(
                        RowSelection.Block(
                            place: .batch(batch, shared: isShared ? all : nil),
                            numbers: numbers,
                            times: batch.timeRange,
                            rowCount: batch.rowCount,
                            byteCount: batch.byteCount
                        )
                    )
                }
            } catch {
                throw .pattern(error)
            }
        }

        func finish(_ store: Store) -> RowSelection {
            RowSelection(
                labels: labels,
                blocks: blocks,
                segmentCount: segmentCount,
                times: times,
                store: store
            )
        }
    }
}
