/// The line of a query that an error speaks of, with a mark below the place.
struct QueryMark {
    let text: String

    /// `reason`: An error such as `parse error at line 1, col 10: …`; nil when it names
    ///   no place of `query`.
    init?(query: String, reason: String) {
        guard let line = Self.number(after: "at line ", in: reason),
            let column = Self.number(after: ", col ", in: reason)
        else { return nil }
        let lines = query.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.indices.contains(line - 1), column >= 1 else { return nil }
        let shown = lines[line - 1]
        guard column <= shown.utf8.count + 1 else { return nil }
        // Columns count bytes; the mark stands below characters.
        let before = String(decoding: shown.utf8.prefix(column - 1), as: UTF8.self)
        let space = before.map { $0 == "\t" ? "\t" : " " }.joined()
        text = "  \(shown)\n  \(space)^"
    }

    private static func number(after words: String, in text: String) -> Int? {
        guard let range = text.firstRange(of: words) else { return nil }
        return Int(text[range.upperBound...].prefix { $0.isNumber })
    }
}
