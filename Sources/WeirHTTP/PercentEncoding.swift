/// `%41` for a byte that a URL cannot hold (RFC 3986).
package enum PercentEncoding {
    /// Decodes escapes; what is no escape is kept as it is, and bytes that are no UTF-8 become
    /// U+FFFD.
    package static func decode(_ bytes: some Collection<UInt8>, plusIsSpace: Bool) -> String {
        guard bytes.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
            return String(decoding: bytes, as: UTF8.self)
        }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index != bytes.endIndex {
            let byte = bytes[index]
            let next = bytes.index(after: index)
            if byte == UInt8(ascii: "%"), let high = hexValue(bytes, at: next),
                let low = hexValue(bytes, at: bytes.index(after: next))
            {
                decoded.append(high << 4 | low)
                index = bytes.index(next, offsetBy: 2)
                continue
            }
            decoded.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            index = next
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    /// Escapes all but RFC 3986's unreserved characters, for a query item or a path segment.
    package static func encode(_ text: String) -> String {
        let hex = Array("0123456789ABCDEF".utf8)
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                encoded.append(byte)
            default:
                encoded.append(UInt8(ascii: "%"))
                encoded.append(hex[Int(byte >> 4)])
                encoded.append(hex[Int(byte & 15)])
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    private static func hexValue<Bytes: Collection<UInt8>>(
        _ bytes: Bytes,
        at index: Bytes.Index
    ) -> UInt8? {
        guard index < bytes.endIndex else { return nil }
        switch bytes[index] {
        case let byte where byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"):
            return byte - UInt8(ascii: "0")
        case let byte where byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "f"):
            return (byte | 0x20) - UInt8(ascii: "a") + 10
        default: return nil
        }
    }
}
