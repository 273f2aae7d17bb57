internal import Glibc

/// Signals taken one by one on a thread that waits for them, instead of in handlers.
package enum Signals {
    package enum Kind: Sendable {
        /// TERM or INT: end in order.
        case stop
        /// HUP: read the configuration again.
        case reload
    }

    /// Makes writing to a reader that left an error instead of the end.
    ///
    /// Call first in `main`.
    package static func ignorePipe() { signal(SIGPIPE, SIG_IGN) }

    /// Keeps TERM, INT and HUP for `wait`.
    ///
    /// Call before any thread starts, so that all inherit it.
    package static func prepare() {
        var set = taken()
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Waits for the next signal.
    package static func wait() -> Kind {
        var set = taken()
        var number: CInt = 0
        while true {
            guard unsafe sigwait(&set, &number) == 0 else { continue }
            return number == SIGHUP ? .reload : .stop
        }
    }

    static func taken() -> sigset_t {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in [SIGTERM, SIGINT, SIGHUP] { unsafe sigaddset(&set, number) }
        return set
    }
}
