/// The names of a span's fields that are not attributes, and the prefixes of those that are.
///
/// What each holds: docs/spans.md. A colon stands where an attribute's name has a dot, so the two
/// never meet.
package enum SpanField {
    /// 32 hexadecimal digits in lower case.
    package static let traceID = "trace:id"
    /// 16 hexadecimal digits in lower case.
    package static let spanID = "span:id"
    /// As `spanID`; a root has none.
    package static let parentID = "span:parentID"
    package static let name = "span:name"
    /// `internal`, `server`, `client`, `producer` or `consumer`; missing when unspecified.
    package static let kind = "span:kind"
    /// `ok` or `error`; missing when unset.
    package static let status = "span:status"
    package static let statusMessage = "span:statusMessage"
    /// Nanoseconds, a whole number; every span has it.
    package static let duration = "span:duration"
    package static let traceState = "span:traceState"
    /// W3C trace flags, a whole number.
    package static let flags = "span:flags"
    /// A JSON array, docs/spans.md.
    package static let events = "span:events"
    /// A JSON array, docs/spans.md.
    package static let links = "span:links"
    /// How many attributes the sender dropped.
    package static let droppedAttributes = "span:droppedAttributes"
    package static let droppedEvents = "span:droppedEvents"
    package static let droppedLinks = "span:droppedLinks"
    /// A JSON array of the names of fields that Weir cut.
    package static let cut = "span:cut"
    package static let scopeName = "scope:name"
    package static let scopeVersion = "scope:version"
    package static let scopeSchemaURL = "scope:schemaURL"
    package static let scopeDroppedAttributes = "scope:droppedAttributes"
    package static let resourceSchemaURL = "resource:schemaURL"
    package static let resourceDroppedAttributes = "resource:droppedAttributes"

    package static let spanPrefix = "span."
    package static let resourcePrefix = "resource."
    package static let scopePrefix = "scope."

    /// The resource attribute that names the service.
    package static let service = "resource.service.name"
}

/// The names of an exemplar's fields.
///
/// Any other field is one of its other labels.
package enum ExemplarField {
    /// The sample's value, a number.
    package static let value = ""
    /// 32 hexadecimal digits in lower case; may be missing.
    package static let traceID = "trace_id"
    /// 16 hexadecimal digits in lower case; may be missing.
    package static let spanID = "span_id"
}
