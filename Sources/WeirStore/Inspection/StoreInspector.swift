internal import WeirColumns
internal import WeirCore
package import WeirSystem

/// Describes one file of a data folder for people: `weir inspect FILE`.
package enum StoreInspector {
    package enum Failure: Error, Hashable {
        case unknownKind(path: String)
        case segment(SegmentError)
        case file(FileError)
    }

    /// `listsStreams`: Also prints every stream of a segment.
    package static func describe(
        _ path: String,
        listsStreams: Bool = false,
        fileSystem: any FileSystem = HostFileSystem()
    ) throws(Failure) -> String {
        if path.hasSuffix(".seg") {
            return try describeSegment(path, listsStreams: listsStreams, fileSystem)
        }
        if path.hasSuffix(".wal") { return try describeJournal(path, fileSystem) }
        throw .unknownKind(path: path)
    }

    private static func describeSegment(
        _ path: String,
        listsStreams: Bool,
        _ fileSystem: any FileSystem
    ) throws(Failure) -> String {
        do throws(SegmentError) {
            let segment = try SegmentReader(path: path, fileSystem: fileSystem)
            let footer = segment.footer
            var lines = [
                "segment \(path)",
                "  signal     \(footer.signal.name)",
                "  bytes      \(segment.byteCount)",
                "  rows       \(footer.rowCount) "
                    + "(\(perRow(segment.byteCount, footer.rowCount)) bytes each)",
                "  streams    \(footer.streamCount)",
                "  batches    \(footer.sequences.lowerBound) to \(footer.sequences.upperBound)",
                "  times      \(TimeText.rfc3339(nanoseconds: footer.times.lowerBound)) to "
                    + TimeText.rfc3339(nanoseconds: footer.times.upperBound),
                "  blocks     \(footer.blocks.count + footer.fieldBlocks.count)",
            ]
            let isRuns = !footer.signal.schema.hasFields
            if !isRuns { lines += try describeFields(segment) }
            let names = ["head", "times"] + footer.signal.schema.columns.map(\.name)
            for (page, name) in names.enumerated() where isRuns {
                let stored = footer.blocks.reduce(0) { $0 + $1.pages[page].storedCount }
                let raw = footer.blocks.reduce(0) { $0 + $1.pages[page].rawCount }
                lines.append("    \(name): \(stored) bytes stored, \(raw) unpacked")
            }
            let index = footer.streamPages.reduce(0) { $0 + $1.page.storedCount }
            lines.append("  stream index \(index) bytes in \(footer.streamPages.count) pages")
            if footer.signal.schema.isOrderedByTrace {
                let stored = footer.tracePages.reduce(0) { $0 + $1.page.storedCount }
                let entries = footer.tracePages.reduce(0) { $0 + $1.entryCount }
                lines.append(
                    "  trace index \(stored) bytes in \(footer.tracePages.count) pages, "
                        + "\(entries) entries"
                )
            }
            let decoder = PageDecoder()
            try segment.verify(decoder: decoder)
            lines.append("  every checksum matches")
            if listsStreams {
                for page in footer.streamPages.indices {
                    for labels in try segment.readStreamPage(page, decoder: decoder) {
                        lines.append("  \(labels)")
                    }
                }
            }
            return lines.joined(separator: "\n") + "\n"
        } catch {
            throw .segment(error)
        }
    }

    /// Per field: its rows, its bytes, and the codecs its blocks chose.
    private static func describeFields(_ segment: SegmentReader) throws(SegmentError) -> [String] {
        struct Sum {
            var rows = 0
            var stored = 0
            var codecs: [String: Int] = [:]
        }
        let decoder = PageDecoder()
        var sums: [String: Sum] = [:]
        var heads = 0
        var times = 0
        var directories = 0
        for (index, entry) in segment.footer.fieldBlocks.enumerated() {
            heads += entry.head.storedCount
            times += entry.timesPage.storedCount
            directories += entry.directory.storedCount
            let pages = SegmentFieldPages(segment: segment, index: index)
            for field in try pages.directory(decoder: decoder).entries {
                sums[field.name, default: Sum()].rows += field.count
                sums[field.name, default: Sum()].stored += field.storedCount
                let codec = field.codecName.prefix { $0 != " " }
                sums[field.name, default: Sum()].codecs[String(codec), default: 0] += 1
            }
        }
        var lines = [
            "    heads: \(heads) bytes stored", "    times: \(times) bytes stored",
            "    directories: \(directories) bytes stored",
        ]
        for (name, sum) in sums.sorted(by: { ($1.value.stored, $0.key) < ($0.value.stored, $1.key) }
        ) {
            let codecs = sum.codecs.sorted { $0.value > $1.value }.map { "\($0.key) ×\($0.value)" }
            lines.append(
                "    \(name.isEmpty ? "(body)" : name): \(sum.stored) bytes stored, "
                    + "\(sum.rows) rows, \(codecs.joined(separator: ", "))"
            )
        }
        return lines
    }

    private static func describeJournal(
        _ path: String,
        _ fileSystem: any FileSystem
    ) throws(Failure) -> String {
        do throws(FileError) {
            let file = try fileSystem.openForReading(path)
            let size = try file.size()
            var reader = try JournalFileReader(file: file, byteCount: size)
            var lines = ["journal \(path)", "  bytes \(size)"]
            var rows = 0
            var batches = 0
            while let payload = try reader.next() {
                guard let record = try? JournalRecord(payload: payload) else {
                    reader.stopBeforeLast()
                    break
                }
                batches += 1
                rows += record.times.count
                lines.append(
                    "  batch \(record.sequence): \(record.times.count) rows of "
                        + "\(record.tenant)/\(record.signal.name), "
                        + "\(record.definitions.count) streams defined, \(payload.count) bytes"
                )
            }
            lines.append("  \(batches) batches, \(rows) rows")
            if reader.offset < size {
                lines.append("  torn at byte \(reader.offset): \(size - reader.offset) ignored")
            }
            return lines.joined(separator: "\n") + "\n"
        } catch {
            throw .file(error)
        }
    }

    private static func perRow(_ bytes: Int, _ rows: Int) -> String {
        guard rows > 0 else { return "0" }
        let thousandths = (bytes * 1000 + rows / 2) / rows
        let rest = String(thousandths % 1000)
        return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }
}

