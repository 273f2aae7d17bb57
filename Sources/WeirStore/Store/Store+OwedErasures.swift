internal import Synchronization
internal import WeirCore
internal import WeirSystem

/// What erasures could not take out of segments that were set aside.
extension Store {
    /// Takes it out of those that can be read again, before anything reads them.
    ///
    /// A segment it does not succeed with is set aside again. Called while the store opens: nothing else
    /// has a hold of its segments.
    func payOwedErasures(_ owed: [String: [ErasedRows?]]) {
        // Metrics come before the rollups that are made of them.
        let segments = state.withLock { state in
            state.buckets.values.flatMap(\.segments).filter { owed[$0.record.path] != nil }
        }
        for segment in segments.sorted(by: { $0.record.path < $1.record.path }) {
            let path = segment.record.path
            let known = (owed[path] ?? []).compactMap(\.self)
            guard known.count == owed[path]?.count else {
                setAside(
                    segment,
                    reason: "what was erased from it cannot be told",
                    isPassing: true
                )
                continue
            }
            do throws(StoreError) {
                let rowCount = try pay(known, of: segment)
                log("\(path): \(rowCount) rows that had been erased were taken out")
            } catch {
                noteFailedWrite(error)
                setAside(
                    segment,
                    reason: "rows that were erased could not be taken out: \(error)",
                    isPassing: true
                )
            }
        }
    }

    /// - Returns: The rows that were taken out.
    private func pay(_ owed: [ErasedRows], of segment: LiveSegment) throws(StoreError) -> Int {
        let record = segment.record
        let isThere = state.withLock { state in
            state.buckets[record.bucket]?.segments.contains { $0.record.name == record.name }
                == true
        }
        // Else its metrics were written anew just now, and it went with them.
        guard isThere else { return 0 }
        var receipt = ErasureReceipt()
        var streams: Set<Labels> = []
        let settlement = [ErasureTable.settlement(of: record.path)]
        let left = try erase(owed, from: segment, &receipt, &streams, others: settlement)
        if left == nil, receipt.segmentsRemoved == 0 {
            // What is made of metrics that were erased from meanwhile, or was erased from while they were
            // away, is made anew.
            let isRollup = record.bucket.signal.resolution != nil
            let stale = state.withLock { state in
                let day = state.rollupDay(record.bucket.metrics)
                return isRollup && !day.isAlone(segment)
                    ? [record] : state.rollupsMade(of: [record])
            }
            try publishMerge([], retiring: stale, isRewrite: true, others: settlement)
        }
        counters.erasedRows.add(receipt.rows.values.reduce(0, +))
        return receipt.rows.values.reduce(0, +)
    }
}
