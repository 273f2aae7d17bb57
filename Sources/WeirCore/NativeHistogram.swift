/// A histogram as one sample: buckets whose bounds follow from a schema, or are its own.
///
/// Under schemas -4...8 bucket `i` of the positive side holds what is above `base^(i-1)` and up to
/// `base^i`, where `base` is 2^(2^-schema); the negative side mirrors it, and what is within
/// `zeroThreshold` of zero is in a bucket of its own. Under `customSchema` bucket `i` is above
/// `customBounds[i-1]` and up to `customBounds[i]`. Source: Prometheus's native histograms.
package struct NativeHistogram: Hashable, Sendable {
    /// The schema of histograms with bounds of their own.
    package static let customSchema: Int8 = -53
    package static let schemas: ClosedRange<Int8> = -4...8

    /// Neighbouring buckets: `offset` skips buckets since the end of the span before, or gives the
    /// first span's first index.
    package struct BucketSpan: Hashable, Sendable {
        package var offset: Int32
        package var length: UInt32

        package init(offset: Int32, length: UInt32) {
            self.offset = offset
            self.length = length
        }
    }

    /// What is known of whether a counter began anew since the sample before.
    package enum ResetHint: UInt8, Hashable, Sendable {
        case unknown = 0
        case reset = 1
        case noReset = 2
        /// A gauge's histogram, whose counts may fall.
        case gauge = 3
    }

    /// One side's buckets: `counts` holds one number per bucket of `spans`, each bucket's own count.
    package struct Side: Hashable, Sendable {
        package var spans: [BucketSpan] = []
        package var counts: [Double] = []

        package init(spans: [BucketSpan] = [], counts: [Double] = []) {
            self.spans = spans
            self.counts = counts
        }

        package var isEmpty: Bool { counts.isEmpty }
    }

    package var schema: Int8 = 0
    package var resetHint = ResetHint.unknown
    /// Whether the counts were sent as floating point numbers.
    package var hasFloatCounts = false
    package var zeroThreshold = 0.0
    package var zeroCount = 0.0
    /// Observations, those that are NaN included; `Double.staleMarker` as `sum` ends a series.
    package var count = 0.0
    package var sum = 0.0
    package var positive = Side()
    package var negative = Side()
    /// Upper bounds, ascending, without infinity; empty but under `customSchema`.
    package var customBounds: [Double] = []

    package init() {}

    /// Bytes it takes in memory, about.
    package var byteCount: Int {
        let spans = positive.spans.count + negative.spans.count
        let counts = positive.counts.count + negative.counts.count
        return 256 + 8 * (spans + counts + customBounds.count)
    }

    package var hasCustomBounds: Bool { schema == Self.customSchema }
    package var isStale: Bool { sum.bitPattern == Double.staleMarker.bitPattern }
}

extension RowBatch {
    /// Appends one row of `Signal.histograms`.
    package mutating func append(_ histogram: NativeHistogram, stream: UInt32, time: Int64) {
        precondition(signal == .histograms)
        streamIndexes.append(stream)
        times.append(time)
        histogram.append(to: &columns)
    }
}

extension NativeHistogram {
    /// Appends to the columns of `StreamSchema.histograms`.
    ///
    /// Of what ends a series only the mark is kept, whatever came with it.
    package func append(to columns: inout [ColumnValues]) {
        var kept = self
        if isStale {
            kept = NativeHistogram()
            kept.sum = sum
        }
        columns[0].floats.append(kept.count)
        columns[1].floats.append(kept.sum)
        columns[2].floats.append(kept.zeroCount)
        columns[3].texts.append(kept.layoutBytes)
        columns[4].texts.append(kept.bucketBytes)
    }

    /// What seldom changes from sample to sample: schema, hint, form of counts, zero threshold, spans
    /// and bounds; numbers as varints, doubles as eight bytes.
    private var layoutBytes: [UInt8] {
        var bytes: [UInt8] = [
            UInt8(bitPattern: schema), resetHint.rawValue, hasFloatCounts ? 1 : 0,
        ]
        bytes.appendLittleEndian(zeroThreshold.bitPattern)
        for side in [positive, negative] {
            UInt64(side.spans.count).appendVarint(to: &bytes)
            for span in side.spans {
                UInt64(zigZag: Int64(span.offset)).appendVarint(to: &bytes)
                UInt64(span.length).appendVarint(to: &bytes)
            }
        }
        UInt64(customBounds.count).appendVarint(to: &bytes)
        for bound in customBounds { bytes.appendLittleEndian(bound.bitPattern) }
        return bytes
    }

