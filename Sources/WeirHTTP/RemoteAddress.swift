internal import CMicroHTTPD
internal import Glibc

/// A client's address, kept as bytes and written out only when asked.
package struct RemoteAddress: Hashable, Sendable, CustomStringConvertible {
    package static let unknown = RemoteAddress(bytes: [], port: 0)

    /// 4 bytes for IPv4, 16 for IPv6, none when unknown.
    package let bytes: [UInt8]
    package let port: UInt16

    package init(bytes: [UInt8], port: UInt16) {
        self.bytes = bytes
        self.port = port
    }

    /// Reads a socket address that the kernel or MHD wrote.
    init(_ address: UnsafePointer<sockaddr>?) {
        guard let address = unsafe address else {
            self = .unknown
            return
        }
        // SAFETY: the family says which structure stands behind the pointer.
        let raw = unsafe UnsafeRawPointer(address)
        switch unsafe Int32(address.pointee.sa_family) {
        case AF_INET:
            let inet = unsafe raw.loadUnaligned(as: sockaddr_in.self)
            let bytes = unsafe withUnsafeBytes(of: inet.sin_addr) { unsafe Array($0) }
            self.init(bytes: bytes, port: UInt16(bigEndian: inet.sin_port))
        case AF_INET6:
            let inet = unsafe raw.loadUnaligned(as: sockaddr_in6.self)
            var bytes = unsafe withUnsafeBytes(of: inet.sin6_addr) { unsafe Array($0) }
            // An IPv4 client of a socket for both families.
            let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
            if bytes.starts(with: mapped) { bytes.removeFirst(12) }
            self.init(bytes: bytes, port: UInt16(bigEndian: inet.sin6_port))
        default: self = .unknown
        }
    }

    /// The address without the port: `127.0.0.1`, `::1`, or `unknown`.
    package var host: String {
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        guard bytes.count == 4 || bytes.count == 16 else { return "unknown" }
        var text = [CChar](repeating: 0, count: 64)
        let capacity = socklen_t(text.count)
        // SAFETY: inet_ntop writes at most `capacity` bytes, its terminator among them.
        _ = unsafe bytes.withUnsafeBytes { source in
            unsafe text.withUnsafeMutableBufferPointer { target in
                unsafe inet_ntop(family, source.baseAddress, target.baseAddress, capacity)
            }
        }
        return String(
            decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
    }

    /// `127.0.0.1:4040`, `[::1]:4040`.
    package var description: String {
        bytes.count == 16 ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
