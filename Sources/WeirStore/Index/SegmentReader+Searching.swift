internal import Synchronization
internal import WeirColumns
internal import WeirCore
internal import WeirPattern

/// Why streams could not be searched: the disk's fault, the pattern's, or the reader's budget.
enum StreamSearchError: Error, Hashable {
    case segment(SegmentError)
    case pattern(PatternError)
    case budget
}

/// A segment's label index, once somebody needed it.
enum KeptIndex: Sendable {
    /// Making it takes at least so many bytes, as far as is known.
    case none(bytesMin: Int)
    case index(LabelIndex)
    /// It did not fit among the others.
    case tooLarge
}

extension SegmentReader {
    /// Searches that would read more pages of the stream index than this make a label index.
    private static let pagesWithoutIndexMax = 8
    /// What all segments' label indexes may take together, in bytes.
    private static let indexBytesMax = 128 << 20
    private static let indexBytes = Atomic<Int>(0)

    /// The pages of the stream index on which streams may match.
    private func pages(matching matchers: StreamMatchers) -> [Int] {
        let pages = footer.streamPages
        return pages.indices.filter { index in
            let next = index + 1 < pages.count ? pages[index + 1].firstLabels : nil
            return matchers.canMatch(from: pages[index].firstLabels, before: next)
        }
    }

    /// Calls `body` with the ordinal and labels of every stream that satisfies `matchers`, in
    /// order.
    func forEachStream(
        matching matchers: StreamMatchers,
        decoder: PageDecoder,
        budget: some ScanBudget,
        _ body: (Int, Labels) -> Void
    ) throws(StreamSearchError) {
        let pages = pages(matching: matchers)
        if pages.count > Self.pagesWithoutIndexMax, !matchers.byCost.isEmpty,
            let index = try labelIndex(decoder: decoder, budget: budget)
        {
            try forEachStream(
                of: index,
                matching: matchers,
                decoder: decoder,
                budget: budget,
                body
            )
            return
        }
        var run = StreamMatchers.Run(matchers)
        for page in pages {
            try charge(page, budget)
            let first = footer.streamPages[page].firstStream
            let labels: [Labels]
            do throws(SegmentError) {
                labels = try readStreamPage(page, decoder: decoder)
            } catch {
                throw .segment(error)
            }
            do throws(PatternError) {
                for (offset, labels) in labels.enumerated() where try run.matches(labels) {
                    body(first + offset, labels)
                }
            } catch {
                throw .pattern(error)
            }
        }
    }

    /// Charges a page of the stream index before it is read; one that is alone is kept.
    private func charge(_ page: Int, _ budget: some ScanBudget) throws(StreamSearchError) {
        let bytes = footer.streamPages.count > 1 ? footer.streamPages[page].page.storedCount : 0
        guard budget.charge(rows: 0, blocks: 0, bytes: bytes) else { throw .budget }
    }

    private func forEachStream(
        of index: LabelIndex,
        matching matchers: StreamMatchers,
        decoder: PageDecoder,
        budget: some ScanBudget,
        _ body: (Int, Labels) -> Void
    ) throws(StreamSearchError) {
        let (streams, rest) = try matching(matchers, in: index)
        var stream = streams.first(from: 0)
        while let first = stream {
            let page = footer.streamPages.partitioningIndex { $0.firstStream > first } - 1
            let entry = footer.streamPages[page]
            try charge(page, budget)
            var found: [(Int, Labels)] = []
            do throws(SegmentError) {
                try forEachSet(ofPage: page, decoder: decoder) { offset, set throws(DecodeError) in
                    guard streams.contains(entry.firstStream + offset) else { return }
                    found.append((entry.firstStream + offset, try Labels(validating: set)))
                }
            } catch {
                throw .segment(error)
            }
            do throws(PatternError) {
                next: for (stream, labels) in found {
                    for matcher in rest where try !matcher.matches(labels) { continue next }
                    body(stream, labels)
                }
            } catch {
                throw .pattern(error)
            }
            stream = streams.first(from: entry.firstStream + entry.streamCount)
        }
    }

    private func matching(
        _ matchers: StreamMatchers,
        in index: LabelIndex
    ) throws(StreamSearchError) -> (streams: StreamSet, rest: ArraySlice<CompiledMatcher>) {
        do throws(PatternError) {
            return try index.streams(matching: matchers.byCost)
        } catch {
            throw .pattern(error)
        }
    }

