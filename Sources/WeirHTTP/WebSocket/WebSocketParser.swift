/// Takes the bytes of a WebSocket's client apart, as they come, into whole messages.
///
/// Hostile-safe: lengths are checked before anything is kept, and at most one message and one frame
/// head are held.
struct WebSocketParser {
    enum Message: Hashable {
        case text([UInt8])
        case binary([UInt8])
        case ping([UInt8])
        case pong([UInt8])
        /// 1005 when the client gave no code.
        case close(code: UInt16)
    }

    private struct Head {
        let isLast: Bool
        let opcode: WebSocketFrame.Opcode
        let byteCount: Int
        let payloadCount: Int
        let mask: (UInt8, UInt8, UInt8, UInt8)
    }

    private let messageBytesMax: Int
    private var buffer: [UInt8] = []
    private var start = 0
    /// The message of which fragments have come.
    private var message: [UInt8] = []
    private var messageOpcode: WebSocketFrame.Opcode?

    init(messageBytesMax: Int = 64 * 1024) { self.messageBytesMax = messageBytesMax }

    /// Whether the bytes so far end inside a frame or a message.
    var isInsideMessage: Bool { start < buffer.count || messageOpcode != nil }

    mutating func append(_ bytes: some Collection<UInt8>) {
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next whole message; nil when more bytes are needed.
    mutating func next() throws(WebSocketError) -> Message? {
        while let head = try head() {
            guard buffer.count - start >= head.byteCount + head.payloadCount else { return nil }
            let payload = takePayload(head)
            if head.opcode.isControl { return try control(head.opcode, payload) }
            if head.opcode != .continuation { messageOpcode = head.opcode }
            message += payload
            guard head.isLast, let opcode = messageOpcode else { continue }
            let whole = message
            message = []
            messageOpcode = nil
            guard opcode == .text else { return .binary(whole) }
            guard Self.isUTF8(whole) else { throw .badText }
            return .text(whole)
        }
        return nil
    }

    /// The head of the frame at `start`, checked; nil when it is not there whole.
    private func head() throws(WebSocketError) -> Head? {
        let available = buffer.count - start
        guard available >= 2 else { return nil }
        let first = buffer[start]
        let second = buffer[start + 1]
        guard first & 0x70 == 0 else { throw .reservedBits }
        guard let opcode = WebSocketFrame.Opcode(rawValue: first & 15) else {
            throw .badOpcode(first & 15)
        }
        guard second & 0x80 != 0 else { throw .unmasked }
        let isLast = first & 0x80 != 0
        let short = Int(second & 127)
        if opcode.isControl {
            guard isLast else { throw .splitControlFrame }
            guard short <= 125 else { throw .longControlFrame(bytes: short) }
        } else {
            guard (opcode == .continuation) == (messageOpcode != nil) else { throw .badFragment }
        }
        let lengthBytes = short == 126 ? 2 : short == 127 ? 8 : 0
        guard available >= 2 + lengthBytes else { return nil }
        var length = UInt64(short)
        if lengthBytes > 0 {
            length = 0
            for place in 0..<lengthBytes {
                length = length << 8 | UInt64(buffer[start + 2 + place])
            }
        }
        guard length >> 63 == 0 else { throw .badLength }
        guard length <= UInt64(messageBytesMax - min(messageBytesMax, message.count)) else {
            throw .messageTooLong(limit: messageBytesMax)
        }
        let maskStart = start + 2 + lengthBytes
        guard buffer.count >= maskStart + 4 else { return nil }
        return Head(
            isLast: isLast,
            opcode: opcode,
            byteCount: 6 + lengthBytes,
            payloadCount: Int(length),
            mask: (
                buffer[maskStart], buffer[maskStart + 1], buffer[maskStart + 2],
                buffer[maskStart + 3]
            )
        )
    }

    private mutating func takePayload(_ head: Head) -> [UInt8] {
        let from = start + head.byteCount
        var payload = Array(buffer[from..<from + head.payloadCount])
        let mask = [head.mask.0, head.mask.1, head.mask.2, head.mask.3]
        for place in payload.indices { payload[place] ^= mask[place & 3] }
        start = from + head.payloadCount
        return payload
    }

    private func control(
        _ opcode: WebSocketFrame.Opcode,
        _ payload: [UInt8]
    ) throws(WebSocketError) -> Message {
        switch opcode {
        case .ping: return .ping(payload)
        case .pong: return .pong(payload)
        default:
            guard !payload.isEmpty else { return .close(code: 1005) }
            guard payload.count >= 2 else { throw .badClose }
            let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
            // What may be on the wire: RFC 6455, 7.4.2, and its registry.
            let isKnown =
                (1000...1003).contains(code) || (1007...1014).contains(code)
                || (3000...4999).contains(code)
            guard isKnown, Self.isUTF8(Array(payload[2...])) else { throw .badClose }
            return .close(code: code)
        }
    }

    private static func isUTF8(_ bytes: [UInt8]) -> Bool {
        String(validating: bytes, as: UTF8.self) != nil
    }
}
