package import WeirCore

/// A trace as `GET /api/v1/traces/{id}` tells it.
package struct TraceModel: Sendable {
    package let traceID: String
    /// Of the whole trace, also where only a part of it is here.
    package let spanCount: Int
    package let isPartial: Bool
    /// Why it is partial, for people.
    package let notice: String
    /// Nanoseconds since 1970.
    package let start: Int64
    /// Nanoseconds.
    package let duration: Int64
    package let rootService: String
    package let rootName: String
    /// What was the same for many spans: attributes of whoever sent them.
    package let resources: [[JSONMember]]
    /// By start, then by id.
    package let spans: [TraceSpan]

    /// Reads an answer; what is missing is empty, and spans without an id are left out.
    package init(_ json: JSONValue) throws(APIError) {
        guard let traceID = json["traceID"]?.string, let items = json["spans"]?.array else {
            throw .malformed("no trace")
        }
        self.traceID = traceID
        resources = (json["resources"]?.array ?? []).map { $0["attributes"]?.members ?? [] }
        var spans = items.compactMap { TraceSpan($0) }
        let isSorted = zip(spans, spans.dropFirst()).allSatisfy { $0.start <= $1.start }
        if !isSorted { spans.sort { ($0.start, $0.id) < ($1.start, $1.id) } }
        self.spans = spans
        spanCount = max(json["spanCount"]?.int ?? 0, spans.count)
        isPartial = json["isPartial"]?.bool ?? false
        notice = json["notice"]?.string ?? ""
        // The bars are drawn over what is here, whatever the answer says of the whole.
        start = spans.first?.start ?? json["startTimeUnixNano"]?.nanoseconds ?? 0
        let end = spans.reduce(start) { max($0, $1.end) }
        duration = end - start
        let root = spans.first { $0.parentID == nil } ?? spans.first
        rootService = json["rootService"]?.string ?? root?.service ?? ""
        rootName = json["rootName"]?.string ?? root?.name ?? ""
    }

    package var errorCount: Int { spans.count { $0.isError } }

    /// Services in the order of their first spans, with their numbers of spans.
    package var services: [(name: String, spanCount: Int)] {
        var order: [String] = []
        var counts: [String: Int] = [:]
        for span in spans {
            if counts[span.service] == nil { order.append(span.service) }
            counts[span.service, default: 0] += 1
        }
        return order.map { ($0, counts[$0] ?? 0) }
    }
}

/// One span of a trace.
package struct TraceSpan: Hashable, Sendable {
    package struct Event: Hashable, Sendable {
        /// Nanoseconds after the span's start.
        package let offset: Int64
        package let name: String
        package let attributes: [JSONMember]
    }

    package struct Link: Hashable, Sendable {
        package let traceID: String
        package let spanID: String
        package let attributes: [JSONMember]
    }

    package let id: String
    package let parentID: String?
    package let name: String
    package let kind: String
    package let isError: Bool
    package let status: String
    package let statusMessage: String
    package let service: String
    package let resource: Int?
    package let scope: String
    /// Nanoseconds since 1970.
    package let start: Int64
    /// Nanoseconds, not below zero.
    package let duration: Int64
    package let attributes: [JSONMember]
    package let events: [Event]
    package let links: [Link]
    /// Names of attributes that were too long and have been cut.
    package let cut: [String]
    package let droppedAttributes: Int

    /// Far enough, and two of them can be added.
    private static let timeMax = Int64.max / 4

    package var end: Int64 { start + duration }

    init?(_ json: JSONValue) {
        guard let id = json["spanID"]?.string, !id.isEmpty else { return nil }
        self.id = id
        parentID = json["parentID"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        name = json["name"]?.string ?? ""
        kind = json["kind"]?.string ?? ""
        status = json["status"]?.string ?? ""
        isError = status == "error"
        statusMessage = json["statusMessage"]?.string ?? ""
        service = json["service"]?.string ?? ""
        resource = json["resource"]?.int
        let version = json["scopeVersion"]?.string.map { " \($0)" } ?? ""
        scope = (json["scope"]?.string ?? "") + version
        start = min(max(0, json["startTimeUnixNano"]?.nanoseconds ?? 0), Self.timeMax)
        duration = min(max(0, json["durationNanos"]?.nanoseconds ?? 0), Self.timeMax)
        attributes = json["attributes"]?.members ?? []
        events = (json["events"]?.array ?? []).map { one in
            Event(
                offset: one["at"]?.nanoseconds ?? 0,
                name: one["name"]?.string ?? "",
                attributes: one["attributes"]?.members ?? []
            )
        }
        links = (json["links"]?.array ?? []).map { one in
            Link(
                traceID: one["traceID"]?.string ?? "",
                spanID: one["spanID"]?.string ?? "",
                attributes: one["attributes"]?.members ?? []
            )
        }
        cut = (json["cut"]?.array ?? []).compactMap { $0.string }
        droppedAttributes = json["droppedAttributes"]?.int ?? 0
    }
}

extension JSONValue {
    /// A whole number, as text or as a number.
    var nanoseconds: Int64? {
        if let string { return Int64(string) }
        if case .number(let text) = self { return Int64(text) }
        return nil
    }
}
