internal import WeirCore

/// A field of a thrift structure as it lies on the wire.
struct ThriftField {
    /// Thrift's types, those of them that Jaeger's structures have named.
    enum Kind {
        static let stop: UInt8 = 0
        static let boolean: UInt8 = 2
        static let byte: UInt8 = 3
        static let double: UInt8 = 4
        static let int16: UInt8 = 6
        static let int32: UInt8 = 8
        static let int64: UInt8 = 10
        static let text: UInt8 = 11
        static let structure: UInt8 = 12
        static let map: UInt8 = 13
        static let set: UInt8 = 14
        static let list: UInt8 = 15
    }

    let id: Int
    let kind: UInt8
}

/// Walks over thrift's binary protocol; every length is held against the end.
///
/// Format: Apache Thrift, doc/specs/thrift-binary-protocol.md. Errors are the offset where the
/// bytes could not be read.
struct ThriftReader {
    private(set) var offset = 0
    private let end: Int
    private static let depthMax = 32

    init(count: Int) { end = count }

    /// The next field of a structure; nil at its end.
    mutating func field(_ bytes: Span<UInt8>) throws(SpanError) -> ThriftField? {
        let kind = try UInt8(truncatingIfNeeded: fixed(bytes, 1))
        guard kind != ThriftField.Kind.stop else { return nil }
        let id = try Int(Int16(truncatingIfNeeded: fixed(bytes, 2)))
        return ThriftField(id: id, kind: kind)
    }

    mutating func int64(_ bytes: Span<UInt8>) throws(SpanError) -> Int64 {
        Int64(bitPattern: try fixed(bytes, 8))
    }

    mutating func int32(_ bytes: Span<UInt8>) throws(SpanError) -> Int32 {
        Int32(truncatingIfNeeded: try fixed(bytes, 4))
    }

    mutating func boolean(_ bytes: Span<UInt8>) throws(SpanError) -> Bool {
        try fixed(bytes, 1) != 0
    }

    mutating func double(_ bytes: Span<UInt8>) throws(SpanError) -> Double {
        Double(bitPattern: try fixed(bytes, 8))
    }

    mutating func text(_ bytes: Span<UInt8>) throws(SpanError) -> [UInt8] {
        let count = Int(try int32(bytes))
        guard count >= 0, count <= end - offset else {
            throw .damagedThrift(offset: offset)
        }
        var output: [UInt8] = []
        output.append(bytes, offset..<(offset + count))
        offset += count
        return output
    }

    /// The header of a list whose items must be structures, each of which takes a byte at least.
    mutating func structures(_ bytes: Span<UInt8>) throws(SpanError) -> Int {
        let (kind, count) = try list(bytes)
        guard kind == ThriftField.Kind.structure || count == 0 else {
            throw .damagedThrift(offset: offset)
        }
        return count
    }

    private mutating func list(_ bytes: Span<UInt8>) throws(SpanError) -> (UInt8, Int) {
        let kind = try UInt8(truncatingIfNeeded: fixed(bytes, 1))
        let count = Int(try int32(bytes))
        guard count >= 0, count <= end - offset else { throw .damagedThrift(offset: offset) }
        return (kind, count)
    }

    /// Passes over a value of any kind.
    mutating func skip(
        _ bytes: Span<UInt8>,
        _ kind: UInt8,
        depth: Int = 0
    ) throws(SpanError) {
        guard depth < Self.depthMax else { throw .tooDeep(limit: Self.depthMax) }
        switch kind {
        case ThriftField.Kind.boolean, ThriftField.Kind.byte: _ = try fixed(bytes, 1)
        case ThriftField.Kind.int16: _ = try fixed(bytes, 2)
        case ThriftField.Kind.int32: _ = try fixed(bytes, 4)
        case ThriftField.Kind.double, ThriftField.Kind.int64: _ = try fixed(bytes, 8)
        case ThriftField.Kind.text:
            let count = Int(try int32(bytes))
            guard count >= 0, count <= end - offset else {
                throw .damagedThrift(offset: offset)
            }
            offset += count
        case ThriftField.Kind.structure:
            while let field = try field(bytes) { try skip(bytes, field.kind, depth: depth + 1) }
        case ThriftField.Kind.map:
            let key = try UInt8(truncatingIfNeeded: fixed(bytes, 1))
            let (value, count) = try list(bytes)
            for _ in 0..<count {
                try skip(bytes, key, depth: depth + 1)
                try skip(bytes, value, depth: depth + 1)
            }
        case ThriftField.Kind.set, ThriftField.Kind.list:
            let (item, count) = try list(bytes)
            for _ in 0..<count { try skip(bytes, item, depth: depth + 1) }
        default: throw .damagedThrift(offset: offset)
        }
    }

    private mutating func fixed(_ bytes: Span<UInt8>, _ count: Int) throws(SpanError) -> UInt64 {
        guard end - offset >= count else { throw .damagedThrift(offset: offset) }
        var value: UInt64 = 0
        for place in 0..<count { value = value << 8 | UInt64(bytes[offset + place]) }
        offset += count
        return value
    }
}
