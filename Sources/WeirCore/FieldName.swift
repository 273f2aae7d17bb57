/// A field's name as what finds it.
///
/// Names are equal when their bytes are. `String` compares by what is read, so that an é in one
/// piece and one in two would be one name, and their fields one field.
package struct FieldName: Hashable, Sendable {
    private let bytes: [UInt8]

    package init(_ name: String) { bytes = Array(name.utf8) }
}
