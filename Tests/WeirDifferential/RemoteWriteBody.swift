internal import WeirQuery

/// Series as a body of Prometheus remote write 1.0.
///
/// Protobuf in Snappy's block format; the bytes are stored as literals, which every reader takes.
/// Text formats cannot say a staleness marker or the bits of a NaN; this can.
package enum RemoteWriteBody {
    package static func make(_ series: [ArraySource.Series]) -> [UInt8] {
        var message: [UInt8] = []
        for one in series {
            var body: [UInt8] = []
            for pair in LabelOrder.pairs(one.labels) {
                var label: [UInt8] = []
                append(bytes: Array(pair.name.utf8), field: 1, to: &label)
                append(bytes: Array(pair.value.utf8), field: 2, to: &label)
                append(bytes: label, field: 1, to: &body)
            }
            for index in one.times.indices {
                var sample: [UInt8] = [0x09]
                let bits = one.values[index].bitPattern
                for shift in stride(from: 0, to: 64, by: 8) {
                    sample.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift)))
                }
                sample.append(0x10)
                append(UInt64(bitPattern: one.times[index]), to: &sample)
                append(bytes: sample, field: 2, to: &body)
            }
            append(bytes: body, field: 1, to: &message)
        }
        return snappy(message)
    }

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private static func append(bytes value: [UInt8], field: UInt8, to bytes: inout [UInt8]) {
        bytes.append(field << 3 | 2)
        append(UInt64(value.count), to: &bytes)
        bytes.append(contentsOf: value)
    }

    private static func snappy(_ message: [UInt8]) -> [UInt8] {
        var block: [UInt8] = []
        append(UInt64(message.count), to: &block)
        var index = 0
        while index < message.count {
            let count = min(65536, message.count - index)
            // A literal whose length less one is in the next two bytes.
            block.append(61 << 2)
            block.append(UInt8(truncatingIfNeeded: count - 1))
            block.append(UInt8(truncatingIfNeeded: (count - 1) >> 8))
            block.append(contentsOf: message[index..<(index + count)])
            index += count
        }
        return block
    }
}
