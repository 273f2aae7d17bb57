import Glibc

/// A program run by the bench, with what it cost when it ended.
final class Child {
    let identifier: Int32
    private var isReaped = false

    /// What is given.
    ///
    /// - `input`: The file given as standard input.
    /// - `output`: The file that gets standard output and error.
    init(
        _ program: String,
        _ arguments: [String],
        input: String = "/dev/null",
        output: String = "/dev/null"
    ) throws(BenchError) {
        // SAFETY: every C string and the actions live until `posix_spawn` has returned.
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(
            &actions,
            1,
            output,
            O_WRONLY | O_CREAT | O_TRUNC,
            0o644
        )
        unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
        let environment = ["PATH=/usr/bin:/bin", "HOME=/tmp", "LC_ALL=C"]
        var argumentPointers = unsafe ([program] + arguments).map { unsafe strdup($0) } + [nil]
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
            program,
            &actions,
            nil,
            &argumentPointers,
            &environmentPointers
        )
        guard failure == 0 else { throw .cannotStart(program: program) }
        identifier = child
    }

    deinit {
        guard !isReaped else { return }
        kill(identifier, SIGKILL)
        wait()
    }

    func send(signal: Int32) {
        if !isReaped { kill(identifier, signal) }
    }

    /// Waits for the end.
    ///
    /// - Returns: Processor seconds, user and system together.
    @discardableResult
    func wait() -> Double {
        guard !isReaped else { return 0 }
        var status: Int32 = 0
        var usage = rusage()
        while unsafe wait4(identifier, &status, 0, &usage) < 0, errno == EINTR {}
        isReaped = true
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    /// Processor seconds used so far, by all threads that are or were; in clock ticks, so ±10 ms.
    var processorSeconds: Double {
        // The second field is the name in brackets, which may hold anything.
        let text = SmallFile.text("/proc/\(identifier)/stat")
        guard let close = text.lastIndex(of: ")") else { return 0 }
        let fields = text[text.index(after: close)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12])
        else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Memory in RAM now, and the most there was, in bytes.
    var residentBytes: Int { statusBytes("VmRSS:") }
    var peakResidentBytes: Int { statusBytes("VmHWM:") }

    private func statusBytes(_ name: String) -> Int {
        for line in SmallFile.text("/proc/\(identifier)/status").split(separator: "\n")
        where line.hasPrefix(name) {
            let fields = line.split { $0 == " " || $0 == "\t" }
            if fields.count > 1, let kibibytes = Int(fields[1]) { return kibibytes * 1024 }
        }
        return 0
    }
}
