import Glibc

/// The smallest HTTP client that can ask a server on this machine a question.
package enum LoopbackHTTP {
    /// A port that was free a moment ago.
    package static func freePort() -> UInt16? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var address = self.address(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        // SAFETY: the address outlives both calls and `length` is its size.
        let bound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, length) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        return bound ? UInt16(bigEndian: address.sin_port) : nil
    }

    private static func address(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        return address
    }

    /// Sends a form by POST, or asks by GET when `form` is nil.
    ///
    /// - Returns: The status and the body, or nil when nobody answers.
    package static func request(
        port: UInt16,
        path: String,
        form: [(String, String)]? = nil
    ) -> (status: Int, body: [UInt8])? {
        guard let form else { return request(port: port, path: path, headers: [], body: nil) }
        let body = form.map { encode($0.0) + "=" + encode($0.1) }.joined(separator: "&")
        return request(
            port: port,
            path: path,
            headers: [("Content-Type", "application/x-www-form-urlencoded")],
            body: Array(body.utf8)
        )
    }

    /// Sends `body` by POST, or asks by GET when it is nil.
    ///
    /// - Returns: The status and the body, or nil when nobody answers.
    package static func request(
        port: UInt16,
        path: String,
        headers: [(String, String)],
        body: [UInt8]?
    ) -> (status: Int, body: [UInt8])? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var address = self.address(port: port)
        // SAFETY: the address outlives the call.
        let connected = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard connected else { return nil }
        var text = "\(body == nil ? "GET" : "POST") \(path) HTTP/1.0\r\nHost: 127.0.0.1\r\n"
        for header in headers { text += "\(header.0): \(header.1)\r\n" }
        if let body { text += "Content-Length: \(body.count)\r\n" }
        let bytes = Array("\(text)\r\n".utf8) + (body ?? [])
        var sent = 0
        while sent < bytes.count {
            // SAFETY: the part sent lies inside the array, which outlives the call.
            let count = unsafe bytes[sent...].withUnsafeBytes {
                unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return nil }
            sent += count
        }
        var answer: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65536)
        while true {
            // SAFETY: at most `count` bytes are written into the buffer.
            let count = unsafe part.withUnsafeMutableBytes {
                unsafe recv(descriptor, $0.baseAddress, $0.count, 0)
            }
            guard count > 0 else { break }
            answer.append(contentsOf: part[..<count])
        }
        let separator = Array("\r\n\r\n".utf8)
        guard answer.count > 12, let status = Int(String(decoding: answer[9..<12], as: UTF8.self))
        else { return nil }
        for index in 0..<max(0, answer.count - 3)
        where Array(answer[index..<(index + 4)]) == separator {
            return (status, Array(answer[(index + 4)...]))
        }
        return nil
    }

    private static func encode(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            if scalar.properties.isAlphabetic && byte < 0x80 || (0x30...0x39).contains(byte) {
                encoded.unicodeScalars.append(scalar)
            } else {
                encoded += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return encoded
    }
}
