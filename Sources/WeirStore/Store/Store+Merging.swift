internal import Synchronization
internal import WeirColumns
internal import WeirCore
internal import WeirSystem

/// Which segments of a bucket are merged next.
///
/// Pure. Only neighbours by sequence are merged, so that of equal rows the later always wins.
enum MergePlan {
    /// Fewer segments than this are left alone.
    static let segmentsMin = 4
    /// A segment joins while it is at most this many times as large as the newer ones together.
    static let sizeRatioMax = 2

    /// - Parameter rowCounts: Of the bucket's segments, oldest first.
    /// - Returns: The segments to merge into one; nil when the bucket is in shape. Sizes grow at
    ///   least threefold from one kept segment to the next older, so a row is rewritten a number
    ///   of times that grows with the logarithm of the bucket.
    static func next(rowCounts: [Int]) -> Range<Int>? {
        guard rowCounts.count >= segmentsMin else { return nil }
        var total = 0
        var start = rowCounts.count
        while start > 0, start == rowCounts.count || rowCounts[start - 1] <= total * sizeRatioMax {
            start -= 1
            total += rowCounts[start]
        }
        return rowCounts.count - start >= segmentsMin ? start..<rowCounts.count : nil
    }
}

extension Store {
    /// Merges what is there down to one segment per bucket, and returns when that is done.
    package func merge() throws(StoreError) {
        try Self.waitForRound(of: merges)
    }

    /// A bucket whose day has been over for this long is merged into one segment.
    private static let coldNanoseconds: Int64 = 3600 * 1_000_000_000
    private static let idleNanoseconds: Int64 = 60_000_000_000

    /// - Parameter unfinished: Erasures that were interrupted. Nothing merges before they are done: it
    ///   would mix rows that are to go with later ones.
    func runMerges(_ unfinished: [Erasure]) {
        Thread.lowerPriorityOfCurrent()
        var unfinished = unfinished
        _ = finishErasures(&unfinished)
        while true {
            let work: WorkQueue =
                merges.wait(timeoutNanoseconds: Self.idleNanoseconds) { queue in
                    let isIdle =
                        queue.requests.isEmpty && queue.erasures.isEmpty && !queue.isFlushDue
                        && !queue.isStopping
                    if isIdle { return nil }
                    let work = queue
                    queue.requests = []
                    queue.erasures = []
                    queue.isFlushDue = false
                    return work
                } ?? WorkQueue()
            if work.isStopping {
                for request in work.requests { request(.failure(.stopping)) }
                for request in work.erasures { request.completion(.failure(.stopping)) }
                return
            }
            let failure = finishErasures(&unfinished)
            for request in work.erasures { request.completion(begin(request, &unfinished)) }
            let result =
                unfinished.isEmpty
                ? mergeRound(isFull: !work.requests.isEmpty) : .failure(failure ?? .stopping)
            Allocator.trim()
            for request in work.requests { request(result) }
        }
    }

    private func mergeRound(isFull: Bool) -> Result<Void, StoreError> {
        let keys = state.withLock { state in
            state.isMerging = true
            return state.buckets.filter { $0.value.segments.count > 1 }.map(\.key)
        }
        defer { state.withLock { $0.isMerging = false } }
        var firstError: StoreError?
        for key in keys {
            let isWhole =
                isFull || clock.nowNanoseconds() &- Self.coldNanoseconds > key.end
            while let segments = nextMerge(key, isWhole: isWhole) {
                do throws(StoreError) {
                    try merge(segments, bucket: key, isThorough: isWhole)
                } catch {
                    noteFailedWrite(error)
                    firstError = firstError ?? error
                    break
                }
                if merges.read({ $0.isStopping }) { break }
            }
        }
        do throws(StoreError) {
            try rollUp(isFull: isFull)
        } catch {
            noteFailedWrite(error)
            firstError = firstError ?? error
        }
        return firstError.map { .failure($0) } ?? .success(())
    }

    private func nextMerge(_ key: BucketKey, isWhole: Bool) -> [LiveSegment]? {
        let groups = state.withLock { $0.neighbours(key) }
        if isWhole { return groups.first { $0.count > 1 } }
        for group in groups.reversed() {
            if let next = MergePlan.next(rowCounts: group.map(\.record.rowCount)) {
                return Array(group[next])
            }
        }
        return nil
    }

