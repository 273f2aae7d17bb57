internal import CMicroHTTPD
internal import Glibc
internal import WeirSystem

/// Notices clients that close their connection while it is suspended: libmicrohttpd does not look
/// at a suspended socket.
///
/// One thread over one epoll; a socket is armed for one event at each suspension. A socket that is
/// closed leaves the epoll by itself. A client that only ends its sending half counts as gone, as
/// no HTTP client does that and stays.
final class DepartureWatch: Sendable {
    private static let stopNumber = UInt64.max

    private let epoll: Int32
    private let wakeUp: Int32
    private let thread: Thread

    /// - Parameters:
    ///   - onDeparture: Gets the number given to `arm`, on the watch's thread.
    ///   - onTick: Called about every half second, on the watch's thread.
    init(
        onDeparture: @escaping @Sendable (UInt64) -> Void,
        onTick: @escaping @Sendable () -> Void
    ) {
        let epoll = weir_epoll_open()
        let wakeUp = weir_eventfd_open()
        precondition(epoll >= 0 && wakeUp >= 0, "no file descriptor left for the departure watch")
        self.epoll = epoll
        self.wakeUp = wakeUp
        precondition(weir_epoll_add_readable(epoll, wakeUp, Self.stopNumber) == 0, "epoll_ctl")
        thread = Thread(name: "weir-http-watch", stackBytes: 256 * 1024) {
            Self.run(epoll, onDeparture, onTick)
        }
    }

    /// Looks out for the departure of the client behind `descriptor`, once.
    func arm(_ descriptor: Int32, number: UInt64) {
        guard descriptor >= 0 else { return }
        // Out of kernel memory it goes unwatched, and is noticed when the answer is written.
        _ = weir_epoll_arm(epoll, descriptor, number)
    }

    /// Ends the thread.
    ///
    /// Nothing may be armed after.
    func stop() {
        var one: UInt64 = 1
        _ = unsafe write(wakeUp, &one, 8)
        thread.join()
        close(epoll)
        close(wakeUp)
    }

    private static func run(
        _ epoll: Int32,
        _ onDeparture: (UInt64) -> Void,
        _ onTick: () -> Void
    ) {
        var nextTick = Stopwatch.monotonicNanoseconds()
        while true {
            let number = weir_epoll_wait(epoll, 500)
            if number == Self.stopNumber { return }
            if number != 0 { onDeparture(number) }
            let now = Stopwatch.monotonicNanoseconds()
            guard now >= nextTick else { continue }
            nextTick = now + 500_000_000
            onTick()
        }
    }
}
