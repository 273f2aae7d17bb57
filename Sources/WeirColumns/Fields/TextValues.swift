internal import WeirCore

/// Texts as a column has them once its pages are read: still as numbers, ids or codes.
enum TextValues: Sendable {
    case constant([UInt8])
    /// A code per value, below the count of entries.
    case dictionary(codes: TextCodes, entries: BytesColumn)
    case numbers(TextForm, [Int64])
    /// Two digits to a byte.
    case hexadecimal(digits: Int, [UInt8])
    case uuid([UInt8])
    case texts(BytesColumn)

    /// Appends value `index`.
    func append(_ index: Int, to output: inout [UInt8]) {
        switch self {
        case .constant(let text): output.append(contentsOf: text)
        case .dictionary(let codes, let entries):
            output.append(contentsOf: entries[codes[index]])
        case .numbers(let form, let integers): form.append(integers[index], to: &output)
        case .hexadecimal(let digits, let bytes):
            let width = digits / 2
            for offset in 0..<width { Self.appendHex(bytes[index * width + offset], to: &output) }
        case .uuid(let bytes):
            for offset in 0..<16 {
                if offset == 4 || offset == 6 || offset == 8 || offset == 10 { output.append(0x2D) }
                Self.appendHex(bytes[index * 16 + offset], to: &output)
            }
        case .texts(let texts): output.append(contentsOf: texts[index])
        }
    }

    private static func appendHex(_ byte: UInt8, to output: inout [UInt8]) {
        output.append(hexDigit(byte >> 4))
        output.append(hexDigit(byte & 15))
    }

    private static func hexDigit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? 0x30 + nibble : 0x57 + nibble
    }

    /// The rows whose values pass; a value that stands many times is tested once.
    ///
    /// `indexes`: Each row's value; nil when they are 0 and up.
    func filter(_ rows: [UInt32], indexes: [Int32]?, _ test: TextTest) -> [UInt32] {
        var passing: [UInt32] = []
        func index(_ place: Int) -> Int { indexes.map { Int($0[place]) } ?? place }
        switch self {
        case .constant(let text): return test.passes(text.span) ? rows : []
        case .dictionary(let codes, let entries):
            let bytes = entries.bytes
            var verdicts: [Bool] = []
            for entry in 0..<entries.count {
                let span = bytes.span
                verdicts.append(test.passes(span.extracting(entries.range(entry))))
            }
            guard verdicts.contains(true) else { return [] }
            guard verdicts.contains(false) else { return rows }
            if let indexes {
                for place in 0..<rows.count where verdicts[codes[Int(indexes[place])]] {
                    passing.append(rows[place])
                }
            } else {
                for place in 0..<rows.count where verdicts[codes[place]] {
                    passing.append(rows[place])
                }
            }
        case .texts(let texts):
            let bytes = texts.bytes
            for place in 0..<rows.count {
                let range = texts.range(index(place))
                let span = bytes.span
                if test.passes(span.extracting(range)) { passing.append(rows[place]) }
            }
        case .numbers(let form, let integers) where test.form == .equals:
            let text = test.required[0]
            let wanted = form.integer(text.span)
            for place in 0..<rows.count
            where (integers[index(place)] == wanted) != test.isNegated {
                passing.append(rows[place])
            }
        case .hexadecimal(let digits, let bytes) where test.form == .equals:
            let wanted = Self.packed(test.required[0])
            guard let wanted, test.required[0].count == digits else {
                return test.isNegated ? rows : []
            }
            for place in 0..<rows.count
            where Self.isID(wanted, at: index(place), of: bytes) != test.isNegated {
                passing.append(rows[place])
            }
        case .uuid(let bytes) where test.form == .equals:
            let text = test.required[0]
            guard text.count == 36, TextWords.isUUID(text.span, at: 0),
                let wanted = Self.packed(text.filter { $0 != 0x2D })
            else { return test.isNegated ? rows : [] }
            for place in 0..<rows.count
            where Self.isID(wanted, at: index(place), of: bytes) != test.isNegated {
                passing.append(rows[place])
            }
        default:
            var text: [UInt8] = []
            for place in 0..<rows.count {
                text.removeAll(keepingCapacity: true)
                append(index(place), to: &text)
                if test.passes(text.span) { passing.append(rows[place]) }
            }
        }
        return passing
    }

    /// Lower-case hexadecimal digits, two to a byte; nil for any other text.
    private static func packed(_ text: [UInt8]) -> [UInt8]? {
        guard text.count % 2 == 0, text.allSatisfy(TextWords.isLowerHex) else { return nil }
        func nibble(_ digit: UInt8) -> UInt8 { digit < 0x3A ? digit &- 0x30 : digit &- 0x57 }
        return stride(from: 0, to: text.count, by: 2).map {
            nibble(text[$0]) << 4 | nibble(text[$0 + 1])
        }
    }

    private static func isID(_ wanted: [UInt8], at index: Int, of bytes: [UInt8]) -> Bool {
        let start = index * wanted.count
        for offset in wanted.indices where bytes[start + offset] != wanted[offset] { return false }
        return true
    }
}