    private func merge(
        _ segments: [LiveSegment],
        bucket: BucketKey,
        isThorough: Bool
    ) throws(StoreError) {
        guard let first = segments.first, let last = segments.last else { return }
        let encoder = PageEncoder(effort: isThorough ? .thorough : .fast)
        let input: SegmentInput
        do throws(SegmentError) {
            input =
                bucket.signal.schema.hasFields
                ? .fields(try sources(of: segments)) : .runs(try cursors(over: segments))
        } catch {
            return
        }
        let end = segments.map(\.record.sequences.upperBound).max()
        let sequences =
            first.record.sequences.lowerBound...(end ?? last.record.sequences.upperBound)
        let merged: LiveSegment?
        do throws(StoreError) {
            merged = try writeSegment(
                input,
                bucket: bucket,
                sequences: sequences,
                encoder: encoder
            )
        } catch .segment(let error) {
            // Find the one that is damaged; the next round merges the others.
            for segment in segments {
                do throws(SegmentError) {
                    try segment.reader.verify(decoder: PageDecoder())
                } catch {
                    quarantine(segment, error)
                }
            }
            throw .segment(error)
        }
        try publishMerge(merged.map { [$0] } ?? [], retiring: segments.map(\.record))
        counters.merges.add(1)
        counters.mergedRows.add(merged?.record.rowCount ?? 0)
    }

    private func cursors(
        over segments: [LiveSegment]
    ) throws(SegmentError) -> [any StreamCursor] {
        var cursors: [any StreamCursor] = []
        for segment in segments {
            do throws(SegmentError) {
                cursors.append(try SegmentCursor(segment.reader, decoder: PageDecoder()))
            } catch {
                quarantine(segment, error)
                throw error
            }
        }
        return cursors
    }

    private func sources(of segments: [LiveSegment]) throws(SegmentError) -> [FieldSource] {
        var sources: [FieldSource] = []
        for segment in segments {
            do throws(SegmentError) {
                sources.append(try FieldSource(segment.reader, decoder: PageDecoder()))
            } catch {
                quarantine(segment, error)
                throw error
            }
        }
        return sources
    }

    /// Puts segments in the place of others.
    ///
    /// `source` is what they were made of, when it stays; `superseding` names segments that are set aside, of
    /// whose rows the new ones hold all. With `isRewrite` rows are gone that are in
    /// rollups of the same day: those are retired too. `others` are done in the same transaction. False
    /// when an input is no longer there; the new ones are removed then.
    @discardableResult
    func publishMerge(
        _ added: [LiveSegment],
        retiring replaced: [SegmentRecord],
        of source: SegmentRecord? = nil,
        superseding setAside: [SegmentRecord] = [],
        isRewrite: Bool = false,
        others: [SQLiteStatement] = []
    ) throws(StoreError) -> Bool {
        try publishing.withLock { _ throws(StoreError) in
            // Retention or a quarantine may have taken an input away meanwhile.
            let (isStillThere, rollups) = state.withLock { state in
                let needed = replaced + (source.map { [$0] } ?? [])
                let isStillThere = needed.allSatisfy { record in
                    state.buckets[record.bucket]?.segments.contains {
                        $0.record.name == record.name
                    } == true
                }
                return (isStillThere, isRewrite ? state.rollupsMade(of: replaced) : [])
            }
            guard isStillThere else {
                for segment in added { try? fileSystem.removeFile(segment.reader.path) }
                return false
            }
            let retiring = replaced + rollups
            do throws(SQLiteError) {
                try catalog.publish(
                    adding: added.map(\.record),
                    retiring: retiring + setAside,
                    others: others + setAside.map { ErasureTable.settlement(of: $0.path) }
                )
            } catch {
                for segment in added { try? fileSystem.removeFile(segment.reader.path) }
                throw .catalog(error)
            }
            state.withLock { state in
                if isRewrite { state.removeRows(retiring) } else { state.remove(retiring) }
                for segment in added { state.insert(segment) }
                state.quarantined.removeAll { record in
                    setAside.contains { $0.path == record.path }
                }
            }
            for record in retiring + setAside { try? fileSystem.removeFile(path(record.path)) }
            return true
        }
    }
}
