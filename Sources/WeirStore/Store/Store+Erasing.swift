internal import Synchronization
internal import WeirColumns
internal import WeirCore
package import WeirPattern
internal import WeirSystem

extension Store {
    /// Erases rows of metrics, native histograms and exemplars: those of series that satisfy all
    /// matchers of one of the selectors, at `times` (nanoseconds, inclusive), that were acknowledged
    /// before the call.
    ///
    /// Rollups of days that rows are erased from are taken away, to be made anew; of those whose samples
    /// are gone already, whole rows go.
    ///
    /// When it returns they are in no segment that is read, not in memory and not in the journal. A
    /// segment that is set aside loses them before it is read again. What a crash interrupts is finished
    /// when the store opens again; each segment has all of its rows until it has none of them. Files
    /// that a snapshot links to stay there.
    ///
    /// - Throws: `StoreError.pattern` before anything is done. With another error some may be erased;
    ///   the rest is tried again before the next merge.
    package func erase(
        tenant: String = "default",
        selectors: [[LabelMatcher]],
        times: ClosedRange<Int64>
    ) throws(StoreError) -> ErasureReceipt {
        do throws(PatternError) {
            for matchers in selectors { _ = try StreamMatchers(matchers) }
        } catch {
            throw .pattern(error)
        }
        try flush()
        let outcome = Monitor<Result<ErasureReceipt, StoreError>?>(nil)
        let isTaken = merges.update { queue in
            guard !queue.isStopping else { return false }
            queue.erasures.append(
                ErasureRequest(
                    tenant: tenant,
                    rows: ErasedRows(selectors: selectors, times: times)
                ) { result in
                    outcome.update { $0 = result }
                }
            )
            return true
        }
        guard isTaken, let result = outcome.wait(until: { $0 }) else { throw .stopping }
        return try result.get()
    }

    /// Notes an erasure in the catalog and carries it out; it is left in `unfinished` on failure.
    ///
    /// Only the merge thread calls this: meanwhile nothing is merged, so that no segment holds rows
    /// of before and after.
    func begin(
        _ request: ErasureRequest,
        _ unfinished: inout [Erasure]
    ) -> Result<ErasureReceipt, StoreError> {
        do throws(StoreError) {
            let erasure = try note(request)
            unfinished.append(erasure)
            return .success(try finish(erasure, &unfinished))
        } catch {
            noteFailedWrite(error)
            return .failure(error)
        }
    }

    /// Carries out what a crash or a full disk has interrupted.
    func finishErasures(_ unfinished: inout [Erasure]) -> StoreError? {
        for erasure in unfinished {
            do throws(StoreError) {
                let receipt = try finish(erasure, &unfinished)
                let rowCount = receipt.rows.values.reduce(0, +)
                log("finished an erasure that was interrupted: \(rowCount) rows")
            } catch {
                noteFailedWrite(error)
                return error
            }
        }
        return nil
    }

    private func note(_ request: ErasureRequest) throws(StoreError) -> Erasure {
        try publishing.withLock { _ throws(StoreError) in
            do throws(SQLiteError) {
                return try erasures.add(request, through: try catalog.checkpoint())
            } catch {
                throw .catalog(error)
            }
        }
    }

    private func finish(
        _ erasure: Erasure,
        _ unfinished: inout [Erasure]
    ) throws(StoreError) -> ErasureReceipt {
        var receipt = ErasureReceipt()
        var streams: Set<Labels> = []
        /// The paths of segments without the rows.
        var written: Set<String> = []
        let segments = state.withLock { state in
            let keys = state.buckets.keys.filter { erasure.covers($0) }
            return keys.sorted { ($0.day, $0.signal.rawValue) < ($1.day, $1.signal.rawValue) }
                .flatMap { state.buckets[$0]?.segments ?? [] }
                .filter { erasure.covers($0.record) }
        }
        // Oldest first: of samples with equal times the later is read, until it is gone as well.
        for segment in segments {
            if merges.read({ $0.isStopping }) { throw .stopping }
            do throws(StoreError) {
                let left = try erase([erasure.rows], from: segment, &receipt, &streams)
                if let left { written.insert(left.record.path) }
            } catch .segment(let error) {
                // Only what is damaged is set aside: it may be the new file that failed.
                do throws(SegmentError) {
                    try segment.reader.verify(decoder: PageDecoder())
                } catch {
                    quarantine(segment, error)
                    continue
                }
                throw .segment(error)
            } catch .pattern(let error) {
                // It gave up on a value, and would again.
                try end(erasure, owing: [], &unfinished)
                throw .pattern(error)
            }
        }
        receipt.series = streams.count
        try waitForJournal(through: erasure.through)
        // Whatever was set aside until now, before it was written anew, has all of its rows.
        let owing = state.withLock { $0.quarantined }.filter {
            erasure.covers($0.bucket) && erasure.covers($0) && !written.contains($0.path)
        }
        receipt.segmentsUnreadable = owing.count
        try end(erasure, owing: owing.map(\.path), &unfinished)
        counters.erasedRows.add(receipt.rows.values.reduce(0, +))
        return receipt
    }

    private func end(
        _ erasure: Erasure,
        owing paths: [String],
        _ unfinished: inout [Erasure]
    ) throws(StoreError) {
        do throws(SQLiteError) {
            try erasures.end(erasure, owing: paths)
        } catch {
            throw .catalog(error)
        }
        unfinished.removeAll { $0.id == erasure.id }
    }

