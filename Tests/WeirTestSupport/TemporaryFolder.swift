import Glibc

/// A folder of a test's own under the system's temporary folder.
package struct TemporaryFolder {
    package let path: String

    package init?(_ name: String) {
        var template = Array("/tmp/weir-\(name)-XXXXXX".utf8CString)
        // SAFETY: the template is a writable, terminated string.
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
            unsafe buffer.baseAddress.flatMap { unsafe mkdtemp($0) } != nil
        }
        guard made else { return nil }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Removes the folder and all in it.
    package func remove() {
        ChildProcess("/bin/rm", ["-rf", path])?.wait()
    }

    /// Writes one file in it.
    ///
    /// - Returns: The file's path, or nil when it could not be written.
    package func write(_ name: String, _ bytes: [UInt8]) -> String? {
        let file = "\(path)/\(name)"
        let descriptor = unsafe open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var offset = 0
        while offset < bytes.count {
            // SAFETY: the part written lies inside the array, which outlives the call.
            let count = unsafe bytes[offset...].withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            guard count > 0 else { return nil }
            offset += count
        }
        return file
    }
}
