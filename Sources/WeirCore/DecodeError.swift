/// Why bytes could not be decoded.
///
/// Every offset counts from the start of the input.
@usableFromInline
package enum DecodeError: Error, Hashable {
    /// The input ended `needed` bytes too early at `offset`.
    case truncated(offset: Int, needed: Int)
    /// A varint that starts at or before `offset` does not fit its type.
    case varintOverflow(offset: Int)
    /// A count read at `offset` is larger than the format allows.
    case countTooLarge(offset: Int, count: UInt64, limit: Int)
    /// The bytes decode, but are not the one canonical form.
    case notCanonical(offset: Int)
    /// A field at `offset` holds a value the format does not know.
    case unknownValue(offset: Int, value: UInt64)
}
