internal import WeirCore

/// A span as the wires that are not OTLP's protobuf bring it.
struct SpanDraft {
    var facts = SpanFacts()
    var name: [UInt8] = []
    var statusMessage: [UInt8] = []
    var traceState: [UInt8] = []
    var flags: UInt64 = 0
    var attributes: [OTLPAttribute] = []
    var events: [SpanEventDraft] = []
    var links: [SpanLinkDraft] = []
    var droppedAttributes: UInt64 = 0
    var droppedEvents: UInt64 = 0
    var droppedLinks: UInt64 = 0
}

/// Something that happened within a span.
struct SpanEventDraft {
    /// Nanoseconds after the span's start.
    var at: Int64 = 0
    var name: [UInt8] = []
    var attributes: [OTLPAttribute] = []
    var droppedAttributes: UInt64 = 0
}

/// Another span that a span names.
struct SpanLinkDraft {
    var traceHigh: UInt64 = 0
    var traceLow: UInt64 = 0
    var spanID: UInt64 = 0
    var traceState: [UInt8] = []
    var flags: UInt64 = 0
    var attributes: [OTLPAttribute] = []
    var droppedAttributes: UInt64 = 0
}

extension SpanDraft {
    /// What the attributes of other tracers' spans say in OpenTelemetry's terms, as its exporters
    /// write them.
    struct Scope {
        var name: [UInt8] = []
        var version: [UInt8] = []
    }

    /// Takes an attribute that stands for a part of the span; false when it is a plain one.
    mutating func takeKnown(_ attribute: OTLPAttribute, _ scope: inout Scope) -> Bool {
        let text = String(decoding: attribute.value, as: UTF8.self)
        let name = String(decoding: attribute.name, as: UTF8.self)
        switch name {
        case "otel.status_code":
            switch text.uppercased() {
            case "OK": facts.status = .ok
            case "ERROR": facts.status = .error
            case "UNSET": break
            default: return false
            }
        case "otel.status_description": statusMessage = attribute.value
        case _ where SpanTag.scopeNames.contains(name): scope.name = attribute.value
        case _ where SpanTag.scopeVersions.contains(name): scope.version = attribute.value
        case "otel.dropped_attributes_count":
            guard let count = UInt64(text) else { return false }
            droppedAttributes = count
        case "otel.dropped_events_count":
            guard let count = UInt64(text) else { return false }
            droppedEvents = count
        case "otel.dropped_links_count":
            guard let count = UInt64(text) else { return false }
            droppedLinks = count
        case "w3c.tracestate": traceState = attribute.value
        case "span.kind":
            guard let kind = SpanKind(text: text) else { return false }
            facts.kind = kind
        case "error":
            switch text.lowercased() {
            case "false", "0": return false
            default: break
            }
            if facts.status == .unset { facts.status = .error }
            if text.lowercased() != "true", text != "1", statusMessage.isEmpty {
                statusMessage = attribute.value
            }
        default: return false
        }
        return true
    }
}

extension SpanKind {
    /// Reads `server`, `SERVER` or `SPAN_KIND_SERVER`.
    init?(text: String) {
        let text = text.lowercased()
        let name = text.hasPrefix("span_kind_") ? String(text.dropFirst(10)) : text
        switch name {
        case "unspecified", "": self = .unspecified
        case "internal", "local": self = .internal
        case "server": self = .server
        case "client": self = .client
        case "producer": self = .producer
        case "consumer": self = .consumer
        default: return nil
        }
    }
}

extension SpanStatus {
    /// Reads `error`, `ERROR` or `STATUS_CODE_ERROR`.
    init?(text: String) {
        let text = text.lowercased()
        switch text.hasPrefix("status_code_") ? String(text.dropFirst(12)) : text {
        case "unset", "": self = .unset
        case "ok": self = .ok
        case "error": self = .error
        default: return nil
        }
    }
}
