internal import WeirCore

/// Walks over what all of OpenTelemetry's protobuf messages are made of.
///
/// Field numbers: opentelemetry/proto/common/v1/common.proto.
enum OTLPWire {
    /// Where the key and the value of a `KeyValue` lie; empty where one is missing.
    @inline(__always)
    static func pair(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) -> (key: Range<Int>, value: Range<Int>) {
        var key = range.lowerBound..<range.lowerBound
        var value = key
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            guard field.wire == .bytes else { continue }
            if field.number == 1 { key = field.range }
            if field.number == 2 { value = field.range }
        }
        return (key, value)
    }

    /// The one member of an `AnyValue` that is set, or nil.
    ///
    /// Its number: 1 text, 2 boolean, 3 integer, 4 double, 5 array, 6 map, 7 bytes.
    @inline(__always)
    static func member(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) -> ProtobufField? {
        var last: ProtobufField?
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            let isKnown =
                switch (field.number, field.wire) {
                case (1, .bytes), (2, .varint), (3, .varint), (4, .fixed64), (5, .bytes),
                    (6, .bytes), (7, .bytes):
                    true
                default: false
                }
            if isKnown { last = field }
        }
        return last
    }

    /// The next item of a list whose items are field 1, or nil at its end.
    static func nextItem(
        _ bytes: Span<UInt8>,
        _ reader: inout ProtobufReader
    ) throws(DecodeError) -> Range<Int>? {
        while let field = try reader.next(bytes) {
            if field.number == 1, field.wire == .bytes { return field.range }
        }
        return nil
    }
}
