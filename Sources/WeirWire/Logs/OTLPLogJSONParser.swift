internal import WeirCore

/// Reads OpenTelemetry's `ExportLogsServiceRequest` as JSON.
///
/// 64-bit integers may be strings or numbers, ids are hexadecimal, members that are not known are
/// skipped.
package struct OTLPLogJSONParser {
    private var output: OTLPLogRows
    private let depthMax: Int

    /// Parses a whole body.
    ///
    /// - Throws: `LogError` when it is no such JSON; then nothing is taken.
    package static func parse(
        _ body: [UInt8],
        options: LogOptions
    ) throws(LogError) -> LogResult {
        // Six levels lie above a record's values, and each of these is wrapped twice.
        let depthMax = options.limits.depthMax
        var scanner = JSONScanner(0..<body.count, depthMax: depthMax * 3 + 8)
        let bytes = body.span
        scanner.skipSpace(bytes)
        _ = try scanner.value(bytes, depth: 0)
        scanner.skipSpace(bytes)
        guard scanner.offset == bytes.count else { throw scanner.unexpected(bytes, "the end") }
        guard let tree = try? JSONParser.parse(body, depthMax: depthMax * 3 + 8) else {
            throw .missing("a JSON object")
        }
        guard let resources = tree["resourceLogs"]?.array else {
            throw .missing("\"resourceLogs\"")
        }
        var parser = OTLPLogJSONParser(output: OTLPLogRows(options), depthMax: depthMax)
        for resource in resources { parser.read(resource) }
        return parser.output.rows.finished()
    }

    private mutating func read(_ resource: JSONValue) {
        var attributes: [OTLPAttribute] = []
        var resourceRefusal: LogError?
        read(resource["resource"]?["attributes"], into: &attributes, &resourceRefusal)
        output.begin(resource: attributes)
        for scope in resource["scopeLogs"]?.array ?? [] {
            var refusal = resourceRefusal
            var attributes: [OTLPAttribute] = []
            read(scope["scope"]?["attributes"], into: &attributes, &refusal)
            output.begin(
                scope: Self.bytes(scope["scope"]?["name"]),
                version: Self.bytes(scope["scope"]?["version"]),
                attributes
            )
            for record in scope["logRecords"]?.array ?? [] {
                guard output.rows.hasRoom() else { return }
                output.rows.begin()
                read(record, refusal)
            }
        }
    }

    private mutating func read(_ value: JSONValue, _ refusal: LogError?) {
        var refusal = refusal
        var record = OTLPRecord()
        record.time = Self.unsigned(value["timeUnixNano"])
        record.observedTime = Self.unsigned(value["observedTimeUnixNano"])
        record.severityNumber = Self.severity(value["severityNumber"])
        record.severityText = Self.bytes(value["severityText"])
        record.flags = Self.unsigned(value["flags"])
        record.traceID = Self.identifier(value["traceId"])
        record.spanID = Self.identifier(value["spanId"])
        record.eventName = Self.bytes(value["eventName"])
        read(value["attributes"], into: &record.attributes, &refusal)
        do throws(LogError) {
            if let body = value["body"] { record.body = try attribute(body, name: [], depth: 0) }
        } catch {
            refusal = error
        }
        if let refusal {
            output.rows.result.refuse(line: 0, refusal)
        } else {
            output.add(record)
        }
    }

    // MARK: Values

    private static func bytes(_ value: JSONValue?) -> [UInt8] {
        Array((value?.string ?? "").utf8)
    }

    private static func identifier(_ value: JSONValue?) -> [UInt8] {
        let text = (value?.string ?? "").lowercased()
        return text.utf8.contains { $0 != UInt8(ascii: "0") } ? Array(text.utf8) : []
    }

    private static func unsigned(_ value: JSONValue?) -> UInt64 {
        switch value {
        case .string(let text), .number(let text):
            UInt64(text) ?? Double(text).flatMap { UInt64(exactly: $0.rounded()) } ?? 0
        default: 0
        }
    }

    /// The number, or the enum's name, as some send it.
    private static func severity(_ value: JSONValue?) -> Int64 {
        switch value {
        case .number(let text): return Int64(text) ?? 0
        case .string(let text):
            if let number = Int64(text) { return number }
            let prefix = "SEVERITY_NUMBER_"
            guard text.hasPrefix(prefix) else { return 0 }
            let name = text.dropFirst(prefix.count)
            for (place, level) in ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"].enumerated()
            where name.hasPrefix(level) {
                let step = Int64(name.dropFirst(level.count)) ?? 1
                return Int64(place * 4) + step
            }
            return 0
        default: return 0
        }
    }

    private func read(
        _ list: JSONValue?,
        into attributes: inout [OTLPAttribute],
        _ refusal: inout LogError?
    ) {
        for item in list?.array ?? [] {
            do throws(LogError) {
                try flatten(
                    item["value"] ?? .null,
                    name: Self.bytes(item["key"]),
                    depth: 0,
                    into: &attributes
                )
            } catch {
                refusal = error
            }
        }
    }

    private func flatten(
        _ value: JSONValue,
        name: [UInt8],
        depth: Int,
        into attributes: inout [OTLPAttribute]
    ) throws(LogError) {
        let limits = output.rows.options.limits
        guard depth < depthMax else { throw .tooDeep(limit: depthMax) }
        guard name.count <= limits.nameBytesMax else {
            throw .nameTooLong(bytes: name.count, limit: limits.nameBytesMax)
        }
        guard attributes.count < limits.fieldsMax else {
            throw .tooManyFields(limit: limits.fieldsMax)
        }
        guard let pairs = value["kvlistValue"]?["values"]?.array, !pairs.isEmpty else {
            if let attribute = try attribute(value, name: name, depth: depth) {
                attributes.append(attribute)
            }
            return
        }
        for pair in pairs {
            let inner = name + [UInt8(ascii: ".")] + Self.bytes(pair["key"])
            try flatten(pair["value"] ?? .null, name: inner, depth: depth + 1, into: &attributes)
        }
    }

    /// An `AnyValue` as an attribute; nil when it is not set.
    private func attribute(
        _ value: JSONValue,
        name: [UInt8],
        depth: Int
    ) throws(LogError) -> OTLPAttribute? {
        guard let member = value.members?.last else { return nil }
        let kind: FieldKind
        var text: [UInt8]
        switch (member.key, member.value) {
        case ("stringValue", .string(let string)), ("bytesValue", .string(let string)):
            kind = .text
            text = Array(string.utf8)
        case ("boolValue", .bool(let flag)):
            kind = .boolean
            text = Array((flag ? "true" : "false").utf8)
        case ("intValue", .number(let number)), ("intValue", .string(let number)):
            kind = Int64(number) != nil ? .number : .text
            text = Array(number.utf8)
        case ("doubleValue", .number(let number)):
            kind = .number
            text = Array(number.utf8)
        case ("doubleValue", .string(let number)):
            // "NaN" and the infinities.
            kind = .text
            text = Array(number.utf8)
        case ("arrayValue", _), ("kvlistValue", _):
            kind = .json
            text = []
            try appendJSON(value, depth: depth, to: &text)
        default: return nil
        }
        return OTLPAttribute(name: name, kind: kind, value: text)
    }

    private func appendJSON(
        _ value: JSONValue,
        depth: Int,
        to output: inout [UInt8]
    ) throws(LogError) {
        guard depth < depthMax else { throw .tooDeep(limit: depthMax) }
        if let items = value["arrayValue"] {
            output.append(UInt8(ascii: "["))
            for (place, item) in (items["values"]?.array ?? []).enumerated() {
                if place > 0 { output.append(UInt8(ascii: ",")) }
                try appendJSON(item, depth: depth + 1, to: &output)
            }
            output.append(UInt8(ascii: "]"))
        } else if let pairs = value["kvlistValue"] {
            output.append(UInt8(ascii: "{"))
            for (place, pair) in (pairs["values"]?.array ?? []).enumerated() {
                if place > 0 { output.append(UInt8(ascii: ",")) }
                JSONWriter.appendString(pair["key"]?.string ?? "", to: &output)
                output.append(UInt8(ascii: ":"))
                try appendJSON(pair["value"] ?? .null, depth: depth + 1, to: &output)
            }
            output.append(UInt8(ascii: "}"))
        } else if let scalar = try attribute(value, name: [], depth: depth) {
            if scalar.kind == .text {
                JSONWriter.appendString(String(decoding: scalar.value, as: UTF8.self), to: &output)
            } else {
                output += scalar.value
            }
        } else {
            output += Array("null".utf8)
        }
    }
}
