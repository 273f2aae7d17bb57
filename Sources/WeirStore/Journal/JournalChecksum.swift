internal import WeirColumns

/// The checksum of a journal record: over its type and payload.
enum JournalChecksum {
    static func of(_ bytes: [UInt8], from start: Int) -> UInt32 {
        Checksum.crc32(bytes.span.extracting(start..<bytes.count))
    }
}
