import Synchronization
import WeirSystem
import WeirTestSupport

/// The host's files, until told otherwise: operations that fail, a disk that fills up, a machine
/// that loses its power.
///
/// Only operations that change something count. After a crash every operation fails, and of what
/// was not synced a part, or all, or nothing, is gone, as the seed says: writes and truncations
/// are undone from the last one backwards, and so are the changes to a folder's names.
final class FaultFileSystem: FileSystem {
    /// What happens to operations that change something.
    struct Plan {
        /// The first that fails is this one, counted from 1, if any.
        var failAt: Int?
        /// The `errno` it fails with.
        var code: Int32 = 5
        /// Whether everything after it fails too.
        var isCrash = false
        /// Fails operations by kind and path, at any time; those that read among them.
        var failing: (@Sendable (FileError.Operation, String) -> Int32?)?
        /// Bytes that files may still grow by; nil: any number.
        var spaceLeft: Int?
    }

    private enum Change {
        case write(offset: Int, count: Int, before: [UInt8], size: Int)
        case truncate(before: [UInt8], size: Int, offset: Int)
    }

    private enum NameChange {
        case created(String)
        case createdDirectory(String)
        case renamed(from: String, to: String)
        case removed(String, grave: String)
    }

    private struct State {
        var plan = Plan()
        var operations = 0
        var isCrashed = false
        var random: SplitMix64
        /// Changes not synced, by file.
        var changes: [String: [Change]] = [:]
        /// Changes of names not synced, by folder.
        var names: [String: [NameChange]] = [:]
        var graves = 0
    }

    private let host = HostFileSystem()
    private let state: Mutex<State>
    private let graveyard: String

    /// `graveyard`: A folder, outside the store's, for files whose removal may be undone.
    init(graveyard: String, seed: UInt64 = 0) {
        self.graveyard = graveyard
        state = Mutex(State(random: SplitMix64(seed: seed)))
        try? host.createDirectories(graveyard)
    }

    var operations: Int { state.withLock { $0.operations } }
    var isCrashed: Bool { state.withLock { $0.isCrashed } }

    func change(_ body: (inout Plan) -> Void) { state.withLock { body(&$0.plan) } }

    // MARK: Faults

    /// Counts an operation, and fails it if its time has come.
    fileprivate func begin(_ operation: FileError.Operation, _ path: String) throws(FileError) {
        let code = state.withLock { state -> Int32? in
            guard !state.isCrashed else { return 5 }
            state.operations += 1
            if let code = state.plan.failing?(operation, path) { return code }
            guard state.operations == state.plan.failAt else { return nil }
            if state.plan.isCrash { crash(&state) }
            return state.plan.code
        }
        if let code { throw FileError(operation, path: path, code: code) }
    }

    fileprivate func checkPower(
        _ operation: FileError.Operation,
        _ path: String
    ) throws(FileError) {
        if isCrashed { throw FileError(operation, path: path, code: 5) }
    }

    fileprivate func checkReading(_ path: String) throws(FileError) {
        try checkPower(.read, path)
        if let code = state.withLock({ $0.plan.failing?(.read, path) }) {
            throw FileError(.read, path: path, code: code)
        }
    }

    /// Undoes what was not synced, as far as chance wants.
    private func crash(_ state: inout State) {
        state.isCrashed = true
        let severity = Int.random(in: 0..<3, using: &state.random)
        func kept(_ count: Int) -> Int {
            switch severity {
            case 0: 0
            case 1: count
            default: Int.random(in: 0...count, using: &state.random)
            }
        }
        for (path, changes) in state.changes.sorted(by: { $0.key < $1.key }) {
            guard let file = try? host.openForWriting(path) else { continue }
            let count = kept(changes.count)
            for change in changes[count...].reversed() {
                switch change {
                case .write(let offset, _, let before, let size):
                    try? file.write(before, at: offset)
                    try? file.truncate(to: size)
                case .truncate(let before, _, let offset):
                    try? file.write(before, at: offset)
                }
            }
            // The last write that is kept may be kept in part.
            if severity == 2, count > 0,
                case .write(let offset, let length, _, let size) = changes[
                    count - 1
                ], offset == size
            {
                let part = Int.random(in: 0...length, using: &state.random)
                try? file.truncate(to: offset + part)
            }
        }
        for (_, names) in state.names.sorted(by: { $0.key > $1.key }) {
            for change in names[kept(names.count)...].reversed() {
                switch change {
                case .created(let path): try? host.removeFile(path)
                case .createdDirectory(let path): Self.removeTree(path)
                case .renamed(let source, let target): try? host.rename(target, to: source)
                case .removed(let path, let grave): try? host.rename(grave, to: path)
                }
            }
        }
    }

    private static func removeTree(_ path: String) {
        let host = HostFileSystem()
        for name in (try? host.list(path)) ?? [] {
            if (try? host.list("\(path)/\(name)")) != nil {
                removeTree("\(path)/\(name)")
            } else {
                try? host.removeFile("\(path)/\(name)")
            }
        }
        try? host.removeDirectory(path)
    }

    private static func parent(_ path: String) -> String {
        String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }

    // MARK: FileSystem

    func openForWriting(_ path: String) throws(FileError) -> any File {
        try begin(.open, path)
        let isNew = !host.exists(path)
        let file = try host.openForWriting(path)
        if isNew {
            state.withLock { $0.names[Self.parent(path), default: []].append(.created(path)) }
        }
        return FaultFile(file, fileSystem: self)
    }

