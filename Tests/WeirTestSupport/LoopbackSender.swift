import Glibc

/// Sends bytes to a port of this machine and hears nothing back.
package enum LoopbackSender {
    /// Sends each message as a datagram.
    ///
    /// - Returns: Whether all were handed to the system.
    package static func send(datagrams: [[UInt8]], port: Int) -> Bool {
        guard let descriptor = connect(port: port, isStream: false) else { return false }
        defer { close(descriptor) }
        return datagrams.allSatisfy { write($0, descriptor) }
    }

    /// Opens a connection, writes each piece on its own, and closes.
    package static func send(stream pieces: [[UInt8]], port: Int) -> Bool {
        guard let descriptor = connect(port: port, isStream: true) else { return false }
        defer { close(descriptor) }
        return pieces.allSatisfy { write($0, descriptor) }
    }

    /// Sends a datagram to a socket in the file system.
    package static func send(datagram: [UInt8], path: String) -> Bool {
        let descriptor = socket(AF_UNIX, 2, 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8) + [0]
        guard bytes.count <= MemoryLayout.size(ofValue: address.sun_path) else { return false }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { target in
            // SAFETY: the guard above proves that the path fits.
            unsafe target.copyBytes(from: bytes)
        }
        // SAFETY: the address outlives the call, whose length is its size.
        let code = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return code == 0 && write(datagram, descriptor)
    }

    private static func connect(port: Int, isStream: Bool) -> CInt? {
        let descriptor = socket(AF_INET, isStream ? 1 : 2, 0)
        guard descriptor >= 0 else { return nil }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        // SAFETY: the address outlives the call, whose length is its size.
        let code = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    private static func write(_ bytes: [UInt8], _ descriptor: CInt) -> Bool {
        var start = 0
        while start < bytes.count {
            let rest = bytes[start...]
            // SAFETY: send reads `rest.count` bytes of the buffer.
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.send(
                    descriptor,
                    $0.baseAddress,
                    $0.count,
                    Int32(MSG_NOSIGNAL)
                )
            }
            guard count > 0 else { return false }
            start += count
        }
        return true
    }
}
