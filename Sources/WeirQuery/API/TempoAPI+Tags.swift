internal import WeirCore

extension TempoAPI {
    private func tags() throws(TracesError) -> SpanTags {
        SpanTags(
            times: try request.times(),
            source: request.spans,
            context: request.context
        )
    }

    private static let intrinsics = TraceQLIntrinsic.allCases.map(\.rawValue).sorted()

    /// The scope asked for; nil for all.
    private func scope() throws(TracesError) -> String? {
        guard let text = request.parameters["scope"], text != "none", text != "all" else {
            return nil
        }
        guard text == "intrinsic" || TraceQLAttribute.Scope(rawValue: text) != nil else {
            throw TracesError(
                "'scope' is resource, span, instrumentation, event, link or intrinsic, not '\(text)'"
            )
        }
        return text
    }

    /// `/api/search/tags`.
    package func tagNames() -> TracesAnswer {
        answer { () throws(TracesError) in
            let scope = try scope()
            let tags = try tags()
            let found = try request.run { () throws(QueryError) in try tags.names() }
            var names: Set<String> = scope == "intrinsic" ? Set(Self.intrinsics) : []
            for (one, list) in found where scope == nil || scope == one.rawValue {
                names.formUnion(list)
            }
            var writer = JSONWriter()
            writer.beginObject()
            Self.list("tagNames", names.sorted(), to: &writer)
            TempoJSON.metrics(request, traces: nil, to: &writer)
            writer.endObject()
            return TracesAnswer(json: writer.bytes)
        }
    }

    /// `/api/v2/search/tags`.
    package func tagNamesV2() -> TracesAnswer {
        answer { () throws(TracesError) in
            let scope = try scope()
            let tags = try tags()
            let found = try request.run { () throws(QueryError) in try tags.names() }
            var writer = JSONWriter()
            writer.beginObject()
            writer.key("scopes")
            writer.beginArray()
            for one in [TraceQLAttribute.Scope.resource, .span, .instrumentation] {
                guard scope == nil || scope == one.rawValue else { continue }
                writer.beginObject()
                writer.member("name", one.rawValue)
                Self.list("tags", found[one] ?? [], to: &writer)
                writer.endObject()
            }
            if scope == nil || scope == "intrinsic" {
                writer.beginObject()
                writer.member("name", "intrinsic")
                Self.list("tags", Self.intrinsics, to: &writer)
                writer.endObject()
            }
            writer.endArray()
            TempoJSON.metrics(request, traces: nil, to: &writer)
            writer.endObject()
            return TracesAnswer(json: writer.bytes)
        }
    }

    private static func list(_ name: String, _ texts: [String], to writer: inout JSONWriter) {
        writer.key(name)
        writer.beginArray()
        for text in texts { writer.value(text) }
        writer.endArray()
    }

    private func values(
        _ attribute: TraceQLAttribute
    ) throws(TracesError) -> [SpanTags.Value] {
        var condition: TraceQLField?
        if let text = request.parameters["q"] {
            // Only the first filter counts, and a query that is still being typed counts as none.
            if let query = try? TraceQLParser.parse(text),
                case .spanset(.filter(let field))? = query.stages.first
            {
                condition = field
            }
        }
        let tags = try tags()
        let limit = try request.count("limit", default: 10_000, max: SpanTags.valuesMax)
        return try request.run { () throws(QueryError) in
            try tags.values(attribute, where: condition, limit: limit)
        }
    }

    /// `/api/search/tag/{tag}/values`.
    package func tagValues(_ tag: String) -> TracesAnswer {
        answer { () throws(TracesError) in
            // Here names come without a scope: `service.name`, and `name` is the intrinsic.
            let attribute =
                TraceQLIntrinsic(name: tag).map(TraceQLAttribute.intrinsic) ?? .attribute(.any, tag)
            var texts: [String] = []
            for value in try values(attribute) {
                let text = String(decoding: value.text, as: UTF8.self)
                if texts.last != text { texts.append(text) }
            }
            var writer = JSONWriter()
            writer.beginObject()
            Self.list("tagValues", texts, to: &writer)
            TempoJSON.metrics(request, traces: nil, to: &writer)
            writer.endObject()
            return TracesAnswer(json: writer.bytes)
        }
    }

    /// `/api/v2/search/tag/{tag}/values`.
    package func tagValuesV2(_ tag: String) -> TracesAnswer {
        answer { () throws(TracesError) in
            guard let attribute = TraceQLAttribute(tag) else {
                throw TracesError(
                    "'\(tag)' is no attribute: write it as in a query, .name, span.name or name"
                )
            }
            var isKeyword = false
            var isDuration = false
            if case .intrinsic(let intrinsic) = attribute {
                isKeyword = intrinsic.type == .status || intrinsic.type == .kind
                isDuration = intrinsic.isDuration
            }
            let found = isDuration ? [] : try values(attribute)
            var writer = JSONWriter()
            writer.beginObject()
            writer.key("tagValues")
            writer.beginArray()
            for value in found {
                guard let type = isKeyword ? "keyword" : Self.type(value) else { continue }
                writer.beginObject()
                writer.member("type", type)
                writer.member("value", String(decoding: value.text, as: UTF8.self))
                writer.endObject()
            }
            writer.endArray()
            TempoJSON.metrics(request, traces: nil, to: &writer)
            writer.endObject()
            return TracesAnswer(json: writer.bytes)
        }
    }

    /// Tempo's word for a value's type; nil for what no query can name.
    private static func type(_ value: SpanTags.Value) -> String? {
        switch SpanAnyValue(value.text[...], value.kind) {
        case .string: "string"
        case .integer: "int"
        case .double: "float"
        case .boolean: "bool"
        case .none, .array, .map, .bytes: nil
        }
    }
}
