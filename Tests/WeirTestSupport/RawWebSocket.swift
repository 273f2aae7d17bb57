import Glibc

/// A WebSocket client made of a socket and bytes: for what no decent client would send.
package final class RawWebSocket {
    package struct Frame: Equatable {
        package let opcode: UInt8
        package let payload: [UInt8]

        package init(opcode: UInt8, payload: [UInt8]) {
            self.opcode = opcode
            self.payload = payload
        }

        package var text: String { String(decoding: payload, as: UTF8.self) }
        /// The code of a close frame.
        package var closeCode: Int? {
            payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : nil
        }
    }

    private let descriptor: Int32
    private var buffer: [UInt8] = []
    /// The head of the answer to the handshake.
    package private(set) var answer = ""

    /// Connects and shakes hands; `answer` tells how that went.
    package init?(
        port: Int,
        path: String,
        headers: [String] = [],
        after extra: [UInt8] = []
    ) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        // SAFETY: the pointer lives only inside the closure.
        let code = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else { return nil }
        var timeout = timeval(tv_sec: 20, tv_usec: 0)
        unsafe setsockopt(
            descriptor,
            SOL_SOCKET,
            SO_RCVTIMEO,
            &timeout,
            socklen_t(MemoryLayout<timeval>.size)
        )
        let lines =
            [
                "GET \(path) HTTP/1.1", "Host: 127.0.0.1:\(port)", "Upgrade: websocket",
                "Connection: keep-alive, Upgrade", "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            ] + headers
        sendRaw(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + extra)
        while true {
            if let end = Self.headEnd(buffer) {
                answer = String(decoding: buffer[..<end], as: UTF8.self)
                buffer.removeFirst(end)
                break
            }
            guard fill() else { break }
        }
    }

    deinit { close(descriptor) }

    private static func headEnd(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        for index in 0...(bytes.count - 4)
        where bytes[index..<index + 4].elementsEqual([13, 10, 13, 10]) { return index + 4 }
        return nil
    }

    package func sendRaw(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { buffer in
                unsafe Glibc.send(
                    descriptor,
                    buffer.baseAddress,
                    buffer.count,
                    Int32(MSG_NOSIGNAL)
                )
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Sends a masked frame.
    package func send(_ opcode: UInt8, _ payload: [UInt8] = [], isLast: Bool = true) {
        sendRaw(Self.frame(opcode, payload, isLast: isLast))
    }

    /// A masked frame's bytes.
    package static func frame(_ opcode: UInt8, _ payload: [UInt8], isLast: Bool = true) -> [UInt8] {
        var bytes: [UInt8] = [(isLast ? 0x80 : 0) | opcode]
        switch payload.count {
        case ..<126: bytes.append(0x80 | UInt8(payload.count))
        case ..<65536:
            bytes += [0xFE, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        default:
            bytes.append(0xFF)
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
        }
        let mask: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
        bytes += mask
        bytes += payload.enumerated().map { $1 ^ mask[$0 & 3] }
        return bytes
    }

    /// The next frame of the server's; nil when the connection ended first.
    package func receive() -> Frame? {
        while true {
            if let frame = takeFrame() { return frame }
            guard fill() else { return nil }
        }
    }

    /// Waits for the connection's end; false when bytes come instead.
    package func isEnded() -> Bool { buffer.isEmpty && !fill() }

    private func takeFrame() -> Frame? {
        guard buffer.count >= 2 else { return nil }
        var count = Int(buffer[1] & 127)
        var start = 2
        if count >= 126 {
            let width = count == 126 ? 2 : 8
            guard buffer.count >= 2 + width else { return nil }
            count = buffer[2..<2 + width].reduce(0) { $0 << 8 | Int($1) }
            start += width
        }
        guard buffer.count >= start + count else { return nil }
        let frame = Frame(
            opcode: buffer[0] & 15,
            payload: Array(buffer[start..<start + count])
        )
        buffer.removeFirst(start + count)
        return frame
    }

    private func fill() -> Bool {
        var room = [UInt8](repeating: 0, count: 65536)
        let capacity = room.count
        let count = unsafe recv(descriptor, &room, capacity, 0)
        guard count > 0 else { return false }
        buffer += room[..<count]
        return true
    }
}
