internal import WeirCore

/// An attribute of OpenTelemetry's, as text.
struct OTLPAttribute {
    let name: [UInt8]
    let kind: FieldKind
    let value: [UInt8]
}

/// A log record of OpenTelemetry's, whichever encoding it came in.
struct OTLPRecord {
    var time: UInt64 = 0
    var observedTime: UInt64 = 0
    var severityNumber: Int64 = 0
    var severityText: [UInt8] = []
    var body: OTLPAttribute?
    var attributes: [OTLPAttribute] = []
    var flags: UInt64 = 0
    /// Hexadecimal, or empty.
    var traceID: [UInt8] = []
    /// Hexadecimal, or empty.
    var spanID: [UInt8] = []
    var eventName: [UInt8] = []
}

/// Makes rows of OpenTelemetry's log records: what is common to both encodings.
struct OTLPLogRows {
    /// Attributes of a resource that become labels, besides `k8s.*.name`.
    private static let labelNames: Set<String> = [
        "service.name", "service.namespace", "service.instance.id", "host.name",
        "deployment.environment", "deployment.environment.name",
    ]

    var rows: LogRows
    private var labels: [(name: String, value: String)] = []
    private var resource: [OTLPAttribute] = []
    private var scope: [OTLPAttribute] = []

    init(_ options: LogOptions) { rows = LogRows(options) }

    /// Says which resource the records after this come from.
    mutating func begin(resource attributes: [OTLPAttribute]) {
        labels = []
        resource = []
        for attribute in attributes {
            let name = String(decoding: attribute.name, as: UTF8.self)
            let isKubernetes = name.hasPrefix("k8s.") && name.hasSuffix(".name")
            if Self.labelNames.contains(name) || isKubernetes {
                labels.append((name, String(decoding: attribute.value, as: UTF8.self)))
            } else {
                resource.append(attribute)
            }
        }
        scope = []
    }

    /// Says which scope the records after this come from.
    mutating func begin(scope name: [UInt8], version: [UInt8], _ attributes: [OTLPAttribute]) {
        scope = attributes
        if !name.isEmpty { scope.append(Self.text("scope.name", name)) }
        if !version.isEmpty { scope.append(Self.text("scope.version", version)) }
    }

    static func text(_ name: String, _ value: [UInt8]) -> OTLPAttribute {
        OTLPAttribute(name: Array(name.utf8), kind: .text, value: value)
    }

    /// Takes one record, or refuses it.
    mutating func add(_ record: OTLPRecord) {
        do throws(LogError) {
            let time = try time(record)
            if let body = record.body {
                try rows.set(FieldTable.bodyName, body.kind, body.value.span)
            }
            if !record.severityText.isEmpty {
                try rows.set("severity_text", .text, record.severityText.span)
            }
            if record.severityNumber != 0 {
                try rows.set("severity_number", .number, String(record.severityNumber))
            }
            for attributes in [resource, scope, record.attributes] {
                for attribute in attributes {
                    try rows.set(attribute.name.span, attribute.kind, attribute.value.span)
                }
            }
            if !record.traceID.isEmpty { try rows.set("trace_id", .text, record.traceID.span) }
            if !record.spanID.isEmpty { try rows.set("span_id", .text, record.spanID.span) }
            if record.flags != 0 { try rows.set("flags", .number, String(record.flags)) }
            if !record.eventName.isEmpty {
                try rows.set("event_name", .text, record.eventName.span)
            }
            if record.observedTime != 0, record.time != 0, record.observedTime != record.time {
                try rows.set("observed_time_unix_nano", .number, String(record.observedTime))
            }
            guard rows.pendingCount > 0 || !labels.isEmpty else { throw .empty }
            let stream = try rows.stream(labels, line: 0)
            rows.commit(time: time, stream: stream)
        } catch {
            rows.result.refuse(line: 0, error)
        }
    }

    private func time(_ record: OTLPRecord) throws(LogError) -> Int64 {
        let sent = record.time != 0 ? record.time : record.observedTime
        guard sent != 0 else { return rows.options.now }
        guard let time = Int64(exactly: sent) else {
            throw .timeOutOfRange(field: "time_unix_nano", text: String(sent))
        }
        try rows.check(time: time, text: String(time))
        return time
    }
}
