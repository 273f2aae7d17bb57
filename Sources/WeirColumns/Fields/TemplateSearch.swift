internal import WeirCore

/// Decides a test by a template alone, where that is possible.
///
/// It rests on what variables are made of: every variable has a digit, and holds nothing but
/// letters, digits, bytes over 127, `.` and `-`; unless the template is one variable and nothing
/// else, which may be any text.
struct TemplateSearch {
    enum Verdict: Hashable {
        case all
        case none
        case some
    }

    private let test: TextTest
    /// Pieces that lie in the template's own text wherever a required text occurs.
    private let pieces: [[UInt8]]
    /// Whether an occurrence that overlaps a variable of digits and points alone is impossible.
    let needsLetters: Bool

    init(_ test: TextTest) {
        self.test = test
        pieces = test.required.flatMap(Self.staticPieces)
        needsLetters = test.form == .contains && Self.cannotTouchNumbers(test.required[0])
    }

    /// Whether the template is one variable, of which nothing is known.
    func isWholeText(_ key: ArraySlice<UInt8>) -> Bool {
        key.count == 1 && key.first == TemplateSplitter.marker
    }

    func verdict(key: ArraySlice<UInt8>) -> Verdict {
        if isWholeText(key) { return .some }
        let text = Array(key)
        guard text.contains(TemplateSplitter.marker) else {
            return test.test(text.span) ? .all : .none
        }
        if test.form == .contains, isInStatic(test.required[0], text) { return .all }
        for piece in pieces where !isInStatic(piece, text) { return .none }
        return .some
    }

    /// Whether `needle` occurs in the template's own text.
    ///
    /// The marker is in no needle that gets here: `TemplateSplitter` keeps it out of templates'
    /// own text, so it cannot match across a variable.
    private func isInStatic(_ needle: [UInt8], _ text: [UInt8]) -> Bool {
        guard !needle.contains(TemplateSplitter.marker) else { return false }
        return ByteSearch.firstIndex(of: needle.span, in: text.span) != nil
    }

    /// The parts of `needle` between digits, from the first to the last byte that no variable has.
    ///
    /// No variable can overlap such a part: it would lie within it, and have no digit.
    private static func staticPieces(_ needle: [UInt8]) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        for part in needle.split(whereSeparator: { $0 >= 0x30 && $0 <= 0x39 }) {
            guard let first = part.firstIndex(where: { !isVariableByte($0) }),
                let last = part.lastIndex(where: { !isVariableByte($0) })
            else { continue }
            pieces.append(Array(part[first...last]))
        }
        return pieces
    }

    private static func isVariableByte(_ byte: UInt8) -> Bool {
        TextWords.classes[Int(byte)] != 0 || byte == 0x2E || byte == 0x2D
    }

    /// An occurrence that overlaps a number has a digit in it, or is a point within it.
    private static func cannotTouchNumbers(_ needle: [UInt8]) -> Bool {
        !needle.contains { $0 >= 0x30 && $0 <= 0x39 }
            && needle.contains { $0 != 0x2E && $0 != 0x2D }
    }
}
