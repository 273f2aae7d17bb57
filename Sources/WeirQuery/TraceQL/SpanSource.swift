internal import WeirColumns
internal import WeirCore

/// Where the value of an attribute is found.
enum SpanSource: Hashable, Sendable {
    /// In the first of these fields that the span has; of whatever type it was sent.
    case attribute([String])
    /// The same of the span's parent.
    case parent([String])
    /// In a field of that type; a text that is missing is empty.
    case intrinsic(TraceQLIntrinsic)
    /// An attribute of each event or link.
    case inList(field: String, attribute: String)

    init(_ attribute: TraceQLAttribute) {
        switch attribute {
        case .attribute(.event, let name):
            self = .inList(field: SpanField.events, attribute: name)
        case .attribute(.link, let name):
            self = .inList(field: SpanField.links, attribute: name)
        case .attribute(let scope, let name): self = .attribute(Self.fields(scope, name))
        case .parent(let scope, let name): self = .parent(Self.fields(scope, name))
        case .intrinsic(let intrinsic): self = .intrinsic(intrinsic)
        }
    }

    private static func fields(_ scope: TraceQLAttribute.Scope, _ name: String) -> [String] {
        switch scope {
        case .resource: [SpanField.resourcePrefix + name]
        case .instrumentation: [SpanField.scopePrefix + name]
        case .span: [SpanField.spanPrefix + name]
        case .any, .event, .link: [SpanField.spanPrefix + name, SpanField.resourcePrefix + name]
        }
    }

    /// The fields that must be read.
    var fieldNames: [String] {
        switch self {
        case .attribute(let names), .parent(let names): return names
        case .inList(let field, _): return [field]
        case .intrinsic(let intrinsic):
            return intrinsic.isOfTrace ? [] : [intrinsic.field]
        }
    }

    /// Whether one span alone cannot tell.
    var isOfTrace: Bool {
        switch self {
        case .parent: true
        case .intrinsic(let intrinsic): intrinsic.isOfTrace
        default: false
        }
    }
}

extension TraceQLField {
    /// Calls `body` with every attribute that occurs.
    func forEachAttribute(_ body: (TraceQLAttribute) -> Void) {
        switch self {
        case .literal: break
        case .attribute(let attribute): body(attribute)
        case .not(let inner), .negated(let inner): inner.forEachAttribute(body)
        case .binary(_, let left, let right):
            left.forEachAttribute(body)
            right.forEachAttribute(body)
        }
    }

    /// Whether one span alone cannot tell its value.
    var isOfTrace: Bool {
        var found = false
        forEachAttribute { if SpanSource($0).isOfTrace { found = true } }
        return found
    }
}

extension TraceQLQuery {
    /// Calls `body` with every attribute of the stages.
    func forEachAttribute(_ body: (TraceQLAttribute) -> Void) {
        for stage in stages { Self.forEachField(stage) { $0.forEachAttribute(body) } }
    }

    private static func forEachField(_ stage: TraceQLStage, _ body: (TraceQLField) -> Void) {
        switch stage {
        case .spanset(let spanset): forEachField(spanset, body)
        case .scalar(let filter):
            forEachField(filter.left, body)
            forEachField(filter.right, body)
        case .by(let field): body(field)
        case .select(let fields): fields.forEach(body)
        case .coalesce: break
        }
    }

    private static func forEachField(_ spanset: TraceQLSpanset, _ body: (TraceQLField) -> Void) {
        switch spanset {
        case .filter(let field): body(field)
        case .operation(_, let left, let right):
            forEachField(left, body)
            forEachField(right, body)
        case .pipeline(let stages): for stage in stages { forEachField(stage, body) }
        }
    }

    private static func forEachField(_ scalar: TraceQLScalar, _ body: (TraceQLField) -> Void) {
        switch scalar {
        case .literal: break
        case .aggregate(_, let field): if let field { body(field) }
        case .arithmetic(_, let left, let right):
            forEachField(left, body)
            forEachField(right, body)
        }
    }
}

extension TraceQLMetrics {
    /// The expressions whose values a metric needs.
    var fields: [TraceQLField] {
        switch function {
        case .rate, .countOverTime: by
        case .minOverTime(let field), .maxOverTime(let field), .avgOverTime(let field),
            .sumOverTime(let field), .quantileOverTime(let field, _),
            .histogramOverTime(let field), .compare(let field, _, _, _):
            by + [field]
        }
    }
}
