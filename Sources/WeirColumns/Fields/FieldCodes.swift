/// Texts of rows, each distinct text once.
package struct FieldCodes: Sendable {
    /// One per row asked for: an index into `texts`.
    package var codes: [UInt32]
    package var texts: [[UInt8]]

    package init(codes: [UInt32], texts: [[UInt8]]) {
        self.codes = codes
        self.texts = texts
    }
}
