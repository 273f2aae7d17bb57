internal import CPCRE2

/// A regular expression that is searched for anywhere in a text, as Go's `regexp` does it for
/// templates.
///
/// The same limits as `Pattern`. Safe to use from any thread.
@safe
package final class SearchPattern: Sendable {
    /// The longest text a replacement may grow to, in bytes.
    package static let outputBytesMax = 1 << 20

    private let code: CompiledCode

    package init(_ text: String) throws(PatternError) { code = try CompiledCode(text, .none) }

    /// Says whether the pattern occurs anywhere in `value`.
    package func occurs(in value: String) throws(PatternError) -> Bool {
        let subject = Array(value.utf8)
        return try unsafe subject.withUnsafeBufferPointer { buffer throws(PatternError) in
            try unsafe code.matches(buffer)
        }
    }

    /// Replaces every occurrence in `value` by `template`, in which `$1`, `${1}`, `$name` and
    /// `${name}` stand for groups and `$$` for a dollar; a group that is not there is empty.
    package func replacingAll(
        in value: String,
        with template: String
    ) throws(PatternError) -> String {
        let subject = Array(value.utf8) + [0]
        let replacement = Self.translated(template) + [0]
        let options =
            UInt32(PCRE2_SUBSTITUTE_GLOBAL) | UInt32(PCRE2_SUBSTITUTE_UNSET_EMPTY)
            | UInt32(PCRE2_SUBSTITUTE_UNKNOWN_UNSET)
        var output = [UInt8](
            repeating: 0,
            count: min(Self.outputBytesMax, subject.count * 2 + replacement.count * 4 + 256)
        )
        while true {
            var count = output.count
            // SAFETY: PCRE2 writes at most `count` bytes, its terminator among them.
            let outcome = unsafe subject.withUnsafeBufferPointer { subject in
                unsafe replacement.withUnsafeBufferPointer { replacement in
                    unsafe output.withUnsafeMutableBufferPointer { output in
                        unsafe pcre2_substitute_8(
                            code.code,
                            subject.baseAddress,
                            subject.count - 1,
                            0,
                            options,
                            nil,
                            code.context,
                            replacement.baseAddress,
                            replacement.count - 1,
                            output.baseAddress,
                            &count
                        )
                    }
                }
            }
            if outcome == PCRE2_ERROR_NOMEMORY, output.count < Self.outputBytesMax {
                output = [UInt8](
                    repeating: 0,
                    count: min(Self.outputBytesMax, output.count * 4)
                )
                continue
            }
            guard outcome >= 0 else {
                try code.check(outcome)
                throw .tooExpensive(pattern: code.text, limit: Self.outputBytesMax)
            }
            return String(decoding: output.prefix(count), as: UTF8.self)
        }
    }

    /// Go takes the longest word after a dollar as the group's name and lets other dollars be;
    /// PCRE2 wants braces round names, and other dollars doubled.
    private static func translated(_ template: String) -> [UInt8] {
        let dollar = UInt8(ascii: "$")
        let bytes = Array(template.utf8)
        var output: [UInt8] = []
        var index = 0
        while index < bytes.count {
            guard bytes[index] == dollar else {
                output.append(bytes[index])
                index += 1
                continue
            }
            let isDoubled = index + 1 < bytes.count && bytes[index + 1] == dollar
            let isBraced = index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "{")
            let start = index + (isBraced ? 2 : 1)
            let name = bytes[min(start, bytes.count)...].prefix { byte in
                byte == UInt8(ascii: "_")
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            }
            let isClosed =
                !isBraced
                || (name.endIndex < bytes.count && bytes[name.endIndex] == UInt8(ascii: "}"))
            if isDoubled || name.isEmpty || !isClosed || name.count > 32 {
                output += [dollar, dollar]
                index += isDoubled ? 2 : 1
            } else if isNumber(name) || !isNumber(name.prefix(1)) {
                output += [dollar, UInt8(ascii: "{")] + name + [UInt8(ascii: "}")]
                index = name.endIndex + (isBraced ? 1 : 0)
            } else {
                // A digit and letters: no group can be called so, and it is empty.
                index = name.endIndex + (isBraced ? 1 : 0)
            }
        }
        return output
    }

    private static func isNumber(_ name: ArraySlice<UInt8>) -> Bool {
        name.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
