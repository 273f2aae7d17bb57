internal import Synchronization
internal import WeirColumns
package import WeirCore
package import WeirPattern
internal import WeirSystem

/// The streams that satisfied some matchers, and where their rows lie.
///
/// Immutable: what is written later is not in it.
package final class StreamSelection: Sendable {
    /// One per stream, ascending.
    ///
    /// The index is the stream's number in `scan`.
    package let labels: [Labels]
    /// How many segments and sorted runs of memory are read.
    package let sourceCount: Int
    let sources: [Source]
    /// Nanoseconds, inclusive.
    let times: ClosedRange<Int64>
    let store: Store

    /// One sorted place that holds rows of selected streams.
    ///
    /// Sources are ordered oldest first.
    struct Source: Sendable {
        enum Place: Sendable {
            case segment(LiveSegment)
            case memory(MemoryPart)
        }

        let place: Place
        /// The selection's stream at each index is this ordinal in the source; -1: not there.
        ///
        /// Ascending where present.
        let ordinals: [Int32]

        var sequence: UInt64 {
            switch place {
            case .segment(let segment): segment.record.sequences.lowerBound
            case .memory(let part): part.sequences.lowerBound
            }
        }

        var rowCount: Int {
            switch place {
            case .segment(let segment): segment.record.rowCount
            case .memory(let part): part.rowCount
            }
        }

        /// The rollup that it is; nil for what was sent.
        var resolution: RollupResolution? {
            guard case .segment(let segment) = place else { return nil }
            return segment.record.bucket.signal.resolution
        }

        /// The first and last ordinal among the selection's streams `streams`.
        func ordinalRange(_ streams: Range<Int>) -> ClosedRange<Int>? {
            guard let first = streams.first(where: { ordinals[$0] >= 0 }),
                let last = streams.last(where: { ordinals[$0] >= 0 })
            else { return nil }
            return Int(ordinals[first])...Int(ordinals[last])
        }
    }

    /// Rows of all places that are read, those of other streams among them.
    package var rowCountMax: Int { sources.reduce(0) { $0 + $1.rowCount } }

    /// Only the streams at `range`, whose numbers then begin at 0.
    package func narrowed(to range: Range<Int>) -> StreamSelection {
        StreamSelection(
            labels: Array(labels[range]),
            sources: sources.map { Source(place: $0.place, ordinals: Array($0.ordinals[range])) },
            times: times,
            store: store
        )
    }

    /// Only the streams of `wanted`, which ascend and then are numbers of its places; those that are
    /// not among the selection's have no rows.
    package func narrowed(to wanted: [Labels]) -> StreamSelection {
        let places = wanted.map { wanted -> Int? in
            let place = labels.partitioningIndex { !($0 < wanted) }
            return place < labels.count && labels[place] == wanted ? place : nil
        }
        return StreamSelection(
            labels: wanted,
            sources: sources.map { source in
                Source(
                    place: source.place,
                    ordinals: places.map { $0.map { source.ordinals[$0] } ?? -1 }
                )
            },
            times: times,
            store: store
        )
    }

    /// Whether some of the times have rollups only, whose last samples stand for all.
    package var hasStandIns: Bool { sources.contains { $0.resolution != nil } }

    /// The days, counted since 1970, that have such times.
    package var standInDays: Set<Int> {
        var days: Set<Int> = []
        for case .segment(let segment) in sources.map(\.place)
        where segment.record.bucket.signal.resolution != nil {
            days.insert(segment.record.bucket.day)
        }
        return days
    }

    init(labels: [Labels], sources: [Source], times: ClosedRange<Int64>, store: Store) {
        self.labels = labels
        self.sources = sources
        self.sourceCount = sources.count
        self.times = times
        self.store = store
    }
}

extension Store {
    /// Finds the streams of one tenant and signal that satisfy every matcher and may have rows
    /// in `times` (nanoseconds, inclusive).
    package func select(
        tenant: String = "default",
        signal: Signal,
        matchers: [LabelMatcher],
        times: ClosedRange<Int64>,
        budget: some ScanBudget
    ) throws(StoreError) -> StreamSelection {
        let compiled = try StreamMatchers.compiled(matchers)
        let buckets = buckets(tenant: tenant, signal: signal, times: times)
        noteDamage(tenant: tenant, signal: signal, times: times, budget: budget)
        var found: [Found] = []
        for bucket in buckets {
            found += try find(
                compiled,
                in: bucket,
                times: times,
                registry: registry(tenant: tenant, signal: signal),
                schema: signal.schema,
                budget: budget
            )
        }
        if signal == .metrics {
            for segment in rollupsAlone(tenant: tenant, times: times) {
                let streams = try find(
                    compiled,
                    in: segment,
                    decoder: PageDecoder(),
                    budget: budget
                )
                if !streams.isEmpty { found.append(Found(.segment(segment), streams)) }
            }
        }
        return combine(found, times: times)
    }

    /// Streams that were found in one place, in order, with their ordinals there.
    struct Found {
        let place: StreamSelection.Source.Place
        let streams: [(Int32, Labels)]

        init(_ place: StreamSelection.Source.Place, _ streams: [(Int32, Labels)]) {
            self.place = place
            self.streams = streams
        }
    }