    /// The counts of both sides: doubles where they are no whole numbers, else each one's
    /// difference from the one before, as a varint.
    private var bucketBytes: [UInt8] {
        var bytes: [UInt8] = []
        let counts = positive.counts + negative.counts
        let whole = counts.compactMap { Int64(exactly: $0) }
        guard whole.count == counts.count, whole.allSatisfy({ $0.magnitude < 1 << 53 }) else {
            bytes.append(1)
            for count in counts { bytes.appendLittleEndian(count.bitPattern) }
            return bytes
        }
        bytes.append(0)
        var previous: Int64 = 0
        for count in whole {
            UInt64(zigZag: count - previous).appendVarint(to: &bytes)
            previous = count
        }
        return bytes
    }
}

extension NativeHistogram {
    /// More buckets on one side than any sender has.
    package static let bucketsMax = 16384

    /// Reads a row of `StreamSchema.histograms` back.
    ///
    /// - Throws: `DecodeError` where the bytes are none that `append(to:)` wrote.
    package init(row: Int, of columns: [ColumnValues]) throws(DecodeError) {
        count = columns[0].floats[row]
        sum = columns[1].floats[row]
        zeroCount = columns[2].floats[row]
        let layout = columns[3].texts[row]
        try readLayout(layout.span)
        let buckets = columns[4].texts[row]
        var reader = ByteReader(buckets.span)
        let hasDoubles = try reader.readByte() == 1
        var previous: Int64 = 0
        positive.counts = try Self.counts(
            try Self.bucketCount(positive.spans),
            hasDoubles: hasDoubles,
            after: &previous,
            in: &reader
        )
        negative.counts = try Self.counts(
            try Self.bucketCount(negative.spans),
            hasDoubles: hasDoubles,
            after: &previous,
            in: &reader
        )
    }

    private mutating func readLayout(_ bytes: Span<UInt8>) throws(DecodeError) {
        var reader = ByteReader(bytes)
        schema = Int8(bitPattern: try reader.readByte())
        resetHint = ResetHint(rawValue: try reader.readByte()) ?? .unknown
        hasFloatCounts = try reader.readByte() == 1
        zeroThreshold = Double(bitPattern: try reader.readUInt64())
        positive.spans = try Self.spans(in: &reader)
        negative.spans = try Self.spans(in: &reader)
        for _ in 0..<(try reader.readCount(limit: Self.bucketsMax)) {
            customBounds.append(Double(bitPattern: try reader.readUInt64()))
        }
    }

    private static func spans(in reader: inout ByteReader) throws(DecodeError) -> [BucketSpan] {
        var spans: [BucketSpan] = []
        for _ in 0..<(try reader.readCount(limit: bucketsMax)) {
            let offset = Int64(zigZag: try reader.readVarint())
            let length = try reader.readCount(limit: bucketsMax)
            spans.append(
                BucketSpan(offset: Int32(truncatingIfNeeded: offset), length: UInt32(length))
            )
        }
        return spans
    }

    private static func bucketCount(_ spans: [BucketSpan]) throws(DecodeError) -> Int {
        let count = spans.reduce(0) { $0 + Int($1.length) }
        guard count <= bucketsMax else {
            throw .countTooLarge(offset: 0, count: UInt64(count), limit: bucketsMax)
        }
        return count
    }

    private static func counts(
        _ count: Int,
        hasDoubles: Bool,
        after previous: inout Int64,
        in reader: inout ByteReader
    ) throws(DecodeError) -> [Double] {
        var counts: [Double] = []
        for _ in 0..<count {
            if hasDoubles {
                counts.append(Double(bitPattern: try reader.readUInt64()))
            } else {
                previous &+= Int64(zigZag: try reader.readVarint())
                counts.append(Double(previous))
            }
        }
        return counts
    }
}
