package import WeirCore

/// A field of a protobuf message as it lies on the wire.
package struct ProtobufField: Hashable, Sendable {
    /// What the bytes of a field are.
    package enum Wire: UInt8, Hashable, Sendable {
        case varint = 0
        case fixed64 = 1
        case bytes = 2
        case fixed32 = 5
    }

    package let number: Int
    package let wire: Wire
    /// The value of a varint or of a fixed field, as bits.
    package let bits: UInt64
    /// Where a string, message or packed list lies; empty for others.
    package let range: Range<Int>

    /// An `int64`, or an enum, as protobuf's varints carry it.
    package var int64: Int64 { Int64(bitPattern: bits) }
    package var double: Double { Double(bitPattern: bits) }
}

/// Walks over the fields of one protobuf message.
///
/// Nothing is allocated, every length is held against the message's end, and groups, which are long
/// gone from the formats read here, are refused. Nested messages are read by readers of their own
/// over `ProtobufField.range`; who does so recursively counts the depth.
package struct ProtobufReader {
    package private(set) var offset: Int
    private let end: Int

    package init(_ range: Range<Int>) {
        offset = range.lowerBound
        end = range.upperBound
    }

    /// The next field, or nil at the message's end.
    @inline(__always)
    package mutating func next(_ bytes: Span<UInt8>) throws(DecodeError) -> ProtobufField? {
        guard offset < end else { return nil }
        let start = offset
        let key = try varint(bytes)
        let number = key >> 3
        guard number > 0, number < 1 << 29 else { throw .unknownValue(offset: start, value: key) }
        switch UInt8(key & 7) {
        case 0: return field(number, .varint, bits: try varint(bytes))
        case 1: return field(number, .fixed64, bits: try fixed(bytes, count: 8))
        case 2:
            let length = try varint(bytes)
            guard length <= UInt64(end - offset) else {
                throw .truncated(offset: offset, needed: 1)
            }
            let range = offset..<(offset + Int(length))
            offset = range.upperBound
            return ProtobufField(number: Int(number), wire: .bytes, bits: 0, range: range)
        case 5: return field(number, .fixed32, bits: try fixed(bytes, count: 4))
        default: throw .unknownValue(offset: start, value: key)
        }
    }

    /// The next value of a packed list of varints, or nil at its end.
    package mutating func nextVarint(_ bytes: Span<UInt8>) throws(DecodeError) -> UInt64? {
        offset < end ? try varint(bytes) : nil
    }

    /// The next value of a packed list of eight-byte values, or nil at its end.
    package mutating func nextFixed64(_ bytes: Span<UInt8>) throws(DecodeError) -> UInt64? {
        offset < end ? try fixed(bytes, count: 8) : nil
    }

    private func field(
        _ number: UInt64,
        _ wire: ProtobufField.Wire,
        bits: UInt64
    ) -> ProtobufField {
        ProtobufField(number: Int(number), wire: wire, bits: bits, range: offset..<offset)
    }

    @inline(__always)
    private mutating func varint(_ bytes: Span<UInt8>) throws(DecodeError) -> UInt64 {
        // Most are one byte: keys, and lengths of what is short.
        if offset < end, bytes[offset] < 0x80 {
            defer { offset &+= 1 }
            return UInt64(bytes[offset])
        }
        return try longVarint(bytes)
    }

    @inline(never)
    private mutating func longVarint(_ bytes: Span<UInt8>) throws(DecodeError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        var cursor = offset
        while cursor < end {
            let byte = bytes[cursor]
            cursor += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 {
                guard shift < 63 || byte <= 1 else { throw .varintOverflow(offset: offset) }
                offset = cursor
                return value
            }
            shift += 7
            guard shift <= 63 else { throw .varintOverflow(offset: offset) }
        }
        throw .truncated(offset: cursor, needed: 1)
    }

    /// Reads 8 or 4 bytes.
    @inline(__always)
    private mutating func fixed(
        _ bytes: Span<UInt8>,
        count: Int
    ) throws(DecodeError) -> UInt64 {
        guard end - offset >= count else {
            throw .truncated(offset: offset, needed: count - (end - offset))
        }
        let run = bytes.extracting(offset..<(offset + count))
        offset += count
        return unsafe run.withUnsafeBytes { run in
            // SAFETY: the run has `count` bytes, which is 8 or 4.
            count == 8
                ? UInt64(littleEndian: unsafe run.loadUnaligned(as: UInt64.self))
                : UInt64(UInt32(littleEndian: unsafe run.loadUnaligned(as: UInt32.self)))
        }
    }
}

extension DecodeError {
    /// Where the input could not be read.
    package var offset: Int {
        switch self {
        case .truncated(let offset, _), .varintOverflow(let offset),
            .countTooLarge(let offset, _, _), .notCanonical(let offset),
            .unknownValue(let offset, _):
            offset
        }
    }
}
