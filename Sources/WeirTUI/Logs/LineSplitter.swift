/// Cuts what arrives piece by piece into lines.
package struct LineSplitter: Sendable {
    /// Longer lines are thrown away.
    package static let lineBytesMax = 8 << 20

    private var rest: [UInt8] = []

    package init() {}

    /// The whole lines so far, without their line ends.
    package mutating func take(_ bytes: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var start = 0
        while let end = bytes[start...].firstIndex(of: 0x0A) {
            if rest.isEmpty {
                lines.append(Array(bytes[start..<end]))
            } else {
                lines.append(rest + bytes[start..<end])
                rest = []
            }
            start = end + 1
        }
        rest.append(contentsOf: bytes[start...])
        if rest.count > Self.lineBytesMax { rest = [] }
        return lines
    }
}
