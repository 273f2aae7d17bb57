internal import WeirCore

/// How a run of texts is kept: as the numbers or ids that all of them are, by a dictionary, or
/// plainly.
///
/// Layout: docs/format/fields.md.
struct TextRun: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case plain(BytesRun)
        case numbers(TextForm, IntegerRun)
        /// Lower-case hexadecimal texts of this many digits, two to a byte.
        case hexadecimal(digits: Int)
        case uuid
        /// Entries, then a code per text in one byte.
        case dictionary(entries: BytesRun, entryCount: Int)
        case constant([UInt8])
    }

    let count: Int
    let kind: Kind

    /// The bytes the run takes in its body.
    var bodyCount: Int {
        switch kind {
        case .plain(let run): run.bodyCount
        case .numbers(_, let run): run.bodyCount
        case .hexadecimal(let digits): count * digits / 2
        case .uuid: count * 16
        case .dictionary(let entries, _): entries.bodyCount + count
        case .constant: 0
        }
    }

    /// Reads a head.
    ///
    /// `count` has been checked by the caller.
    init(count: Int, from head: inout ByteReader) throws(DecodeError) {
        self.count = count
        let start = head.offset
        let tag = try head.readByte()
        switch tag {
        case 0: kind = .plain(try BytesRun(count: count, from: &head))
        case 1:
            let form = try TextForm(from: &head)
            kind = .numbers(form, try IntegerRun(count: count, from: &head))
        case 2:
            let digits = try head.readCount(limit: 128)
            guard digits > 0, digits % 2 == 0 else { throw .notCanonical(offset: start) }
            kind = .hexadecimal(digits: digits)
        case 3: kind = .uuid
        case 4:
            let entryCount = try head.readCount(limit: 256)
            kind = .dictionary(
                entries: try BytesRun(count: entryCount, from: &head),
                entryCount: entryCount
            )
        case 5:
            let length = try head.readCount(limit: head.remaining)
            kind = .constant(try head.readBytes(count: length))
        default: throw .unknownValue(offset: start, value: UInt64(tag))
        }
    }

    /// Decodes a body that is exactly this run's.
    func decode(_ body: Span<UInt8>) throws(DecodeError) -> TextValues {
        guard body.count == bodyCount else { throw .truncated(offset: 0, needed: bodyCount) }
        var scratch: [Int64] = []
        switch kind {
        case .plain(let run):
            var texts = BytesColumn()
            try run.decode(body, appendingTo: &texts, scratch: &scratch)
            return .texts(texts)
        case .numbers(let form, let run):
            scratch.reserveCapacity(count)
            try run.decode(body, appendingTo: &scratch)
            return .numbers(form, scratch)
        case .hexadecimal(let digits):
            return .hexadecimal(digits: digits, Array(copying: body))
        case .uuid: return .uuid(Array(copying: body))
        case .dictionary(let run, let entryCount):
            var entries = BytesColumn()
            let split = run.bodyCount
            try run.decode(body.extracting(0..<split), appendingTo: &entries, scratch: &scratch)
            let bytes = Array(copying: body.extracting(split..<body.count))
            guard let codes = TextCodes(bytes, count: count, entryCount: entryCount) else {
                throw .notCanonical(offset: split)
            }
            return .dictionary(codes: codes, entries: entries)
        case .constant(let text): return .constant(text)
        }
    }
}

extension [UInt8] {
    init(copying span: Span<UInt8>) {
        self = unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
    }
}

// MARK: - Writing

extension TextRun {
    /// Encodes `values`: appends the head to `head` and the body to `body`.
    static func encode(
        _ values: BytesColumn,
        head: inout [UInt8],
        body: inout [UInt8],
        scratch: inout EncodingScratch
    ) {
        if values.count > 0, isConstant(values) {
            head.append(5)
            UInt64(values.range(0).count).appendVarint(to: &head)
            head.append(contentsOf: values[0])
            return
        }
        if values.count >= 16,
            let (codes, dictionary) = TextDictionary.encode(values, limit: 256, share: 8)
        {
            head.append(4)
            UInt64(dictionary.count).appendVarint(to: &head)
            BytesRun.encode(
                dictionary.entries,
                rows: 0..<dictionary.count,
                head: &head,
                body: &body,
                scratch: &scratch
            )
            for code in codes { body.append(UInt8(code)) }
            return
        }
        if let (form, integers) = TextForm.recognise(values) {
            encodeNumbers(form, integers, head: &head, body: &body, scratch: &scratch)
            return
        }
        encodeUnlike(
            values,
            digits: hexadecimalDigits(values),
            head: &head,
            body: &body,
            scratch: &scratch
        )
    }

