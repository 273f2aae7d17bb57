internal import Glibc

/// What this process uses of its machine.
package enum ProcessStatus {
    /// Memory in RAM, in bytes; 0 when the system does not tell.
    package static func residentBytes() -> Int {
        let text = readSmallFile("/proc/self/statm")
        let fields = text.split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return 0 }
        return pages * Int(sysconf(CInt(_SC_PAGESIZE)))
    }

    /// The most memory in RAM so far, in bytes.
    package static func peakResidentBytes() -> Int {
        var usage = rusage()
        unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss * 1024
    }

    /// Open file descriptors.
    package static func descriptorCount() -> Int {
        (try? HostFileSystem().list("/proc/self/fd").count) ?? 0
    }

    package static func coreCount() -> Int { max(1, Int(sysconf(CInt(_SC_NPROCESSORS_ONLN)))) }

    package static func identifier() -> Int { Int(getpid()) }

    /// This machine's name.
    package static let hostName: String = {
        var name = [CChar](repeating: 0, count: 256)
        // SAFETY: it writes at most the count given; the last byte stays zero.
        unsafe gethostname(&name, name.count - 1)
        return String(
            decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
    }()

    /// Files under /proc say they have no size, so they are read until they end.
    private static func readSmallFile(_ path: String) -> String {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe read(descriptor, bytes.baseAddress, bytes.count)
        }
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : ""
    }
}
