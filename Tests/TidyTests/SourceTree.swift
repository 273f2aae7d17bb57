import WeirSystem

/// The repository's files, as the tidy tests see them.
enum SourceTree {
    struct SourceFile {
        /// Below the repository's root.
        let path: String
        let text: String

        var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
        /// The folder below `Sources/` or `Tests/`.
        var module: String { String(path.split(separator: "/")[1]) }
        var name: String { String(path.split(separator: "/").last ?? "") }
    }

    static let root: String = {
        let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        return parts.dropLast(3).joined(separator: "/")
    }()

    static func exists(_ path: String) -> Bool { HostFileSystem().exists("\(root)/\(path)") }

    static func text(_ path: String) throws -> String {
        let bytes = try HostFileSystem().readFile("\(root)/\(path)", bytesMax: 1 << 24)
        return String(decoding: bytes, as: UTF8.self)
    }

    static func list(_ path: String) throws -> [String] {
        try HostFileSystem().list("\(root)/\(path)")
    }

    /// Every Swift file below `folder`.
    static func swiftFiles(_ folder: String) throws -> [SourceFile] {
        var found: [SourceFile] = []
        for name in try list(folder) where !name.hasPrefix(".") {
            let path = "\(folder)/\(name)"
            if name.hasSuffix(".swift") {
                found.append(SourceFile(path: path, text: try text(path)))
            } else if (try? list(path)) != nil {
                found += try swiftFiles(path)
            }
        }
        return found
    }
}
