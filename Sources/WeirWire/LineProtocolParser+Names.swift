internal import WeirCore

/// How names are read: once for each `measurement,tags` and each field that was not there before.
extension LineProtocolParser {
    func parsePrefix(
        _ bytes: Span<UInt8>,
        _ prefix: Range<Int>
    ) throws(LineProtocolError) -> LineSeries.Prefix {
        var cursor = prefix.lowerBound
        let measurementEnd = Self.skip(bytes, cursor..<prefix.upperBound, to: UInt8(ascii: ","))
        guard measurementEnd > cursor else { throw .missingMeasurement }
        let measurement = try text(bytes, cursor..<measurementEnd)
        cursor = measurementEnd
        var pairs: [(String, String)] = []
        while cursor < prefix.upperBound {
            cursor += 1
            let tagEnd = Self.skip(bytes, cursor..<prefix.upperBound, to: UInt8(ascii: ","))
            let keyEnd = Self.skip(bytes, cursor..<tagEnd, to: UInt8(ascii: "="))
            guard keyEnd < tagEnd, keyEnd > cursor else {
                throw .badTag(at: cursor - prefix.lowerBound)
            }
            let key = try text(bytes, cursor..<keyEnd)
            guard keyEnd + 1 < tagEnd else { throw .missingTagValue(tag: key) }
            let value = try text(bytes, (keyEnd + 1)..<tagEnd)
            try check(key: key, value: value)
            pairs.append((key, value))
            cursor = tagEnd
        }
        for label in options.extraLabels { pairs.append((label.name, label.value)) }
        guard pairs.count <= options.labelsMax else {
            throw .tooManyLabels(count: pairs.count, limit: options.labelsMax)
        }
        let tags = Labels(pairs).bytes
        // The series' name, of measurement and field, comes to it.
        let limit = Labels.bytesMax - 8 - 2 * options.labelNameBytesMax
        guard tags.count <= limit else { throw .labelsTooLong(bytes: tags.count, limit: limit) }
        return LineSeries.Prefix(measurement: measurement, tags: tags)
    }

    private func check(key: String, value: String) throws(LineProtocolError) {
        guard key != Labels.metricNameLabel else { throw .reservedTag(tag: key) }
        guard key.utf8.count <= options.labelNameBytesMax else {
            throw .labelNameTooLong(bytes: key.utf8.count, limit: options.labelNameBytesMax)
        }
        guard value.utf8.count <= options.labelValueBytesMax else {
            throw .labelValueTooLong(
                tag: key,
                bytes: value.utf8.count,
                limit: options.labelValueBytesMax
            )
        }
    }

    /// The first unescaped `stop` in `range`, or its end.
    private static func skip(_ bytes: Span<UInt8>, _ range: Range<Int>, to stop: UInt8) -> Int {
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = bytes[index]
            if byte == stop { return index }
            index += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        return range.upperBound
    }

    /// The text of a name: a backslash is taken away before a comma, an equals sign or a space.
    func text(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(LineProtocolError) -> String {
        var plain: [UInt8] = []
        plain.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            if bytes[index] == UInt8(ascii: "\\"), index + 1 < range.upperBound {
                let next = bytes[index + 1]
                let isEscape =
                    next == UInt8(ascii: ",") || next == UInt8(ascii: "=")
                    || next == UInt8(ascii: " ")
                if isEscape { index += 1 }
            }
            plain.append(bytes[index])
            index += 1
        }
        guard let text = String(validating: plain, as: UTF8.self) else { throw .invalidUTF8 }
        return text
    }
}