    /// Encodes texts that are no constant, do not repeat and are no numbers.
    ///
    /// - Parameters:
    ///   - values: The texts.
    ///   - digits: What `hexadecimalDigits` says of them.
    ///   - head: What tells how the body is to be read.
    ///   - body: The texts themselves.
    ///   - scratch: The caller's, to be reused.
    static func encodeUnlike(
        _ values: BytesColumn,
        digits: Int?,
        head: inout [UInt8],
        body: inout [UInt8],
        scratch: inout EncodingScratch
    ) {
        let bytes = values.bytes
        if let digits {
            head.append(2)
            UInt64(digits).appendVarint(to: &head)
            appendPairs(bytes.span, to: &body)
            return
        }
        if areUUIDs(values) {
            head.append(3)
            let span = bytes.span
            for start in stride(from: 0, to: span.count, by: 36) {
                var offset = 0
                while offset < 36 {
                    if span[start + offset] == 0x2D { offset += 1 }
                    body.append(
                        nibble(span[start + offset]) << 4 | nibble(span[start + offset + 1])
                    )
                    offset += 2
                }
            }
            return
        }
        head.append(0)
        BytesRun.encode(
            values,
            rows: 0..<values.count,
            head: &head,
            body: &body,
            scratch: &scratch
        )
    }

    static func encodeNumbers(
        _ form: TextForm,
        _ integers: [Int64],
        head: inout [UInt8],
        body: inout [UInt8],
        scratch: inout EncodingScratch
    ) {
        head.append(1)
        let code = form.code
        head.append(code.tag)
        UInt64(code.parameter).appendVarint(to: &head)
        IntegerRun.encode(
            integers.span,
            findsUnit: false,
            head: &head,
            body: &body,
            scratch: &scratch.residuals
        )
    }

    /// A longer constant is no constant: it would stand in the directory, which is read as a whole.
    static let constantBytesMax = 256

    static func isConstant(_ values: BytesColumn) -> Bool {
        let first = values.range(0)
        guard first.count <= constantBytesMax, values.bytes.count == first.count * values.count
        else { return false }
        let bytes = values.bytes
        let span = bytes.span
        for index in 1..<max(1, values.count) {
            let range = values.range(index)
            guard range.count == first.count,
                span.extracting(range).isEqual(to: span.extracting(first))
            else { return false }
        }
        return true
    }

    /// The length that all texts share, if they are lower-case hexadecimal and of even length.
    static func hexadecimalDigits(_ values: BytesColumn) -> Int? {
        let digits = values.count > 0 ? values.range(0).count : 0
        guard digits >= 8, digits <= 128, digits % 2 == 0,
            values.bytes.count == digits * values.count
        else { return nil }
        for index in 0..<values.count where values.range(index).count != digits { return nil }
        let bytes = values.bytes
        let span = bytes.span
        var index = 0
        while index + 8 <= span.count {
            guard HexDigits.half(span, at: index) != nil else { return nil }
            index += 8
        }
        while index < span.count {
            guard TextWords.isLowerHex(span[index]) else { return nil }
            index += 1
        }
        return digits
    }

    /// Appends a byte for each two of `digits`, which are lower-case hexadecimal.
    private static func appendPairs(_ digits: Span<UInt8>, to body: inout [UInt8]) {
        body.append(addingCapacity: digits.count / 2) { free in
            var index = 0
            while let word = HexDigits.half(digits, at: index) {
                free.append(UInt8(truncatingIfNeeded: word &>> 24))
                free.append(UInt8(truncatingIfNeeded: word &>> 16))
                free.append(UInt8(truncatingIfNeeded: word &>> 8))
                free.append(UInt8(truncatingIfNeeded: word))
                index &+= 8
            }
            while index < digits.count {
                free.append(nibble(digits[index]) << 4 | nibble(digits[index + 1]))
                index += 2
            }
        }
    }

    static func areUUIDs(_ values: BytesColumn) -> Bool {
        guard values.count > 0, values.bytes.count == 36 * values.count else { return false }
        let bytes = values.bytes
        for index in 0..<values.count {
            guard values.range(index).count == 36,
                TextWords.isUUID(bytes.span, at: index * 36)
            else { return false }
        }
        return true
    }

    private static func nibble(_ digit: UInt8) -> UInt8 {
        digit < 0x3A ? digit &- 0x30 : digit &- 0x57
    }
}
