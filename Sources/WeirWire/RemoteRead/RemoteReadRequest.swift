internal import WeirCore

/// What Prometheus's remote read asks for: `prometheus.ReadRequest`.
///
/// Field numbers: prometheus/prompb/remote.proto and types.proto.
package struct RemoteReadRequest: Hashable, Sendable {
    package static let queriesMax = 64
    package static let matchersMax = 256

    package enum MatcherKind: UInt64, Hashable, Sendable {
        case equal = 0
        case notEqual = 1
        case matches = 2
        case matchesNot = 3
    }

    package struct Matcher: Hashable, Sendable {
        package var kind = MatcherKind.equal
        package var name = ""
        package var value = ""
    }

    package struct Query: Hashable, Sendable {
        package var startMilliseconds: Int64 = 0
        package var endMilliseconds: Int64 = 0
        package var matchers: [Matcher] = []
    }

    package var queries: [Query] = []
    /// Whether samples may be answered.
    package var acceptsSamples = false
    /// Whether a stream of chunks may be answered.
    package var acceptsChunks = false

    /// Parses an unpacked body.
    ///
    /// - Throws: `RemoteWriteError.damagedProtobuf` when it is no such message.
    package init(_ body: [UInt8]) throws(RemoteWriteError) {
        do throws(DecodeError) {
            try read(body.span)
        } catch {
            throw .damagedProtobuf(offset: error.offset)
        }
    }

    private mutating func read(_ bytes: Span<UInt8>) throws(DecodeError) {
        var types: [UInt64] = []
        var reader = ProtobufReader(0..<bytes.count)
        while let field = try reader.next(bytes) {
            switch (field.number, field.wire) {
            case (1, .bytes):
                guard queries.count < Self.queriesMax else {
                    throw .countTooLarge(
                        offset: field.range.lowerBound,
                        count: UInt64(queries.count + 1),
                        limit: Self.queriesMax
                    )
                }
                queries.append(try Self.query(bytes, field.range))
            case (2, .varint): types.append(field.bits)
            case (2, .bytes):
                var inner = ProtobufReader(field.range)
                while let bits = try inner.nextVarint(bytes) { types.append(bits) }
            default: break
            }
        }
        // Before there was a choice there were samples.
        acceptsSamples = types.isEmpty || types.contains(0)
        acceptsChunks = types.contains(1)
    }

    private static func query(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) -> Query {
        var query = Query()
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            switch (field.number, field.wire) {
            case (1, .varint): query.startMilliseconds = field.int64
            case (2, .varint): query.endMilliseconds = field.int64
            case (3, .bytes):
                guard query.matchers.count < matchersMax else {
                    throw .countTooLarge(
                        offset: field.range.lowerBound,
                        count: UInt64(query.matchers.count + 1),
                        limit: matchersMax
                    )
                }
                query.matchers.append(try matcher(bytes, field.range))
            default: break
            }
        }
        return query
    }

    private static func matcher(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) -> Matcher {
        var matcher = Matcher()
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            switch (field.number, field.wire) {
            case (1, .varint):
                guard let kind = MatcherKind(rawValue: field.bits) else {
                    throw .unknownValue(offset: range.lowerBound, value: field.bits)
                }
                matcher.kind = kind
            case (2, .bytes): matcher.name = LabelBuilder.text(field.range, bytes)
            case (3, .bytes): matcher.value = LabelBuilder.text(field.range, bytes)
            default: break
            }
        }
        return matcher
    }
}