    private func forEachSet(
        ofPage index: Int,
        decoder: PageDecoder,
        _ body: (Int, [UInt8]) throws(DecodeError) -> Void
    ) throws(SegmentError) {
        let entry = footer.streamPages[index]
        let bytes = try readPage(entry.page, at: entry.offset, decoder: decoder)
        do throws(DecodeError) {
            try StreamIndex.forEachSet(in: bytes, streamCount: entry.streamCount, body)
        } catch {
            throw .undecodable(path: path, offset: entry.offset, error)
        }
    }

    /// The values of `label`, or the names of all labels when it is nil, that streams which satisfy
    /// `matchers` have; `__name__` is the empty name.
    func labelTexts(
        _ label: String?,
        matching matchers: StreamMatchers,
        decoder: PageDecoder,
        budget: some ScanBudget
    ) throws(StreamSearchError) -> LabelTexts {
        var texts = LabelTexts()
        guard let (index, streams) = try indexed(matchers, decoder: decoder, budget: budget)
        else {
            try forEachStream(matching: matchers, decoder: decoder, budget: budget) { _, labels in
                texts.append(label, of: labels)
            }
            texts.sort()
            return texts
        }
        if let label {
            guard let column = index.column(label) else { return texts }
            for value in index.values(of: column, among: streams) { texts.append(value) }
        } else {
            for column in index.columns where index.hasValue(of: column, among: streams) {
                texts.append(column.name[...])
            }
        }
        return texts
    }

    /// The index and the streams in it that match, where it is worth having and says all.
    ///
    /// All streams match when they are nil.
    private func indexed(
        _ matchers: StreamMatchers,
        decoder: PageDecoder,
        budget: some ScanBudget
    ) throws(StreamSearchError) -> (index: LabelIndex, streams: StreamSet?)? {
        guard pages(matching: matchers).count > Self.pagesWithoutIndexMax,
            let index = try labelIndex(decoder: decoder, budget: budget)
        else { return nil }
        guard !matchers.byCost.isEmpty else { return (index, nil) }
        let (streams, rest) = try matching(matchers, in: index)
        return rest.isEmpty ? (index, streams) : nil
    }

    /// The label index, made now if it was not yet; nil when there is no room for it.
    ///
    /// Who has it made pays for the pages that are read, and lends the memory until it is among the kept.
    private func labelIndex(
        decoder: PageDecoder,
        budget: some ScanBudget
    ) throws(StreamSearchError) -> LabelIndex? {
        // Who comes while it is made waits for it, rather than making another.
        try keptIndex.withLock { kept throws(StreamSearchError) -> LabelIndex? in
            let bytesMin: Int
            switch kept {
            case .index(let index): return index
            case .tooLarge: return nil
            case .none(let least): bytesMin = least
            }
            guard Self.indexBytes.load(ordering: .relaxed) < Self.indexBytesMax else { return nil }
            var lent = LentMemory(budget)
            defer { lent.giveBack() }
            guard lent.reach(bytesMin) else { return nil }
            var builder = LabelIndexBuilder()
            var last: Labels?
            for page in footer.streamPages.indices where !builder.isTooLarge {
                try charge(page, budget)
                do throws(SegmentError) {
                    try forEachSet(ofPage: page, decoder: decoder) { _, set throws(DecodeError) in
                        let labels = try Labels(validating: set)
                        guard last.map({ $0 < labels }) ?? true else {
                            throw .notCanonical(offset: 0)
                        }
                        last = labels
                        builder.append(labels)
                    }
                } catch {
                    throw .segment(error)
                }
                // What was gathered, and as much for the index that is made of it.
                guard lent.reach(2 * builder.byteCount) else {
                    kept = .none(bytesMin: 2 * builder.byteCount)
                    return nil
                }
            }
            guard let index = LabelIndex(builder), index.byteCount <= Self.indexBytesMax else {
                kept = .tooLarge
                return nil
            }
            Self.indexBytes.add(index.byteCount, ordering: .relaxed)
            kept = .index(index)
            return index
        }
    }

    /// Gives back the room that the label index took.
    func dropIndex() {
        keptIndex.withLock { kept in
            if case .index(let index) = kept {
                Self.indexBytes.subtract(index.byteCount, ordering: .relaxed)
            }
            kept = .none(bytesMin: 0)
        }
    }
}
