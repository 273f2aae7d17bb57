internal import Synchronization
internal import WeirColumns
internal import WeirCore
internal import WeirPattern

/// Why streams could not be searched: the disk's fault, or the pattern's.
enum StreamSearchError: Error, Hashable {
    case segment(SegmentError)
    case pattern(PatternError)
}

/// A segment's label index, once somebody needed it.
enum KeptIndex: Sendable {
    case none
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
        _ body: (Int, Labels) -> Void
    ) throws(StreamSearchError) {
        let pages = pages(matching: matchers)
        if pages.count > Self.pagesWithoutIndexMax, !matchers.byCost.isEmpty,
            let index = try labelIndex(decoder: decoder)
        {
            try forEachStream(of: index, matching: matchers, decoder: decoder, body)
            return
        }
        var run = StreamMatchers.Run(matchers)
        for page in pages {
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

    private func forEachStream(
        of index: LabelIndex,
        matching matchers: StreamMatchers,
        decoder: PageDecoder,
        _ body: (Int, Labels) -> Void
    ) throws(StreamSearchError) {
        let (streams, rest) = try matching(matchers, in: index)
        var stream = streams.first(from: 0)
        while let first = stream {
            let page = footer.streamPages.partitioningIndex { $0.firstStream > first } - 1
            let entry = footer.streamPages[page]
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
        decoder: PageDecoder
    ) throws(StreamSearchError) -> LabelTexts {
        var texts = LabelTexts()
        guard let (index, streams) = try indexed(matchers, decoder: decoder) else {
            try forEachStream(matching: matchers, decoder: decoder) { _, labels in
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
        decoder: PageDecoder
    ) throws(StreamSearchError) -> (index: LabelIndex, streams: StreamSet?)? {
        guard pages(matching: matchers).count > Self.pagesWithoutIndexMax,
            let index = try labelIndex(decoder: decoder)
        else { return nil }
        guard !matchers.byCost.isEmpty else { return (index, nil) }
        let (streams, rest) = try matching(matchers, in: index)
        return rest.isEmpty ? (index, streams) : nil
    }

    /// The label index, made now if it was not yet; nil when there is no room for it.
    private func labelIndex(decoder: PageDecoder) throws(StreamSearchError) -> LabelIndex? {
        do throws(SegmentError) {
            // Who comes while it is made waits for it, rather than making another.
            return try keptIndex.withLock { kept throws(SegmentError) -> LabelIndex? in
                switch kept {
                case .index(let index): return index
                case .tooLarge: return nil
                case .none: break
                }
                guard Self.indexBytes.load(ordering: .relaxed) < Self.indexBytesMax else {
                    return nil
                }
                var builder = LabelIndexBuilder()
                var last: Labels?
                for page in footer.streamPages.indices where !builder.isTooLarge {
                    try forEachSet(ofPage: page, decoder: decoder) { _, set throws(DecodeError) in
                        let labels = try Labels(validating: set)
                        guard last.map({ $0 < labels }) ?? true else {
                            throw .notCanonical(offset: 0)
                        }
                        last = labels
                        builder.append(labels)
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
        } catch {
            throw .segment(error)
        }
    }

    /// Gives back the room that the label index took.
    func dropIndex() {
        keptIndex.withLock { kept in
            if case .index(let index) = kept {
                Self.indexBytes.subtract(index.byteCount, ordering: .relaxed)
            }
            kept = .none
        }
    }
}
