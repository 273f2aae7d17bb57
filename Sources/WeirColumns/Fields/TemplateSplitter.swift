internal import WeirCore

/// Takes texts apart into templates and variables.
///
/// A variable is a word that has a digit, a number with its points, or a UUID; everything else is
/// the template's. Texts are given back exactly. The rules: docs/format/fields.md.
struct TemplateSplitter {
    /// Stands for a variable in a template; a text that has it is one variable as a whole.
    static let marker: UInt8 = 0x1A
    /// A text with more variables is one variable as a whole.
    static let variablesMax = 64
    /// A longer text is one variable as a whole.
    static let textBytesMax = 16 << 10

    /// One template per distinct key, in the order they came.
    private(set) var templates = TextDictionary()
    /// Each text's template.
    private(set) var codes: [UInt16] = []
    /// Where each text's variables lie in the texts' bytes, one after the other.
    private(set) var variables: [(start: UInt32, end: UInt32)] = []
    /// How many variables each template has.
    private(set) var variableCounts: [Int] = []
    private(set) var tokens = TokenFilter.Builder()
    private var key: [UInt8] = []

    /// Splits every text.
    ///
    /// - Returns: False when there are too many templates for this to pay.
    mutating func split(_ texts: BytesColumn, templatesMax: Int) -> Bool {
        codes.reserveCapacity(texts.count)
        let bytes = texts.bytes
        let span = bytes.span
        var start = 0
        for index in 0..<texts.count {
            let end = Int(texts.ends[index])
            let first = variables.count
            split(span, start..<end)
            let key = key
            let code = templates.code(key.span)
            guard code < templatesMax else { return false }
            if code == variableCounts.count { variableCounts.append(variables.count - first) }
            codes.append(UInt16(code))
            start = end
        }
        return true
    }

    /// One text's template and its variables.
    ///
    /// Texts are equal when these are: splitting sees nothing but the text.
    static func parts(of text: [UInt8]) -> (key: [UInt8], variables: [[UInt8]]) {
        var splitter = TemplateSplitter()
        splitter.split(text.span, 0..<text.count)
        let variables = splitter.variables.map { Array(text[Int($0.start)..<Int($0.end)]) }
        return (splitter.key, variables)
    }

    private mutating func split(_ text: Span<UInt8>, _ range: Range<Int>) {
        key.removeAll(keepingCapacity: true)
        let firstVariable = variables.count
        var index = range.lowerBound
        var copied = index
        var hasMarker = range.count > Self.textBytesMax
        let classes = TextWords.classes
        while index < range.upperBound {
            let byte = text[index]
            if classes[Int(byte)] == 0 {
                if byte == Self.marker { hasMarker = true }
                index &+= 1
                continue
            }
            let start = index
            var hasDigit = false
            while index < range.upperBound {
                let kind = classes[Int(text[index])]
                if kind == 0 { break }
                if kind == 2 { hasDigit = true }
                index &+= 1
            }
            guard hasDigit || isUUIDStart(text, start, range) else { continue }
            let end = variableEnd(text, start, wordEnd: index, range)
            addTokens(text, start, wordEnd: index, end: end, limit: range.upperBound)
            Self.append(text.extracting(copied..<start), to: &key)
            key.append(Self.marker)
            variables.append((UInt32(start), UInt32(end)))
            copied = end
            index = max(index, end)
        }
        if hasMarker || variables.count - firstVariable > Self.variablesMax {
            variables.removeLast(variables.count - firstVariable)
            variables.append((UInt32(range.lowerBound), UInt32(range.upperBound)))
            key.removeAll(keepingCapacity: true)
            key.append(Self.marker)
        } else {
            Self.append(text.extracting(copied..<range.upperBound), to: &key)
        }
    }

    private static func append(_ bytes: Span<UInt8>, to key: inout [UInt8]) {
        unsafe bytes.withUnsafeBufferPointer { unsafe key.append(contentsOf: $0) }
    }

    private func isUUIDStart(_ text: Span<UInt8>, _ start: Int, _ range: Range<Int>) -> Bool {
        start + 36 <= range.upperBound
            && text[start + 8 < range.upperBound ? start + 8 : start] == 0x2D
            && TextWords.isUUID(text.extracting(start..<range.upperBound), at: 0)
    }

    /// Where the variable that begins at `start` ends.
    private func variableEnd(
        _ text: Span<UInt8>,
        _ start: Int,
        wordEnd: Int,
        _ range: Range<Int>
    ) -> Int {
        if isUUIDStart(text, start, range) { return start + 36 }
        let classes = TextWords.classes
        guard classes[Int(text[start])] == 2 else { return wordEnd }
        // Digits, and points with digits after them.
        var end = start
        var dots = 0
        while end < range.upperBound {
            if classes[Int(text[end])] == 2 {
                end &+= 1
            } else if text[end] == 0x2E, end + 1 < range.upperBound,
                classes[Int(text[end + 1])] == 2, dots < 3
            {
                dots += 1
                end &+= 1
            } else {
                break
            }
        }
        var suffixEnd = end
        while suffixEnd < range.upperBound, classes[Int(text[suffixEnd])] != 0 { suffixEnd &+= 1 }
        if suffixEnd == end || TextWords.isUnit(text.extracting(end..<suffixEnd)) { return end }
        return max(suffixEnd, wordEnd)
    }

    /// Adds the tokens that overlap the variable: whole words, whatever the variable took of them.
    private mutating func addTokens(
        _ text: Span<UInt8>,
        _ start: Int,
        wordEnd: Int,
        end: Int,
        limit: Int
    ) {
        if wordEnd - start >= TokenFilter.tokenBytesMin,
            TextWords.hasDigit(text.extracting(start..<wordEnd))
        {
            tokens.add(text.extracting(start..<wordEnd))
        }
        guard end > wordEnd else { return }
        // A UUID or a number with points: the words after the first.
        var index = wordEnd
        let classes = TextWords.classes
        while index < end {
            guard classes[Int(text[index])] != 0 else {
                index += 1
                continue
            }
            var last = index
            while last < limit, classes[Int(text[last])] != 0 { last += 1 }
            if last - index >= TokenFilter.tokenBytesMin,
                TextWords.hasDigit(text.extracting(index..<last))
            {
                tokens.add(text.extracting(index..<last))
            }
            index = last
        }
    }
}
