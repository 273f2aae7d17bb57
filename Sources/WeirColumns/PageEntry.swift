package import WeirCore

/// Where one page lies and how it is kept.
///
/// Layout: docs/format/segment.md.
package struct PageEntry: Hashable, Sendable {
    package let encoding: PageEncoding
    package let storedCount: Int
    package let rawCount: Int
    package let checksum: UInt32

    package init(_ page: EncodedPage) {
        encoding = page.encoding
        storedCount = page.bytes.count
        rawCount = page.rawCount
        checksum = Checksum.crc32(page.bytes)
    }

    package init(from reader: inout ByteReader) throws(DecodeError) {
        let start = reader.offset
        let tag = try reader.readByte()
        guard let encoding = PageEncoding(rawValue: tag) else {
            throw .unknownValue(offset: start, value: UInt64(tag))
        }
        self.encoding = encoding
        rawCount = try reader.readCount(limit: PageDecoder.rawCountMax)
        storedCount =
            encoding == .raw ? rawCount : try reader.readCount(limit: PageDecoder.rawCountMax)
        checksum = try reader.readUInt32()
    }

    package func append(to bytes: inout [UInt8]) {
        bytes.append(encoding.rawValue)
        UInt64(rawCount).appendVarint(to: &bytes)
        if encoding != .raw { UInt64(storedCount).appendVarint(to: &bytes) }
        bytes.appendLittleEndian(checksum)
    }
}
