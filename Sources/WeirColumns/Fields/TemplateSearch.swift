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
    /// Parts of required texts that lie in the template's own text wherever the text occurs.
    private let pieces: [Piece]

    /// A part of a required text that no variable can overlap.
    private struct Piece {
        let needle: [UInt8]
        let range: Range<Int>
    }

    /// Whether an occurrence that overlaps a variable of digits and points alone is impossible.
    let needsLetters: Bool

    init(_ test: TextTest) {
        self.test = test
        pieces = test.required.flatMap(Self.pieces)
        needsLetters = test.form == .contains && Self.cannotTouchNumbers(test.required[0])
    }

    /// Whether the template is one variable, of which nothing is known.
    func isWholeText(_ key: ArraySlice<UInt8>) -> Bool {
        key.count == 1 && key.first == TemplateSplitter.marker
    }

    /// - Parameters:
    ///   - key: The template.
    ///   - slots: What its variables are, in order; nil when that is not known.
    /// - Returns: What the template says of all texts that have it.
    func verdict(key: ArraySlice<UInt8>, slots: [TextRun]?) -> Verdict {
        if isWholeText(key) { return .some }
        let text = Array(key)
        guard text.contains(TemplateSplitter.marker) else {
            return test.test(text.span) ? .all : .none
        }
        if test.form == .contains, isInStatic(test.required[0], text) { return .all }
        for piece in pieces where !canHold(piece, text, slots) { return .none }
        if needsLetters, let slots, slots.allSatisfy(\.isNumeric) { return .none }
        return .some
    }

    /// Whether the piece stands somewhere in the template's own text with the rest of its needle
    /// around it, as far as the template tells: up to the next variables, which must be able to
    /// begin and end as the needle goes on.
    private func canHold(_ piece: Piece, _ text: [UInt8], _ slots: [TextRun]?) -> Bool {
        let needle = piece.needle
        var from = 0
        while let found = ByteSearch.firstIndex(
            of: needle.span.extracting(piece.range),
            in: text.span.extracting(from..<text.count)
        ) {
            let start = from + found
            if goesOn(leftOf: start, text, piece, slots), goesOn(rightOf: start, text, piece, slots)
            {
                return true
            }
            from = start + 1
        }
        return false
    }

    /// Whether the needle's part before the piece may stand before `start`.
    private func goesOn(
        leftOf start: Int,
        _ text: [UInt8],
        _ piece: Piece,
        _ slots: [TextRun]?
    ) -> Bool {
        var distance = 1
        while distance <= piece.range.lowerBound {
            guard start >= distance else { return false }
            let byte = piece.needle[piece.range.lowerBound - distance]
            let own = text[start - distance]
            if own == TemplateSplitter.marker {
                guard let slots else { return true }
                let slot = Self.markerCount(text[..<start]) - 1
                return slots[slot].mayEnd(with: byte)
            }
            guard own == byte else { return false }
            distance += 1
        }
        return true
    }

    /// Whether the needle's part after the piece may stand after it, where it begins at `start`.
    private func goesOn(
        rightOf start: Int,
        _ text: [UInt8],
        _ piece: Piece,
        _ slots: [TextRun]?
    ) -> Bool {
        var index = piece.range.upperBound
        var place = start + piece.range.count
        while index < piece.needle.count {
            guard place < text.count else { return false }
            if text[place] == TemplateSplitter.marker {
                guard let slots else { return true }
                let slot = Self.markerCount(text[..<place])
                return slots[slot].mayBegin(with: piece.needle[index])
            }
            guard text[place] == piece.needle[index] else { return false }
            index += 1
            place += 1
        }
        return true
    }

    private static func markerCount(_ text: ArraySlice<UInt8>) -> Int {
        text.reduce(0) { $0 + ($1 == TemplateSplitter.marker ? 1 : 0) }
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
    private static func pieces(_ needle: [UInt8]) -> [Piece] {
        var pieces: [Piece] = []
        for part in needle.split(whereSeparator: { $0 >= 0x30 && $0 <= 0x39 }) {
            guard let first = part.firstIndex(where: { !isVariableByte($0) }),
                let last = part.lastIndex(where: { !isVariableByte($0) })
            else { continue }
            pieces.append(Piece(needle: needle, range: first..<(last + 1)))
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
