internal import WeirCore
internal import WeirHTTP

/// What InfluxDB's clients ask before they write.
enum InfluxHandshake {
    /// The version told to clients that choose their dialect by it.
    static let version = "2.7.0-weir"

    static let ping = HTTPResponse(
        status: 204,
        headers: [("X-Influxdb-Version", version), ("X-Influxdb-Build", "Weir")]
    )

    static var health: HTTPResponse {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("name", "weir")
        writer.member("message", "ready for queries and writes")
        writer.member("status", "pass")
        writer.member("version", version)
        writer.key("checks")
        writer.beginArray()
        writer.endArray()
        writer.endObject()
        return .json(writer.bytes)
    }

    /// `POST /query`: databases need no making, and there is one; other InfluxQL is refused.
    static func query(_ text: String) -> HTTPResponse {
        let words = text.uppercased().split(separator: " ")
        if words.starts(with: ["CREATE", "DATABASE"])
            || words.starts(with: ["CREATE", "RETENTION"])
        {
            return .json(Array(#"{"results":[{"statement_id":0}]}"#.utf8))
        }
        if words.starts(with: ["SHOW", "DATABASES"]) {
            return .json(
                Array(
                    (#"{"results":[{"statement_id":0,"series":[{"name":"databases","#
                        + #""columns":["name"],"values":[["default"]]}]}]}"#).utf8
                )
            )
        }
        return .error(
            400,
            error: "unsupported",
            reason: "InfluxQL is not answered here: \(text.prefix(80))",
            hint: "ask in PromQL at /api/v1/query"
        )
    }
}
