package import WeirCore

/// A native histogram as one word of text, which an export writes and an import reads back:
/// `{count:4,sum:5.5,schema:3,zero_threshold:0,zero_count:1,positive_spans:[-1:2,3:1],positive_buckets:[1,1,1]}`.
///
/// The form is that of the draft of OpenMetrics 2.0, and more where that says nothing: `negative_spans`,
/// `negative_buckets`, `custom_values`, `reset_hint` (`reset`, `no_reset`, `gauge`) and `counts:float`.
package enum NativeHistogramText {
    private static let hints: [(name: String, hint: NativeHistogram.ResetHint)] = [
        ("reset", .reset), ("no_reset", .noReset), ("gauge", .gauge),
    ]

    /// Why a text is no histogram.
    struct Failure: Error, Hashable {
        let reason: String
    }

    // MARK: Writing

    package static func append(_ histogram: NativeHistogram, to bytes: inout [UInt8]) {
        var text = "{count:\(number(histogram.count)),sum:\(number(histogram.sum))"
        text += ",schema:\(histogram.schema)"
        text += ",zero_threshold:\(number(histogram.zeroThreshold))"
        text += ",zero_count:\(number(histogram.zeroCount))"
        for (name, side) in [("negative", histogram.negative), ("positive", histogram.positive)]
        where !side.spans.isEmpty {
            let spans = side.spans.map { "\($0.offset):\($0.length)" }.joined(separator: ",")
            text += ",\(name)_spans:[\(spans)]"
            text += ",\(name)_buckets:[\(side.counts.map(number).joined(separator: ","))]"
        }
        if histogram.hasCustomBounds {
            let bounds = histogram.customBounds.map(number).joined(separator: ",")
            text += ",custom_values:[\(bounds)]"
        }
        if let hint = hints.first(where: { $0.hint == histogram.resetHint }) {
            text += ",reset_hint:\(hint.name)"
        }
        if histogram.hasFloatCounts { text += ",counts:float" }
        bytes += text.utf8
        bytes.append(UInt8(ascii: "}"))
    }

    /// A number that is read back to the bit.
    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value == value.rounded(), value.magnitude < 1e15, value != 0 || value.sign == .plus {
            return String(Int64(value))
        }
        return value.description
    }

    // MARK: Reading

    /// Reads the word in `range`; what it says hangs together.
    static func parse(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(Failure) -> NativeHistogram {
        guard range.count >= 2, bytes[range.lowerBound] == UInt8(ascii: "{"),
            bytes[range.upperBound - 1] == UInt8(ascii: "}")
        else { throw Failure(reason: "closing brace expected") }
        var histogram = NativeHistogram()
        var seen: Set<String> = []
        var cursor = range.lowerBound + 1
        let end = range.upperBound - 1
        while cursor < end {
            let colon = ExpositionParser.find(UInt8(ascii: ":"), in: bytes, cursor..<end)
            let name = LabelBuilder.text(cursor..<colon, bytes)
            guard colon < end, seen.insert(name).inserted else {
                throw Failure(reason: "\"\(name.prefix(64))\" stands alone, or twice")
            }
            var valueEnd = colon + 1
            var isList = false
            while valueEnd < end, isList || bytes[valueEnd] != UInt8(ascii: ",") {
                if bytes[valueEnd] == UInt8(ascii: "[") { isList = true }
                if bytes[valueEnd] == UInt8(ascii: "]") { isList = false }
                valueEnd += 1
            }
            try set(name, bytes, (colon + 1)..<valueEnd, in: &histogram)
            cursor = valueEnd + 1
        }
        for name in ["count", "sum", "schema"] where !seen.contains(name) {
            throw Failure(reason: "\(name) is missing")
        }
        guard
            NativeHistogram.schemas.contains(histogram.schema) || histogram.hasCustomBounds
        else { throw Failure(reason: "schema \(histogram.schema) is not known") }
        if !histogram.hasFloatCounts {
            let counts = histogram.positive.counts + histogram.negative.counts
            let all = counts + [histogram.count, histogram.zeroCount]
            guard all.allSatisfy({ $0 == $0.rounded() && $0.isFinite }) else {
                throw Failure(reason: "counts that are not whole need counts:float")
            }
        }
        do throws(SeriesError) {
            try HistogramMessage.check(histogram)
        } catch {
            throw Failure(reason: error.description)
        }
        return histogram
    }

    private static func set(
        _ name: String,
        _ bytes: Span<UInt8>,
        _ value: Range<Int>,
        in histogram: inout NativeHistogram
    ) throws(Failure) {
        switch name {
        case "count": histogram.count = try number(bytes, value)
        case "sum": histogram.sum = try number(bytes, value)
        case "schema": histogram.schema = try integer(bytes, value)
        case "zero_threshold": histogram.zeroThreshold = try number(bytes, value)
        case "zero_count": histogram.zeroCount = try number(bytes, value)
        case "negative_spans": histogram.negative.spans = try spans(bytes, value)
        case "negative_buckets": histogram.negative.counts = try numbers(bytes, value)
        case "positive_spans": histogram.positive.spans = try spans(bytes, value)
        case "positive_buckets": histogram.positive.counts = try numbers(bytes, value)
        case "custom_values": histogram.customBounds = try numbers(bytes, value)
        case "reset_hint":
            let text = LabelBuilder.text(value, bytes)
            guard let found = hints.first(where: { $0.name == text }) else {
                throw Failure(reason: "\"\(text.prefix(64))\" is no reset_hint")
            }
            histogram.resetHint = found.hint
        case "counts":
            guard LabelBuilder.text(value, bytes) == "float" else {
                throw Failure(reason: "counts may be float")
            }
            histogram.hasFloatCounts = true
        default: throw Failure(reason: "\"\(name.prefix(64))\" is no part of a histogram")
        }
    }

    /// The items of `[a,b,…]`.
    private static func items(
        _ bytes: Span<UInt8>,
        _ list: Range<Int>
    ) throws(Failure) -> [Range<Int>] {
        guard list.count >= 2, bytes[list.lowerBound] == UInt8(ascii: "["),
            bytes[list.upperBound - 1] == UInt8(ascii: "]")
        else { throw Failure(reason: "a list in brackets expected") }
        var items: [Range<Int>] = []
        var start = list.lowerBound + 1
        let end = list.upperBound - 1
        guard start < end else { return [] }
        while start <= end {
            guard items.count < NativeHistogram.bucketsMax else {
                throw Failure(reason: "more than \(NativeHistogram.bucketsMax) in a list")
            }
            let comma = ExpositionParser.find(UInt8(ascii: ","), in: bytes, start..<end)
            items.append(start..<comma)
            start = comma + 1
        }
        return items
    }

    private static func numbers(
        _ bytes: Span<UInt8>,
        _ list: Range<Int>
    ) throws(Failure) -> [Double] {
        var found: [Double] = []
        for item in try items(bytes, list) { found.append(try number(bytes, item)) }
        return found
    }

    /// `[offset:length,…]`.
    private static func spans(
        _ bytes: Span<UInt8>,
        _ list: Range<Int>
    ) throws(Failure) -> [NativeHistogram.BucketSpan] {
        var found: [NativeHistogram.BucketSpan] = []
        for item in try items(bytes, list) {
            let colon = ExpositionParser.find(UInt8(ascii: ":"), in: bytes, item)
            guard colon < item.upperBound else { throw Failure(reason: "offset:length expected") }
            found.append(
                NativeHistogram.BucketSpan(
                    offset: try integer(bytes, item.lowerBound..<colon),
                    length: try integer(bytes, (colon + 1)..<item.upperBound)
                )
            )
        }
        return found
    }

    private static func number(
        _ bytes: Span<UInt8>,
        _ text: Range<Int>
    ) throws(Failure) -> Double {
        guard !text.isEmpty, let value = NumberText.float(bytes, text) else {
            throw Failure(reason: "\"\(LabelBuilder.text(text, bytes).prefix(64))\" is no number")
        }
        return value.isNaN ? ExpositionParser.normalNaN : value
    }

    private static func integer<Value: FixedWidthInteger>(
        _ bytes: Span<UInt8>,
        _ text: Range<Int>
    ) throws(Failure) -> Value {
        guard !text.isEmpty, case .number(let value) = NumberText.integer(bytes, text),
            let fitting = Value(exactly: value)
        else {
            throw Failure(reason: "\"\(LabelBuilder.text(text, bytes).prefix(64))\" is no integer")
        }
        return fitting
    }
}
