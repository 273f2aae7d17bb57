internal import WeirCore

/// Names and labels, which are read once a series.
extension ExpositionParser {
    /// The labels of `name{…}`, `{"name",…}` or `{__name__="name",…}`, with the extra ones.
    mutating func labels(
        _ bytes: Span<UInt8>,
        _ prefix: Range<Int>
    ) throws(ExpositionError) -> Labels {
        scratch.removeAll(keepingCapacity: true)
        builder.pairs.removeAll(keepingCapacity: true)
        let brace = Self.find(UInt8(ascii: "{"), in: bytes, prefix)
        var nameEnd = brace
        while nameEnd > prefix.lowerBound, bytes[nameEnd - 1] == 0x20 || bytes[nameEnd - 1] == 0x09
        {
            nameEnd -= 1
        }
        let name = prefix.lowerBound..<nameEnd
        if !name.isEmpty {
            guard Self.isMetricName(bytes, name) else { throw .badName(shown(bytes, name)) }
            let range = append(bytes, name)
            builder.pairs.append(LabelBuilder.Pair(name: metricName(), value: range))
        }
        if brace < prefix.upperBound {
            try readBraces(bytes, (brace + 1)..<(prefix.upperBound - 1), hasName: name.isEmpty)
        }
        if options.normalisesBounds { normaliseBounds() }
        try addExtraLabels()
        let texts = scratch
        do throws(SeriesError) {
            return try builder.finish(texts.span)
        } catch {
            throw .series(error)
        }
    }

    private mutating func normaliseBounds() {
        let name = Array((familyType == .summary ? "quantile" : "le").utf8)
        guard familyType == .summary || familyType == .histogram else { return }
        for place in builder.pairs.indices {
            let pair = builder.pairs[place]
            guard scratch[pair.name].elementsEqual(name),
                let bound = NumberText.float(scratch.span, pair.value)
            else { continue }
            let start = scratch.count
            scratch += FloatText.label(bound).utf8
            builder.pairs[place].value = start..<scratch.count
        }
    }

    private mutating func addExtraLabels() throws(ExpositionError) {
        for label in options.extraLabels {
            let name = Array(label.name.utf8)
            let start = scratch.count
            scratch += name
            scratch += label.value.utf8
            let own = start..<(start + name.count)
            let texts = scratch
            builder.pairs.removeAll { pair in
                pair.name.count == name.count && texts[pair.name].elementsEqual(texts[own])
            }
            builder.pairs.append(
                LabelBuilder.Pair(name: own, value: own.upperBound..<scratch.count)
            )
        }
    }

    /// Where `__name__` lies in the scratch bytes.
    private mutating func metricName() -> Range<Int> {
        let start = scratch.count
        scratch += Labels.metricNameLabel.utf8
        return start..<scratch.count
    }

    private mutating func append(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        let start = scratch.count
        let run = bytes.extracting(range)
        // SAFETY: the buffer is copied inside the closure.
        unsafe run.withUnsafeBufferPointer { unsafe scratch.append(contentsOf: $0) }
        return start..<scratch.count
    }

    /// Reads what stands between braces into `builder.pairs`, whose ranges lie in `scratch`.
    ///
    /// `hasName`: a quoted string of its own may stand there, which is the metric's name.
    mutating func readBraces(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        hasName: Bool
    ) throws(ExpositionError) {
        var cursor = Self.skipBlanks(bytes, range)
        while cursor < range.upperBound {
            let start = cursor
            var name: Range<Int>
            let isQuoted = bytes[cursor] == UInt8(ascii: "\"")
            if isQuoted {
                name = try readString(bytes, &cursor, range.upperBound)
            } else {
                while cursor < range.upperBound, Self.isLabelByte(bytes[cursor]) { cursor += 1 }
                guard cursor > start, !Self.isDigit(bytes[start]) else {
                    throw .badLabelName(
                        shown(bytes, start..<Self.skipWord(bytes, start..<range.upperBound))
                    )
                }
                name = append(bytes, start..<cursor)
            }
            cursor = Self.skipBlanks(bytes, cursor..<range.upperBound)
            if isQuoted, hasName, cursor == range.upperBound || bytes[cursor] == UInt8(ascii: ",") {
                builder.pairs.append(LabelBuilder.Pair(name: metricName(), value: name))
            } else {
                guard cursor < range.upperBound, bytes[cursor] == UInt8(ascii: "=") else {
                    throw .missingLabelValue(shown(bytes, start..<cursor))
                }
                cursor = Self.skipBlanks(bytes, (cursor + 1)..<range.upperBound)
                guard cursor < range.upperBound, bytes[cursor] == UInt8(ascii: "\"") else {
                    throw .missingLabelValue(shown(bytes, start..<cursor))
                }
                let value = try readString(bytes, &cursor, range.upperBound)
                builder.pairs.append(LabelBuilder.Pair(name: name, value: value))
                name = value
            }
            cursor = Self.skipBlanks(bytes, cursor..<range.upperBound)
            guard cursor < range.upperBound else { return }
            guard bytes[cursor] == UInt8(ascii: ",") else {
                throw .missingComma(shown(bytes, cursor..<(cursor + 1)))
            }
            cursor = Self.skipBlanks(bytes, (cursor + 1)..<range.upperBound)
        }
    }

