/// How a page's bytes are kept.
///
/// Layout: docs/format/columns.md, version 2.
package enum PageEncoding: UInt8, Hashable, Sendable {
    /// The bytes as they are: compressing would have saved under a tenth.
    case raw = 0
    /// A zlib stream (RFC 1950).
    case zlib = 1
}

/// One page made ready to be written.
package struct EncodedPage: Sendable {
    package let encoding: PageEncoding
    package let bytes: [UInt8]
    /// The length before compression.
    package let rawCount: Int

    package init(encoding: PageEncoding, bytes: [UInt8], rawCount: Int) {
        self.encoding = encoding
        self.bytes = bytes
        self.rawCount = rawCount
    }
}
