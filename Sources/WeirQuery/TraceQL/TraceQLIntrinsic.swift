internal import WeirCore

/// What every span has, under the name that a query gives it.
package enum TraceQLIntrinsic: String, Hashable, Sendable, CaseIterable {
    case name
    case kind
    case status
    case statusMessage
    case duration
    case rootName
    case rootServiceName
    case traceDuration
    case childCount
    case nestedSetParent
    case nestedSetLeft
    case nestedSetRight
    case spanID = "span:id"
    case parentID = "span:parentID"
    case traceID = "trace:id"
    case eventName = "event:name"
    case eventTimeSinceStart = "event:timeSinceStart"
    case linkTraceID = "link:traceID"
    case linkSpanID = "link:spanID"
    case instrumentationName = "instrumentation:name"
    case instrumentationVersion = "instrumentation:version"

    /// Reads a name, scoped or not; nil when there is no such intrinsic.
    init?(name: String) {
        switch name {
        case "span:name": self = .name
        case "span:kind": self = .kind
        case "span:status": self = .status
        case "span:statusMessage": self = .statusMessage
        case "span:duration": self = .duration
        case "span:childCount": self = .childCount
        case "trace:duration": self = .traceDuration
        case "trace:rootName": self = .rootName
        case "trace:rootService", "trace:rootServiceName": self = .rootServiceName
        default: self.init(rawValue: name)
        }
    }

    enum ValueType: Sendable {
        case text
        case number
        case status
        case kind
    }

    var type: ValueType {
        switch self {
        case .kind: .kind
        case .status: .status
        case .duration, .traceDuration, .childCount, .nestedSetParent, .nestedSetLeft,
            .nestedSetRight, .eventTimeSinceStart:
            .number
        default: .text
        }
    }

    var isDuration: Bool {
        self == .duration || self == .traceDuration || self == .eventTimeSinceStart
    }

    /// Known only once the whole trace is.
    var isOfTrace: Bool {
        switch self {
        case .rootName, .rootServiceName, .traceDuration, .childCount, .nestedSetParent,
            .nestedSetLeft, .nestedSetRight:
            true
        default: false
        }
    }

    /// The field that holds it; made under this name for what only a whole trace has.
    var field: String {
        switch self {
        case .name: SpanField.name
        case .kind: SpanField.kind
        case .status: SpanField.status
        case .statusMessage: SpanField.statusMessage
        case .duration: SpanField.duration
        case .spanID: SpanField.spanID
        case .parentID: SpanField.parentID
        case .traceID: SpanField.traceID
        case .instrumentationName: SpanField.scopeName
        case .instrumentationVersion: SpanField.scopeVersion
        case .eventName, .eventTimeSinceStart: SpanField.events
        case .linkTraceID, .linkSpanID: SpanField.links
        default: "made:" + rawValue
        }
    }

    var isInList: Bool { field == SpanField.events || field == SpanField.links }
}
