import Glibc

/// TCP on this machine, by hand: for what an HTTP client would disturb.
enum LoopbackSocket {
    static func bindAnywhere() throws(BenchError) -> (descriptor: Int32, port: Int) {
        let descriptor = try make()
        var address = self.address(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        // SAFETY: a `sockaddr_in` is a socket address of the family that it names, and the size
        // passed is its own.
        let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                let bound = unsafe bind(descriptor, generic, length)
                return bound == 0 ? unsafe getsockname(descriptor, generic, &length) : bound
            }
        }
        guard code == 0 else { throw .system(call: "bind", code: errno) }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    /// Connects, and sends small writes at once.
    static func connect(port: Int) throws(BenchError) -> Int32 {
        let descriptor = try make()
        var address = self.address(port: port)
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        // SAFETY: as in `bindAnywhere`.
        let code = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe Glibc.connect(descriptor, generic, length)
            }
        }
        guard code == 0 else {
            let code = errno
            close(descriptor)
            throw .system(call: "connect", code: code)
        }
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, size)
        return descriptor
    }

    private static func make() throws(BenchError) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_INET, type, 0)
        guard descriptor >= 0 else { throw .system(call: "socket", code: errno) }
        return descriptor
    }

    private static func address(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        return address
    }
}
