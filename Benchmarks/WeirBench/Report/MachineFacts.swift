import Glibc
import WeirCore
import WeirSystem

/// Where the figures come from: without this they mean nothing.
struct MachineFacts {
    let date: String
    let cores: Int
    let processor: String
    let kernel: String
    let disk: String
    let loadAtStart: String

    /// - Parameter folder: On the disk that is measured.
    init(folder: String) {
        date = TimeText.rfc3339(nanoseconds: HostClock().nowNanoseconds())
        cores = ProcessStatus.coreCount()
        processor = Self.field("model name", of: "/proc/cpuinfo")
        kernel = Self.line("/proc/sys/kernel/osrelease")
        disk = Self.fileSystem(of: folder)
        loadAtStart = Self.load()
    }

    /// The load average of the last minute.
    static func load() -> String {
        line("/proc/loadavg").split(separator: " ").first.map(String.init) ?? "?"
    }

    var lines: [String] {
        [
            "\(date), \(cores) cores of \(processor), Linux \(kernel)",
            "data on \(disk); load average at the start \(loadAtStart)",
        ]
    }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("date", date)
        writer.member("cores", cores)
        writer.member("processor", processor)
        writer.member("kernel", kernel)
        writer.member("disk", disk)
        writer.member("load_at_start", loadAtStart)
        writer.endObject()
    }

    private static func line(_ path: String) -> String {
        SmallFile.text(path).split(separator: "\n").first.map(String.init) ?? "?"
    }

    private static func field(_ name: String, of path: String) -> String {
        for line in SmallFile.text(path).split(separator: "\n") where line.hasPrefix(name) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            return String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        return "an unknown processor"
    }

    /// Device and type of the mount with the longest path above `folder`.
    private static func fileSystem(of folder: String) -> String {
        guard let resolved = unsafe realpath(folder, nil) else { return "an unknown disk" }
        defer { unsafe free(resolved) }
        let path = unsafe String(cString: resolved)
        var best = (length: -1, text: "an unknown disk")
        for line in SmallFile.text("/proc/self/mounts").split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 2 else { continue }
            let mount = fields[1] == "/" ? "" : fields[1]
            if path == mount || path.hasPrefix(mount + "/"), mount.count >= best.length {
                best = (mount.count, "\(fields[0]) (\(fields[2]))")
            }
        }
        return best.text
    }
}
