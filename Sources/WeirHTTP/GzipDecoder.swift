/// Unpacks a gzip file piece by piece; several members after each other are one file.
package final class GzipDecoder {
    private static let roomBytes = 256 * 1024

    private let inflater = Inflater(windowBits: 15 + 16)
    private var isAtMemberEnd = false

    package init() {}

    /// Unpacks a piece, and hands over what comes of it in parts of bounded size.
    ///
    /// - Returns: False when the bytes are no gzip.
    package func append<Failure>(
        _ piece: [UInt8],
        _ body: ([UInt8]) throws(Failure) -> Void
    ) throws(Failure) -> Bool {
        var start = 0
        while start < piece.count {
            var output: [UInt8] = []
            let step = unsafe piece.withUnsafeBufferPointer { buffer in
                // SAFETY: the part lies inside the buffer, which outlives the call.
                unsafe inflater.inflate(
                    UnsafeBufferPointer(rebasing: buffer[start...]),
                    room: Self.roomBytes,
                    into: &output
                )
            }
            isAtMemberEnd = step.end == .member
            if step.end == .corrupt || (step.used == 0 && step.written == 0) { return false }
            start += step.used
            if isAtMemberEnd { inflater.reset() }
            if !output.isEmpty { try body(output) }
        }
        // What did not fit is still inside.
        while !isAtMemberEnd {
            var output: [UInt8] = []
            let step = unsafe inflater.inflate(
                UnsafeBufferPointer(start: nil, count: 0),
                room: Self.roomBytes,
                into: &output
            )
            if step.end == .member { isAtMemberEnd = true }
            if output.isEmpty { break }
            try body(output)
        }
        return true
    }

    /// Whether the file ended where a member ended.
    package var isWhole: Bool { isAtMemberEnd }
}
