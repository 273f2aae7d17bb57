import Glibc

/// Reading what /proc and /sys tell, and other small chores with files.
enum SmallFile {
    /// At most 64 KiB of a file, as text; empty when it cannot be read.
    static func text(_ path: String) -> String {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while bytes.count < 64 << 10 {
            let count = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe read(descriptor, bytes.baseAddress, bytes.count)
            }
            if count <= 0 { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Space taken on disk by all below a folder, in bytes, as `du` counts.
    static func diskBytes(below path: String) -> Int {
        var total = 0
        guard let directory = unsafe opendir(path) else { return 0 }
        defer { unsafe closedir(directory) }
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name == "." || name == ".." { continue }
            var status = stat()
            guard unsafe lstat("\(path)/\(name)", &status) == 0 else { continue }
            total += Int(status.st_blocks) * 512
            if status.st_mode & S_IFMT == S_IFDIR { total += diskBytes(below: "\(path)/\(name)") }
        }
        return total
    }

    /// Deletes a folder and all in it.
    static func removeTree(_ path: String) throws(BenchError) {
        try Child("/bin/rm", ["-rf", path]).wait()
    }
}
