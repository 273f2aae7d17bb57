internal import WeirColumns
internal import WeirCore
internal import WeirPattern

/// One page of a segment's stream index, as the footer lists it.
struct StreamPageEntry: Hashable, Sendable {
    let offset: Int
    let firstStream: Int
    let streamCount: Int
    /// The labels of the page's first stream, for a search without reading the page.
    let firstLabels: Labels
    let page: PageEntry
}

/// Writes and reads the stream index: all label sets in ascending canonical order, each as what it
/// shares with the one before and what follows.
///
/// Layout: docs/format/segment.md, version 1.
enum StreamIndex {
    static let streamsPerPageMax = 2048
    static let pageBytesTarget = 64 << 10
    /// The longest label set kept, in canonical bytes.
    static let labelsBytesMax = Labels.bytesMax

    static func appendLabels(_ labels: Labels, after previous: Labels, to bytes: inout [UInt8]) {
        let sharedMax = min(labels.bytes.count, previous.bytes.count)
        var shared = 0
        while shared < sharedMax, labels.bytes[shared] == previous.bytes[shared] { shared += 1 }
        UInt64(shared).appendVarint(to: &bytes)
        UInt64(labels.bytes.count - shared).appendVarint(to: &bytes)
        bytes.append(contentsOf: labels.bytes[shared...])
    }

    static func readPage(_ bytes: [UInt8], streamCount: Int) throws(DecodeError) -> [Labels] {
        var page: [Labels] = []
        page.reserveCapacity(streamCount)
        try forEachSet(in: bytes, streamCount: streamCount) { _, set throws(DecodeError) in
            let labels = try Labels(validating: set)
            guard page.last.map({ $0 < labels }) ?? true else { throw .notCanonical(offset: 0) }
            page.append(labels)
        }
        return page
    }

    /// Calls `body` with each label set's place in the page and bytes, which it checks if it needs
    /// them.
    static func forEachSet(
        in bytes: [UInt8],
        streamCount: Int,
        _ body: (Int, [UInt8]) throws(DecodeError) -> Void
    ) throws(DecodeError) {
        var reader = ByteReader(bytes.span)
        var set: [UInt8] = []
        for place in 0..<streamCount {
            let shared = try reader.readCount(limit: set.count)
            let rest = try reader.readCount(limit: labelsBytesMax - shared)
            // In place: only who keeps a set pays for a copy.
            set.removeLast(set.count - shared)
            try reader.readBytes(count: rest, appendingTo: &set)
            try body(place, set)
        }
        guard reader.remaining == 0 else { throw .notCanonical(offset: reader.offset) }
    }
}

/// Matchers as a scan over sorted label sets wants them.
struct StreamMatchers: Sendable {
    private let matchers: [CompiledMatcher]
    /// All matchers, the cheapest first: those that list the values they want before those that
    /// have to be tried.
    let byCost: [CompiledMatcher]
    /// The canonical bytes that all matching label sets begin with: the metric name, when one
    /// matcher fixes it.
    let requiredPrefix: [UInt8]
    /// The canonical bytes that name the one metric, or nil.
    private let nameMatchers: [CompiledMatcher]

    init(_ matchers: [LabelMatcher]) throws(PatternError) {
        var compiled: [CompiledMatcher] = []
        for matcher in matchers { compiled.append(try CompiledMatcher(matcher)) }
        let listed = compiled.filter { $0.onlyValues != nil }
        let tried = compiled.filter { $0.onlyValues == nil }
        compiled =
            listed + tried.filter { $0.matcher.operation == .notEqual }
            + tried.filter { $0.matcher.operation != .notEqual }
        byCost = compiled
        nameMatchers = compiled.filter { $0.matcher.name == Labels.metricNameLabel }
        self.matchers = compiled.filter { $0.matcher.name != Labels.metricNameLabel }
        let name = nameMatchers.lazy.compactMap(\.onlyValue).first { !$0.isEmpty }
        requiredPrefix = name.map { Labels([(Labels.metricNameLabel, $0)]).bytes } ?? []
    }

    /// The same for the store's callers, who are told of a bad pattern in the store's errors.
    static func compiled(_ matchers: [LabelMatcher]) throws(StoreError) -> Self {
        do throws(PatternError) {
            return try Self(matchers)
        } catch {
            throw .pattern(error)
        }
    }

    /// Whether label sets from `first` up to, but not with, `next` can match.
    ///
    /// `next` is nil at the end.
    func canMatch(from first: Labels, before next: Labels?) -> Bool {
        guard !requiredPrefix.isEmpty else { return true }
        if let next, next.bytes.lexicographicallyPrecedes(requiredPrefix) { return false }
        return !requiredPrefix.lexicographicallyPrecedes(first.bytes.prefix(requiredPrefix.count))
    }

    /// A matcher run that remembers the last metric name: neighbours share it.
    struct Run {
        private let matchers: StreamMatchers
        private var lastName: ArraySlice<UInt8>?
        private var lastNameMatches = false

        init(_ matchers: StreamMatchers) { self.matchers = matchers }

        mutating func matches(_ labels: Labels) throws(PatternError) -> Bool {
            if !matchers.nameMatchers.isEmpty {
                let range = labels.valueRange(of: Labels.metricNameLabel)
                let name = range.map { labels.bytes[$0] } ?? []
                if lastName == nil || lastName.map({ !$0.elementsEqual(name) }) ?? true {
                    lastName = name
                    lastNameMatches = true
                    for matcher in matchers.nameMatchers where try !matcher.matches(value: name) {
                        lastNameMatches = false
                        break
                    }
                }
                guard lastNameMatches else { return false }
            }
            for matcher in matchers.matchers where try !matcher.matches(labels) { return false }
            return true
        }
    }
}
