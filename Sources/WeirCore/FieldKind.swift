/// What a field's value was when it was sent; its text is kept as it was, whatever the kind.
package enum FieldKind: UInt8, Hashable, Sendable {
    case text = 1
    /// A JSON number, or one that a typed wire format sent: its text is kept exactly.
    case number = 2
    /// `true` or `false`.
    case boolean = 3
    /// A JSON array or object, as JSON text.
    case json = 4
    /// Bytes, as base64 text.
    case bytes = 5
}
