internal import CSnappy

/// Packs and unpacks snappy's block format, which has no checksum and names its size first.
package enum SnappyBlock {
    package enum Failure: Error, Hashable {
        case damaged
        /// The block claims more bytes than are allowed.
        case tooLarge(bytes: Int, limit: Int)
    }

    /// Packs bytes into a block.
    package static func pack(_ bytes: [UInt8]) -> [UInt8] {
        let room = snappy_max_compressed_length(bytes.count)
        return unsafe [UInt8](unsafeUninitializedCapacity: room) { target, written in
            var count = room
            let isPacked = unsafe bytes.withUnsafeBytes { source in
                // SAFETY: snappy reads `source.count` bytes and writes at most `count`, which are the
                // buffer's.
                unsafe snappy_compress(
                    source.baseAddress?.assumingMemoryBound(to: CChar.self),
                    source.count,
                    UnsafeMutableRawPointer(target.baseAddress)?.assumingMemoryBound(
                        to: CChar.self
                    ),
                    &count
                ) == SNAPPY_OK
            }
            precondition(isPacked, "a buffer of snappy's own size was too small")
            written = count
        }
    }

    /// Unpacks a whole block.
    ///
    /// The size it claims is held against `bytesMax`, and against what so many packed bytes can
    /// hold at all, before anything is allocated.
    package static func unpack(
        _ packed: [UInt8],
        bytesMax: Int
    ) throws(Failure) -> [UInt8] {
        var output: [UInt8] = []
        try unpack(packed, bytesMax: bytesMax, into: &output)
        return output
    }

    /// The same into a buffer whose room is used again.
    package static func unpack(
        _ packed: [UInt8],
        bytesMax: Int,
        into output: inout [UInt8]
    ) throws(Failure) {
        output.removeAll(keepingCapacity: true)
        var count = 0
        let isNamed = unsafe packed.withUnsafeBytes { source in
            // SAFETY: snappy reads at most `source.count` bytes.
            unsafe snappy_uncompressed_length(
                source.baseAddress?.assumingMemoryBound(to: CChar.self),
                source.count,
                &count
            ) == SNAPPY_OK
        }
        guard !packed.isEmpty, isNamed, count >= 0 else { throw .damaged }
        guard count <= bytesMax else { throw .tooLarge(bytes: count, limit: bytesMax) }
        // A copy of 64 bytes takes three packed ones.
        guard count / 64 <= packed.count else { throw .damaged }
        var isWhole = false
        output.append(addingCapacity: count) { free in
            unsafe free.withUnsafeMutableBufferPointer { target, written in
                var room = count
                isWhole = unsafe packed.withUnsafeBytes { source in
                    // SAFETY: snappy reads `source.count` bytes and writes at most `room`, which
                    // are the buffer's.
                    unsafe snappy_uncompress(
                        source.baseAddress?.assumingMemoryBound(to: CChar.self),
                        source.count,
                        UnsafeMutableRawPointer(target.baseAddress)?.assumingMemoryBound(
                            to: CChar.self
                        ),
                        &room
                    ) == SNAPPY_OK
                }
                written = isWhole ? room : 0
            }
        }
        guard isWhole, output.count == count else { throw .damaged }
    }
}