/// Reads everything in a data folder and checks every checksum: `weir check`.
package enum StoreChecker {
    package struct Report: Sendable {
        package var segments = 0
        package var rows = 0
        package var journalBatches = 0
        /// What is damaged or missing, one line each.
        package var problems: [String] = []
        /// What is odd but harmless: a torn journal tail, files no catalog knows.
        package var notes: [String] = []
    }

    /// - Throws: `StoreError` when the folder holds no catalog, or another process has it open.
    package static func check(
        _ directory: String,
        fileSystem: any FileSystem = HostFileSystem()
    ) throws(StoreError) -> Report {
        guard fileSystem.exists("\(directory)/catalog.sqlite") else {
            throw .file(FileError(.open, path: "\(directory)/catalog.sqlite", code: 2))
        }
        var report = Report()
        let lock: DirectoryLock
        do throws(FileError) {
            lock = try DirectoryLock(directory: directory)
        } catch {
            throw .locked(path: directory)
        }
        defer { withExtendedLifetime(lock) {} }
        let records: [SegmentRecord]
        let checkpoint: UInt64
        do throws(SQLiteError) {
            let catalog = try Catalog(path: "\(directory)/catalog.sqlite")
            for row in try catalog.database.query("PRAGMA integrity_check") {
                if row[0].text != "ok" { report.problems.append("catalog: \(row[0].text ?? "")") }
            }
            records = try catalog.segments()
            checkpoint = try catalog.checkpoint()
        } catch {
            throw .catalog(error)
        }
        let decoder = PageDecoder()
        for record in records {
            report.segments += 1
            if record.state == .quarantined {
                report.problems.append("\(record.path): quarantined: \(record.reason)")
                continue
            }
            do throws(SegmentError) {
                let segment = try SegmentReader(
                    path: "\(directory)/\(record.path)",
                    fileSystem: fileSystem
                )
                try segment.verify(decoder: decoder)
                report.rows += segment.footer.rowCount
            } catch {
                report.problems.append("\(record.path): \(error)")
            }
        }
        do throws(FileError) {
            let journal = try Journal(directory: "\(directory)/journal", fileSystem: fileSystem)
            let replay = try journal.replay(after: checkpoint) { _, _ in }
            report.journalBatches = replay.recordCount
            report.rows += replay.rowCount
            report.notes += replay.tornTails
            for gap in replay.gaps {
                report.problems.append(
                    "journal: batches \(gap.lowerBound) to \(gap.upperBound) are missing"
                )
            }
        } catch {
            report.problems.append(error.description)
        }
        return report
    }
}
