internal import WeirCore
internal import WeirHTTP
internal import WeirStore

/// `/api/v1/metadata`, as Prometheus answers it.
enum MetadataJSON {
    static func response(_ table: MetadataTable, _ query: HTTPQuery) -> HTTPResponse {
        var limits: [String: Int] = [:]
        for name in ["limit", "limit_per_metric"] {
            guard let text = query[name], !text.isEmpty else { continue }
            guard let value = Int(text) else { return refusal("\(name) must be a number") }
            limits[name] = value
        }
        let metric = query["metric"] ?? ""
        let known =
            metric.isEmpty ? table.all() : [(family: metric, metadata: table.metadata(of: metric))]
        let limit = limits["limit"].map { $0 < 0 ? known.count : $0 } ?? known.count
        let perMetric = limits["limit_per_metric"].map { $0 > 0 ? $0 : .max } ?? .max
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("status", "success")
        writer.key("data")
        writer.beginObject()
        for (family, metadata) in known.prefix(limit) where !metadata.isEmpty {
            writer.key(family)
            writer.beginArray()
            for entry in metadata.prefix(perMetric) {
                writer.beginObject()
                writer.member("type", entry.type.rawValue)
                writer.member("help", entry.help)
                writer.member("unit", entry.unit)
                writer.endObject()
            }
            writer.endArray()
        }
        writer.endObject()
        writer.endObject()
        return .json(writer.bytes)
    }

    private static func refusal(_ reason: String) -> HTTPResponse {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("status", "error")
        writer.member("errorType", "bad_data")
        writer.member("error", reason)
        writer.endObject()
        return .json(writer.bytes, status: 400)
    }
}
