internal import Glibc
internal import WeirCore

/// The dashboards of a folder: each `NAME.yaml` or `NAME.yml`.
package struct DashboardLibrary: Sendable {
    package struct Entry: Sendable {
        package let name: String
        package let path: String
        package let result: Result<Dashboard, DashboardError>

        package init(name: String, path: String, result: Result<Dashboard, DashboardError>) {
            self.name = name
            self.path = path
            self.result = result
        }

        /// The dashboard, when it could be read.
        package var dashboard: Dashboard? { try? result.get() }
    }

    /// By name, ascending.
    package let entries: [Entry]

    package init(entries: [Entry]) { self.entries = entries }

    /// Reads every dashboard of a folder.
    ///
    /// A broken file is an entry with its error, so that it is seen.
    package init(folder: String) throws(DashboardError) {
        entries = try Self.files(folder).map { path in
            Entry(name: Self.name(path), path: path, result: Self.read(path))
        }
    }

    /// The dashboard of this name, or why there is none.
    package func dashboard(_ name: String) throws(DashboardError) -> Dashboard {
        guard let entry = entries.first(where: { $0.name == name }) else {
            throw .noSuchDashboard(
                name: name,
                nearest: EditDistance.nearest(to: name, among: entries.map { $0.name })
            )
        }
        return try entry.result.get()
    }

    /// Loads one file.
    package static func load(path: String) throws(DashboardError) -> Dashboard {
        try read(path).get()
    }

    private static func read(_ path: String) -> Result<Dashboard, DashboardError> {
        do throws(DashboardError) {
            return .success(try DashboardLoader.load(try text(path), name: name(path)))
        } catch {
            return .failure(error)
        }
    }

    private static func name(_ path: String) -> String {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        for ending in [".yaml", ".yml"] where file.hasSuffix(ending) {
            return String(file.dropLast(ending.count))
        }
        return file
    }

    private static func files(_ folder: String) throws(DashboardError) -> [String] {
        guard let directory = unsafe opendir(folder) else {
            throw .unreadable(path: folder, errno: errno)
        }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            // SAFETY: `d_name` is a C string inside the entry, which lives until the next `readdir`.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            let isDashboard = name.hasSuffix(".yaml") || name.hasSuffix(".yml")
            if isDashboard, !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted().map { folder.hasSuffix("/") ? folder + $0 : "\(folder)/\($0)" }
    }

    private static let fileBytesMax = 4 << 20

    /// The text of a file.
    static func text(_ path: String) throws(DashboardError) -> String {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadable(path: path, errno: errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while bytes.count < fileBytesMax {
            // SAFETY: `read` writes at most the chunk's count of bytes.
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            }
            guard count >= 0 else { throw .unreadable(path: path, errno: errno) }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(contentsOf: chunk.prefix(count))
        }
        throw .unreadable(path: path, errno: EFBIG)
    }
}
