internal import CPCRE2

/// A pattern compiled by PCRE2, with limits on the work one match may take.
///
/// Immutable once made, JIT-compiled where that is possible; safe to match from many threads.
@safe
final class CompiledCode: @unchecked Sendable {
    let text: String
    let code: OpaquePointer
    let context: OpaquePointer

    /// What is put before and behind the user's text.
    struct Wrapping {
        let prefix: String
        let suffix: String

        /// Nothing: the pattern is searched for.
        static let none = Wrapping(prefix: "", suffix: "")
        /// Anchored at both ends, a dot matches any character: as Prometheus's matchers are.
        static let anchored = Wrapping(prefix: "^(?s:", suffix: ")$")
    }

    /// - Throws: `PatternError.tooLong` or `.invalid`, with the offset in the user's text.
    ///
    /// `takesInvalidUTF8`: Subjects may hold bytes that are no UTF-8; no character matches those.
    init(
        _ text: String,
        _ wrapping: Wrapping,
        takesInvalidUTF8: Bool = false
    ) throws(PatternError) {
        guard text.utf8.count <= Pattern.lengthMax else {
            throw .tooLong(length: text.utf8.count, limit: Pattern.lengthMax)
        }
        self.text = text
        let bytes = Array((wrapping.prefix + text + wrapping.suffix).utf8) + [0]
        var errorCode: CInt = 0
        var errorOffset = 0
        var options =
            PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | UInt32(bitPattern: Int32(PCRE2_NEVER_BACKSLASH_C))
        if takesInvalidUTF8 { options |= PCRE2_MATCH_INVALID_UTF }
        let compiled = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe pcre2_compile_8(
                buffer.baseAddress,
                buffer.count - 1,
                options,
                &errorCode,
                &errorOffset,
                nil
            )
        }
        guard let compiled = unsafe compiled else {
            let offset = min(max(0, errorOffset - wrapping.prefix.utf8.count), text.utf8.count)
            throw .invalid(pattern: text, offset: offset, reason: Self.message(errorCode))
        }
        guard let context = unsafe pcre2_match_context_create_8(nil) else {
            fatalError("out of memory: pcre2_match_context_create")
        }
        unsafe pcre2_set_match_limit_8(context, UInt32(Pattern.matchStepsMax))
        unsafe pcre2_set_depth_limit_8(context, 10_000)
        unsafe pcre2_set_heap_limit_8(context, 16 * 1024)
        // A pattern that JIT cannot take is interpreted: same answers, same limits.
        _ = unsafe pcre2_jit_compile_8(compiled, UInt32(PCRE2_JIT_COMPLETE))
        unsafe self.code = compiled
        unsafe self.context = context
    }

    deinit {
        unsafe pcre2_match_context_free_8(context)
        unsafe pcre2_code_free_8(code)
    }

    private static func message(_ code: CInt) -> String {
        var message = [UInt8](repeating: 0, count: 256)
        let length = unsafe message.withUnsafeMutableBufferPointer { buffer in
            unsafe pcre2_get_error_message_8(code, buffer.baseAddress, buffer.count)
        }
        return String(decoding: message.prefix(max(0, Int(length))), as: UTF8.self)
    }

    /// Says whether the pattern matches `subject`.
    ///
    /// - Throws: `PatternError.tooExpensive`.
    func matches(_ subject: UnsafeBufferPointer<UInt8>) throws(PatternError) -> Bool {
        guard let data = unsafe pcre2_match_data_create_8(1, nil) else {
            fatalError("out of memory: pcre2_match_data_create")
        }
        defer { unsafe pcre2_match_data_free_8(data) }
        return try unsafe run(subject, data) >= 0
    }

    /// The byte range of each group, the whole match first; nil without a match.
    func groups(in subject: [UInt8]) throws(PatternError) -> [Range<Int>?]? {
        guard let data = unsafe pcre2_match_data_create_from_pattern_8(code, nil) else {
            fatalError("out of memory: pcre2_match_data_create")
        }
        defer { unsafe pcre2_match_data_free_8(data) }
        // SAFETY: the match data refers to the subject only while this function runs.
        let outcome = try unsafe subject.withUnsafeBufferPointer { buffer throws(PatternError) in
            try unsafe run(buffer, data)
        }
        guard outcome > 0, let pairs = unsafe pcre2_get_ovector_pointer_8(data) else { return nil }
        let count = Int(unsafe pcre2_get_ovector_count_8(data))
        return (0..<count).map { group in
            // SAFETY: the vector has `count` pairs; unset groups hold the largest number.
            let start = unsafe pairs[group * 2]
            let end = unsafe pairs[group * 2 + 1]
            guard group < Int(outcome), start <= end, end <= subject.count else { return nil }
            return start..<end
        }
    }

    private func run(
        _ subject: UnsafeBufferPointer<UInt8>,
        _ data: OpaquePointer
    ) throws(PatternError) -> CInt {
        let empty: [UInt8] = [0]
        // SAFETY: PCRE2 reads `subject.count` bytes; an empty subject borrows another's start.
        let outcome = unsafe empty.withUnsafeBufferPointer { fallback in
            unsafe pcre2_match_8(
                code,
                subject.baseAddress ?? fallback.baseAddress,
                subject.count,
                0,
                0,
                data,
                context
            )
        }
        try check(outcome)
        return outcome
    }

    /// - Throws: `PatternError.tooExpensive` when `outcome` says that a limit was reached.
    func check(_ outcome: CInt) throws(PatternError) {
        switch outcome {
        case PCRE2_ERROR_MATCHLIMIT, PCRE2_ERROR_DEPTHLIMIT, PCRE2_ERROR_JIT_STACKLIMIT,
            PCRE2_ERROR_HEAPLIMIT:
            throw .tooExpensive(pattern: text, limit: Pattern.matchStepsMax)
        default: return
        }
    }

    /// The number of the group called `name`, or nil.
    func groupNumber(of name: String) -> Int? {
        let number = unsafe name.withCString { pointer in
            unsafe pointer.withMemoryRebound(to: UInt8.self, capacity: name.utf8.count + 1) {
                unsafe pcre2_substring_number_from_name_8(code, $0)
            }
        }
        return number > 0 ? Int(number) : nil
    }
}
