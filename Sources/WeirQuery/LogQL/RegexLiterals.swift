/// What is certain of every text a regular expression matches, found without understanding all of
/// it: where in doubt, nothing is claimed.
package enum RegexLiterals {
    /// What a line pattern comes down to.
    package enum Form: Hashable, Sendable {
        /// It is found exactly where one of the texts is.
        case literals([[UInt8]])
        /// Texts that each occur in every match.
        case required([[UInt8]])
    }

    private static let special = Set("\\.+*?()[]{}^$|".utf8)

    /// Looks at a pattern that is searched for anywhere in a line.
    package static func form(of pattern: String) -> Form {
        let bytes = Array(pattern.utf8)
        let parts = bytes.split(separator: UInt8(ascii: "|"), omittingEmptySubsequences: false)
        if !bytes.isEmpty,
            parts.allSatisfy({ part in
                !part.isEmpty && !part.contains(where: special.contains)
            })
        {
            return .literals(parts.map(Array.init))
        }
        return .required(required(bytes))
    }

    /// Runs of at least three plain bytes outside of all groups.
    private static func required(_ bytes: [UInt8]) -> [[UInt8]] {
        var runs: [[UInt8]] = []
        var run: [UInt8] = []
        func closed(_ run: [UInt8]) -> [[UInt8]] { run.count >= 3 ? [run] : [] }
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "|"): return []
            case UInt8(ascii: "("):
                // Options such as (?i) reach beyond their parentheses.
                if let end = groupEnd(bytes, index) {
                    if bytes[index...].starts(with: "(?".utf8), !isPlainGroup(bytes, index) {
                        return []
                    }
                    runs += closed(run)
                    run = []
                    index = end + 1
                    continue
                }
                return []
            case UInt8(ascii: "["):
                guard let end = classEnd(bytes, index) else { return [] }
                runs += closed(run)
                run = []
                index = end + 1
                continue
            case UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "{"):
                if !run.isEmpty { run.removeLast() }
                runs += closed(run)
                run = []
                if byte == UInt8(ascii: "{") {
                    guard let end = bytes[index...].firstIndex(of: UInt8(ascii: "}")) else {
                        return []
                    }
                    index = end
                }
            case UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "$"):
                runs += closed(run)
                run = []
            case UInt8(ascii: "\\"):
                index += 1
                guard index < bytes.count else { return [] }
                let escaped = bytes[index]
                if isWord(escaped) {
                    // \d, \b and the like; \Q, \x and \p{…} change what follows.
                    guard "dDwWsSbB".utf8.contains(escaped) else { return [] }
                    runs += closed(run)
                    run = []
                } else {
                    run.append(escaped)
                }
            case 0x80...0xFF:
                // A quantifier behind it would mean the whole character.
                runs += closed(run)
                run = []
            default: run.append(byte)
            }
            index += 1
        }
        return runs + closed(run)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        PromQLLexer.isNameStart(byte) || PromQLLexer.isDigit(byte) || byte >= 0x80
    }

    private static func isPlainGroup(_ bytes: [UInt8], _ index: Int) -> Bool {
        ["(?:", "(?P<", "(?<"].contains { bytes[index...].starts(with: $0.utf8) }
            && !["(?<=", "(?<!"].contains { bytes[index...].starts(with: $0.utf8) }
    }

    private static func classEnd(_ bytes: [UInt8], _ start: Int) -> Int? {
        var index = start + 1
        if index < bytes.count, bytes[index] == UInt8(ascii: "^") { index += 1 }
        if index < bytes.count, bytes[index] == UInt8(ascii: "]") { index += 1 }
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\\"): index += 1
            case UInt8(ascii: "["):
                // [:alpha:] and friends: not worth taking apart.
                if index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: ":") { return nil }
            case UInt8(ascii: "]"): return index
            default: break
            }
            index += 1
        }
        return nil
    }

    private static func groupEnd(_ bytes: [UInt8], _ start: Int) -> Int? {
        var depth = 0
        var index = start
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\\"): index += 1
            case UInt8(ascii: "["):
                guard let end = classEnd(bytes, index) else { return nil }
                index = end
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"):
                depth -= 1
                if depth == 0 { return index }
            default: break
            }
            index += 1
        }
        return nil
    }

    /// The names of the named groups, in order: `(?P<name>…)`, `(?<name>…)`.
    package static func groupNames(in pattern: String) -> [String] {
        let bytes = Array(pattern.utf8)
        var names: [String] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "\\") {
                index += 2
                continue
            }
            for prefix in ["(?P<", "(?<"] where bytes[index...].starts(with: prefix.utf8) {
                let start = index + prefix.utf8.count
                guard let end = bytes[start...].firstIndex(of: UInt8(ascii: ">")) else { break }
                let name = bytes[start..<end]
                if !name.isEmpty, name.allSatisfy({ isWord($0) && $0 < 0x80 }) {
                    names.append(String(decoding: name, as: UTF8.self))
                }
                break
            }
            index += 1
        }
        return names
    }
}
