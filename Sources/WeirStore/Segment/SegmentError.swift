package import WeirColumns
package import WeirCore
package import WeirSystem

/// Why a segment, or a part of it, could not be read.
///
/// Any of them quarantines the segment.
package enum SegmentError: Error, Hashable {
    /// The file does not end as a segment does: torn, or something else.
    case notASegment(path: String)
    /// The format is newer than this program.
    case unknownVersion(path: String, version: UInt64)
    /// A checksum does not match the bytes at `offset`.
    case checksumMismatch(path: String, offset: Int)
    /// The bytes at `offset` do not decode.
    case undecodable(path: String, offset: Int, DecodeError)
    case badPage(path: String, offset: Int, PageError)
    /// The system could not read the file.
    case unreadable(FileError)

    /// Whether the bytes are there and wrong.
    ///
    /// A file that cannot be read now may be readable at the next start, so the catalog does not
    /// remember that.
    var isDamage: Bool {
        if case .unreadable = self { return false }
        return true
    }
}
