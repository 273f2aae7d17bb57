/// One node of a YAML document, with the line it began on, so that errors can say where.
package struct YAMLNode: Hashable, Sendable {
    package indirect enum Content: Hashable, Sendable {
        /// `isPlain` is false for quoted and block scalars, which are text whatever they look like.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        case mapping([YAMLEntry])
    }

    package let content: Content
    /// Counted from 1.
    package let line: Int

    package init(content: Content, line: Int) {
        self.content = content
        self.line = line
    }

    /// The value under `key` of a mapping, or nil.
    package subscript(key: String) -> YAMLNode? {
        entries?.first { $0.key == key }?.value
    }

    package var entries: [YAMLEntry]? {
        if case .mapping(let entries) = content { return entries }
        return nil
    }

    package var items: [YAMLNode]? {
        if case .sequence(let items) = content { return items }
        return nil
    }

    /// The text of a scalar; nil for a plain empty scalar, `~` and `null`.
    package var string: String? {
        guard case .scalar(let text, let isPlain) = content else { return nil }
        return isPlain && ["", "~", "null"].contains(text) ? nil : text
    }

    package var double: Double? { string.flatMap { Double($0) } }
    package var int: Int? { string.flatMap { Int($0) } }

    /// `true` or `false`, when plain.
    package var bool: Bool? {
        guard case .scalar(let text, isPlain: true) = content else { return nil }
        switch text {
        case "true": return true
        case "false": return false
        default: return nil
        }
    }
}

/// One `key: value` of a mapping.
package struct YAMLEntry: Hashable, Sendable {
    package let key: String
    /// The line of the key, counted from 1.
    package let line: Int
    package let value: YAMLNode

    package init(key: String, line: Int, value: YAMLNode) {
        self.key = key
        self.line = line
        self.value = value
    }
}

/// Why a text is not a usable YAML document.
///
/// Lines count from 1.
package enum YAMLError: Error, Hashable {
    case syntax(line: Int, reason: String)
    case duplicateKey(line: Int, key: String)
    /// Mapping keys must be scalars.
    case keyNotScalar(line: Int)
    /// Aliases are refused: a few bytes of them can stand for gigabytes.
    case aliasRefused(line: Int)
    case tooDeep(line: Int, limit: Int)
    case tooLarge(bytes: Int, limit: Int)
    /// More than one document where one was expected.
    case manyDocuments(line: Int)
}
