package import WeirCore
internal import WeirTerminal

/// Durations and values of traces as people read them.
package enum TraceText {
    /// `1.24s`, `861ms`, `35µs`.
    package static func duration(_ nanoseconds: Int64) -> String {
        nanoseconds == 0 ? "0" : ValueUnit.seconds.text(Double(nanoseconds) / 1e9)
    }

    /// An attribute's value: text as it is, the rest as JSON.
    package static func value(_ value: JSONValue) -> String { LogRow.text(value) }

    /// `10:43:20.123`, of nanoseconds since 1970.
    package static func clock(_ nanoseconds: Int64) -> String {
        LogLines.clock(nanoseconds.floorDivided(by: 1_000_000))
    }

    /// The day before it.
    package static func moment(_ nanoseconds: Int64) -> String {
        let time = CivilTime(milliseconds: nanoseconds.floorDivided(by: 1_000_000))
        return "\(time.full.prefix(10)) \(clock(nanoseconds))"
    }

    /// Anything between two ids that is a trace id: up to 32 hexadecimal digits, as they are kept.
    package static func traceID(_ text: String) -> String? {
        let digits = text.lowercased()
        guard (1...32).contains(digits.utf8.count),
            digits.utf8.allSatisfy({
                (0x30...0x39).contains($0) || (0x61...0x66).contains($0)
            })
        else { return nil }
        return String(repeating: "0", count: 32 - digits.utf8.count) + digits
    }

    /// One line that says what a trace is.
    package static func summary(_ trace: TraceModel) -> String {
        let errors = trace.errorCount
        let services = trace.services.count
        return "\(trace.rootService) \(trace.rootName)  \(duration(trace.duration))"
            + "  \(trace.spanCount) \(trace.spanCount == 1 ? "span" : "spans")"
            + "  \(services) \(services == 1 ? "service" : "services")"
            + (errors > 0 ? "  \(errors) \(errors == 1 ? "error" : "errors")" : "")
    }

    /// What to know of one span, as lines of a name and a value.
    package static func details(
        _ span: TraceSpan,
        of trace: TraceModel
    ) -> [(name: String, value: String)] {
        var lines: [(name: String, value: String)] = []
        if span.isError {
            lines.append(("error", span.statusMessage.isEmpty ? "yes" : span.statusMessage))
        } else if !span.status.isEmpty {
            lines.append(("status", span.status))
        }
        for member in span.attributes { lines.append((member.key, value(member.value))) }
        for event in span.events {
            lines.append(("event +\(duration(event.offset))", event.name))
            for member in event.attributes {
                lines.append(("  \(member.key)", value(member.value)))
            }
        }
        for link in span.links {
            let place = link.traceID == trace.traceID ? "this trace" : "trace \(link.traceID)"
            lines.append(("link", "span \(link.spanID) of \(place)"))
            for member in link.attributes {
                lines.append(("  \(member.key)", value(member.value)))
            }
        }
        if !span.cut.isEmpty { lines.append(("cut", span.cut.joined(separator: ", "))) }
        if span.droppedAttributes > 0 {
            lines.append(("dropped by the sender", "\(span.droppedAttributes) attributes"))
        }
        if !span.scope.isEmpty { lines.append(("scope", span.scope)) }
        if let resource = span.resource, trace.resources.indices.contains(resource) {
            for member in trace.resources[resource] where member.key != "service.name" {
                lines.append(("resource.\(member.key)", value(member.value)))
            }
        }
        return lines
    }
}
