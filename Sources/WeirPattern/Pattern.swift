internal import CPCRE2

/// Why a pattern from a user could not be used.
package enum PatternError: Error, Hashable {
    /// PCRE2 refused `pattern` at `offset` with `reason`.
    case invalid(pattern: String, offset: Int, reason: String)
    /// The pattern is longer than is allowed.
    case tooLong(length: Int, limit: Int)
    /// Matching took more steps than a pattern may: it would run away.
    case tooExpensive(pattern: String, limit: Int)
}

/// A compiled regular expression, anchored at both ends, with limits on length and on work.
///
/// Literal patterns and alternations of literals (`a|b|c`) are recognised and matched without
/// PCRE2. Safe to use from any thread.
@safe
package final class Pattern: Sendable {
    /// The longest pattern taken, in bytes.
    package static let lengthMax = 16 * 1024
    /// The most backtracking steps one match may take.
    package static let matchStepsMax = 1_000_000

    package let text: String
    /// The only values that match, when the pattern is plain literals; else nil.
    package let literals: [String]?
    private let code: UnsafeCode?

    /// Owns the compiled code.
    ///
    /// PCRE2 code is immutable after JIT compilation.
    @safe
    private final class UnsafeCode: @unchecked Sendable {
        let code: OpaquePointer
        let context: OpaquePointer
        init(code: OpaquePointer, context: OpaquePointer) {
            unsafe self.code = code
            unsafe self.context = context
        }
        deinit {
            unsafe pcre2_match_context_free_8(context)
            unsafe pcre2_code_free_8(code)
        }
    }

    package init(_ text: String) throws(PatternError) {
        guard text.utf8.count <= Self.lengthMax else {
            throw .tooLong(length: text.utf8.count, limit: Self.lengthMax)
        }
        self.text = text
        self.literals = Self.literalAlternatives(text)
        self.code = self.literals == nil ? try Self.compile(text) : nil
    }

    /// Says whether the whole of `value` matches.
    package func matches(_ value: String) throws(PatternError) -> Bool {
        if let literals { return literals.contains(value) }
        var value = value
        let outcome = value.withUTF8 { unsafe self.run($0) }
        return try interpret(outcome)
    }

    /// Says whether the whole of `value` matches, given as UTF-8 bytes.
    package func matches(_ value: ArraySlice<UInt8>) throws(PatternError) -> Bool {
        if let literals { return literals.contains { $0.utf8.elementsEqual(value) } }
        let outcome = unsafe value.withUnsafeBufferPointer { unsafe self.run($0) }
        return try interpret(outcome)
    }

    private func interpret(_ outcome: CInt) throws(PatternError) -> Bool {
        switch outcome {
        case 0...: return true
        case PCRE2_ERROR_MATCHLIMIT, PCRE2_ERROR_DEPTHLIMIT, PCRE2_ERROR_JIT_STACKLIMIT,
            PCRE2_ERROR_HEAPLIMIT:
            throw .tooExpensive(pattern: text, limit: Self.matchStepsMax)
        default: return false
        }
    }

    private func run(_ subject: UnsafeBufferPointer<UInt8>) -> CInt {
        guard let code else { return PCRE2_ERROR_NOMATCH }
        // SAFETY: `subject` outlives the call; the match data is made and freed here.
        guard let data = unsafe pcre2_match_data_create_8(1, nil) else {
            return PCRE2_ERROR_NOMATCH
        }
        defer { unsafe pcre2_match_data_free_8(data) }
        let empty: [UInt8] = [0]
        return unsafe empty.withUnsafeBufferPointer { fallback in
            unsafe pcre2_match_8(
                code.code,
                subject.baseAddress ?? fallback.baseAddress,
                subject.count,
                0,
                0,
                data,
                code.context
            )
        }
    }

    private static func compile(_ text: String) throws(PatternError) -> UnsafeCode {
        let wrapped = "^(?s:\(text))$"
        var errorCode: CInt = 0
        var errorOffset = 0
        let options =
            PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | UInt32(bitPattern: Int32(PCRE2_NEVER_BACKSLASH_C))
        let utf8 = Array(wrapped.utf8)
        let code = unsafe utf8.withUnsafeBufferPointer { buffer in
            unsafe pcre2_compile_8(
                buffer.baseAddress,
                buffer.count,
                options,
                &errorCode,
                &errorOffset,
                nil
            )
        }
        guard let code = unsafe code else {
            var message = [UInt8](repeating: 0, count: 256)
            let length = unsafe message.withUnsafeMutableBufferPointer { buffer in
                unsafe pcre2_get_error_message_8(errorCode, buffer.baseAddress, buffer.count)
            }
            throw .invalid(
                pattern: text,
                offset: max(0, errorOffset - 5),
                reason: String(decoding: message.prefix(max(0, Int(length))), as: UTF8.self)
            )
        }
        guard let context = unsafe pcre2_match_context_create_8(nil) else {
            fatalError("out of memory: pcre2_match_context_create")
        }
        unsafe pcre2_set_match_limit_8(context, UInt32(matchStepsMax))
        unsafe pcre2_set_depth_limit_8(context, 10_000)
        unsafe pcre2_set_heap_limit_8(context, 16 * 1024)
        // A pattern that JIT cannot take is interpreted: same answers, same limits.
        _ = unsafe pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE))
        return unsafe UnsafeCode(code: code, context: context)
    }

    private static func literalAlternatives(_ text: String) -> [String]? {
        let special = Set("\\.+*?()[]{}^$".utf8)
        guard !text.utf8.contains(where: { special.contains($0) }) else { return nil }
        return text.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
    }
}
