/// Warnings and infos of one query, each text once.
package struct QueryNotes: Sendable {
    package enum Kind: Hashable, Sendable {
        case warning
        case info
    }

    /// What is said, but for where.
    struct Text: Hashable, Sendable {
        let kind: Kind
        let text: String
    }

    /// As many of each kind are told; of the others their number.
    private static let toldMax = 10
    /// As many are told apart.
    static let keptMax = 2000
    /// Where each was said: ` (line:column)`, or nothing.
    private(set) var places: [Text: String] = [:]

    var isEmpty: Bool { places.isEmpty }
    var count: Int { places.count }

    /// Keeps a note; of those with one text the last one's place is told.
    mutating func add(_ kind: Kind, _ text: String, _ place: String) {
        let note = Text(kind: kind, text: text)
        guard places.count < Self.keptMax || places[note] != nil else { return }
        places[note] = place
    }

    mutating func formUnion(_ others: QueryNotes) {
        for (note, place) in others.places { add(note.kind, note.text, place) }
    }

    /// Whether all of `others` are among these, at the same places.
    func contains(_ others: QueryNotes) -> Bool {
        others.places.allSatisfy { places[$0.key] == $0.value }
    }

    /// What is told, in ascending order: series are looked at in no fixed one.
    func texts(of kind: Kind) -> [String] {
        let all = places.filter { $0.key.kind == kind }.map { $0.key.text + $0.value }.sorted()
        let told = all.prefix(Self.toldMax)
        let name = kind == .warning ? "warning" : "info"
        guard all.count > told.count else { return Array(told) }
        return told + ["\(all.count - told.count) more \(name) annotations omitted"]
    }
}
