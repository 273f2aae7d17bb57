import WeirCore
import WeirWire

/// Shows points of metrics as text that tables of cases can hold, and builds their protobuf.
enum MetricRendering {
    static let second: UInt64 = 1_000_000_000
    static let time: UInt64 = 1_700_000_010 * second
    static let start: UInt64 = 1_700_000_000 * second

    static func options() -> MetricOptions { MetricOptions(now: LogRendering.now) }

    /// `name{labels} value` of each sample, with ` @seconds` where it is not that of `time`.
    static func samples(_ points: [MetricPoint]) -> [String] {
        let batch = MetricRows(points, hasClassicHistograms: true).samples
        return (0..<batch.rowCount).map { row in
            let value = batch.columns[0].floats[row]
            let isStale = value.bitPattern == 0x7FF0_0000_0000_0002
            let text =
                isStale
                ? "stale"
                : value == value.rounded() && abs(value) < 1e15
                    ? "\(Int64(value))" : "\(value)"
            let offset = batch.times[row] - Int64(time)
            return "\(batch.streams[Int(batch.streamIndexes[row])]) \(text)"
                + (offset == 0 ? "" : " @\(offset)")
        }
    }

    static func samples(_ result: MetricResult) -> [String] { samples(result.points) }

    /// `series: field=value …` of each exemplar.
    static func exemplars(_ points: [MetricPoint]) -> [String] {
        let batch = MetricRows(points, hasClassicHistograms: true).exemplars
        return (0..<batch.rowCount).map { row in
            let fields = batch.fields.columns.compactMap { column -> String? in
                column.index(ofRow: row).map {
                    "\(column.name)=\(String(decoding: column.values[$0], as: UTF8.self))"
                }
            }
            return "\(batch.streams[Int(batch.streamIndexes[row])]): "
                + fields.sorted().joined(separator: " ")
        }
    }

    static func refusals(_ result: MetricResult) -> [String] {
        result.refusals.map { "\($0.metric): \($0.error)" }
    }

    // MARK: Protobuf

    static func attribute(_ name: String, _ value: String) -> Message {
        Message().text(1, name).message(2, Message().text(1, value))
    }

    /// A request of one resource and one scope.
    static func request(
        _ metrics: [Message],
        resource: [Message] = [],
        scope: Message? = nil
    ) -> [UInt8] {
        var scoped = Message()
        for metric in metrics { scoped = scoped.message(2, metric) }
        if let scope { scoped = scoped.message(1, scope) }
        var attributes = Message()
        for attribute in resource { attributes = attributes.message(1, attribute) }
        return Message().message(1, Message().message(2, scoped).message(1, attributes)).bytes
    }

    /// A metric with its points; `kind` is the number of its data's field.
    static func metric(
        _ name: String,
        unit: String = "",
        kind: Int,
        temporality: UInt64 = 0,
        isMonotonic: Bool = false,
        _ points: [Message]
    ) -> Message {
        var data = Message()
        for point in points { data = data.message(1, point) }
        if temporality != 0 { data = data.varint(2, temporality) }
        if isMonotonic { data = data.varint(3, 1) }
        var metric = Message().message(kind, data).text(1, name)
        if !unit.isEmpty { metric = metric.text(3, unit) }
        return metric
    }

    static func point(start: UInt64 = start, time: UInt64 = time) -> Message {
        Message().fixed64(2, start).fixed64(3, time)
    }

    static func parse(_ body: [UInt8]) throws -> MetricResult {
        try OTLPMetricParser.parse(body, options: options())
    }
}

extension Message {
    func double(_ number: Int, _ value: Double) -> Message { fixed64(number, value.bitPattern) }

    /// A packed list of 64 bits each.
    func packed(_ number: Int, _ values: [UInt64]) -> Message {
        var list: [UInt8] = []
        for value in values { list.appendLittleEndian(value) }
        return bytes(number, list)
    }

    func sint(_ number: Int, _ value: Int64) -> Message { varint(number, UInt64(zigZag: value)) }
}

extension RowBatch {
    /// Whether samples' lists fit together, and each stream is there once.
    var isSound: Bool {
        Set(streams).count == streams.count && handles.count == streams.count
            && firstLines.count == streams.count && streamIndexes.count == times.count
            && columns[0].floats.count == times.count
    }
}
