internal import WeirCore

extension JaegerAPI {
    private static let day: Int64 = 86_400_000_000_000

    private func values(
        _ attribute: TraceQLAttribute,
        where field: TraceQLField? = nil
    ) throws(TracesError) -> [SpanTags.Value] {
        let tags = SpanTags(
            times: try request.optionalTimes(),
            source: request.spans,
            context: request.context
        )
        return try request.run { () throws(QueryError) in try tags.values(attribute, where: field) }
    }

    private static func isOf(service: String) -> TraceQLField {
        .binary(
            .equal,
            .attribute(.attribute(.resource, "service.name")),
            .literal(.string(service))
        )
    }

    /// `/api/services`.
    package func services() -> TracesAnswer {
        list { (writer) throws(TracesError) in
            let found = try values(.attribute(.resource, "service.name"))
            for value in found { writer.value(String(decoding: value.text, as: UTF8.self)) }
            return found.count
        }
    }

    /// `/api/services/{service}/operations`.
    package func operations(of service: String) -> TracesAnswer {
        list { (writer) throws(TracesError) in
            let found = try values(.intrinsic(.name), where: Self.isOf(service: service))
            for value in found { writer.value(String(decoding: value.text, as: UTF8.self)) }
            return found.count
        }
    }

    /// `/api/operations`: with the kinds that spans of that name have.
    package func operations() -> TracesAnswer {
        list { (writer) throws(TracesError) in
            guard let service = request.parameters["service"] else {
                throw TracesError("parameter 'service' is required")
            }
            var count = 0
            for kind in TraceQLKind.allCases {
                if let wanted = request.parameters["spanKind"], wanted != kind.rawValue { continue }
                let field = TraceQLField.binary(
                    .and,
                    Self.isOf(service: service),
                    SpanConditions.intrinsic(.kind, .kind(kind))
                )
                for value in try values(.intrinsic(.name), where: field) {
                    writer.beginObject()
                    writer.member("name", String(decoding: value.text, as: UTF8.self))
                    writer.member("spanKind", kind == .unspecified ? "" : kind.rawValue)
                    writer.endObject()
                    count += 1
                }
            }
            return count
        }
    }

    /// `/api/traces`: by service, operation, tags and durations; or `traceID=…`, several times.
    package func search() -> TracesAnswer {
        list { (writer) throws(TracesError) in
            var ids: [TraceID] = []
            for text in request.parameters.all("traceID") { ids.append(try TracesRequest.id(text)) }
            if ids.isEmpty { ids = try found() }
            var count = 0
            for id in ids {
                let detail = try request.run { () throws(QueryError) in
                    try TraceDetail.load(id, source: request.spans, context: request.context)
                }
                guard let detail else { continue }
                JaegerTrace.write(detail, to: &writer)
                count += 1
            }
            return count
        }
    }

    private func found() throws(TracesError) -> [TraceID] {
        guard let service = request.parameters["service"] else {
            throw TracesError("parameter 'service' is required")
        }
        var conditions = [Self.isOf(service: service)]
        if let operation = request.parameters["operation"], operation != "all" {
            conditions.append(SpanConditions.intrinsic(.name, .string(operation)))
        }
        for (name, value) in try tags() { conditions.append(SpanConditions.tag(name, value)) }
        try conditions.append(contentsOf: request.durations())
        let search = TraceSearch(
            SpanConditions.query(conditions),
            times: try times(),
            limit: try request.count("limit", default: 20, max: 1500),
            source: request.spans,
            context: request.context
        )
        return try request.run { () throws(QueryError) in try search.run().map(\.id) }
    }

    /// `tags={"name":"value"}` and `tag=name:value`.
    private func tags() throws(TracesError) -> [(String, String)] {
        var tags: [(String, String)] = []
        for text in request.parameters.all("tag") where !text.isEmpty {
            guard let colon = text.firstIndex(of: ":") else {
                throw TracesError(
                    "malformed 'tag' parameter, expecting key:value, received: \(text)"
                )
            }
            tags.append((String(text[..<colon]), String(text[text.index(after: colon)...])))
        }
        for text in request.parameters.all("tags") where !text.isEmpty {
            guard case .object(let members)? = try? JSONParser.parse(Array(text.utf8)) else {
                throw TracesError("malformed 'tags' parameter, cannot unmarshal JSON: \(text)")
            }
            for member in members {
                switch member.value {
                case .string(let value), .number(let value): tags.append((member.key, value))
                case .bool(let flag): tags.append((member.key, flag ? "true" : "false"))
                case .null, .array, .object:
                    throw TracesError("malformed 'tags' parameter: \(member.key) is no string")
                }
            }
        }
        return tags
    }

    /// `start` and `end`, microseconds; or `lookback` before now.
    private func times() throws(TracesError) -> ClosedRange<Int64> {
        let lookback = try request.parameter { () throws(LokiError) -> Int64? in
            if request.parameters["lookback"] == "custom" { return nil }
            return try request.parameters.duration("lookback")
        }
        return try request.times(default: lookback ?? 2 * Self.day)
    }

    /// `/api/dependencies`: who called whom how often, from spans and their parents.
    package func dependencies() -> TracesAnswer {
        list { (writer) throws(TracesError) in
            var lookback = Self.day
            if let given = try milliseconds("lookback") { lookback = given }
            let last = try milliseconds("endTs") ?? request.parameters.now
            let (first, overflow) = last.subtractingReportingOverflow(lookback)
            let calls = try request.run { () throws(QueryError) in
                try self.calls(in: (overflow ? .min : first)...last)
            }
            for (edge, count) in calls.sorted(by: { $0.key < $1.key }) {
                writer.beginObject()
                writer.member("parent", edge.parent)
                writer.member("child", edge.child)
                writer.member("callCount", count)
                writer.endObject()
            }
            return calls.count
        }
    }

    /// A parameter in whole milliseconds, as nanoseconds.
    private func milliseconds(_ name: String) throws(TracesError) -> Int64? {
        guard let text = request.parameters[name] else { return nil }
        guard let milliseconds = Int64(text), milliseconds >= 0, milliseconds < 1 << 43 else {
            throw TracesError("unable to parse param '\(name)': \(text)")
        }
        return milliseconds * 1_000_000
    }

    private struct Edge: Hashable, Comparable {
        let parent: String
        let child: String

        static func < (left: Edge, right: Edge) -> Bool {
            (left.parent, left.child) < (right.parent, right.child)
        }
    }

    private func calls(in times: ClosedRange<Int64>) throws(QueryError) -> [Edge: Int] {
        let query = try TraceQLParser.parse("{}")
        let search = TraceSearch(
            query,
            times: times,
            limit: 1,
            source: request.spans,
            context: request.context
        )
        let ids = try TraceCandidates(query).find(
            try request.spans.select([], times: times, context: request.context),
            limit: .max,
            context: request.context
        )
        var calls: [Edge: Int] = [:]
        try search.forEachTable(ids, first: 256) { (table, _) throws(QueryError) in
            for (row, parent) in table.parents.enumerated() where parent >= 0 {
                guard let from = table.text(SpanField.service, Int(parent)),
                    let to = table.text(SpanField.service, row), from != to
                else { continue }
                let edge = Edge(
                    parent: String(decoding: from, as: UTF8.self),
                    child: String(decoding: to, as: UTF8.self)
                )
                calls[edge, default: 0] += 1
            }
            return true
        }
        return calls
    }
}
