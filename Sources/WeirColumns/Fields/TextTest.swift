/// A question to a text, with what a reader may know of it before it has the text.
///
/// The hints let a reader decide by dictionary entry, by template or by token filter, and read
/// nothing where the answer is no.
package struct TextTest: Sendable {
    /// Texts that each occur in every text that passes `test`; empty when nothing is known.
    package var required: [[UInt8]]
    /// What `required` says exactly.
    package var form: Form
    /// Whether a text passes, before `isNegated`.
    package var test: @Sendable (Span<UInt8>) -> Bool
    /// The texts that pass are those for which `test` fails.
    package var isNegated: Bool

    package enum Form: Hashable, Sendable {
        /// A text passes when it is `required[0]`.
        case equals
        /// A text passes when it contains `required[0]`.
        case contains
        /// Only `test` knows.
        case other
    }

    package init(
        required: [[UInt8]] = [],
        form: Form = .other,
        isNegated: Bool = false,
        test: @escaping @Sendable (Span<UInt8>) -> Bool
    ) {
        self.required = required
        self.form = form
        self.isNegated = isNegated
        self.test = test
    }

    /// Passes `text` and nothing else.
    package static func equals(_ text: [UInt8], isNegated: Bool = false) -> TextTest {
        TextTest(required: [text], form: .equals, isNegated: isNegated) { bytes in
            guard bytes.count == text.count else { return false }
            for index in 0..<bytes.count where bytes[index] != text[index] { return false }
            return true
        }
    }

    /// Passes texts in which `text` occurs; the empty text occurs in all.
    package static func contains(_ text: [UInt8], isNegated: Bool = false) -> TextTest {
        TextTest(required: [text], form: .contains, isNegated: isNegated) { bytes in
            ByteSearch.firstIndex(of: text.span, in: bytes) != nil
        }
    }

    package func passes(_ bytes: Span<UInt8>) -> Bool { test(bytes) != isNegated }

    /// Whether a row that lacks the field passes: to a test it is the empty text.
    package var passesAbsent: Bool {
        let empty: [UInt8] = []
        return passes(empty.span)
    }
}
