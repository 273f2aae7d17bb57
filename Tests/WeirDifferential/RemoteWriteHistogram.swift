package import WeirCore

/// A native histogram as a message of remote write 1.0, with whole or floating point counts as it
/// says.
package enum RemoteWriteHistogram {
    package static func message(
        _ histogram: NativeHistogram,
        atMilliseconds time: Int64
    ) -> [UInt8] {
        var message = ProtobufWriter()
        let isFloat = histogram.hasFloatCounts
        if isFloat {
            message.fixed64(2, histogram.count.bitPattern)
        } else {
            message.varint(1, UInt64(histogram.count))
        }
        message.fixed64(3, histogram.sum.bitPattern)
        message.varint(4, UInt64(zigZag: Int64(histogram.schema)))
        message.fixed64(5, histogram.zeroThreshold.bitPattern)
        if isFloat {
            message.fixed64(7, histogram.zeroCount.bitPattern)
        } else {
            message.varint(6, UInt64(histogram.zeroCount))
        }
        for (side, number) in [(histogram.negative, 8), (histogram.positive, 11)] {
            for span in side.spans {
                var own = ProtobufWriter()
                own.varint(1, UInt64(zigZag: Int64(span.offset)))
                own.varint(2, UInt64(span.length))
                message.bytes(number, own.bytes)
            }
            guard !side.isEmpty else { continue }
            var packed: [UInt8] = []
            var previous: Int64 = 0
            for count in side.counts {
                if isFloat {
                    packed.appendLittleEndian(count.bitPattern)
                } else {
                    UInt64(zigZag: Int64(count) - previous).appendVarint(to: &packed)
                    previous = Int64(count)
                }
            }
            message.bytes(isFloat ? number + 2 : number + 1, packed)
        }
        message.varint(14, UInt64(histogram.resetHint.rawValue))
        message.varint(15, UInt64(time))
        if !histogram.customBounds.isEmpty {
            var packed: [UInt8] = []
            for bound in histogram.customBounds { packed.appendLittleEndian(bound.bitPattern) }
            message.bytes(16, packed)
        }
        return message.bytes
    }
}
