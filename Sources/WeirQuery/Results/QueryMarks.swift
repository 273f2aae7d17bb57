/// What an evaluation shows beside its answer, for who wants to use part of the answer again.
package struct QueryMarks: Sendable {
    /// Metrics past this many are not noted; then the answer is not kept.
    static let metricsMax = 10_000

    /// Something stored could not be read.
    var isPartial = false
    /// Something in the answer depends on where the range of steps begins.
    var dependsOnRange = false
    /// Stands for the order in which aggregations saw series whose order depends on which series there
    /// are: a sum's last bit, and which of two equal series is the greatest, hang on it.
    private(set) var orderHash = 0
    /// The names of the metrics that were read.
    private(set) var metrics: Set<String> = []
    var hasAllMetrics: Bool { metrics.count <= Self.metricsMax }

    package mutating func addMetrics(_ names: [String]) {
        for name in names where hasAllMetrics { metrics.insert(name) }
    }

    mutating func addOrder(_ hash: Int) { orderHash = orderHash &* 31 &+ hash }
}
