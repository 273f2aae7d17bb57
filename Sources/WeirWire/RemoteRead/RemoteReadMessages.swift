package import WeirCore

/// The messages that a remote read is answered with.
///
/// Field numbers: prometheus/prompb/remote.proto and types.proto.
package enum RemoteReadMessages {
    package typealias Pairs = [(name: String, value: String)]

    /// A `TimeSeries`; times in milliseconds.
    package static func timeSeries(
        _ pairs: Pairs,
        _ times: [Int64],
        _ values: [Double],
        _ histograms: [(time: Int64, histogram: NativeHistogram)]
    ) -> [UInt8] {
        var writer = labels(pairs)
        for (time, value) in zip(times, values) {
            var sample = ProtobufWriter()
            sample.fixed64(1, value.bitPattern)
            sample.varint(2, UInt64(bitPattern: time))
            writer.bytes(2, sample.bytes)
        }
        for (time, histogram) in histograms {
            writer.bytes(4, HistogramMessage.bytes(of: histogram, atMilliseconds: time))
        }
        return writer.bytes
    }

    /// A `ChunkedReadResponse` with one series, whose `chunks` are `Chunk` messages.
    package static func chunkedResponse(
        _ pairs: Pairs,
        chunks: [[UInt8]],
        query: Int
    ) -> [UInt8] {
        var series = labels(pairs)
        for chunk in chunks { series.bytes(2, chunk) }
        var response = ProtobufWriter()
        response.bytes(1, series.bytes)
        response.varint(2, UInt64(query))
        return response.bytes
    }

    /// The `Chunk` messages of a series' samples.
    package static func chunks(_ times: Span<Int64>, _ values: Span<Double>) -> [[UInt8]] {
        stride(from: 0, to: times.count, by: FloatChunk.samplesMax).map { start in
            let chunk = FloatChunk(
                times,
                values,
                start..<min(times.count, start + FloatChunk.samplesMax)
            )
            return message(chunk.first, chunk.last, FloatChunk.encoding, chunk.data)
        }
    }

    /// The `Chunk` messages of a series with histograms; where it has a plain sample at the same time, that
    /// is left out.
    package static func chunks(
        _ times: [Int64],
        _ values: [Double],
        _ histograms: [(time: Int64, histogram: NativeHistogram)]
    ) -> [[UInt8]] {
        var messages: [[UInt8]] = []
        var (float, next) = (0, 0)
        while float < times.count || next < histograms.count {
            var ownTimes: [Int64] = []
            var ownValues: [Double] = []
            while float < times.count,
                next == histograms.count || times[float] < histograms[next].time
            {
                ownTimes.append(times[float])
                ownValues.append(values[float])
                float += 1
            }
            messages += chunks(ownTimes.span, ownValues.span)
            var run: [(time: Int64, histogram: NativeHistogram)] = []
            while next < histograms.count,
                float == times.count || histograms[next].time <= times[float]
            {
                if float < times.count, histograms[next].time == times[float] { float += 1 }
                run.append(histograms[next])
                next += 1
            }
            messages += HistogramChunk.chunks(run).map {
                message($0.first, $0.last, $0.encoding, $0.data)
            }
        }
        return messages
    }

    private static func message(
        _ first: Int64,
        _ last: Int64,
        _ encoding: UInt64,
        _ data: [UInt8]
    ) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.varint(1, UInt64(bitPattern: first))
        writer.varint(2, UInt64(bitPattern: last))
        writer.varint(3, encoding)
        writer.bytes(4, data)
        return writer.bytes
    }

    private static func labels(_ pairs: Pairs) -> ProtobufWriter {
        var writer = ProtobufWriter()
        for pair in pairs {
            var label = ProtobufWriter()
            label.bytes(1, Array(pair.name.utf8))
            label.bytes(2, Array(pair.value.utf8))
            writer.bytes(1, label.bytes)
        }
        return writer
    }
}
