package import WeirCore
internal import WeirTerminal

/// How the service of a span did around it: `GET /api/v1/traces/{id}/metrics`.
package struct SpanMetrics: Sendable {
    package struct Measure: Sendable {
        /// `rate`, `errors`, `p99`.
        package let name: String
        package let expression: String
        /// Values over time; empty where there are none.
        package let values: [Double]
    }

    package let service: String
    /// Milliseconds since 1970.
    package let from: Int64
    package let to: Int64
    package let measures: [Measure]

    package init(_ json: JSONValue) throws(APIError) {
        guard let queries = json["queries"]?.array else { throw .malformed("no queries") }
        service = json["service"]?.string ?? ""
        from = (json["from"]?.nanoseconds ?? 0) / 1_000_000
        to = (json["to"]?.nanoseconds ?? 0) / 1_000_000
        let series = json["series"]
        measures = queries.map { query in
            let name = query["name"]?.string ?? ""
            return Measure(
                name: name,
                expression: query["promql"]?.string ?? "",
                values: Self.values(series, name)
            )
        }
    }

    /// Ranges by name: `{"rate":[…]}` or `[{"name":"rate","values":[…]}]`, a point being a time and
    /// a value, or a value.
    private static func values(_ series: JSONValue?, _ name: String) -> [Double] {
        let named = series?[name] ?? series?.array?.first { $0["name"]?.string == name }
        var points = named?.array ?? []
        if points.isEmpty, let named {
            let result = named["data"]?["result"] ?? named["result"] ?? named["series"]
            points =
                named["values"]?.array ?? named["points"]?.array
                ?? result?.array?.first?["values"]?.array ?? []
        } else if let inner = points.first?["values"]?.array {
            points = inner
        }
        return points.compactMap { point in
            let value = point.array?.last ?? point
            return value.double ?? value.string.flatMap { Double($0) }
        }.filter { $0.isFinite }
    }

    /// One line each: the name, the value at the end, the range it moved in, and the query.
    package var lines: [String] {
        measures.map { one in
            guard let last = one.values.last, let low = one.values.min(),
                let high = one.values.max()
            else { return "\(Self.padded(one.name))  no data                    \(one.expression)" }
            let unit = Self.unit(one.name)
            let text =
                "\(unit.text(last)) (\(unit.text(low)) to \(unit.text(high)))"
            let padding = String(repeating: " ", count: max(0, 26 - text.count))
            return "\(Self.padded(one.name))  \(text)\(padding) \(one.expression)"
        }
    }

    private static func padded(_ name: String) -> String {
        name + String(repeating: " ", count: max(0, 6 - name.utf8.count))
    }

    static func unit(_ name: String) -> ValueUnit {
        switch name {
        case "rate", "errors": .perSecond
        default: name.hasPrefix("p") ? .seconds : .short
        }
    }
}
