internal import WeirCore

/// Samples of one series as Prometheus keeps them: an XOR chunk.
///
/// Format: Prometheus's page on chunks, "XOR chunk data".
package struct FloatChunk: Hashable, Sendable {
    /// As many as Prometheus itself puts into one.
    package static let samplesMax = 120
    /// `prometheus.Chunk.Encoding.XOR`.
    package static let encoding: UInt64 = 1

    /// Milliseconds.
    package let first: Int64
    package let last: Int64
    package let data: [UInt8]

    /// The samples in `range`: at least one, at most `samplesMax`, in order of time.
    package init(_ times: Span<Int64>, _ values: Span<Double>, _ range: Range<Int>) {
        precondition(!range.isEmpty && range.count <= Self.samplesMax)
        first = times[range.lowerBound]
        last = times[range.upperBound - 1]
        var head: [UInt8] = [UInt8(range.count >> 8), UInt8(range.count & 0xFF)]
        Self.zigZag(first).appendVarint(to: &head)
        var writer = BitWriter(head)
        writer.append(values[range.lowerBound].bitPattern, count: 64)
        var window = XORWindow()
        var delta: Int64 = 0
        for index in range.dropFirst() {
            let next = times[index] &- times[index - 1]
            if index == range.lowerBound + 1 {
                var bytes: [UInt8] = []
                UInt64(bitPattern: next).appendVarint(to: &bytes)
                for byte in bytes { writer.append(UInt64(byte), count: 8) }
            } else {
                Self.append(change: next &- delta, to: &writer)
            }
            delta = next
            window.append(values[index], after: values[index - 1], to: &writer)
        }
        data = writer.bytes
    }

    private static func zigZag(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: (value << 1) ^ (value >> 63))
    }

    /// How much the distance of two samples differs from the one before.
    private static func append(change: Int64, to writer: inout BitWriter) {
        /// Of `width` bits, the least value stands for the greatest.
        func fits(_ width: Int64) -> Bool {
            change >= -((1 << (width - 1)) - 1) && change <= 1 << (width - 1)
        }
        let bits = UInt64(bitPattern: change)
        if change == 0 {
            writer.append(bit: false)
        } else if fits(14) {
            writer.append(0b10, count: 2)
            writer.append(bits, count: 14)
        } else if fits(17) {
            writer.append(0b110, count: 3)
            writer.append(bits, count: 17)
        } else if fits(20) {
            writer.append(0b1110, count: 4)
            writer.append(bits, count: 20)
        } else {
            writer.append(0b1111, count: 4)
            writer.append(bits, count: 64)
        }
    }
}
