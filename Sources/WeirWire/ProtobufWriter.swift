internal import WeirCore

/// Writes the few protobuf messages that Weir answers with.
package struct ProtobufWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func varint(_ number: Int, _ value: UInt64) {
        (UInt64(number) << 3).appendVarint(to: &bytes)
        value.appendVarint(to: &bytes)
    }

    /// A string, or a message.
    package mutating func bytes(_ number: Int, _ value: some Collection<UInt8>) {
        (UInt64(number) << 3 | 2).appendVarint(to: &bytes)
        UInt64(value.count).appendVarint(to: &bytes)
        bytes.append(contentsOf: value)
    }
}
