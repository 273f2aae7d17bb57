internal import Glibc
internal import Synchronization
internal import WeirSystem

/// One TCP connection, from accept to close: since when it waits for a whole request head.
///
/// libmicrohttpd's timeout starts anew with every byte; a client that sends a head byte by byte is
/// cut off by this.
final class ConnectionContext: Sendable {
    let descriptor: Int32
    /// Monotonic nanoseconds; 0 while a request is in hand.
    private let waitingSince: Atomic<Int64>

    init(descriptor: Int32) {
        self.descriptor = descriptor
        waitingSince = Atomic(Stopwatch.monotonicNanoseconds())
    }

    func headArrived() { waitingSince.store(0, ordering: .relaxed) }

    func requestCompleted() {
        waitingSince.store(Stopwatch.monotonicNanoseconds(), ordering: .relaxed)
    }

    func isOverdue(nowNanoseconds: Int64, limitNanoseconds: Int64) -> Bool {
        let since = waitingSince.load(ordering: .relaxed)
        return since != 0 && nowNanoseconds - since > limitNanoseconds
    }

    /// Ends the connection; its thread then finds it closed.
    ///
    /// The descriptor must still be open.
    func cut() { shutdown(descriptor, Int32(SHUT_RDWR)) }
}
