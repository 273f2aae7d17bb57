import Testing
import WeirSystem
import WeirTestSupport

@Suite struct HostFileSystemTests {
    @Test func readsStopAtTheEndOfTheFile() throws {
        let folder = try TemporaryDirectory()
        let file = try HostFileSystem().openForWriting("\(folder.path)/file")
        try file.write([1, 2, 3, 4], at: 2)
        #expect(try file.size() == 6)
        #expect(try file.read(at: 4, count: .max) == [3, 4])
        #expect(try file.read(at: 9, count: 1) == [])
        try file.truncate(to: 3)
        #expect(try file.read(at: 0, count: 9) == [0, 0, 1])
    }

    @Test func errorsNameOperationAndPath() throws {
        let error = #expect(throws: FileError.self) {
            try HostFileSystem().openForReading("/nowhere/at/all")
        }
        #expect(error?.operation == .open)
        #expect(error?.path == "/nowhere/at/all")
        #expect(error?.isNotFound == true)
    }

    @Test func aFolderIsHeldByOneAtATime() throws {
        let folder = try TemporaryDirectory()
        do {
            let held = try DirectoryLock(directory: folder.path)
            #expect(throws: FileError.self) { try DirectoryLock(directory: folder.path) }
            withExtendedLifetime(held) {}
        }
        _ = try DirectoryLock(directory: folder.path)
    }
}
