internal import WeirColumns
internal import WeirCore

/// Queries made of the parameters of older search forms.
enum SpanConditions {
    static func query(_ conditions: [TraceQLField]) -> TraceQLQuery {
        var field = conditions.first ?? .literal(.boolean(true))
        for condition in conditions.dropFirst() { field = .binary(.and, field, condition) }
        return TraceQLQuery(stages: [.spanset(.filter(field))])
    }

    static func intrinsic(_ intrinsic: TraceQLIntrinsic, _ value: TraceQLLiteral) -> TraceQLField {
        .binary(.equal, .attribute(.intrinsic(intrinsic)), .literal(value))
    }

    /// An attribute of any type whose text is `value`; or what Jaeger and Tempo call an attribute.
    static func tag(_ name: String, _ value: String) -> TraceQLField {
        switch name {
        case "error" where value == "true": return intrinsic(.status, .status(.error))
        case "error" where value == "false":
            return .binary(
                .notEqual,
                .attribute(.intrinsic(.status)),
                .literal(.status(.error))
            )
        case "name": return intrinsic(.name, .string(value))
        case "span.kind", "kind":
            if let kind = TraceQLKind(rawValue: value) { return intrinsic(.kind, .kind(kind)) }
        case "otel.status_code", "status", "status.code":
            if let status = TraceQLStatus(rawValue: value.lowercased()) {
                return intrinsic(.status, .status(status))
            }
        case _ where SpanTag.scopeNames.contains(name):
            return intrinsic(.instrumentationName, .string(value))
        default: break
        }
        let attribute = TraceQLField.attribute(.attribute(.any, name))
        let text = TraceQLField.binary(.equal, attribute, .literal(.string(value)))
        let other: TraceQLLiteral
        if value == "true" || value == "false" {
            other = .boolean(value == "true")
        } else if let number = Int64(value) {
            other = .integer(number)
        } else if let number = DecimalParser.double(value.utf8.span), number.isFinite {
            other = .double(number)
        } else {
            return text
        }
        return .binary(.or, text, .binary(.equal, attribute, .literal(other)))
    }
}

extension TracesRequest {
    /// `minDuration` and `maxDuration` as conditions.
    func durations() throws(TracesError) -> [TraceQLField] {
        var conditions: [TraceQLField] = []
        for (name, operation) in [
            ("minDuration", TraceQLOperator.greaterOrEqual), ("maxDuration", .lessOrEqual),
        ] {
            let duration = try parameter { () throws(LokiError) in try parameters.duration(name) }
            guard let duration else { continue }
            conditions.append(
                .binary(
                    operation,
                    .attribute(.intrinsic(.duration)),
                    .literal(.duration(duration))
                )
            )
        }
        return conditions
    }
}
