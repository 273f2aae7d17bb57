internal import WeirColumns
package import WeirCore
package import WeirPattern

extension Store {
    /// The values of `label`, and the names of labels when it is nil, of the streams that `select`
    /// finds; `__name__` is the empty name.
    ///
    /// Large segments answer from their label indexes, without looking at a stream.
    package func labelTexts(
        _ label: String?,
        tenant: String = "default",
        signal: Signal,
        matchers: [LabelMatcher],
        times: ClosedRange<Int64>,
        budget: some ScanBudget
    ) throws(StoreError) -> LabelTexts {
        let compiled = try StreamMatchers.compiled(matchers)
        noteDamage(tenant: tenant, signal: signal, times: times, budget: budget)
        var texts = LabelTexts()
        let decoder = PageDecoder()
        for bucket in buckets(tenant: tenant, signal: signal, times: times) {
            for segment in bucket.segments where segment.record.times.overlaps(times) {
                guard budget.charge(rows: 0, blocks: 0, bytes: 0) else { throw .budget }
                texts.formUnion(
                    try labelTexts(label, compiled, in: segment, decoder: decoder, budget: budget)
                )
            }
            for part in bucket.parts where part.timeRange.overlaps(times) {
                let streams = try find(compiled, in: part)
                texts.formUnion(LabelTexts(label, of: streams.lazy.map(\.1)))
            }
            for part in bucket.fieldParts where part.timeRange.overlaps(times) {
                let streams = try find(compiled, in: part.labels)
                texts.formUnion(LabelTexts(label, of: streams.lazy.map(\.1)))
            }
            let active = try findActive(
                bucket.active,
                compiled,
                times: times,
                registry: registry(tenant: tenant, signal: signal)
            )
            texts.formUnion(LabelTexts(label, of: active))
        }
        guard signal == .metrics else { return texts }
        for segment in rollupsAlone(tenant: tenant, times: times) {
            texts.formUnion(
                try labelTexts(label, compiled, in: segment, decoder: decoder, budget: budget)
            )
        }
        return texts
    }

    private func labelTexts(
        _ label: String?,
        _ matchers: StreamMatchers,
        in segment: LiveSegment,
        decoder: PageDecoder,
        budget: some ScanBudget
    ) throws(StoreError) -> LabelTexts {
        do throws(StreamSearchError) {
            return try segment.reader.labelTexts(
                label,
                matching: matchers,
                decoder: decoder,
                budget: budget
            )
        } catch {
            switch error {
            case .budget: throw .budget
            case .pattern(let error): throw .pattern(error)
            case .segment(let error):
                quarantine(segment, error)
                budget.noteQuarantined(path: segment.record.path)
                return LabelTexts()
            }
        }
    }

    /// The streams of unsorted batches that match and have a row in `times`.
    private func findActive(
        _ batches: [ResolvedBatch],
        _ matchers: StreamMatchers,
        times: ClosedRange<Int64>,
        registry: StreamRegistry
    ) throws(StoreError) -> [Labels] {
        guard !batches.isEmpty else { return [] }
        let labels = registry.snapshot().labels
        var run = StreamMatchers.Run(matchers)
        var isSeen = [Bool](repeating: false, count: labels.count)
        var found: [Labels] = []
        do throws(PatternError) {
            for batch in batches where batch.timeRange.overlaps(times) {
                for (row, reference) in batch.references.enumerated()
                where !isSeen[Int(reference)] && times.contains(batch.times[row]) {
                    isSeen[Int(reference)] = true
                    let stream = labels[Int(reference)]
                    if try run.matches(stream) { found.append(stream) }
                }
            }
        } catch {
            throw .pattern(error)
        }
        return found
    }
}

extension LabelTexts {
    /// The values of `label`, or all names, of some streams.
    fileprivate init(_ label: String?, of streams: some Sequence<Labels>) {
        self.init()
        for stream in streams { append(label, of: stream) }
        sort()
    }
}
