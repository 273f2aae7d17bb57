internal import Glibc

/// Whole text files, for scripts and lists of queries.
package enum TextFile {
    /// - Returns: Nil when the file cannot be read.
    package static func read(_ path: String) -> String? {
        let descriptor = unsafe open(path, O_RDONLY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65536)
        while true {
            // SAFETY: at most `count` bytes are written into the buffer.
            let count = unsafe part.withUnsafeMutableBytes {
                unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
            }
            guard count > 0 else { break }
            bytes.append(contentsOf: part[..<count])
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// - Returns: The lines that are not empty, or nil when the file cannot be read.
    package static func lines(_ path: String) -> [String]? {
        read(path)?.split(separator: "\n").map(String.init)
    }

    /// The names of the files in a folder that end so, in order.
    package static func names(in folder: String, ending: String) -> [String] {
        guard let handle = unsafe opendir(folder) else { return [] }
        defer { unsafe closedir(handle) }
        var names: [String] = []
        while let entry = unsafe readdir(handle) {
            // SAFETY: the name is terminated, and read before the next entry is.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name.hasSuffix(ending) { names.append(name) }
        }
        return names.sorted()
    }

    package static func write(_ path: String, _ text: String) -> Bool {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        var offset = 0
        while offset < bytes.count {
            // SAFETY: the part written lies inside the array, which outlives the call.
            let count = unsafe bytes[offset...].withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            guard count > 0 else { return false }
            offset += count
        }
        return true
    }
}
