internal import WeirCore

/// Reads OpenTelemetry's `ExportLogsServiceRequest` as protobuf.
///
/// Field numbers: opentelemetry/proto/logs/v1/logs.proto and common/v1/common.proto.
package struct OTLPLogParser {
    private enum Failure: Error {
        case damaged(DecodeError)
        case refused(LogError)
    }

    private var output: OTLPLogRows
    private let depthMax: Int

    /// Parses a whole message.
    ///
    /// - Throws: `LogError.damaged` when it is no such message; then nothing is taken. A record
    ///   that breaks a limit is only refused.
    package static func parse(
        _ body: [UInt8],
        options: LogOptions
    ) throws(LogError) -> LogResult {
        var parser = OTLPLogParser(
            output: OTLPLogRows(options),
            depthMax: options.limits.depthMax
        )
        do throws(DecodeError) {
            try parser.readRequest(body.span)
        } catch {
            throw .damaged(.protobuf(offset: error.offset))
        }
        return parser.output.rows.finished()
    }

    private mutating func readRequest(_ bytes: Span<UInt8>) throws(DecodeError) {
        var reader = ProtobufReader(0..<bytes.count)
        while let field = try reader.next(bytes) {
            if field.number == 1, field.wire == .bytes {
                try readResourceLogs(bytes, field.range)
            }
        }
    }

    private mutating func readResourceLogs(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) {
        // The resource may come after its logs.
        var attributes: [OTLPAttribute] = []
        var refusal: LogError?
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            guard field.number == 1, field.wire == .bytes else { continue }
            var inner = ProtobufReader(field.range)
            while let field = try inner.next(bytes) {
                guard field.number == 1, field.wire == .bytes else { continue }
                try readAttribute(bytes, field.range, into: &attributes, &refusal)
            }
        }
        output.begin(resource: attributes)
        reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            guard field.number == 2, field.wire == .bytes else { continue }
            try readScopeLogs(bytes, field.range, refusal)
        }
    }

    private mutating func readScopeLogs(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        _ refusal: LogError?
    ) throws(DecodeError) {
        var refusal = refusal
        var name: [UInt8] = []
        var version: [UInt8] = []
        var attributes: [OTLPAttribute] = []
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            guard field.number == 1, field.wire == .bytes else { continue }
            var inner = ProtobufReader(field.range)
            while let field = try inner.next(bytes) {
                guard field.wire == .bytes else { continue }
                switch field.number {
                case 1: name = Self.copy(bytes, field.range)
                case 2: version = Self.copy(bytes, field.range)
                case 3: try readAttribute(bytes, field.range, into: &attributes, &refusal)
                default: break
                }
            }
        }
        output.begin(scope: name, version: version, attributes)
        reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            guard field.number == 2, field.wire == .bytes else { continue }
            guard output.rows.hasRoom() else { return }
            output.rows.begin()
            var recordRefusal = refusal
            let record = try readRecord(bytes, field.range, &recordRefusal)
            if let recordRefusal {
                output.rows.result.refuse(line: 0, recordRefusal)
            } else {
                output.add(record)
            }
        }
    }

    private func readRecord(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        _ refusal: inout LogError?
    ) throws(DecodeError) -> OTLPRecord {
        var record = OTLPRecord()
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            switch (field.number, field.wire) {
            case (1, .fixed64): record.time = field.bits
            case (2, .varint): record.severityNumber = field.int64
            case (3, .bytes): record.severityText = Self.copy(bytes, field.range)
            case (5, .bytes):
                do throws(Failure) {
                    record.body = try readBody(bytes, field.range)
                } catch {
                    switch error {
                    case .damaged(let error): throw error
                    case .refused(let error): refusal = error
                    }
                }
            case (6, .bytes):
                try readAttribute(bytes, field.range, into: &record.attributes, &refusal)
            case (8, .fixed32): record.flags = field.bits
            case (9, .bytes): record.traceID = Self.hex(bytes, field.range)
            case (10, .bytes): record.spanID = Self.hex(bytes, field.range)
            case (11, .fixed64): record.observedTime = field.bits
            case (12, .bytes): record.eventName = Self.copy(bytes, field.range)
            default: break
            }
        }
        return record
    }

    private static func copy(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        var output: [UInt8] = []
        output.append(bytes, range)
        return output
    }

    /// Lower-case digits; an id that is all zero is none.
    private static func hex(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        guard range.count <= 64, range.contains(where: { bytes[$0] != 0 }) else { return [] }
        return range.flatMap { [digits[Int(bytes[$0] >> 4)], digits[Int(bytes[$0] & 15)]] }
    }

    // MARK: Values

    /// Reads a `KeyValue`; one that breaks a limit sets `refusal`.
    private func readAttribute(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        into attributes: inout [OTLPAttribute],
        _ refusal: inout LogError?
    ) throws(DecodeError) {
        let (key, value) = try OTLPWire.pair(bytes, range)
        let name = Self.copy(bytes, key)
        do throws(Failure) {
            try flatten(bytes, value, name: name, depth: 0, into: &attributes)
        } catch {
            switch error {
            case .damaged(let error): throw error
            case .refused(let error): refusal = error
            }
        }
    }

    /// The one member of an `AnyValue` that is set, or nil.
    private func member(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(Failure) -> ProtobufField? {
        do throws(DecodeError) {
            return try OTLPWire.member(bytes, range)
        } catch {
            throw .damaged(error)
        }
    }

    /// Adds an `AnyValue` under `name`; lists of pairs become dotted names.
    private func flatten(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        name: [UInt8],
        depth: Int,
        into attributes: inout [OTLPAttribute]
    ) throws(Failure) {
        let limits = output.rows.options.limits
        guard depth < depthMax else { throw .refused(.tooDeep(limit: depthMax)) }
        guard name.count <= limits.nameBytesMax else {
            throw .refused(.nameTooLong(bytes: name.count, limit: limits.nameBytesMax))
        }
        guard attributes.count < limits.fieldsMax else {
            throw .refused(.tooManyFields(limit: limits.fieldsMax))
        }
        guard let member = try member(bytes, range) else { return }
        guard member.number == 6, !member.range.isEmpty else {
            attributes.append(try attribute(bytes, member, name: name, depth: depth))
            return
        }
        var reader = ProtobufReader(member.range)
        while let (key, value) = try nextPair(bytes, &reader) {
            let inner = name + [UInt8(ascii: ".")] + Self.copy(bytes, key)
            try flatten(bytes, value, name: inner, depth: depth + 1, into: &attributes)
        }
    }

    private func nextPair(
        _ bytes: Span<UInt8>,
        _ reader: inout ProtobufReader
    ) throws(Failure) -> (key: Range<Int>, value: Range<Int>)? {
        do throws(DecodeError) {
            guard let item = try OTLPWire.nextItem(bytes, &reader) else { return nil }
            return try OTLPWire.pair(bytes, item)
        } catch {
            throw .damaged(error)
        }
    }

    private func readBody(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(Failure) -> OTLPAttribute? {
        guard let member = try member(bytes, range) else { return nil }
        return try attribute(bytes, member, name: [], depth: 0)
    }

    private func attribute(
        _ bytes: Span<UInt8>,
        _ member: ProtobufField,
        name: [UInt8],
        depth: Int
    ) throws(Failure) -> OTLPAttribute {
        let kind: FieldKind
        var value: [UInt8] = []
        switch member.number {
        case 1:
            kind = .text
            value.append(bytes, member.range)
        case 2:
            kind = .boolean
            value = Array((member.bits != 0 ? "true" : "false").utf8)
        case 3:
            kind = .number
            value = Array(String(member.int64).utf8)
        case 4:
            kind = member.double.isFinite ? .number : .text
            value = Array(OTLPText.number(member.double).utf8)
        case 7:
            kind = .text
            value = OTLPText.base64(Self.copy(bytes, member.range))
        default:
            kind = .json
            try appendJSON(bytes, member, depth: depth, to: &value)
        }
        return OTLPAttribute(name: name, kind: kind, value: value)
    }

    private func appendJSON(
        _ bytes: Span<UInt8>,
        _ member: ProtobufField,
        depth: Int,
        to output: inout [UInt8]
    ) throws(Failure) {
        guard depth < depthMax else { throw .refused(.tooDeep(limit: depthMax)) }
        switch member.number {
        case 5:
            output.append(UInt8(ascii: "["))
            var reader = ProtobufReader(member.range)
            var isFirst = true
            while let item = try nextItem(bytes, &reader) {
                if !isFirst { output.append(UInt8(ascii: ",")) }
                isFirst = false
                try appendValue(bytes, item, depth: depth + 1, to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case 6:
            output.append(UInt8(ascii: "{"))
            var reader = ProtobufReader(member.range)
            var isFirst = true
            while let (key, value) = try nextPair(bytes, &reader) {
                if !isFirst { output.append(UInt8(ascii: ",")) }
                isFirst = false
                let name = String(decoding: Self.copy(bytes, key), as: UTF8.self)
                JSONWriter.appendString(name, to: &output)
                output.append(UInt8(ascii: ":"))
                try appendValue(bytes, value, depth: depth + 1, to: &output)
            }
            output.append(UInt8(ascii: "}"))
        default:
            let value = try attribute(bytes, member, name: [], depth: depth)
            if value.kind == .text {
                let text = String(decoding: value.value, as: UTF8.self)
                JSONWriter.appendString(text, to: &output)
            } else {
                output += value.value
            }
        }
    }

    private func appendValue(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        depth: Int,
        to output: inout [UInt8]
    ) throws(Failure) {
        guard let member = try member(bytes, range) else {
            output += Array("null".utf8)
            return
        }
        try appendJSON(bytes, member, depth: depth, to: &output)
    }

    private func nextItem(
        _ bytes: Span<UInt8>,
        _ reader: inout ProtobufReader
    ) throws(Failure) -> Range<Int>? {
        do throws(DecodeError) {
            return try OTLPWire.nextItem(bytes, &reader)
        } catch {
            throw .damaged(error)
        }
    }
}

/// Values as text, in both encodings the same.
enum OTLPText {
    /// The shortest text that reads back.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        return value.description
    }

    static func base64(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var output: [UInt8] = []
        output.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            var group = 0
            for place in 0..<3 {
                group = group << 8 | (start + place < bytes.count ? Int(bytes[start + place]) : 0)
            }
            for place in 0..<4 {
                let isPadding = start + place > bytes.count
                output.append(
                    isPadding ? UInt8(ascii: "=") : digits[group >> (18 - place * 6) & 63]
                )
            }
        }
        return output
    }
}
