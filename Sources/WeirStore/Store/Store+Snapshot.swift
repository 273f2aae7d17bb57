internal import Synchronization
internal import WeirSystem

/// What a snapshot holds.
package struct SnapshotReceipt: Hashable, Sendable {
    /// A segment that no query reads, by its path in the data folder.
    package struct SetAside: Hashable, Sendable {
        package let path: String
        package let reason: String
        /// Whether the snapshot has its file all the same.
        package let isThere: Bool

        /// What an operator should know of it.
        package var warning: String {
            isThere
                ? "\(path) is set aside, and in the snapshot as it is: \(reason)"
                : "\(path) is set aside, and not in the snapshot: \(reason)"
        }
    }

    /// Segments that queries read, all of which it has.
    package var segments = 0
    package var setAside: [SetAside] = []
}

extension Store {
    /// Puts a consistent copy of everything acknowledged so far into `directory`, which must not
    /// exist: segments as hard links, those that are set aside among them, and the catalog as a copy.
    ///
    /// A store opens it as its own.
    package func snapshot(to directory: String) throws(StoreError) -> SnapshotReceipt {
        guard !fileSystem.exists(directory) else {
            throw .file(FileError(.createDirectory, path: directory, code: 17))
        }
        try flush()
        return try publishing.withLock { _ throws(StoreError) in
            let (records, setAside) = state.withLock { state in
                (
                    state.buckets.values.flatMap { $0.segments.map(\.record) },
                    state.quarantined.sorted { $0.path < $1.path }
                )
            }
            var receipt = SnapshotReceipt(segments: records.count)
            do throws(FileError) {
                try fileSystem.createDirectories(directory)
                for record in records { try link(record, into: directory) }
                for record in setAside {
                    let isThere = fileSystem.exists(path(record.path))
                    if isThere { try link(record, into: directory) }
                    receipt.setAside.append(
                        SnapshotReceipt.SetAside(
                            path: record.path,
                            reason: record.reason,
                            isThere: isThere
                        )
                    )
                }
            } catch {
                throw .file(error)
            }
            do throws(SQLiteError) {
                try catalog.database.execute(
                    "VACUUM INTO ?",
                    [.text("\(directory)/catalog.sqlite")]
                )
            } catch {
                throw .catalog(error)
            }
            do throws(FileError) {
                // SQLite leaves what it vacuumed into a file to the kernel.
                try fileSystem.openForWriting("\(directory)/catalog.sqlite").sync()
                try syncFolders(of: records + setAside, in: directory)
            } catch {
                throw .file(error)
            }
            return receipt
        }
    }

    private func link(_ record: SegmentRecord, into directory: String) throws(FileError) {
        let folder = "\(directory)/\(record.bucket.path)"
        try fileSystem.createDirectories(folder)
        try fileSystem.hardLink(path(record.path), to: "\(directory)/\(record.path)")
    }

    /// Makes the names of the snapshot durable, from its segments to its own in the folder it lies in.
    private func syncFolders(
        of records: [SegmentRecord],
        in directory: String
    ) throws(FileError) {
        var folders: Set<String> = []
        for record in records {
            var folder = Substring("\(directory)/\(record.bucket.path)")
            while folder.count > directory.count {
                folders.insert(String(folder))
                folder = folder[..<(folder.lastIndex(of: "/") ?? folder.startIndex)]
            }
        }
        for folder in folders.sorted(by: >) where fileSystem.exists(folder) {
            try fileSystem.syncDirectory(folder)
        }
        try fileSystem.syncDirectory(directory)
        let parent = directory.lastIndex(of: "/").map { String(directory[..<$0]) } ?? "."
        try fileSystem.syncDirectory(parent.isEmpty ? "/" : parent)
    }
}
