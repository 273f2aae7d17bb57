internal import WeirCore

extension TemplateColumn {
    /// The three pages of a column, not yet compressed.
    struct Pages {
        var templates: [UInt8] = []
        var codes: [UInt8] = []
        var slots: [UInt8] = []
    }

    /// Lays out what `splitter` made of `texts`.
    static func encode(
        _ texts: BytesColumn,
        _ splitter: TemplateSplitter,
        scratch: inout EncodingScratch
    ) -> Pages {
        var pages = Pages()
        let keyCount = splitter.templates.count
        UInt64(keyCount).appendVarint(to: &pages.templates)
        var keyBody: [UInt8] = []
        BytesRun.encode(
            splitter.templates.entries,
            rows: 0..<keyCount,
            head: &pages.templates,
            body: &keyBody,
            scratch: &scratch
        )
        pages.templates += keyBody
        var counts = [Int](repeating: 0, count: keyCount)
        for code in splitter.codes { counts[Int(code)] += 1 }
        for code in splitter.codes { pages.codes.append(UInt8(truncatingIfNeeded: code)) }
        if keyCount > 256 {
            for code in splitter.codes { pages.codes.append(UInt8(truncatingIfNeeded: code >> 8)) }
        }
        // The first variable of each text, by template.
        var starts = [Int](repeating: 0, count: keyCount + 1)
        for code in 0..<keyCount { starts[code + 1] = starts[code] + counts[code] }
        var firsts = [Int](repeating: 0, count: splitter.codes.count)
        var next = starts
        var shared = BytesColumn()
        let bytes = texts.bytes
        var variable = 0
        for code in splitter.codes {
            let code = Int(code)
            firsts[next[code]] = variable
            next[code] += 1
            let end = variable + splitter.variableCounts[code]
            if counts[code] < ownRowsMin {
                for index in variable..<end {
                    let (start, end) = splitter.variables[index]
                    shared.append(bytes.span.extracting(Int(start)..<Int(end)))
                }
            }
            variable = end
        }
        var values = BytesColumn()
        for code in 0..<keyCount where counts[code] >= ownRowsMin {
            for place in 0..<splitter.variableCounts[code] {
                values.removeAll()
                for first in firsts[starts[code]..<starts[code + 1]] {
                    let (start, end) = splitter.variables[first + place]
                    values.append(bytes.span.extracting(Int(start)..<Int(end)))
                }
                TextRun.encode(
                    values,
                    head: &pages.templates,
                    body: &pages.slots,
                    scratch: &scratch
                )
            }
        }
        if shared.count > 0 {
            TextRun.encode(shared, head: &pages.templates, body: &pages.slots, scratch: &scratch)
        }
        return pages
    }
}
