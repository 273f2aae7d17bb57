internal import Synchronization
internal import WeirColumns
internal import WeirCore
internal import WeirSystem

/// What goes into a new segment, oldest first.
enum SegmentInput {
    case runs([any StreamCursor])
    case fields([FieldSource])
}

extension Store {
    /// Merges `input` into a new segment file that is durable but unpublished.
    ///
    /// - Returns: Nil when there are no rows.
    func writeSegment(
        _ input: SegmentInput,
        bucket: BucketKey,
        sequences: ClosedRange<UInt64>,
        encoder: PageEncoder
    ) throws(StoreError) -> LiveSegment? {
        let directory = path(bucket.path)
        let name = freeName(sequences, in: bucket)
        let temporary = "\(directory)/\(name).tmp"
        do throws(SegmentMerge.Failure) {
            let written = try writeFile(
                input,
                at: temporary,
                bucket: bucket,
                sequences: sequences,
                encoder: encoder
            )
            guard let written else {
                try? fileSystem.removeFile(temporary)
                return nil
            }
            try onDisk { () throws(FileError) in
                try fileSystem.rename(temporary, to: "\(directory)/\(name)")
                try syncDirectories(of: bucket)
            }
            counters.segmentBytesWritten.add(written.byteCount)
            let reader = try open("\(directory)/\(name)")
            return LiveSegment(
                record: SegmentRecord(
                    name: name,
                    bucket: bucket,
                    sequences: sequences,
                    streamCount: written.footer.streamCount,
                    rowCount: written.footer.rowCount,
                    byteCount: written.byteCount,
                    times: written.footer.times
                ),
                reader: reader
            )
        } catch {
            try? fileSystem.removeFile(temporary)
            // Renamed, but not published: the catalog does not know it.
            try? fileSystem.removeFile("\(directory)/\(name)")
            switch error {
            case .source(let error): throw .segment(error)
            case .file(let error): throw error.isNoSpace ? .diskFull(error) : .file(error)
            }
        }
    }

    private func writeFile(
        _ input: SegmentInput,
        at path: String,
        bucket: BucketKey,
        sequences: ClosedRange<UInt64>,
        encoder: PageEncoder
    ) throws(SegmentMerge.Failure) -> (footer: SegmentFooter, byteCount: Int)? {
        let file = try onDisk { () throws(FileError) in
            try fileSystem.createDirectories(self.path(bucket.path))
            return try fileSystem.openForWriting(path)
        }
        switch input {
        case .runs(let cursors):
            var writer = try onDisk { () throws(FileError) in
                try SegmentWriter(signal: bucket.signal, file: file, encoder: encoder)
            }
            try SegmentMerge.merge(cursors, schema: bucket.signal.schema, into: &writer)
            return try onDisk { () throws(FileError) in try writer.finish(sequences: sequences) }
        case .fields(let sources):
            return try FieldSegmentWriter.write(
                sources,
                signal: bucket.signal,
                sequences: sequences,
                to: file,
                encoder: encoder
            )
        }
    }

    private func open(_ path: String) throws(SegmentMerge.Failure) -> SegmentReader {
        do throws(SegmentError) {
            return try SegmentReader(path: path, fileSystem: fileSystem)
        } catch {
            throw .source(error)
        }
    }

    private func onDisk<Result>(
        _ body: () throws(FileError) -> Result
    ) throws(SegmentMerge.Failure) -> Result {
        do throws(FileError) {
            return try body()
        } catch {
            throw .file(error)
        }
    }

    /// Makes a bucket's names durable, and the folders above it, which may be new.
    private func syncDirectories(of bucket: BucketKey) throws(FileError) {
        try fileSystem.syncDirectory(path(bucket.path))
        try fileSystem.syncDirectory(path("data/\(bucket.tenant)/\(bucket.signal.name)"))
        try fileSystem.syncDirectory(path("data/\(bucket.tenant)"))
        try fileSystem.syncDirectory(path("data"))
        try fileSystem.syncDirectory(options.directory)
    }

    /// A segment that was written anew stands beside the one it replaces for a moment, so it has
    /// another name.
    ///
    /// The catalog knows the names of segments that are set aside, whether their files are there or not.
    private func freeName(_ sequences: ClosedRange<UInt64>, in bucket: BucketKey) -> String {
        let taken = state.withLock { state in
            Set(state.quarantined.filter { $0.bucket == bucket }.map(\.name))
        }
        let stem = Self.segmentName(sequences)
        var name = "\(stem).seg"
        var rewrite = 0
        while taken.contains(name) || fileSystem.exists("\(path(bucket.path))/\(name)") {
            rewrite += 1
            name = "\(stem)-\(rewrite).seg"
        }
        return name
    }

    private static func segmentName(_ sequences: ClosedRange<UInt64>) -> String {
        func hex(_ value: UInt64) -> String {
            let digits = String(value, radix: 16)
            return String(repeating: "0", count: max(0, 16 - digits.count)) + digits
        }
        return "\(hex(sequences.lowerBound))-\(hex(sequences.upperBound))"
    }

    /// Takes a damaged segment out of service: the rest is served without it.
    func quarantine(_ segment: LiveSegment, _ error: SegmentError) {
        let isFirst = setAside(segment, reason: "\(error)", isPassing: !error.isDamage)
        guard isFirst, error.isDamage else { return }
        do throws(SQLiteError) {
            try catalog.quarantine(path: segment.record.path, reason: "\(error)")
        } catch {
            log("catalog: \(error)")
        }
    }

    /// Takes a segment out of service; when that `isPassing`, until the store opens again.
    ///
    /// - Returns: False when it was not in service.
    @discardableResult
    func setAside(_ segment: LiveSegment, reason: String, isPassing: Bool) -> Bool {
        let isFirst = state.withLock { state in
            guard
                state.buckets[segment.record.bucket]?.segments.contains(where: {
                    $0.record.name == segment.record.name
                }) == true
            else { return false }
            state.removeRows([segment.record])
            var record = segment.record
            record.state = isPassing ? .live : .quarantined
            record.reason = reason
            state.quarantined.append(record)
            return true
        }
        if isFirst { log("quarantined \(segment.record.path): \(reason)") }
        return isFirst
    }
}
