/// A regular expression anchored at both ends whose groups are written into a template, as
/// `label_replace` wants it.
///
/// The same limits as `Pattern`. Safe to use from any thread.
package final class CapturePattern: Sendable {
    private let code: CompiledCode

    package init(_ text: String) throws(PatternError) { code = try CompiledCode(text, .anchored) }

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
        guard let groups = try code.groups(in: subject) else { return nil }
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
        return code.groupNumber(of: name)
    }
}
