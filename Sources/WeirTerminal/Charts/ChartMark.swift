/// A single value on a chart, such as one request's latency.
package struct ChartMark: Hashable, Sendable {
    /// Milliseconds since 1970.
    package let time: Int64
    package let value: Double

    package init(time: Int64, value: Double) {
        self.time = time
        self.value = value
    }
}
