internal import CPCRE2

/// A regular expression anchored at both ends whose groups are written into a template, as
/// `label_replace` wants it.
///
/// The same limits as `Pattern`. Safe to use from any thread.
@safe
package final class CapturePattern: @unchecked Sendable {
    private let text: String
    private let code: OpaquePointer
    private let context: OpaquePointer

    package init(_ text: String) throws(PatternError) {
        guard text.utf8.count <= Pattern.lengthMax else {
            throw .tooLong(length: text.utf8.count, limit: Pattern.lengthMax)
        }
        self.text = text
        let wrapped = Array("^(?s:\(text))$".utf8)
        var errorCode: CInt = 0
        var errorOffset = 0
        let options =
            PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | UInt32(bitPattern: Int32(PCRE2_NEVER_BACKSLASH_C))
        let compiled = unsafe wrapped.withUnsafeBufferPointer { buffer in
            unsafe pcre2_compile_8(
                buffer.baseAddress,
                buffer.count,
                options,
                &errorCode,
                &errorOffset,
                nil
            )
        }
        guard let compiled = unsafe compiled else {
            throw .invalid(
                pattern: text,
                offset: max(0, errorOffset - 5),
                reason: "PCRE2 error \(errorCode)"
            )
        }
        guard let context = unsafe pcre2_match_context_create_8(nil) else {
            fatalError("out of memory: pcre2_match_context_create")
        }
        unsafe pcre2_set_match_limit_8(context, UInt32(Pattern.matchStepsMax))
        unsafe pcre2_set_depth_limit_8(context, 10_000)
        unsafe pcre2_set_heap_limit_8(context, 16 * 1024)
        unsafe self.code = compiled
        unsafe self.context = context
    }

    deinit {
        unsafe pcre2_match_context_free_8(context)
        unsafe pcre2_code_free_8(code)
    }

    /// Matches the whole of `value` and expands `template`: `$1`, `${1}`, `$name`, `${name}`, `$$`;
    /// a group that is not there or took no part is empty.
    ///
    /// - Returns: Nil when `value` does not match.
    /// - Throws: `.tooExpensive`; `.tooLong` when the result would have more than `lengthMax` bytes.
    package func rewrite(
        _ value: String,
        as template: String,
        lengthMax: Int
    ) throws(PatternError) -> String? {
        let subject = Array(value.utf8)
        guard let groups = try groups(in: subject) else { return nil }
        var output: [UInt8] = []
        let bytes = Array(template.utf8)
        var index = 0
        while index < bytes.count {
            guard output.count <= lengthMax else {
                throw .tooLong(length: output.count, limit: lengthMax)
            }
            guard bytes[index] == UInt8(ascii: "$"), index + 1 < bytes.count else {
                output.append(bytes[index])
                index += 1
                continue
            }
            if bytes[index + 1] == UInt8(ascii: "$") {
                output.append(UInt8(ascii: "$"))
                index += 2
                continue
            }
            let isBraced = bytes[index + 1] == UInt8(ascii: "{")
            let start = index + (isBraced ? 2 : 1)
            var end = start
            while end < bytes.count, Self.isWord(bytes[end]) { end += 1 }
            let isClosed = !isBraced || (end < bytes.count && bytes[end] == UInt8(ascii: "}"))
            guard end > start, isClosed else {
                // No reference after all: the dollar stands for itself.
                output.append(bytes[index])
                index += 1
                continue
            }
            let name = String(decoding: bytes[start..<end], as: UTF8.self)
            if let number = number(of: name), number < groups.count, let range = groups[number] {
                output.append(contentsOf: subject[range])
            }
            index = isBraced ? end + 1 : end
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private func number(of name: String) -> Int? {
        if name.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
            return Int(name)
        }
        let number = unsafe name.withCString { pointer in
            unsafe pointer.withMemoryRebound(to: UInt8.self, capacity: name.utf8.count + 1) {
                unsafe pcre2_substring_number_from_name_8(code, $0)
            }
        }
        return number > 0 ? Int(number) : nil
    }

    /// The byte range of each group, the whole match first; nil without a match.
    private func groups(in subject: [UInt8]) throws(PatternError) -> [Range<Int>?]? {
        // SAFETY: the match data lives until the end of this function; the subject until then.
        guard let data = unsafe pcre2_match_data_create_from_pattern_8(code, nil) else {
            fatalError("out of memory: pcre2_match_data_create")
        }
        defer { unsafe pcre2_match_data_free_8(data) }
        let padded = subject + [0]
        let outcome = unsafe padded.withUnsafeBufferPointer { buffer in
            unsafe pcre2_match_8(code, buffer.baseAddress, subject.count, 0, 0, data, context)
        }
        switch outcome {
        case PCRE2_ERROR_MATCHLIMIT, PCRE2_ERROR_DEPTHLIMIT, PCRE2_ERROR_JIT_STACKLIMIT,
            PCRE2_ERROR_HEAPLIMIT:
            throw .tooExpensive(pattern: text, limit: Pattern.matchStepsMax)
        case ..<1: return nil
        default: break
        }
        guard let pairs = unsafe pcre2_get_ovector_pointer_8(data) else { return nil }
        let count = Int(unsafe pcre2_get_ovector_count_8(data))
        return (0..<count).map { group in
            // SAFETY: the vector has `count` pairs; unset groups hold the largest number.
            let start = unsafe pairs[group * 2]
            let end = unsafe pairs[group * 2 + 1]
            guard group < Int(outcome), start <= end, end <= subject.count else { return nil }
            return start..<end
        }
    }
}
