internal import Glibc

/// A child process: started, asked to stop, and waited for.
package final class SpawnedProcess {
    package let identifier: Int32
    /// How it ended, once it was waited for: an exit code, or minus the signal.
    package private(set) var outcome: Int32?

    /// Where a child's input comes from and its output goes to.
    package enum Streams: Sendable {
        /// This process's own, in its process group: a program for the terminal.
        case inherited
        /// No input; standard output and error to a file created anew. In a process group of its
        /// own, so that a ctrl-C at the terminal does not reach it before the parent has decided.
        case file(String)
    }

    /// What a child is doing.
    package enum State: Sendable {
        case running
        /// Suspended by ctrl-Z, until somebody continues it.
        case suspended
        case ended
    }

    /// Starts a program, with no signal blocked; nil when it cannot be started.
    ///
    /// - Parameters:
    ///   - path: The program.
    ///   - arguments: Without the program's own name.
    ///   - streams: Its input and output.
    package init?(_ path: String, _ arguments: [String], _ streams: Streams) {
        // SAFETY: every C string, the actions and the attributes live until `posix_spawn` returns.
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var noSignals = sigset_t()
        unsafe sigemptyset(&noSignals)
        unsafe posix_spawnattr_setsigmask(&attributes, &noSignals)
        var options = POSIX_SPAWN_SETSIGMASK
        if case .file(let outputPath) = streams {
            unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
            let flags = O_WRONLY | O_CREAT | O_TRUNC
            unsafe posix_spawn_file_actions_addopen(&actions, 1, outputPath, flags, 0o600)
            unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
            unsafe posix_spawnattr_setpgroup(&attributes, 0)
            options |= POSIX_SPAWN_SETPGROUP
        }
        unsafe posix_spawnattr_setflags(&attributes, Int16(options))
        var pointers = unsafe ([path] + arguments).map { unsafe strdup($0) } + [nil]
        defer { for index in unsafe pointers.indices { unsafe free(pointers[index]) } }
        var child: pid_t = 0
        let failure = unsafe posix_spawn(
            &child,
            path,
            &actions,
            &attributes,
            &pointers,
            environ
        )
        guard failure == 0 else { return nil }
        identifier = child
    }

    /// What it is doing now; tells of each suspension once.
    package var state: State {
        guard outcome == nil else { return .ended }
        var status: Int32 = 0
        guard unsafe waitpid(identifier, &status, WNOHANG | WUNTRACED) == identifier else {
            return .running
        }
        if status & 0xFF == 0x7F { return .suspended }
        settle(status)
        return .ended
    }

    /// Suspends this process as its child was, so that the shell takes the terminal back.
    ///
    /// Returns when the shell has continued both.
    package static func suspendSelf() { raise(SIGSTOP) }

    /// Whether it still runs.
    package var isRunning: Bool {
        guard outcome == nil else { return false }
        var status: Int32 = 0
        guard unsafe waitpid(identifier, &status, WNOHANG) == identifier else { return true }
        settle(status)
        return false
    }

    /// Asks it to end with TERM, waits, and kills it when that takes too long.
    ///
    /// - Returns: Its outcome.
    @discardableResult
    package func stop(timeoutSeconds: Double) -> Int32 {
        if isRunning { kill(identifier, SIGTERM) }
        var waited = 0.0
        while isRunning, waited < timeoutSeconds {
            usleep(20_000)
            waited += 0.02
        }
        if let outcome { return outcome }
        kill(identifier, SIGKILL)
        var status: Int32 = 0
        while unsafe waitpid(identifier, &status, 0) < 0, errno == EINTR {}
        settle(status)
        return -SIGKILL
    }

    private func settle(_ status: Int32) {
        let signal = status & 0x7F
        outcome = signal == 0 ? (status >> 8) & 0xFF : -signal
    }
}
