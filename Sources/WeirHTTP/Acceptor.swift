internal import CMicroHTTPD
internal import Glibc
internal import WeirSystem

/// The thread that accepts connections and gives them to the daemon's threads, in turn.
///
/// libmicrohttpd could do so itself, but its way to stop accepting (MHD_quiesce_daemon, 0.9.75) takes
/// the socket out of each thread's epoll from outside and aborts the process when that thread was
/// faster.
@safe
final class Acceptor: Sendable {
    private let socket: ListenSocket
    private let wakeUp: Int32
    private let thread: Thread

    /// What the thread needs, for its way into the closure.
    @safe
    private struct Daemon: @unchecked Sendable {
        let handle: OpaquePointer
    }

    /// The daemon must live until `stop` has returned.
    init(socket: ListenSocket, daemon: OpaquePointer) {
        let wakeUp = weir_eventfd_open()
        precondition(wakeUp >= 0, "no file descriptor left for the acceptor")
        self.socket = socket
        self.wakeUp = wakeUp
        let daemon = unsafe Daemon(handle: daemon)
        thread = Thread(name: "weir-http-accept", stackBytes: 256 * 1024) {
            while weir_wait_readable(socket.descriptor, wakeUp) == 0 {
                let code = unsafe weir_mhd_accept(daemon.handle, socket.descriptor)
                // Out of descriptors or memory: connections wait in the kernel meanwhile.
                if [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(code) {
                    Thread.sleep(nanoseconds: 10_000_000)
                }
            }
        }
    }

    /// Ends the thread and closes the socket: connections are refused from here on.
    ///
    /// Call once.
    func stop() {
        var one: UInt64 = 1
        _ = unsafe write(wakeUp, &one, 8)
        thread.join()
        close(wakeUp)
        socket.closeNow()
    }
}
