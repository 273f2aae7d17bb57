package import WeirCore

/// Services and who calls whom, with rates, errors and latencies: `GET /api/v1/services/graph`.
package struct ServiceGraphModel: Hashable, Sendable {
    package struct Measures: Hashable, Sendable {
        /// Requests a second.
        package let rate: Double?
        /// 0 to 1.
        package let errorRate: Double?
        /// Seconds.
        package let p50: Double?
        package let p99: Double?

        init(_ json: JSONValue) {
            func number(_ name: String) -> Double? {
                let value = json[name]?.double ?? json[name]?.string.flatMap { Double($0) }
                return value.flatMap { $0.isFinite ? $0 : nil }
            }
            rate = number("rate")
            errorRate = number("errorRate")
            p50 = number("p50")
            p99 = number("p99")
        }
    }

    package struct Service: Hashable, Sendable {
        package let name: String
        package let measures: Measures
    }

    package struct Edge: Hashable, Sendable {
        package let client: String
        package let server: String
        /// Empty between services; `database`, `messaging_system`, `virtual_node`.
        package let kind: String
        package let measures: Measures
    }

    /// The busiest first.
    package let services: [Service]
    package let edges: [Edge]

    package init(_ json: JSONValue) {
        services = (json["services"]?.array ?? []).map {
            Service(name: $0["service"]?.string ?? "", measures: Measures($0))
        }.sorted { ($0.measures.rate ?? 0, $1.name) > ($1.measures.rate ?? 0, $0.name) }
        edges = (json["edges"]?.array ?? []).map {
            Edge(
                client: $0["client"]?.string ?? "",
                server: $0["server"]?.string ?? "",
                kind: $0["connectionType"]?.string ?? "",
                measures: Measures($0)
            )
        }.sorted {
            ($0.measures.rate ?? 0, $1.client, $1.server)
                > ($1.measures.rate ?? 0, $0.client, $0.server)
        }
    }

    /// The query for the traces that a line stands for.
    package func query(_ line: Int) -> String? {
        func condition(_ service: String) -> String {
            "{resource.service.name=\(LogQueryText.quoted(service))}"
        }
        if services.indices.contains(line) { return condition(services[line].name) }
        let place = line - services.count
        guard edges.indices.contains(place) else { return nil }
        let edge = edges[place]
        guard edge.kind.isEmpty else { return condition(edge.client) }
        return "\(condition(edge.client)) > \(condition(edge.server))"
    }
}