    /// Finds streams in all places of a bucket that may have rows in `times`.
    func find(
        _ matchers: StreamMatchers,
        in bucket: Bucket,
        times: ClosedRange<Int64>,
        registry: StreamRegistry,
        schema: StreamSchema,
        budget: some ScanBudget
    ) throws(StoreError) -> [Found] {
        var found: [Found] = []
        let decoder = PageDecoder()
        for segment in bucket.segments where segment.record.times.overlaps(times) {
            let streams = try find(matchers, in: segment, decoder: decoder, budget: budget)
            if !streams.isEmpty { found.append(Found(.segment(segment), streams)) }
        }
        for part in bucket.parts where part.timeRange.overlaps(times) {
            let streams = try find(matchers, in: part)
            if !streams.isEmpty { found.append(Found(.memory(part), streams)) }
        }
        let recent = try sortMatching(
            bucket.active,
            matchers,
            times: times,
            registry: registry,
            schema: schema
        )
        if let recent {
            let all = recent.labels.enumerated().map { (Int32($0), $1) }
            found.append(Found(.memory(recent), all))
        }
        return found
    }

    /// What the buckets whose days touch `times` hold now, oldest first.
    func buckets(tenant: String, signal: Signal, times: ClosedRange<Int64>) -> [Bucket] {
        let days = BucketKey.day(of: times.lowerBound)...BucketKey.day(of: times.upperBound)
        let found = state.withLock { state in
            state.buckets.filter { key, _ in
                key.tenant == tenant && key.signal == signal && days.contains(key.day)
            }
        }
        return found.sorted { $0.key.day < $1.key.day }.map(\.value)
    }

    func find(
        _ matchers: StreamMatchers,
        in segment: LiveSegment,
        decoder: PageDecoder,
        budget: some ScanBudget
    ) throws(StoreError) -> [(Int32, Labels)] {
        var streams: [(Int32, Labels)] = []
        do throws(StreamSearchError) {
            try segment.reader.forEachStream(
                matching: matchers,
                decoder: decoder,
                budget: budget
            ) { ordinal, labels in
                streams.append((Int32(ordinal), labels))
            }
        } catch {
            switch error {
            case .budget: throw .budget
            case .pattern(let error): throw .pattern(error)
            case .segment(let error):
                quarantine(segment, error)
                budget.noteQuarantined(path: segment.record.path)
                return []
            }
        }
        return streams
    }

    func find(
        _ matchers: StreamMatchers,
        in part: MemoryPart
    ) throws(StoreError) -> [(Int32, Labels)] {
        var run = StreamMatchers.Run(matchers)
        var streams: [(Int32, Labels)] = []
        do throws(PatternError) {
            let prefix = matchers.requiredPrefix
            let first = part.labels.partitioningIndex {
                !$0.bytes.lexicographicallyPrecedes(prefix)
            }
            for index in first..<part.labels.count {
                let labels = part.labels[index]
                if !prefix.isEmpty, !labels.bytes.starts(with: prefix) { break }
                if try run.matches(labels) { streams.append((Int32(index), labels)) }
            }
        } catch {
            throw .pattern(error)
        }
        return streams
    }

    /// Sorts the rows of unsorted batches that match, so that they can be read like a part.
    private func sortMatching(
        _ batches: [ResolvedBatch],
        _ matchers: StreamMatchers,
        times: ClosedRange<Int64>,
        registry: StreamRegistry,
        schema: StreamSchema
    ) throws(StoreError) -> MemoryPart? {
        guard !batches.isEmpty else { return nil }
        let labels = registry.snapshot().labels
        var run = StreamMatchers.Run(matchers)
        /// 0: not asked yet, 1: no, 2: yes.
        var verdicts = [UInt8](repeating: 0, count: labels.count)
        var matching: [UInt32] = []
        do throws(PatternError) {
            for batch in batches where batch.timeRange.overlaps(times) {
                for reference in batch.references where verdicts[Int(reference)] == 0 {
                    let isMatch = try run.matches(labels[Int(reference)])
                    verdicts[Int(reference)] = isMatch ? 2 : 1
                    if isMatch { matching.append(reference) }
                }
            }
        } catch {
            throw .pattern(error)
        }
        guard !matching.isEmpty else { return nil }
        return MemoryPart(
            batches,
            order: StreamOrder(labels: labels, references: matching),
            schema: schema
        ) { reference, time in
            verdicts[Int(reference)] == 2 && times.contains(time)
        }
    }

    /// Gives each distinct label set one number, and each source its ordinals by that number.
    func combine(_ found: [Found], times: ClosedRange<Int64>) -> StreamSelection {
        var all: [Labels]
        if found.count == 1 {
            all = found[0].streams.map(\.1)
        } else {
            all = Array(Set(found.flatMap { $0.streams.lazy.map(\.1) }))
            all.sort()
        }
        var sources: [StreamSelection.Source] = []
        for one in found {
            var ordinals = [Int32](repeating: -1, count: all.count)
            var next = 0
            for (ordinal, labels) in one.streams {
                while all[next] != labels { next += 1 }
                ordinals[next] = ordinal
            }
            sources.append(StreamSelection.Source(place: one.place, ordinals: ordinals))
        }
        sources.sort { $0.sequence < $1.sequence }
        return StreamSelection(labels: all, sources: sources, times: times, store: self)
    }
}
