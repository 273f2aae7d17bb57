/// Why the bytes of a WebSocket's client cannot be followed further (RFC 6455, 7.4.1).
package enum WebSocketError: Error, Hashable {
    case reservedBits
    case badOpcode(UInt8)
    case unmasked
    case longControlFrame(bytes: Int)
    case splitControlFrame
    /// A continuation of nothing, or a new message inside another.
    case badFragment
    case badLength
    case badClose
    case messageTooLong(limit: Int)
    case badText

    /// The code to close with.
    var closeCode: UInt16 {
        switch self {
        case .messageTooLong: 1009
        case .badText: 1007
        default: 1002
        }
    }

    /// Short enough for a close frame.
    var reason: String {
        switch self {
        case .reservedBits: "reserved bits are set"
        case .badOpcode(let opcode): "opcode \(opcode) is not known"
        case .unmasked: "frames of a client must be masked"
        case .longControlFrame(let bytes): "control frame of \(bytes) bytes; 125 at most"
        case .splitControlFrame: "control frames cannot be split"
        case .badFragment: "fragments are out of order"
        case .badLength: "the length has its highest bit set"
        case .badClose: "the close frame is malformed"
        case .messageTooLong(let limit): "message longer than \(limit) bytes"
        case .badText: "text is not UTF-8"
        }
    }
}
