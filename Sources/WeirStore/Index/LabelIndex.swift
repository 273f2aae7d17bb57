internal import Synchronization
internal import WeirCore
internal import WeirPattern

/// Which of a segment's streams have which labels: a dictionary of values per label.
///
/// Made from the stream index when it is first asked for. Immutable but for what it remembers of
/// regular expressions. Safe to use from many threads.
final class LabelIndex: Sendable {
    let streamCount: Int
    /// In ascending order of name.
    let columns: [LabelColumn]
    /// What the index takes in memory.
    let byteCount: Int
    /// The values that satisfied matchers which had to be tried on every value.
    private let verdicts = Mutex(Verdicts())

    private struct Verdicts {
        var values: [Question: [UInt32]] = [:]
        var count = 0
    }

    /// A matcher by its bytes: texts that look alike are equal as strings, and not as labels.
    private struct Question: Hashable {
        let name: [UInt8]
        let operation: LabelMatcher.Operation
        let value: [UInt8]

        init(_ matcher: LabelMatcher) {
            name = Array(matcher.name.utf8)
            operation = matcher.operation
            value = Array(matcher.value.utf8)
        }
    }

    private static let verdictsMax = 64
    private static let verdictValuesMax = 1 << 18
    /// Fewer streams than this are looked at one by one rather than trying every value of a label.
    private static let fewStreamsMax = 64

    /// - Returns: Nil when it would be too large.
    init?(_ builder: consuming LabelIndexBuilder) {
        guard !builder.isTooLarge else { return nil }
        streamCount = builder.streamCount
        columns = builder.labels.map { LabelColumn($0) }.sorted {
            $0.name.lexicographicallyPrecedes($1.name)
        }
        byteCount = columns.reduce(0) { $0 + $1.byteCount }
    }

    func column(_ name: String) -> LabelColumn? {
        let bytes = name == Labels.metricNameLabel ? [] : Array(name.utf8)
        let place = columns.partitioningIndex { !$0.name.lexicographicallyPrecedes(bytes) }
        guard place < columns.count, columns[place].name == bytes else { return nil }
        return columns[place]
    }

    /// The streams that satisfy `matchers`, which come cheapest first.
    ///
    /// - Returns: The streams, and the matchers that are still to be tried on each of them.
    func streams(
        matching matchers: [CompiledMatcher]
    ) throws(PatternError) -> (streams: StreamSet, rest: ArraySlice<CompiledMatcher>) {
        var found = StreamSet(streamCount: streamCount, isFull: true)
        var count = streamCount
        for (index, matcher) in matchers.enumerated() {
            guard let column = column(matcher.matcher.name) else {
                if try matcher.matches(value: []) { continue }
                return (StreamSet(streamCount: streamCount), [])
            }
            if count <= Self.fewStreamsMax, matcher.onlyValues == nil {
                return (found, matchers[index...])
            }
            found.formIntersection(try streams(of: column, matching: matcher))
            count = found.count
            if count == 0 { break }
        }
        return (found, [])
    }

    private func streams(
        of column: LabelColumn,
        matching matcher: CompiledMatcher
    ) throws(PatternError) -> StreamSet {
        let values = try values(of: column, matching: matcher)
        // A stream without the label has the empty value, which no column lists.
        guard try matcher.matches(value: []) else {
            var found = StreamSet(streamCount: streamCount)
            for value in values {
                column.forEachRun(of: Int(value)) {
                    found.insert($0)
                    return true
                }
            }
            return found
        }
        var found = StreamSet(streamCount: streamCount, isFull: true)
        var next = 0
        for value in 0..<column.valueCount {
            if next < values.count, values[next] == UInt32(value) {
                next += 1
                continue
            }
            column.forEachRun(of: value) {
                found.remove($0)
                return true
            }
        }
        return found
    }

    /// The values that satisfy the matcher, ascending: each distinct value is tried once.
    private func values(
        of column: LabelColumn,
        matching matcher: CompiledMatcher
    ) throws(PatternError) -> [UInt32] {
        if let listed = matcher.onlyValues {
            return Set(listed.compactMap { column.index(of: $0) }).map { UInt32($0) }.sorted()
        }
        let question = Question(matcher.matcher)
        if let known = verdicts.withLock({ $0.values[question] }) { return known }
        var values: [UInt32] = []
        for value in 0..<column.valueCount where try matcher.matches(value: column.value(value)) {
            values.append(UInt32(value))
        }
        verdicts.withLock { verdicts in
            guard values.count <= Self.verdictValuesMax else { return }
            let isFull =
                verdicts.values.count >= Self.verdictsMax
                || verdicts.count + values.count > Self.verdictValuesMax
            if isFull { verdicts = Verdicts() }
            if verdicts.values.updateValue(values, forKey: question) == nil {
                verdicts.count += values.count
            }
        }
        return values
    }

    /// The values of `column` that one of `streams` has, ascending; all when `streams` is nil.
    func values(of column: LabelColumn, among streams: StreamSet?) -> [ArraySlice<UInt8>] {
        (0..<column.valueCount).filter { has($0, of: column, among: streams) }.map {
            column.value($0)
        }
    }

    /// Whether one of `streams` has the label.
    func hasValue(of column: LabelColumn, among streams: StreamSet?) -> Bool {
        (0..<column.valueCount).contains { has($0, of: column, among: streams) }
    }

    private func has(_ value: Int, of column: LabelColumn, among streams: StreamSet?) -> Bool {
        guard let streams else { return true }
        var isFound = false
        column.forEachRun(of: value) {
            isFound = streams.intersects($0)
            return !isFound
        }
        return isFound
    }
}

/// Takes a segment's streams in order.
struct LabelIndexBuilder {
    private(set) var streamCount = 0
    private(set) var labels: [GatheredLabel] = []
    private var places: [[UInt8]: Int] = [:]

    var isTooLarge: Bool { labels.contains(where: \.isTooLarge) }

    /// What it takes in memory.
    var byteCount: Int { labels.reduce(0) { $0 + $1.byteCount } }

    mutating func append(_ streamLabels: Labels) {
        let bytes = streamLabels.bytes
        var cursor = LabelsCursor(bytes)
        var place = 0
        while let pair = try? cursor.next() {
            // Most streams of a segment have the labels of the one before.
            let isNext = place < labels.count && labels[place].name.elementsEqual(bytes[pair.name])
            if !isNext { place = find(Array(bytes[pair.name])) }
            labels[place].add(bytes, pair.value, stream: streamCount)
            place += 1
        }
        streamCount += 1
    }

    private mutating func find(_ name: [UInt8]) -> Int {
        if let place = places[name] { return place }
        places[name] = labels.count
        labels.append(GatheredLabel(name: name))
        return labels.count - 1
    }
}
