import Testing
import WeirSystem
import WeirTestSupport

@Suite struct FileTests {
    @Test func bytesComeBackFromWhereTheyWerePut() throws {
        let directory = try TemporaryDirectory()
        let files = HostFileSystem()
        let file = try files.openForWriting("\(directory.path)/a")
        try file.write([1, 2, 3], at: 2)
        try file.sync()
        #expect(try file.size() == 5)
        #expect(try file.read(at: 0, count: 100) == [0, 0, 1, 2, 3])
        #expect(try file.read(at: 4, count: 1) == [3])
        #expect(try file.read(at: 5, count: 9) == [])
        try file.truncate(to: 1)
        #expect(try files.readFile("\(directory.path)/a", bytesMax: 8) == [0])
    }

    @Test func errorsNameTheOperationAndThePath() throws {
        let directory = try TemporaryDirectory()
        let files = HostFileSystem()
        let path = "\(directory.path)/none"
        #expect(throws: FileError(.open, path: path, code: 2)) { try files.openForReading(path) }
        #expect(throws: FileError(.list, path: path, code: 2)) { try files.list(path) }
        try files.createDirectories("\(path)/x/y")
        #expect(try files.list(path) == ["x"])
        let big = "\(directory.path)/big"
        try files.openForWriting(big).write([1, 2], at: 0)
        #expect(throws: FileError(.read, path: big, code: 27)) {
            try files.readFile(big, bytesMax: 1)
        }
    }

    @Test func aFolderIsLockedForOne() throws {
        let directory = try TemporaryDirectory()
        var lock: DirectoryLock? = try DirectoryLock(directory: directory.path)
        #expect(throws: FileError.self) { try DirectoryLock(directory: directory.path) }
        withExtendedLifetime(lock) {}
        lock = nil
        _ = try DirectoryLock(directory: directory.path)
    }
}
