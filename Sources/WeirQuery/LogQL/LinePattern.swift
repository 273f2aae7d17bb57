internal import WeirColumns

/// A pattern of literals and captures: `<ip> - <_> "<method> <path>"`.
package struct LinePattern: Hashable, Sendable {
    private enum Part: Hashable {
        case literal([UInt8])
        /// Nil: `<_>`.
        case capture(String?)
    }

    private let parts: [Part]

    /// - Throws: `.invalid` for two captures side by side, no capture at all, or a name twice.
    package init(_ text: String, isFilter: Bool) throws(QueryError) {
        let bytes = Array(text.utf8)
        var parts: [Part] = []
        var literal: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "<"),
                let end = bytes[index...].firstIndex(of: UInt8(ascii: ">")),
                let name = Self.name(bytes[(index + 1)..<end])
            {
                if !literal.isEmpty { parts.append(.literal(literal)) }
                literal = []
                if case .capture = parts.last {
                    throw .invalid(reason: "consecutive captures in a pattern are not allowed")
                }
                parts.append(.capture(name == "_" ? nil : name))
                index = end + 1
            } else {
                literal.append(bytes[index])
                index += 1
            }
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        self.parts = parts
        let names = captureNames
        guard Set(names).count == names.count else {
            throw .invalid(reason: "a capture's name is there twice in the pattern")
        }
        if isFilter {
            guard names.isEmpty else {
                throw .invalid(reason: "a pattern filter takes only <_>, no named captures")
            }
        } else if names.isEmpty {
            throw .invalid(reason: "at least one named capture is required in a pattern")
        }
    }

    private static func name(_ bytes: ArraySlice<UInt8>) -> String? {
        guard let first = bytes.first, PromQLLexer.isNameStart(first),
            bytes.allSatisfy({ PromQLLexer.isNameStart($0) || PromQLLexer.isDigit($0) })
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The names captured, in order.
    package var captureNames: [String] {
        parts.compactMap { part in
            if case .capture(let name) = part { return name }
            return nil
        }
    }

    /// The literals, each of which every matching line contains.
    package var literals: [[UInt8]] {
        parts.compactMap { part in
            if case .literal(let text) = part { return text }
            return nil
        }
    }

    /// Whether the whole line has the pattern's form; each `<_>` stands for at least one byte.
    package func matches(_ line: Span<UInt8>) -> Bool {
        guard line.count > 0, let last = parts.last else {
            return line.count == 0 && parts.isEmpty
        }
        var offset = 0
        for (index, part) in parts.enumerated() {
            guard case .literal(let text) = part else { continue }
            let rest = line.extracting(offset..<line.count)
            guard let place = ByteSearch.firstIndex(of: text.span, in: rest) else { return false }
            guard (index == 0) == (place == 0) else { return false }
            offset += place + text.count
        }
        if case .capture = last { return offset != line.count }
        return offset == line.count
    }

    /// The named captures of a line; fewer than there are names when the line ends early, none
    /// when it does not begin as the pattern does.
    package func captures(in line: [UInt8]) -> [(name: String, value: ArraySlice<UInt8>)] {
        var found: [(name: String, value: ArraySlice<UInt8>)] = []
        var rest = line[...]
        var index = 0
        if case .literal(let text)? = parts.first {
            guard rest.starts(with: text) else { return [] }
            rest = rest.dropFirst(text.count)
            index = 1
        }
        while index < parts.count {
            guard case .capture(let name) = parts[index] else { return found }
            guard index + 1 < parts.count, case .literal(let text) = parts[index + 1] else {
                if let name { found.append((name, rest)) }
                return found
            }
            let range = rest.startIndex..<rest.endIndex
            guard
                let place = ByteSearch.firstIndex(of: text.span, in: line.span.extracting(range))
            else {
                if let name { found.append((name, rest)) }
                return found
            }
            if let name { found.append((name, rest.prefix(place))) }
            rest = rest.dropFirst(place + text.count)
            index += 2
        }
        return found
    }
}
