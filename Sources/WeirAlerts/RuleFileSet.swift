package import WeirSystem

/// Where rule files are: files, and folders whose `.yaml` and `.yml` files count.
package struct RuleFileSet: Sendable {
    /// The largest rule file read.
    static let fileBytesMax = 8 << 20

    package let paths: [String]
    private let fileSystem: any FileSystem

    package init(paths: [String], fileSystem: any FileSystem = HostFileSystem()) {
        self.paths = paths
        self.fileSystem = fileSystem
    }

    /// Every file's text, in order of paths; or why it could not be read.
    func read() -> [(path: String, text: Result<String, FileError>)] {
        var texts: [(path: String, text: Result<String, FileError>)] = []
        for path in paths {
            for file in files(at: path) {
                do throws(FileError) {
                    let bytes = try fileSystem.readFile(file, bytesMax: Self.fileBytesMax)
                    texts.append((file, .success(String(decoding: bytes, as: UTF8.self))))
                } catch {
                    texts.append((file, .failure(error)))
                }
            }
        }
        return texts
    }

    private func files(at path: String) -> [String] {
        if let names = try? fileSystem.list(path) {
            let base = path.hasSuffix("/") ? path : path + "/"
            return names.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted()
                .map { base + $0 }
        }
        return [path]
    }
}
