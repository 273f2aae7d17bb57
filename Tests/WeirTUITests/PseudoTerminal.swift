import Glibc

/// A pseudo-terminal with the real binary in it.
final class PseudoTerminal {
    let master: Int32
    /// Kept open here, so that the settings can be read after the process is gone.
    let slave: Int32
    private let name: String
    private var process: pid_t = 0
    private(set) var output: [UInt8] = []

    struct Failure: Error { let call: String }

    init(width: UInt16 = 100, height: UInt16 = 30) throws {
        var size = winsize(ws_row: height, ws_col: width, ws_xpixel: 0, ws_ypixel: 0)
        // The module of the C library hides `posix_openpt`; these are the calls under it (tty_ioctl(4)).
        master = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY)
        var number: Int32 = -1
        var unlocked: Int32 = 0
        guard master >= 0, unsafe ioctl(master, 0x4004_5431, &unlocked) == 0,
            unsafe ioctl(master, 0x8004_5430, &number) == 0
        else { throw Failure(call: "open /dev/ptmx") }
        name = "/dev/pts/\(number)"
        slave = unsafe open(name, O_RDWR | O_NOCTTY)
        guard slave >= 0 else { throw Failure(call: "open slave") }
        _ = fcntl(master, F_SETFD, FD_CLOEXEC)
        _ = fcntl(slave, F_SETFD, FD_CLOEXEC)
        _ = fcntl(master, F_SETFL, O_NONBLOCK)
        guard unsafe ioctl(slave, UInt(TIOCSWINSZ), &size) == 0 else {
            throw Failure(call: "TIOCSWINSZ")
        }
    }

    deinit {
        if process > 0 {
            kill(process, SIGKILL)
            var status: Int32 = 0
            unsafe waitpid(process, &status, 0)
        }
        close(master)
        close(slave)
    }

    /// The settings of the terminal, in an order that compares.
    var settings: [UInt32] {
        var attributes = termios()
        unsafe tcgetattr(slave, &attributes)
        return [
            attributes.c_iflag, attributes.c_oflag, attributes.c_cflag, attributes.c_lflag,
            UInt32(attributes.c_cc.5), UInt32(attributes.c_cc.6),
        ]
    }

    /// Starts a program with this as its controlling terminal.
    func start(_ path: String, _ arguments: [String], environment: [String]) throws {
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // SETSID, SETSIGMASK, SETSIGDEF: the threads that run tests block signals, and a child inherits that.
        unsafe posix_spawnattr_setflags(&attributes, Int16(0x80 | 0x08 | 0x04))
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe sigfillset(&signals)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        // The first terminal that a session's leader opens becomes its controlling one.
        unsafe posix_spawn_file_actions_addopen(&actions, 0, name, O_RDWR, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, 0, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, 0, 2)
        var argv: [UnsafeMutablePointer<CChar>?] = unsafe []
        for argument in [path] + arguments { unsafe argv.append(strdup(argument)) }
        unsafe argv.append(nil)
        var envp: [UnsafeMutablePointer<CChar>?] = unsafe []
        for variable in environment { unsafe envp.append(strdup(variable)) }
        unsafe envp.append(nil)
        defer {
            for index in unsafe argv.indices { unsafe free(argv[index]) }
            for index in unsafe envp.indices { unsafe free(envp[index]) }
        }
        let code = unsafe posix_spawn(&process, path, &actions, &attributes, &argv, &envp)
        guard code == 0 else { throw Failure(call: "posix_spawn \(code)") }
    }

    /// Reads until `isDone` says so; false when the program closed its end or the time was over.
    func read(until isDone: (String) -> Bool) -> Bool {
        var clock = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &clock)
        let end = clock.tv_sec + 30
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            if isDone(String(decoding: output, as: UTF8.self)) { return true }
            unsafe clock_gettime(CLOCK_MONOTONIC, &clock)
            guard clock.tv_sec < end else { return false }
            var polled = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&polled, 1, 1000) > 0 else { continue }
            let count = unsafe Glibc.read(master, &chunk, chunk.count)
            guard count > 0 else { return isDone(String(decoding: output, as: UTF8.self)) }
            output += chunk.prefix(count)
        }
    }

    /// Forgets what was read so far.
    func forget() { output = [] }

    func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = unsafe Glibc.write(master, bytes, bytes.count)
    }

    func send(_ signal: Int32) {
        if process > 0 { kill(process, signal) }
    }

    /// Waits until the process stops (`WUNTRACED`) or ends; its raw status, or -1 when it does neither in half
    /// a minute.
    func wait(_ options: Int32 = 0) -> Int32 {
        var status: Int32 = 0
        for _ in 0..<6000 {
            let found = unsafe waitpid(process, &status, options | WNOHANG)
            if found == process {
                if status & 0x7F != 0x7F { process = 0 }
                return status
            }
            usleep(5000)
        }
        return -1
    }
}
