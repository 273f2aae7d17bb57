/// The frames a server writes (RFC 6455, 5.2): whole, unmasked.
enum WebSocketFrame {
    enum Opcode: UInt8 {
        case continuation = 0
        case text = 1
        case binary = 2
        case close = 8
        case ping = 9
        case pong = 10

        var isControl: Bool { rawValue >= 8 }
    }

    /// Appends the head of a frame with a payload of `count` bytes.
    static func appendHead(_ opcode: Opcode, count: Int, to bytes: inout [UInt8]) {
        bytes.append(0x80 | opcode.rawValue)
        switch count {
        case ..<126: bytes.append(UInt8(count))
        case ..<65536:
            bytes.append(126)
            bytes.append(UInt8(count >> 8))
            bytes.append(UInt8(count & 255))
        default:
            bytes.append(127)
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: count >> shift))
            }
        }
    }

    static func encode(_ opcode: Opcode, _ payload: some Collection<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(payload.count + 10)
        appendHead(opcode, count: payload.count, to: &bytes)
        bytes.append(contentsOf: payload)
        return bytes
    }

    /// A close frame; the reason is cut to what a control frame holds.
    static func close(code: UInt16, reason: String) -> [UInt8] {
        var text = reason
        while text.utf8.count > 123 { text.removeLast() }
        return encode(.close, [UInt8(code >> 8), UInt8(code & 255)] + Array(text.utf8))
    }
}
