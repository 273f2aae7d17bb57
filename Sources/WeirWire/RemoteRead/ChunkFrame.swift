internal import WeirCore

/// A message of a streamed remote read: its length as a varint, its checksum, itself.
///
/// Format: prometheus/storage/remote, "Stream of protobuf messages"; the checksum is CRC-32C, big-endian.
package enum ChunkFrame {
    package static let contentType =
        "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse"

    package static func append(_ message: [UInt8], to bytes: inout [UInt8]) {
        UInt64(message.count).appendVarint(to: &bytes)
        let checksum = checksum(of: message)
        for shift in stride(from: UInt32(24), through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: checksum >> shift))
        }
        bytes += message
    }

    /// CRC-32C (Castagnoli), the bits reflected.
    package static func checksum(of bytes: [UInt8]) -> UInt32 {
        var remainder = UInt32.max
        for byte in bytes {
            remainder = table[Int(UInt8(truncatingIfNeeded: remainder) ^ byte)] ^ (remainder >> 8)
        }
        return ~remainder
    }

    private static let table: [UInt32] = (0..<256 as Range<UInt32>).map { byte in
        (0..<8).reduce(byte) { value, _ in value & 1 == 1 ? 0x82F6_3B78 ^ (value >> 1) : value >> 1
        }
    }
}
