internal import Synchronization
internal import WeirColumns
internal import WeirCore
internal import WeirSystem

/// Making rollups, on the merge thread.
extension Store {
    /// Makes the rollups that are due: of days of metrics that have been over for a while and are one
    /// segment.
    ///
    /// Other work of the merge thread goes before, unless `isFull`.
    func rollUp(isFull: Bool) throws(StoreError) {
        guard let after = options.rollupAfter else { return }
        while let (source, wanted) = nextUnrolled(after: after) {
            try rollUp(source, wanted)
            let isWanted = merges.read { queue in
                let hasOther =
                    !queue.requests.isEmpty || !queue.erasures.isEmpty || queue.isFlushDue
                return queue.isStopping || (hasOther && !isFull)
            }
            if isWanted { return }
        }
    }

    /// The segment of the latest day that wants rollups, and which.
    private func nextUnrolled(after: Int64) -> (LiveSegment, [RollupResolution])? {
        let now = clock.nowNanoseconds()
        return state.withLock { state in
            let keys = state.buckets.keys.filter { key in
                let (due, overflow) = key.end.addingReportingOverflow(after)
                return key.signal == .metrics && !overflow && due <= now
            }
            for key in keys.sorted(by: { $0.day > $1.day }) {
                let wanted = RollupResolution.allCases.filter {
                    !isExpired(key.rollup($0), at: now)
                }
                guard let source = state.rollupDay(key).unrolled(wanted),
                    !state.missesRollup(key),
                    !state.withoutRollups.contains(source.record.path)
                else { continue }
                return (source, wanted)
            }
            return nil
        }
    }

    private func rollUp(
        _ source: LiveSegment,
        _ wanted: [RollupResolution]
    ) throws(StoreError) {
        var made: [LiveSegment] = []
        do throws(StoreError) {
            for resolution in wanted {
                if let segment = try writeRollup(of: source, resolution) { made.append(segment) }
            }
        } catch {
            for segment in made { try? fileSystem.removeFile(segment.reader.path) }
            guard case .segment(let failure) = error else { throw error }
            // The samples are damaged, or what was just written is.
            do throws(SegmentError) {
                try source.reader.verify(decoder: PageDecoder())
            } catch {
                quarantine(source, error)
                return
            }
            throw .segment(failure)
        }
        let (old, setAside) = state.withLock { state in
            (
                state.rollups(of: [source.record], wanted),
                state.setAsideRollups(of: source.record, wanted)
            )
        }
        let isPublished = try publishMerge(
            made,
            retiring: old,
            of: source.record,
            superseding: setAside
        )
        if isPublished, made.isEmpty {
            state.withLock { _ = $0.withoutRollups.insert(source.record.path) }
        }
        guard isPublished else { return }
        counters.rolledUpDays.add(1)
        counters.rolledUpRows.add(made.reduce(0) { $0 + $1.record.rowCount })
    }

    private func writeRollup(
        of source: LiveSegment,
        _ resolution: RollupResolution
    ) throws(StoreError) -> LiveSegment? {
        let cursor: SegmentCursor
        do throws(SegmentError) {
            cursor = try SegmentCursor(source.reader, decoder: PageDecoder())
        } catch {
            throw .segment(error)
        }
        return try writeSegment(
            .runs([RollupCursor(cursor, resolution)]),
            bucket: source.record.bucket.rollup(resolution),
            sequences: source.record.sequences,
            encoder: PageEncoder(effort: .thorough)
        )
    }
}
