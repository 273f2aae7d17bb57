internal import WeirCore
internal import WeirYAML

/// A mapping of the configuration file, whose keys are all known.
struct ScrapeSection {
    let path: String
    /// As errors name it: `global`, `scrape_configs[node]`.
    let name: String
    let node: YAMLNode
    private let entries: [String: YAMLEntry]

    /// Keys in `unserved` are named in `warnings`; all but these and `served` are refused.
    init(
        _ node: YAMLNode,
        path: String,
        name: String,
        served: Set<String>,
        unserved: Set<String> = [],
        warnings: inout [String]
    ) throws(ScrapeConfigurationError) {
        self.path = path
        self.name = name
        self.node = node
        var entries: [String: YAMLEntry] = [:]
        if node.entries == nil, node.string != nil || node.items != nil {
            throw ScrapeConfigurationError(
                path: path,
                line: node.line,
                reason: "\(name) must be a mapping"
            )
        }
        for entry in node.entries ?? [] {
            if unserved.contains(entry.key) {
                warnings.append("\(path):\(entry.line): \(entry.key) of \(name) is not served")
                continue
            }
            guard served.contains(entry.key) else {
                let nearest = EditDistance.nearest(to: entry.key, among: served.sorted())
                throw ScrapeConfigurationError(
                    path: path,
                    line: entry.line,
                    reason: "unknown key \"\(entry.key)\" in \(name)"
                        + (nearest.map { "; did you mean \"\($0)\"?" } ?? "")
                )
            }
            entries[entry.key] = entry
        }
        self.entries = entries
    }

    subscript(key: String) -> YAMLNode? { entries[key]?.value }

    func failure(_ key: String, _ reason: String) -> ScrapeConfigurationError {
        ScrapeConfigurationError(
            path: path,
            line: entries[key]?.line ?? node.line,
            reason: "\(key) of \(name) \(reason)"
        )
    }

    /// A scalar's text; null is empty.
    func text(_ key: String) throws(ScrapeConfigurationError) -> String? {
        guard let node = self[key] else { return nil }
        guard case .scalar = node.content else { throw failure(key, "must be a text") }
        return node.string ?? ""
    }

    func flag(_ key: String) throws(ScrapeConfigurationError) -> Bool? {
        guard let text = try text(key) else { return nil }
        switch text {
        case "true", "yes", "on": return true
        case "false", "no", "off": return false
        default: throw failure(key, "must be true or false, not \"\(text)\"")
        }
    }

    func count(_ key: String) throws(ScrapeConfigurationError) -> Int? {
        guard let text = try text(key) else { return nil }
        guard let value = Int(text), value >= 0 else {
            throw failure(key, "must be a number, not \"\(text)\"")
        }
        return value
    }

    /// Nanoseconds, above 0.
    func duration(_ key: String) throws(ScrapeConfigurationError) -> Int64? {
        guard let text = try text(key) else { return nil }
        guard let value = Units.nanoseconds(text), value >= 0 else {
            throw failure(key, "must be a duration, not \"\(text)\"")
        }
        return value
    }

    /// Bytes; `KB` and its like are powers of 1024 here, as Prometheus has them.
    func bytes(_ key: String) throws(ScrapeConfigurationError) -> Int? {
        guard let text = try text(key) else { return nil }
        var unit = text
        if unit.hasSuffix("B"), !unit.hasSuffix("iB"), unit.dropLast().last?.isLetter == true {
            unit = unit.dropLast() + "iB"
        }
        guard let value = Units.bytes(unit) else {
            throw failure(key, "must be a size, not \"\(text)\"")
        }
        return value
    }

    func items(_ key: String) throws(ScrapeConfigurationError) -> [YAMLNode] {
        guard let node = self[key] else { return [] }
        guard let items = node.items else {
            if case .scalar = node.content, node.string == nil { return [] }
            throw failure(key, "must be a list")
        }
        return items
    }

    func texts(_ key: String) throws(ScrapeConfigurationError) -> [String] {
        var texts: [String] = []
        for item in try items(key) {
            guard case .scalar = item.content else { throw failure(key, "must be a list of texts") }
            texts.append(item.string ?? "")
        }
        return texts
    }

    /// A mapping of texts, in order.
    func pairs(_ key: String) throws(ScrapeConfigurationError) -> [(name: String, value: String)] {
        var pairs: [(name: String, value: String)] = []
        for entry in self[key]?.entries ?? [] {
            guard case .scalar = entry.value.content else {
                throw failure(key, "must be a mapping of texts")
            }
            pairs.append((entry.key, entry.value.string ?? ""))
        }
        return pairs
    }

    /// A path, from the folder the configuration file is in.
    func file(_ key: String) throws(ScrapeConfigurationError) -> String? {
        guard let text = try text(key), !text.isEmpty else { return nil }
        return Self.resolve(text, from: path)
    }

    static func resolve(_ file: String, from path: String) -> String {
        guard !file.hasPrefix("/"), let slash = path.lastIndex(of: "/") else { return file }
        return path[...slash] + file
    }
}
