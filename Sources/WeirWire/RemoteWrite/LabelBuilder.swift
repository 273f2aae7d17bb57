internal import WeirCore

/// Makes labels of byte ranges, in canonical form, without strings in between.
struct LabelBuilder {
    /// Where a name and a value lie in a body.
    struct Pair {
        var name: Range<Int>
        var value: Range<Int>
    }

    let options: MetricOptions
    var pairs: [Pair] = []

    init(options: MetricOptions) { self.options = options }

    private static let metricName = Array(Labels.metricNameLabel.utf8)

    /// The labels of `pairs`, which are used up; empty values vanish.
    ///
    /// Names that ascend, as every sender has them, need no sorting.
    mutating func finish(_ bytes: Span<UInt8>) throws(SeriesError) -> Labels {
        defer { pairs.removeAll(keepingCapacity: true) }
        pairs.removeAll { $0.value.isEmpty && !$0.name.isEmpty }
        guard pairs.count <= options.labelsMax &+ 1 else {
            throw .tooManyLabels(count: pairs.count, limit: options.labelsMax)
        }
        var byteCount = 0
        for pair in pairs { byteCount &+= pair.name.count &+ pair.value.count &+ 4 }
        guard let place = pairs.firstIndex(where: { Self.isMetricName($0.name, bytes) }) else {
            throw .noName
        }
        let metric = pairs.remove(at: place)
        for index in pairs.indices.dropFirst() {
            guard Self.precedes(pairs[index - 1].name, pairs[index].name, bytes) else {
                pairs = Self.sorted(pairs, bytes)
                break
            }
        }
        for index in pairs.indices.dropFirst()
        where !Self.precedes(pairs[index - 1].name, pairs[index].name, bytes) {
            throw .duplicateLabel(Self.text(pairs[index].name, bytes))
        }
        if pairs.contains(where: { Self.isMetricName($0.name, bytes) }) {
            throw .duplicateLabel(Labels.metricNameLabel)
        }
        var output: [UInt8] = []
        output.reserveCapacity(byteCount)
        guard metric.value.count <= options.labelNameBytesMax else {
            throw .nameTooLong(bytes: metric.value.count, limit: options.labelNameBytesMax)
        }
        output.append(0)
        try Self.append(metric.value, bytes, to: &output)
        for pair in pairs {
            guard !pair.name.isEmpty else { throw .emptyLabelName }
            guard pair.name.count <= options.labelNameBytesMax else {
                throw .nameTooLong(bytes: pair.name.count, limit: options.labelNameBytesMax)
            }
            guard pair.value.count <= options.labelValueBytesMax else {
                throw .valueTooLong(
                    label: Self.text(pair.name, bytes),
                    bytes: pair.value.count,
                    limit: options.labelValueBytesMax
                )
            }
            try Self.append(pair.name, bytes, to: &output)
            try Self.append(pair.value, bytes, to: &output)
        }
        guard output.count <= Labels.bytesMax else {
            throw .labelsTooLong(bytes: output.count, limit: Labels.bytesMax)
        }
        return Labels(trusted: output)
    }

    private static func append(
        _ range: Range<Int>,
        _ bytes: Span<UInt8>,
        to output: inout [UInt8]
    ) throws(SeriesError) {
        UInt64(range.count).appendVarint(to: &output)
        var bits: UInt8 = 0
        for index in range {
            // SAFETY: the reader that made the range proved that it lies inside `bytes`.
            let byte = unsafe bytes[unchecked: index]
            bits |= byte
            output.append(byte)
        }
        guard bits < 0x80 || isUTF8(range, bytes) else { throw .notUTF8 }
    }

    static func isUTF8(_ range: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
        String(validating: copy(range, bytes), as: UTF8.self) != nil
    }

    static func copy(_ range: Range<Int>, _ bytes: Span<UInt8>) -> [UInt8] {
        let run = bytes.extracting(range)
        // SAFETY: the buffer is copied inside the closure.
        return unsafe run.withUnsafeBufferPointer { unsafe Array($0) }
    }

    /// For messages, and for text whose bytes need not be right.
    static func text(_ range: Range<Int>, _ bytes: Span<UInt8>) -> String {
        String(decoding: copy(range, bytes), as: UTF8.self)
    }

    private static func isMetricName(_ range: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
        guard range.count == metricName.count else { return false }
        for (offset, byte) in metricName.enumerated() where bytes[range.lowerBound + offset] != byte
        {
            return false
        }
        return true
    }

    private static func precedes(
        _ left: Range<Int>,
        _ right: Range<Int>,
        _ bytes: Span<UInt8>
    ) -> Bool {
        let count = min(left.count, right.count)
        for offset in 0..<count {
            let leftByte = bytes[left.lowerBound + offset]
            let rightByte = bytes[right.lowerBound + offset]
            if leftByte != rightByte { return leftByte < rightByte }
        }
        return left.count < right.count
    }

    private static func sorted(_ pairs: [Pair], _ bytes: Span<UInt8>) -> [Pair] {
        // A closure cannot hold the span: names are copied out, which unsorted senders pay for.
        pairs.map { (name: copy($0.name, bytes), pair: $0) }
            .sorted { $0.name.lexicographicallyPrecedes($1.name) }
            .map(\.pair)
    }
}
