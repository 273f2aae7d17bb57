import Glibc

/// A real process started by a test: its output goes to a file, and it never outlives the test
/// that asked for `stop`.
package final class ChildProcess {
    package let identifier: Int32
    /// How it ended, once it has been waited for: an exit code, or minus the signal.
    package private(set) var outcome: Int32?

    /// Starts `path` with `arguments` (without the program's own name); standard output and
    /// error are written to `outputPath`, standard input is empty.
    ///
    /// - Returns: Nil when the program cannot be started.
    package init?(
        _ path: String,
        _ arguments: [String],
        environment: [String] = ["PATH=/usr/bin:/bin", "HOME=/tmp", "LC_ALL=C"],
        outputPath: String = "/dev/null"
    ) {
        // SAFETY: every C string and the actions live until `posix_spawn` has returned.
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(
            &actions,
            1,
            outputPath,
            O_WRONLY | O_CREAT | O_TRUNC,
            0o644
        )
        unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var argumentPointers = unsafe ([path] + arguments).map { unsafe strdup($0) } + [nil]
        var environmentPointers = unsafe environment.map { unsafe strdup($0) } + [nil]
        defer {
            for index in unsafe argumentPointers.indices { unsafe free(argumentPointers[index]) }
            for index in unsafe environmentPointers.indices {
                unsafe free(environmentPointers[index])
            }
        }
        var child: pid_t = 0
        let failure = unsafe posix_spawn(
            &child,
            path,
            &actions,
            nil,
            &argumentPointers,
            &environmentPointers
        )
        guard failure == 0 else { return nil }
        identifier = child
    }

    /// Waits for the end, and says how it was.
    @discardableResult
    package func wait() -> Int32 {
        if let outcome { return outcome }
        var status: Int32 = 0
        while unsafe waitpid(identifier, &status, 0) < 0, errno == EINTR {}
        return settle(status)
    }

    /// Whether it still runs.
    package var isRunning: Bool {
        guard outcome == nil else { return false }
        var status: Int32 = 0
        guard unsafe waitpid(identifier, &status, WNOHANG) == identifier else { return true }
        settle(status)
        return false
    }

    @discardableResult
    private func settle(_ status: Int32) -> Int32 {
        let signal = status & 0x7F
        let result = signal == 0 ? (status >> 8) & 0xFF : -signal
        outcome = result
        return result
    }

    package func send(signal: Int32) {
        if outcome == nil { kill(identifier, signal) }
    }

    /// Kills it at once and waits.
    package func stop() {
        send(signal: SIGKILL)
        wait()
    }
}
