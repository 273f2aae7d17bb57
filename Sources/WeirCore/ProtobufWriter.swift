/// Writes the few protobuf messages that Weir answers with.
package struct ProtobufWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func varint(_ number: Int, _ value: UInt64) {
        (UInt64(number) << 3).appendVarint(to: &bytes)
        value.appendVarint(to: &bytes)
    }

    /// Eight bytes, little-endian: a fixed64 or, by its bits, a double.
    package mutating func fixed64(_ number: Int, _ value: UInt64) {
        (UInt64(number) << 3 | 1).appendVarint(to: &bytes)
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// Four bytes, little-endian.
    package mutating func fixed32(_ number: Int, _ value: UInt32) {
        (UInt64(number) << 3 | 5).appendVarint(to: &bytes)
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// A string, or a message.
    package mutating func bytes(_ number: Int, _ value: some Collection<UInt8>) {
        (UInt64(number) << 3 | 2).appendVarint(to: &bytes)
        UInt64(value.count).appendVarint(to: &bytes)
        bytes.append(contentsOf: value)
    }
}
