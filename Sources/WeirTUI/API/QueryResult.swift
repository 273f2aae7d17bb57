package import WeirCore
package import WeirTerminal

/// What a PromQL query answers with, in Prometheus's JSON.
package struct QueryResult: Hashable, Sendable {
    /// One stream and its points: a single one for an instant query.
    package struct Series: Hashable, Sendable {
        package let labels: [LabelPair]
        package let points: [ChartPoint]
        /// The last point as text, where it is a histogram; those are no points.
        package let histogram: String?

        package init(labels: [LabelPair], points: [ChartPoint], histogram: String? = nil) {
            self.labels = labels
            self.points = points
            self.histogram = histogram
        }
    }

    package struct LabelPair: Hashable, Sendable {
        package let name: String
        package let value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package let series: [Series]

    package init(series: [Series]) { self.series = series }

    /// Reads `{"resultType": …, "result": …}`; also a whole answer with that under `data`.
    package init(_ json: JSONValue) throws(APIError) {
        let data = json["data"] ?? json
        guard let kind = data["resultType"]?.string, let result = data["result"] else {
            throw .malformed("no resultType")
        }
        switch kind {
        case "scalar", "string":
            series = [Series(labels: [], points: [try Self.point(result)])]
        case "vector", "matrix":
            guard let items = result.array else { throw .malformed("the result is no list") }
            var all: [Series] = []
            all.reserveCapacity(items.count)
            for item in items { all.append(try Self.series(item, isMatrix: kind == "matrix")) }
            series = all
        default: throw .malformed("resultType \(kind)")
        }
    }

    private static func series(
        _ item: JSONValue,
        isMatrix: Bool
    ) throws(APIError) -> Series {
        let labels = (item["metric"]?.members ?? []).map {
            LabelPair($0.key, $0.value.string ?? "")
        }
        var points: [ChartPoint] = []
        if isMatrix {
            let values = item["values"]?.array ?? []
            points.reserveCapacity(values.count)
            for value in values { points.append(try point(value)) }
        } else if let value = item["value"] {
            points = [try point(value)]
        }
        let histogram = item["histogram"] ?? item["histograms"]?.array?.last
        return Series(
            labels: labels,
            points: points,
            histogram: histogram?.array?.last.map(HistogramText.line)
        )
    }

    private static func point(_ pair: JSONValue) throws(APIError) -> ChartPoint {
        guard let items = pair.array, items.count == 2, let seconds = items[0].double,
            abs(seconds) < 1e15, let text = items[1].string
        else { throw .malformed("a sample is no [time, value]") }
        // A string result has no number: shown as a gap.
        return ChartPoint(
            time: Int64((seconds * 1000).rounded()),
            value: Double(text) ?? .nan
        )
    }
}

extension QueryResult.Series {
    /// The value of a label, or nil.
    package subscript(label: String) -> String? {
        labels.first { $0.name == label }?.value
    }
}
