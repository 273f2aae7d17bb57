package import WeirCore

/// What a caller knows of a field's values, and an encoder need not find out.
package struct FieldHints: Sendable {
    /// Whether a filter over the tokens is worth its bytes.
    package var isFiltered: Bool
    /// Whether rows side by side are alike, so that their codes repeat in patterns.
    package var codesRepeat: Bool

    package init(isFiltered: Bool = true, codesRepeat: Bool = false) {
        self.isFiltered = isFiltered
        self.codesRepeat = codesRepeat
    }
}

/// Encodes the fields of blocks: for each the codec that suits its values, chosen by looking at
/// them.
///
/// Owns buffers and a page encoder: keep one per thread.
package final class FieldEncoder {
    private let encoder: PageEncoder
    private var scratch = EncodingScratch()
    /// What was found out of the field encoded last: its next block is likely to be alike.
    private var trial = Trial(name: "")
    /// Texts that are looked at to choose between templates and plain text.
    private static let sampleCount = 256
    /// The most entries of a column's dictionary.
    static let dictionaryMax = 4096

    /// Whether templates pay for a field, found out anew every so many blocks.
    private struct Trial {
        static let blocksMax = 8

        let name: String
        var paysTemplates: Bool?
        var blocksLeft = 0
    }

    package init(encoder: PageEncoder) { self.encoder = encoder }

    /// Forgets what was found out of fields, so that what comes is encoded as a new encoder would.
    package func startAnew() { trial = Trial(name: "") }

    /// Encodes one field: appends its entry to `directory` and its pages to `area`.
    ///
    /// - Parameters:
    ///   - column: Its rows are rows of the block; at least one.
    ///   - rowCount: The block's.
    ///   - hints: What is known of the values.
    ///   - directory: What `FieldEntry` reads.
    ///   - area: Stored pages end to end, in the order of the entries.
    package func encode(
        _ column: FieldColumn,
        rowCount: Int,
        hints: FieldHints = FieldHints(),
        directory: inout [UInt8],
        area: inout [UInt8]
    ) {
        if column.name != trial.name { trial = Trial(name: column.name) }
        let kind = column.commonKind
        write(
            encodeValues(column.values, hints),
            name: column.name,
            kind: kind,
            kinds: kind == nil ? column.kinds : [],
            rows: column.isComplete(rowCount: rowCount) ? nil : column.rows,
            count: column.count,
            rowCount: rowCount,
            directory: &directory,
            area: &area
        )
    }

    /// Encodes a field whose texts are known to be few; at least one row has it.
    package func encode(
        _ column: CodedColumn,
        directory: inout [UInt8],
        area: inout [UInt8]
    ) {
        // The texts of this block alone, in the order they come.
        var codeOfEntry = [Int32](repeating: -1, count: column.entries.count)
        var entries = BytesColumn()
        var codes: [UInt16] = []
        var rows: [UInt32] = []
        codes.reserveCapacity(column.codes.count)
        rows.reserveCapacity(column.codes.count)
        var kinds: Set<UInt8> = []
        for (row, entry) in column.codes.enumerated() where entry >= 0 {
            var code = codeOfEntry[Int(entry)]
            if code < 0 {
                code = Int32(entries.count)
                codeOfEntry[Int(entry)] = code
                entries.append(Int(entry), of: column.entries)
                kinds.insert(column.kinds[Int(entry)])
            }
            codes.append(UInt16(truncatingIfNeeded: code))
            rows.append(UInt32(row))
        }
        let isConstant =
            entries.count == 1 && entries.bytes.count <= TextRun.constantBytesMax
        guard kinds.count == 1, isConstant || entries.count * 4 <= codes.count,
            entries.count <= Self.dictionaryMax, let kind = kinds.first
        else {
            return encode(
                column.column,
                rowCount: column.codes.count,
                directory: &directory,
                area: &area
            )
        }
        write(
            isConstant
                ? encodeConstant(entries)
                : encodeDictionary(codes, entries, FieldHints(codesRepeat: true)),
            name: column.name,
            kind: FieldKind(rawValue: kind),
            kinds: [],
            rows: rows,
            count: rows.count,
            rowCount: column.codes.count,
            directory: &directory,
            area: &area
        )
    }

    private func write(
        _ encoded: EncodedValues,
        name: String,
        kind: FieldKind?,
        kinds: [UInt8],
        rows: [UInt32]?,
        count: Int,
        rowCount: Int,
        directory: inout [UInt8],
        area: inout [UInt8]
    ) {
        var pages: [EncodedPage] = []
        let hasPresence = count < rowCount
        if hasPresence, let rows {
            pages.append(encoder.encode(RowPresence.encode(rows, rowCount: rowCount)))
        }
        if kind == nil { pages.append(encoder.encode(kinds)) }
        if let filter = encoded.filter {
            pages.append(encoder.encode(filter, matching: .none))
        }
        pages.append(contentsOf: encoded.pages)
        let name = Array(name.utf8.prefix(FieldEntry.nameBytesMax))
        UInt64(name.count).appendVarint(to: &directory)
        directory.append(contentsOf: name)
        directory.append(
            (kind?.rawValue ?? 0) | (hasPresence ? 8 : 0) | (encoded.filter != nil ? 16 : 0)
                | encoded.codec << 5
        )
        UInt64(count).appendVarint(to: &directory)
        directory.append(contentsOf: encoded.head)
        for page in pages {
            PageEntry(page).append(to: &directory)
            area.append(contentsOf: page.bytes)
        }
    }

    private struct EncodedValues {
        var codec: UInt8
        /// What the entry says of the codec, and the zone.
        var head: [UInt8]
        var filter: [UInt8]?
        var pages: [EncodedPage]
    }

    private func encodeValues(_ values: BytesColumn, _ hints: FieldHints) -> EncodedValues {
        if TextRun.isConstant(values) { return encodeConstant(values) }
        if let (codes, dictionary) = TextDictionary.encode(
            values,
            limit: Self.dictionaryMax,
            share: 8
        ) {
            return encodeDictionary(codes, dictionary.entries, hints)
        }
        if let (form, integers) = TextForm.recognise(values) {
            return encodeNumbers(form, integers)
        }
        let digits = TextRun.hexadecimalDigits(values)
        let isID = digits != nil || TextRun.areUUIDs(values)
        if !isID, let encoded = encodeTemplates(values) { return encoded }
        return encodeUnlike(values, digits: digits, isFiltered: hints.isFiltered)
    }

    private func encodeDictionary(
        _ codes: [UInt16],
        _ texts: BytesColumn,
        _ hints: FieldHints
    ) -> EncodedValues {
        var head: [UInt8] = []
        var entries: [UInt8] = []
        UInt64(texts.count).appendVarint(to: &head)
        BytesRun.encode(
            texts,
            rows: 0..<texts.count,
            head: &head,
            body: &entries,
            scratch: &scratch
        )
        Self.appendZone(texts, to: &head)
        var bytes = codes.map { UInt8(truncatingIfNeeded: $0) }
        if texts.count > 256 {
            for code in codes { bytes.append(UInt8(truncatingIfNeeded: code >> 8)) }
        }
        return EncodedValues(
            codec: 1,
            head: head,
            filter: nil,
            pages: [
                encoder.encode(entries, matching: .only),
                encoder.encode(bytes, matching: hints.codesRepeat ? .only : .tried),
            ]
        )
    }

    private func encodeNumbers(_ form: TextForm, _ integers: [Int64]) -> EncodedValues {
        var head: [UInt8] = []
        var body: [UInt8] = []
        TextRun.encodeNumbers(form, integers, head: &head, body: &body, scratch: &scratch)
        var least = Int64.max
        var greatest = Int64.min
        for integer in integers {
            least = min(least, integer)
            greatest = max(greatest, integer)
        }
        UInt64(zigZag: least).appendVarint(to: &head)
        UInt64(zigZag: greatest).appendVarint(to: &head)
        return EncodedValues(
            codec: 0,
            head: head,
            filter: nil,
            pages: body.isEmpty ? [] : [encoder.encode(body)]
        )
    }

    private func encodeConstant(_ values: BytesColumn) -> EncodedValues {
        var head: [UInt8] = []
        var body: [UInt8] = []
        TextRun.encode(values, head: &head, body: &body, scratch: &scratch)
        Self.appendZone(BytesColumn(gathering: [0], of: values), to: &head)
        return EncodedValues(codec: 0, head: head, filter: nil, pages: [])
    }

    /// As ids or plain text, with a filter over the tokens.
    private func encodeUnlike(
        _ values: BytesColumn,
        digits: Int?,
        isFiltered: Bool
    ) -> EncodedValues {
        var head: [UInt8] = []
        var body: [UInt8] = []
        TextRun.encodeUnlike(values, digits: digits, head: &head, body: &body, scratch: &scratch)
        Self.appendZone(values, to: &head)
        var tokens = TokenFilter.Builder()
        if !body.isEmpty, isFiltered {
            let bytes = values.bytes
            let span = bytes.span
            for index in 0..<values.count {
                let text = span.extracting(values.range(index))
                var start = 0
                while let token = TextWords.nextToken(in: text, from: start) {
                    start = token.upperBound
                    let token = text.extracting(token)
                    if token.count >= TokenFilter.tokenBytesMin, TextWords.hasDigit(token) {
                        tokens.add(token)
                    }
                }
            }
        }
        let areIDs = digits.map { Self.areDistinct(body, $0 / 2) } ?? false
        return EncodedValues(
            codec: 0,
            head: head,
            filter: body.isEmpty || !isFiltered ? nil : tokens.encoded(),
            pages: body.isEmpty
                ? [] : [encoder.encode(body, matching: areIDs ? .none : .only)]
        )
    }

    /// Whether the first ids of a run are all different: then all are as random as can be.
    private static func areDistinct(_ body: [UInt8], _ width: Int) -> Bool {
        var seen: Set<ArraySlice<UInt8>> = []
        for start in stride(from: 0, to: min(body.count, width * sampleCount), by: width) {
            guard seen.insert(body[start..<(start + width)]).inserted else { return false }
        }
        return true
    }

    /// As templates and variables; nil where that does not pay.
    private func encodeTemplates(_ values: BytesColumn) -> EncodedValues? {
        if trial.blocksLeft == 0 { trial.paysTemplates = nil }
        let isPaid = trial.paysTemplates ?? pays(values)
        if trial.paysTemplates == nil {
            trial.paysTemplates = isPaid
            trial.blocksLeft = Trial.blocksMax
        }
        trial.blocksLeft -= 1
        guard isPaid else { return nil }
        var splitter = TemplateSplitter()
        let templatesMax = min(1 << 16, max(64, values.count / 2))
        guard splitter.split(values, templatesMax: templatesMax) else { return nil }
        let raw = TemplateColumn.encode(values, splitter, scratch: &scratch)
        guard raw.slots.count <= PageDecoder.rawCountMax,
            raw.templates.count <= PageDecoder.rawCountMax
        else { return nil }
        var head: [UInt8] = []
        Self.appendZone(values, to: &head)
        return EncodedValues(
            codec: 2,
            head: head,
            filter: splitter.tokens.encoded(),
            pages: [
                encoder.encode(raw.templates, matching: .only),
                encoder.encode(raw.codes),
                encoder.encode(raw.slots, matching: .only),
            ]
        )
    }

    /// Encodes a sample both ways and compares.
    private func pays(_ values: BytesColumn) -> Bool {
        let step = max(1, values.count / Self.sampleCount)
        var sample = BytesColumn()
        for index in stride(from: 0, to: values.count, by: step) {
            sample.append(index, of: values)
        }
        var splitter = TemplateSplitter()
        guard splitter.split(sample, templatesMax: max(32, sample.count * 3 / 4)) else {
            return false
        }
        let raw = TemplateColumn.encode(sample, splitter, scratch: &scratch)
        var head: [UInt8] = []
        var body: [UInt8] = []
        BytesRun.encode(
            sample,
            rows: 0..<sample.count,
            head: &head,
            body: &body,
            scratch: &scratch
        )
        let plain = encoder.encode(body, matching: .only).bytes.count
        let split =
            encoder.encode(raw.templates, matching: .only).bytes.count
            + encoder.encode(raw.codes).bytes.count
            + encoder.encode(raw.slots, matching: .only).bytes.count
        return split < plain
    }

    private static func appendZone(_ values: BytesColumn, to head: inout [UInt8]) {
        let bytes = values.bytes
        let span = bytes.span
        var least = 0
        var greatest = 0
        for index in 1..<max(1, values.count) {
            let text = span.extracting(values.range(index))
            if precedes(text, span.extracting(values.range(least))) { least = index }
            if precedes(span.extracting(values.range(greatest)), text) { greatest = index }
        }
        for index in [least, greatest] {
            let prefix = values[index].prefix(FieldEntry.zoneBytesMax)
            UInt64(prefix.count).appendVarint(to: &head)
            head.append(contentsOf: prefix)
        }
    }

    @inline(__always)
    private static func precedes(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
        let count = min(left.count, right.count)
        for index in 0..<count where left[index] != right[index] {
            return left[index] < right[index]
        }
        return left.count < right.count
    }
}
