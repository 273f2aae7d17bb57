internal import WeirCore
internal import WeirHTTP
internal import WeirStore
internal import WeirSystem
internal import WeirWire

/// Elasticsearch's bulk API, and what its clients ask before they use it.
struct ElasticEndpoint: Sendable {
    enum Request: Sendable {
        case bulk
        case info
        case health
        case license
    }

    /// The version that clients are told; they check that it is not older than they can speak.
    private static let version = "9.0.0"

    let logs: LogsEndpoint

    func handle(_ request: Request, index: String, _ exchange: HTTPExchange) {
        switch request {
        case .bulk:
            logs.parse(exchange) { take($0, index: index, exchange) }
        case .info: exchange.respond(Self.json(exchange) { Self.writeInfo(&$0) })
        case .health:
            exchange.respond(
                Self.json(exchange) { writer in
                    writer.member("cluster_name", "weir")
                    writer.member("status", "green")
                    writer.member("timed_out", false)
                    writer.member("number_of_nodes", 1)
                    writer.member("number_of_data_nodes", 1)
                }
            )
        case .license:
            exchange.respond(
                Self.json(exchange) { writer in
                    writer.key("license")
                    writer.beginObject()
                    writer.member("status", "active")
                    writer.member("uid", "weir")
                    writer.member("type", "basic")
                    writer.endObject()
                }
            )
        }
    }

    private static func writeInfo(_ writer: inout JSONWriter) {
        writer.member("name", "weir")
        writer.member("cluster_name", "weir")
        writer.member("cluster_uuid", "weir-\(WeirVersion.text)")
        writer.key("version")
        writer.beginObject()
        writer.member("number", version)
        writer.member("build_flavor", "default")
        writer.member("build_type", "tar")
        writer.member("build_hash", "weir")
        writer.member("build_date", "2025-01-01T00:00:00.000Z")
        writer.member("build_snapshot", false)
        writer.member("lucene_version", "10.0.0")
        writer.member("minimum_wire_compatibility_version", "8.18.0")
        writer.member("minimum_index_compatibility_version", "8.0.0")
        writer.endObject()
        writer.member("tagline", "You Know, for Search")
    }

    private func take(_ body: [UInt8], index: String, _ exchange: HTTPExchange) {
        let parsed = ElasticBulkParser.parse(
            body,
            defaultIndex: index,
            options: logs.options(.empty)
        )
        let head = exchange.head
        let start = logs.clock.nowNanoseconds()
        logs.take(
            parsed.result,
            .elastic,
            exchange,
            failure: { Self.marked($0, for: head) },
            completion: { outcome in
                let now = logs.clock.nowNanoseconds()
                let items = Self.marked(parsed.items, outcome.refusal)
                let response = Self.json(exchange) { writer in
                    writer.member("took", max(0, Int((now - start) / 1_000_000)))
                    writer.member(
                        "errors",
                        parsed.result.refusedCount > 0 || outcome.refusal != nil
                    )
                    writer.key("items")
                    writer.beginArray()
                    for (place, item) in items.enumerated() {
                        Self.write(
                            item.item,
                            refusal: item.refusal,
                            id: "\(now)-\(place)",
                            &writer
                        )
                    }
                    writer.endArray()
                }
                exchange.respond(response.telling(outcome))
            }
        )
    }

    /// The items, and why the store refused the document of each, if it did.
    ///
    /// Documents that were parsed are the batch's rows, in their order.
    private static func marked(
        _ items: [ElasticBulkItem],
        _ refusal: StreamLimitRefusal?
    ) -> [(item: ElasticBulkItem, refusal: String?)] {
        guard let refusal else { return items.map { ($0, nil) } }
        let reason = LogsEndpoint.reason(refusal)
        var kept = refusal.keptRows[...]
        var row = 0
        return items.map { item in
            guard item.error == nil else { return (item, nil) }
            defer { row += 1 }
            if kept.first == row {
                kept.removeFirst()
                return (item, nil)
            }
            return (item, reason)
        }
    }

    private static func write(
        _ item: ElasticBulkItem,
        refusal: String?,
        id: String,
        _ writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.key(item.action.isEmpty ? "index" : item.action)
        writer.beginObject()
        writer.member("_index", item.index)
        writer.member("_id", item.id.isEmpty ? id : item.id)
        if let error = item.error {
            writer.member("status", 400)
            writer.key("error")
            writer.beginObject()
            writer.member("type", type(error))
            writer.member("reason", error.description)
            writer.endObject()
        } else if let refusal {
            writer.member("status", 400)
            writer.key("error")
            writer.beginObject()
            writer.member("type", "illegal_argument_exception")
            writer.member("reason", refusal)
            writer.endObject()
        } else {
            writer.member("_version", 1)
            writer.member("result", "created")
            writer.key("_shards")
            writer.beginObject()
            writer.member("total", 1)
            writer.member("successful", 1)
            writer.member("failed", 0)
            writer.endObject()
            writer.member("_seq_no", 0)
            writer.member("_primary_term", 1)
            writer.member("status", 201)
        }
        writer.endObject()
        writer.endObject()
    }

    private static func type(_ error: LogError) -> String {
        switch error {
        case .unknownAction, .missing: "illegal_argument_exception"
        default: "document_parsing_exception"
        }
    }

    // MARK: Answers

    private static func json(
        _ exchange: HTTPExchange,
        _ body: (inout JSONWriter) -> Void
    ) -> HTTPResponse {
        var writer = JSONWriter()
        writer.beginObject()
        body(&writer)
        writer.endObject()
        return marked(.json(writer.bytes), for: exchange.head).gzipped(for: exchange.head)
    }

    /// With the header that the clients insist on, and the type they asked for.
    static func marked(_ response: HTTPResponse, for head: HTTPRequestHead) -> HTTPResponse {
        var response = response
        let accepted = (head.header("accept") ?? "").lowercased()
        if let at = accepted.firstRange(of: "compatible-with=") {
            let version = accepted[at.upperBound...].prefix { $0.isNumber }
            for index in response.headers.indices
            where response.headers[index].name.lowercased() == "content-type" {
                response.headers[index].value =
                    "application/vnd.elasticsearch+json;compatible-with=\(version.prefix(3))"
            }
        }
        return response.adding("X-Elastic-Product", "Elasticsearch")
    }
}
