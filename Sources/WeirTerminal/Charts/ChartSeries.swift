/// One value at one time.
package struct ChartPoint: Hashable, Sendable {
    /// Milliseconds since 1970.
    package let time: Int64
    package let value: Double

    package init(time: Int64, value: Double) {
        self.time = time
        self.value = value
    }
}

/// A named line of points in ascending time.
package struct ChartSeries: Hashable, Sendable {
    package let name: String
    package let color: Color
    package let points: [ChartPoint]

    package init(name: String, color: Color, points: [ChartPoint]) {
        self.name = name
        self.color = color
        self.points = points
    }
}

/// The last, least, greatest and average value of a series, and its 95th percentile.
package struct SeriesSummary: Hashable, Sendable {
    package let last: Double
    package let min: Double
    package let max: Double
    package let average: Double
    package let p95: Double

    /// Over the finite values up to `complete`; nil when there is none.
    package init?(_ points: [ChartPoint], complete: Int64) {
        var values: [Double] = []
        values.reserveCapacity(points.count)
        for point in points where point.value.isFinite && point.time <= complete {
            values.append(point.value)
        }
        guard let last = values.last else { return nil }
        self.last = last
        average = values.reduce(0) { $0 + $1 / Double(values.count) }
        values.sort()
        min = values[0]
        max = values[values.count - 1]
        // Interpolated between ranks, as PromQL's quantile does.
        let rank = 0.95 * Double(values.count - 1)
        let below = Int(rank)
        let above = Swift.min(below + 1, values.count - 1)
        p95 = values[below] + (values[above] - values[below]) * (rank - Double(below))
    }
}

/// What M4 keeps of the points in one dot column: enough to draw the column exactly as all the
/// points would.
///
/// Source: Jugel and others, "M4: A Visualization-Oriented Time Series Data Aggregation", 2014.
package struct ColumnEnvelope: Hashable, Sendable {
    package let dot: Int
    package let first: Double
    package let last: Double
    package let min: Double
    package let max: Double
    package let firstTime: Int64
    package let lastTime: Int64
    package let count: Int

    /// One envelope for each dot column that has a finite point, in order.
    package static func make(_ points: [ChartPoint], axis: TimeAxis) -> [ColumnEnvelope] {
        var columns: [ColumnEnvelope] = []
        for point in points where point.value.isFinite {
            guard let dot = axis.dot(of: point.time) else { continue }
            if let open = columns.last, open.dot == dot {
                columns[columns.count - 1] = ColumnEnvelope(
                    dot: dot,
                    first: open.first,
                    last: point.value,
                    min: Swift.min(open.min, point.value),
                    max: Swift.max(open.max, point.value),
                    firstTime: open.firstTime,
                    lastTime: point.time,
                    count: open.count + 1
                )
            } else {
                columns.append(
                    ColumnEnvelope(
                        dot: dot,
                        first: point.value,
                        last: point.value,
                        min: point.value,
                        max: point.value,
                        firstTime: point.time,
                        lastTime: point.time,
                        count: 1
                    )
                )
            }
        }
        return columns
    }
}
