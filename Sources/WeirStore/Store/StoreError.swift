package import WeirPattern
package import WeirSystem

/// Why the store did not do what was asked.
package enum StoreError: Error, Hashable {
    /// The disk has no room: writes are refused until it has.
    case diskFull(FileError)
    /// Rows in memory take `bytes` of `limit`: try again when they have been flushed.
    case memoryFull(bytes: Int, limit: Int)
    /// A batch would take `bytes` in the journal, which holds `limit` at once: send less at once.
    case batchTooLarge(bytes: Int, limit: Int)
    /// The labels of a stream take `bytes`, and `limit` can be read back.
    case labelsTooLong(bytes: Int, limit: Int)
    /// The store is closing.
    case stopping
    case file(FileError)
    case catalog(SQLiteError)
    /// A segment could not be read while it was being merged.
    case segment(SegmentError)
    /// Another process has the folder open.
    case locked(path: String)
    case pattern(PatternError)
    /// The caller's budget said stop.
    case budget
}
