internal import Glibc
internal import Synchronization

/// Why a socket could not be opened.
package struct SocketError: Error, Hashable, CustomStringConvertible {
    package let address: String
    package let reason: String

    package var description: String { "cannot listen at \(address): \(reason)" }
}

/// A socket of the system's that never blocks, and closes itself.
package final class Socket: Sendable {
    /// What a read brought.
    package enum Receipt: Hashable, Sendable {
        case bytes(Int)
        /// There is nothing now.
        case nothing
        /// The other side has closed, or the connection broke.
        case closed
    }

    private let descriptor: Int32
    /// The port it is bound to; 0 for an accepted one.
    package let port: Int

    private init(descriptor: Int32, port: Int) {
        self.descriptor = descriptor
        self.port = port
    }

    deinit { close(descriptor) }

    /// Binds a UDP socket to `host:port`; port 0 is chosen by the system.
    package static func datagrams(at address: String) throws(SocketError) -> Socket {
        try open(address, isStream: false)
    }

    /// Listens at `host:port` for TCP connections.
    package static func listener(at address: String) throws(SocketError) -> Socket {
        try open(address, isStream: true)
    }

    private static func open(_ address: String, isStream: Bool) throws(SocketError) -> Socket {
        guard let colon = address.lastIndex(of: ":"),
            let port = UInt16(address[address.index(after: colon)...])
        else { throw SocketError(address: address, reason: "it is not HOST:PORT") }
        var host = String(address[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = isStream ? 1 : 2
        unsafe hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(
            host.isEmpty || host == "*" ? nil : host,
            String(port),
            &hints,
            &list
        )
        guard code == 0 else {
            throw SocketError(
                address: address,
                reason: unsafe String(cString: gai_strerror(code))
            )
        }
        defer { unsafe freeaddrinfo(list) }
        var reason = "no address"
        var candidate = unsafe list
        while let info = unsafe candidate {
            // 1 and 2 are SOCK_STREAM and SOCK_DGRAM, whose types differ between builds.
            let type: Int32 = (isStream ? 1 : 2) | O_CLOEXEC | O_NONBLOCK
            let descriptor = unsafe socket(info.pointee.ai_family, type, 0)
            if descriptor >= 0 {
                if isStream {
                    set(descriptor, Int32(SOL_SOCKET), SO_REUSEADDR, 1)
                } else {
                    // Room for bursts; the system grants what it allows.
                    set(descriptor, Int32(SOL_SOCKET), SO_RCVBUF, 8 << 20)
                }
                let isBound =
                    unsafe bind(descriptor, info.pointee.ai_addr, info.pointee.ai_addrlen) == 0
                if isBound, !isStream || listen(descriptor, 256) == 0 {
                    return Socket(descriptor: descriptor, port: boundPort(descriptor))
                }
                reason = unsafe String(cString: strerror(errno))
                close(descriptor)
            } else {
                reason = unsafe String(cString: strerror(errno))
            }
            unsafe candidate = info.pointee.ai_next
        }
        throw SocketError(address: address, reason: reason)
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        _ = unsafe setsockopt(
            descriptor,
            level,
            option,
            &value,
            socklen_t(MemoryLayout<Int32>.size)
        )
    }

    private static func boundPort(_ descriptor: Int32) -> Int {
        var storage = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        // SAFETY: the kernel writes at most `length` bytes, and the pointer stays in the closure.
        let code = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe getsockname(descriptor, address, &length)
            }
        }
        // The port stands at the same place in both families' addresses.
        return code == 0 ? Int(UInt16(bigEndian: storage.sin6_port)) : 0
    }

    /// The next connection that waits, or nil.
    package func accept() -> Socket? {
        let descriptor = Glibc.accept(self.descriptor, nil, nil)
        guard descriptor >= 0 else { return nil }
        let flags = fcntl(descriptor, F_GETFL)
        _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return Socket(descriptor: descriptor, port: 0)
    }

    /// Reads what is there into `buffer` from its start: a datagram, or a piece of a stream.
    package func receive(into buffer: inout [UInt8]) -> Receipt {
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            // SAFETY: recv writes at most `bytes.count` bytes.
            unsafe recv(descriptor, bytes.baseAddress, bytes.count, 0)
        }
        if count > 0 { return .bytes(count) }
        if count == 0 { return .closed }
        return [EAGAIN, EWOULDBLOCK, EINTR].contains(errno) ? .nothing : .closed
    }

    /// Waits until one of `sockets` can be read.
    ///
    /// - Returns: For each, whether it can; all false when the time has passed.
    package static func waitReadable(_ sockets: [Socket], milliseconds: Int32) -> [Bool] {
        var polls = sockets.map {
            pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0)
        }
        let count = unsafe poll(&polls, nfds_t(polls.count), milliseconds)
        guard count > 0 else { return [Bool](repeating: false, count: sockets.count) }
        return polls.map { $0.revents != 0 }
    }
}