    /// Reads a quoted string into `scratch`, where it then lies.
    mutating func readString(
        _ bytes: Span<UInt8>,
        _ cursor: inout Int,
        _ end: Int
    ) throws(ExpositionError) -> Range<Int> {
        let start = scratch.count
        cursor += 1
        while cursor < end {
            let byte = bytes[cursor]
            cursor += 1
            if byte == UInt8(ascii: "\"") { return start..<scratch.count }
            guard byte == UInt8(ascii: "\\") else {
                scratch.append(byte)
                continue
            }
            guard cursor < end else { break }
            try readEscape(bytes, &cursor, end)
        }
        throw .unterminatedString
    }

    private mutating func readEscape(
        _ bytes: Span<UInt8>,
        _ cursor: inout Int,
        _ end: Int
    ) throws(ExpositionError) {
        let byte = bytes[cursor]
        cursor += 1
        switch byte {
        case UInt8(ascii: "\\"), UInt8(ascii: "\""): scratch.append(byte)
        case UInt8(ascii: "n"): scratch.append(0x0A)
        default:
            guard options.format == .dump else {
                // As Prometheus reads it: no escape at all.
                scratch.append(UInt8(ascii: "\\"))
                scratch.append(byte)
                return
            }
            try readGoEscape(bytes, byte, &cursor, end)
        }
    }

    /// The further escapes of Go's quoted strings.
    private mutating func readGoEscape(
        _ bytes: Span<UInt8>,
        _ byte: UInt8,
        _ cursor: inout Int,
        _ end: Int
    ) throws(ExpositionError) {
        let plain: [UInt8: UInt8] = [
            UInt8(ascii: "a"): 7, UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12,
            UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9, UInt8(ascii: "v"): 11,
            UInt8(ascii: "'"): UInt8(ascii: "'"),
        ]
        if let value = plain[byte] { return scratch.append(value) }
        let digitCounts: [UInt8: Int] = [
            UInt8(ascii: "x"): 2, UInt8(ascii: "u"): 4, UInt8(ascii: "U"): 8,
        ]
        guard let count = digitCounts[byte], end - cursor >= count,
            let value = UInt32(LabelBuilder.text(cursor..<(cursor + count), bytes), radix: 16)
        else { throw .badEscape(shown(bytes, (cursor - 2)..<cursor)) }
        cursor += count
        if byte == UInt8(ascii: "x") {
            scratch.append(UInt8(truncatingIfNeeded: value))
        } else {
            guard let scalar = Unicode.Scalar(value) else {
                throw .badEscape(shown(bytes, (cursor - count - 2)..<cursor))
            }
            scratch += String(scalar).utf8
        }
    }

    /// Whether a name may stand there without quotes.
    static func isMetricName(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard let first = range.first, !isDigit(bytes[first]) else { return false }
        for index in range where !isLabelByte(bytes[index]) && bytes[index] != UInt8(ascii: ":") {
            return false
        }
        return true
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    private static func isLabelByte(_ byte: UInt8) -> Bool {
        let letter = byte | 0x20
        return (letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "z")) || isDigit(byte)
            || byte == UInt8(ascii: "_")
    }
}
