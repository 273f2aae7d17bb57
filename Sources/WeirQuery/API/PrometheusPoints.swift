internal import WeirCore

/// Writes the points of many series of one grid: `[1435781430.781,"0.5"],…`.
///
/// The times' texts are kept from series to series.
struct PrometheusPoints {
    /// What a value takes at most: numbers are written in scientific notation from 1e21 on and below 1e-6.
    private static let valueBytesMax = 40
    /// Points that are written at once.
    private static let chunk = 256

    private var times: [Int64] = []
    /// `[1435781430.781,"` of each time, one after the other.
    private var heads: [UInt8] = []
    private var ends: [Int] = []
    private var scratch: [UInt8] = []

    /// Appends the points of a series, without the brackets around them.
    mutating func append(_ series: QuerySeries, to bytes: inout [UInt8]) {
        if series.times != times { take(series.times) }
        var first = 0
        while first < times.count {
            let points = first..<min(first + Self.chunk, times.count)
            append(series.values, points, to: &bytes)
            first = points.upperBound
        }
    }

    private mutating func take(_ times: [Int64]) {
        self.times = times
        heads.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        for time in times {
            heads.append(UInt8(ascii: "["))
            PrometheusTime.append(milliseconds: time, to: &heads)
            heads.append(UInt8(ascii: ","))
            heads.append(UInt8(ascii: "\""))
            ends.append(heads.count)
        }
    }

    private mutating func append(
        _ values: [Double],
        _ points: Range<Int>,
        to bytes: inout [UInt8]
    ) {
        var cursor = points.lowerBound == 0 ? 0 : ends[points.lowerBound - 1]
        let headCount = ends[points.upperBound - 1] - cursor
        var scratch: [UInt8] = []
        swap(&scratch, &self.scratch)
        let (heads, ends) = (heads, ends)
        bytes.append(addingCapacity: headCount + points.count * (Self.valueBytesMax + 3)) { free in
            for point in points {
                if point > 0 { free.append(UInt8(ascii: ",")) }
                while cursor < ends[point] {
                    free.append(heads[cursor])
                    cursor &+= 1
                }
                let value = values[point]
                if value >= 0, value < 0x1p53, value == value.rounded(.towardZero),
                    value.sign == .plus
                {
                    free.appendDecimal(UInt64(value))
                } else {
                    scratch.removeAll(keepingCapacity: true)
                    NumberText.appendSample(value, to: &scratch)
                    for byte in scratch { free.append(byte) }
                }
                free.append(UInt8(ascii: "\""))
                free.append(UInt8(ascii: "]"))
            }
        }
        swap(&scratch, &self.scratch)
    }
}
