internal import WeirCore
internal import WeirQuery

/// Series as bodies of Prometheus remote write 1.0.
///
/// Protobuf in Snappy's block format; the bytes are stored as literals, which every reader takes.
/// Text formats cannot say a staleness marker or the bits of a NaN; this can.
package enum RemoteWriteBody {
    /// One body after the other: Prometheus takes a series' plain samples of one body before its
    /// histograms, so that a series of both kinds needs one for each change between them.
    package static func all(_ series: [ArraySource.Series]) -> [[UInt8]] {
        let runs = series.map(Self.runs)
        return (0..<(runs.map(\.count).max() ?? 0)).map { round in
            var message = ProtobufWriter()
            for (one, its) in zip(series, runs) where round < its.count {
                var body = ProtobufWriter()
                for pair in LabelOrder.pairs(one.labels) {
                    var label = ProtobufWriter()
                    label.bytes(1, Array(pair.name.utf8))
                    label.bytes(2, Array(pair.value.utf8))
                    body.bytes(1, label.bytes)
                }
                for sample in its[round] { body.bytes(sample.field, sample.bytes) }
                message.bytes(1, body.bytes)
            }
            return snappy(message.bytes)
        }
    }

    /// A sample as a message, and the field of a series that it belongs to: 2, or 4 of a histogram.
    private struct Written {
        let time: Int64
        let field: Int
        let bytes: [UInt8]
    }

    /// A series' samples in order of time, those of one kind that follow one another together.
    private static func runs(_ series: ArraySource.Series) -> [[Written]] {
        var samples = series.times.indices.map { index in
            var sample = ProtobufWriter()
            sample.fixed64(1, series.values[index].bitPattern)
            sample.varint(2, UInt64(bitPattern: series.times[index]))
            return Written(time: series.times[index], field: 2, bytes: sample.bytes)
        }
        samples += series.histograms.map {
            let bytes = RemoteWriteHistogram.message($0.sample, atMilliseconds: $0.time)
            return Written(time: $0.time, field: 4, bytes: bytes)
        }
        samples.sort { $0.time < $1.time }
        var runs: [[Written]] = []
        for sample in samples {
            if runs.last?.last?.field == sample.field {
                runs[runs.count - 1].append(sample)
            } else {
                runs.append([sample])
            }
        }
        return runs
    }

    private static func snappy(_ message: [UInt8]) -> [UInt8] {
        var block: [UInt8] = []
        UInt64(message.count).appendVarint(to: &block)
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
