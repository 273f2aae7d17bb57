internal import Glibc

/// One thread of the system's, for work that blocks.
@safe
package final class Thread: @unchecked Sendable {
    private let handle: pthread_t

    /// The body, boxed for its way through C.
    private final class Start {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Starts a thread.
    ///
    /// `name` is cut to the 15 bytes Linux keeps.
    package init(name: String, stackBytes: Int = 1 << 20, _ body: @escaping @Sendable () -> Void) {
        let start = unsafe Unmanaged.passRetained(Start(name: name, body: body)).toOpaque()
        var handle = pthread_t()
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setstacksize(&attributes, stackBytes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        let code = unsafe pthread_create(
            &handle,
            &attributes,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                nameCurrent(start.name)
                start.body()
                return nil
            },
            start
        )
        precondition(code == 0, "pthread_create failed: \(code)")
        self.handle = handle
    }

    /// Waits until the body has returned.
    ///
    /// Call at most once.
    package func join() { pthread_join(handle, nil) }

    /// Gives the thread back to the system when it ends, without a `join`.
    package func detach() { pthread_detach(handle) }

    /// Lets other work of this machine go first: for merges and other background work.
    package static func lowerPriorityOfCurrent() {
        // On Linux a `who` of 0 means the calling thread alone.
        _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
    }

    package static func sleep(nanoseconds: Int64) {
        var time = timespec(
            tv_sec: Int(nanoseconds / 1_000_000_000),
            tv_nsec: Int(nanoseconds % 1_000_000_000)
        )
        unsafe nanosleep(&time, nil)
    }
}

/// Names the calling thread for `top` and `perf`; Linux keeps 15 bytes.
private func nameCurrent(_ name: String) {
    let descriptor = unsafe open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    var name = name
    name.withUTF8 { bytes in _ = unsafe write(descriptor, bytes.baseAddress, min(bytes.count, 15)) }
    close(descriptor)
}
