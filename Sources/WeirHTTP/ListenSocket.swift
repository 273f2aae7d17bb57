// With the static standard library the socket types belong to whichever C module saw them first.
internal import CMicroHTTPD
internal import Glibc
internal import Synchronization

/// A bound, listening TCP socket that closes itself.
final class ListenSocket: Sendable {
    let descriptor: Int32
    private let isClosed = Atomic<Bool>(false)
    /// Where it listens, with the port the system chose when 0 was asked: `127.0.0.1:43211`.
    let address: RemoteAddress

    /// - Throws: `.badAddress`, or `.cannotListen` with the system's reason.
    init(_ text: String) throws(HTTPServerError) {
        let wanted = try ListenAddress(parsing: text)
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(
            wanted.host.isEmpty ? nil : wanted.host,
            String(wanted.port),
            &hints,
            &list
        )
        guard code == 0 else {
            throw .cannotListen(address: text, reason: unsafe String(cString: gai_strerror(code)))
        }
        defer { unsafe freeaddrinfo(list) }
        var reason = "no address"
        // Every address: one IPv6 socket takes both families, where the system has IPv6.
        let families = wanted.host.isEmpty ? [AF_INET6, AF_INET] : [AF_INET, AF_INET6]
        for family in families {
            var candidate = unsafe list
            while let info = unsafe candidate {
                if unsafe info.pointee.ai_family == family {
                    let opened = unsafe Self.open(info.pointee)
                    if let descriptor = opened.descriptor {
                        self.descriptor = descriptor
                        self.address = Self.boundAddress(of: descriptor)
                        return
                    }
                    reason = opened.reason
                }
                unsafe candidate = info.pointee.ai_next
            }
        }
        throw .cannotListen(address: text, reason: reason)
    }

    deinit { closeNow() }

    /// From here on connections are refused.
    func closeNow() {
        if !isClosed.exchange(true, ordering: .acquiringAndReleasing) { close(descriptor) }
    }

    private static func open(_ info: addrinfo) -> (descriptor: Int32?, reason: String) {
        let descriptor = unsafe socket(
            info.ai_family,
            Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue),
            0
        )
        guard descriptor >= 0 else { return (nil, failureReason()) }
        set(descriptor, Int32(SOL_SOCKET), SO_REUSEADDR, 1)
        // Accepted sockets inherit it from the listening one.
        set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        if unsafe info.ai_family == AF_INET6 {
            set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0)
        }
        guard unsafe bind(descriptor, info.ai_addr, info.ai_addrlen) == 0,
            listen(descriptor, 4096) == 0
        else {
            let reason = failureReason()
            close(descriptor)
            return (nil, reason)
        }
        return (descriptor, "")
    }

    private static func failureReason() -> String { unsafe String(cString: strerror(errno)) }

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

    private static func boundAddress(of descriptor: Int32) -> RemoteAddress {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // SAFETY: the kernel writes at most `length` bytes, and the pointer stays in the closure.
        return unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard unsafe getsockname(descriptor, address, &length) == 0 else {
                    return .unknown
                }
                return unsafe RemoteAddress(address)
            }
        }
    }
}