    func openForReading(_ path: String) throws(FileError) -> any File {
        try checkPower(.open, path)
        return FaultFile(try host.openForReading(path), fileSystem: self)
    }

    func createDirectories(_ path: String) throws(FileError) {
        try begin(.createDirectory, path)
        var missing: [String] = []
        var place = path
        while !place.isEmpty, !host.exists(place) {
            missing.append(place)
            place = Self.parent(place)
        }
        try host.createDirectories(path)
        state.withLock { state in
            for place in missing.reversed() {
                state.names[Self.parent(place), default: []].append(.createdDirectory(place))
            }
        }
    }

    func list(_ path: String) throws(FileError) -> [String] {
        try checkPower(.list, path)
        return try host.list(path)
    }

    func rename(_ source: String, to target: String) throws(FileError) {
        try begin(.rename, source)
        try host.rename(source, to: target)
        state.withLock { state in
            state.changes[target] = state.changes.removeValue(forKey: source)
            state.names[Self.parent(target), default: []].append(.renamed(from: source, to: target))
        }
    }

    func hardLink(_ source: String, to target: String) throws(FileError) {
        try begin(.link, source)
        try host.hardLink(source, to: target)
    }

    func removeFile(_ path: String) throws(FileError) {
        try begin(.remove, path)
        let size = (try? host.openForReading(path).size()) ?? 0
        let grave = state.withLock { state in
            state.graves += 1
            return "\(graveyard)/\(state.graves)"
        }
        do throws(FileError) {
            try host.rename(path, to: grave)
        } catch {
            throw FileError(.remove, path: path, code: error.code)
        }
        state.withLock { state in
            state.changes[path] = nil
            state.plan.spaceLeft = state.plan.spaceLeft.map { $0 + size }
            state.names[Self.parent(path), default: []].append(.removed(path, grave: grave))
        }
    }

    func removeDirectory(_ path: String) throws(FileError) {
        try begin(.remove, path)
        try host.removeDirectory(path)
    }

    func syncDirectory(_ path: String) throws(FileError) {
        try begin(.sync, path)
        state.withLock { $0.names[path] = nil }
    }

    func exists(_ path: String) -> Bool { !isCrashed && host.exists(path) }

    func space(at path: String) throws(FileError) -> DiskSpace {
        try checkPower(.status, path)
        let space = try host.space(at: path)
        guard let left = state.withLock({ $0.plan.spaceLeft }) else { return space }
        return DiskSpace(free: left, total: space.total)
    }

    // MARK: Files

    fileprivate func write(_ bytes: [UInt8], at offset: Int, _ file: any File) throws(FileError) {
        var failure: FileError?
        do throws(FileError) {
            try begin(.write, file.path)
        } catch {
            failure = error
        }
        if failure != nil, isCrashed { throw FileError(.write, path: file.path, code: 5) }
        let size = try file.size()
        let growth = max(0, offset + bytes.count - size)
        var written = bytes
        state.withLock { state in
            if failure != nil {
                // A failing write may have written some of it.
                written = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &state.random)))
            } else if let left = state.plan.spaceLeft {
                if growth > left {
                    written = Array(bytes.prefix(max(0, bytes.count - (growth - left))))
                    failure = FileError(.write, path: file.path, code: 28)
                }
                state.plan.spaceLeft = max(0, left - growth)
            }
        }
        let before = offset < size ? try file.read(at: offset, count: written.count) : []
        try file.write(written, at: offset)
        let change = Change.write(offset: offset, count: written.count, before: before, size: size)
        state.withLock { $0.changes[file.path, default: []].append(change) }
        if let failure { throw failure }
    }

    fileprivate func sync(_ file: any File) throws(FileError) {
        try begin(.sync, file.path)
        state.withLock { $0.changes[file.path] = nil }
    }

    fileprivate func truncate(to size: Int, _ file: any File) throws(FileError) {
        try begin(.truncate, file.path)
        let before = try file.size()
        guard before != size else { return }
        let tail = before > size ? try file.read(at: size, count: before - size) : []
        try file.truncate(to: size)
        state.withLock { state in
            state.plan.spaceLeft = state.plan.spaceLeft.map { max(0, $0 + before - size) }
            state.changes[file.path, default: []].append(
                .truncate(before: tail, size: before, offset: size)
            )
        }
    }
}

/// A file of the host's, with the faults of its file system.
private final class FaultFile: File {
    private let file: any File
    private let fileSystem: FaultFileSystem

    init(_ file: any File, fileSystem: FaultFileSystem) {
        self.file = file
        self.fileSystem = fileSystem
    }

    var path: String { file.path }

    func size() throws(FileError) -> Int {
        try fileSystem.checkPower(.status, path)
        return try file.size()
    }

    func read(at offset: Int, count: Int) throws(FileError) -> [UInt8] {
        try fileSystem.checkReading(path)
        return try file.read(at: offset, count: count)
    }

    func write(_ bytes: [UInt8], at offset: Int) throws(FileError) {
        try fileSystem.write(bytes, at: offset, file)
    }

    func sync() throws(FileError) { try fileSystem.sync(file) }
    func truncate(to size: Int) throws(FileError) { try fileSystem.truncate(to: size, file) }
}
