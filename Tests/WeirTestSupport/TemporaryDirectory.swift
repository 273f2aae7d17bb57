internal import WeirSystem

/// A folder for one test, removed with everything in it when the value goes.
package final class TemporaryDirectory: Sendable {
    package let path: String

    package init() throws {
        let name = RandomBytes.make(count: 8).map { String($0, radix: 16) }.joined()
        path = "/tmp/weir-test-\(name)"
        try HostFileSystem().createDirectories(path)
    }

    deinit { Self.removeTree(path) }

    private static func removeTree(_ path: String) {
        let files = HostFileSystem()
        if let names = try? files.list(path) {
            for name in names { removeTree("\(path)/\(name)") }
            try? files.removeDirectory(path)
        } else {
            try? files.removeFile(path)
        }
    }
}