    /// Waits until the journal's files that a checkpoint has covered are gone.
    private func waitForJournal(through sequence: UInt64) throws(StoreError) {
        let outcome = Monitor<Result<Void, FileError>?>(nil)
        let isTaken = commits.update { queue in
            guard !queue.isStopped else { return false }
            queue.jobs.append(
                .removeFiles(through: sequence) { result in outcome.update { $0 = result } }
            )
            return true
        }
        guard isTaken, let result = outcome.wait(until: { $0 }) else { throw .stopping }
        do throws(FileError) {
            try result.get()
        } catch {
            throw .file(error)
        }
    }

    /// Puts a segment without the rows of any of `erased` in the place of another.
    ///
    /// `others` are done in the transaction that does so, and nothing happens when there are no such rows.
    ///
    /// - Returns: The new segment, if anything is left for one.
    @discardableResult
    func erase(
        _ erased: [ErasedRows],
        from segment: LiveSegment,
        _ receipt: inout ErasureReceipt,
        _ streams: inout Set<Labels>,
        others: [SQLiteStatement] = []
    ) throws(StoreError) -> LiveSegment? {
        let bucket = segment.record.bucket
        let isMadeAnew = state.withLock { state in
            let day = state.rollupDay(bucket.metrics)
            return bucket.signal.resolution != nil && !day.isAlone(segment)
        }
        guard !isMadeAnew else { return nil }
        var parts: [(ordinals: [Int32], times: ClosedRange<Int64>)] = []
        for rows in erased {
            let ordinals = try ordinals(rows.selectors, in: segment)
            if !ordinals.isEmpty { parts.append((ordinals, rows.times)) }
        }
        guard !parts.isEmpty else { return nil }
        let encoder = PageEncoder(effort: .thorough)
        let input: SegmentInput
        var cursors: [ErasingCursor] = []
        var fields: ErasedFields?
        do throws(SegmentError) {
            if bucket.signal.schema.hasFields {
                let erased = try ErasedFields(
                    segment.reader,
                    erasing: parts.map { (Set($0.ordinals), $0.times) },
                    encoder: encoder
                )
                fields = erased
                input = .fields(erased.sources)
            } else {
                var source: any StreamCursor = try SegmentCursor(
                    segment.reader,
                    decoder: PageDecoder()
                )
                for (ordinals, times) in parts {
                    let erasing = ErasingCursor(
                        source,
                        signal: bucket.signal,
                        erasing: ordinals,
                        at: times
                    )
                    cursors.append(erasing)
                    source = erasing
                }
                input = .runs([source])
            }
        } catch {
            throw .segment(error)
        }
        let written = try writeSegment(
            input,
            bucket: bucket,
            sequences: segment.record.sequences,
            encoder: encoder
        )
        let rowCount =
            cursors.reduce(0) { $0 + $1.erasedRowCount } + (fields?.erasedRowCount ?? 0)
        guard rowCount > 0 else {
            // The streams are there, but have no rows at those times.
            if let written { try? fileSystem.removeFile(written.reader.path) }
            return nil
        }
        let old = [segment.record]
        let rollups = state.withLock { $0.rollupsMade(of: old) }
        let isPublished = try publishMerge(
            written.map { [$0] } ?? [],
            retiring: old,
            isRewrite: true,
            others: others
        )
        guard isPublished else { return nil }
        do throws(FileError) {
            for record in old + rollups {
                let path = path(record.path)
                if fileSystem.exists(path) { try fileSystem.removeFile(path) }
                try fileSystem.syncDirectory(self.path(record.bucket.path))
            }
        } catch {
            throw .file(error)
        }
        for cursor in cursors { streams.formUnion(cursor.erasedStreams) }
        streams.formUnion(fields?.erasedStreams ?? [])
        receipt.rows[bucket.signal, default: 0] += rowCount
        receipt.bytesBefore += segment.record.byteCount
        receipt.bytesAfter += written?.record.byteCount ?? 0
        if written == nil { receipt.segmentsRemoved += 1 } else { receipt.segmentsRewritten += 1 }
        return written
    }

    /// The streams of a segment that any selector selects, ascending.
    private func ordinals(
        _ selectors: [[LabelMatcher]],
        in segment: LiveSegment
    ) throws(StoreError) -> [Int32] {
        var found: Set<Int32> = []
        for selector in selectors {
            do throws(StreamSearchError) {
                try segment.reader.forEachStream(
                    matching: try Self.compile(selector),
                    decoder: PageDecoder(),
                    budget: OwnBudget()
                ) { ordinal, _ in found.insert(Int32(ordinal)) }
            } catch {
                switch error {
                case .pattern(let error): throw .pattern(error)
                case .segment(let error): throw .segment(error)
                case .budget: throw .budget
                }
            }
        }
        return found.sorted()
    }

    private static func compile(
        _ matchers: [LabelMatcher]
    ) throws(StreamSearchError) -> StreamMatchers {
        do throws(PatternError) {
            return try StreamMatchers(matchers)
        } catch {
            throw .pattern(error)
        }
    }
}

extension Erasure {
    fileprivate func covers(_ key: BucketKey) -> Bool {
        key.tenant == tenant && Self.signals.contains(key.signal)
    }

    fileprivate func covers(_ record: SegmentRecord) -> Bool {
        // A rollup's rows have the times of their last samples.
        let reach = (record.bucket.signal.resolution?.milliseconds ?? 0) * 1_000_000
        let (first, overflow) = record.times.lowerBound.subtractingReportingOverflow(reach)
        let extent = (overflow ? .min : first)...record.times.upperBound
        return record.sequences.upperBound <= through && extent.overlaps(rows.times)
    }
}
