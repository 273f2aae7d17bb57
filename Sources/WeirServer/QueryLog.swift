internal import Synchronization
internal import WeirCore
internal import WeirQuery
internal import WeirStore
internal import WeirSystem

/// A file to which every query is appended as a line of JSON, in the shape of Prometheus's query log.
///
/// `reopen` after the file was moved away, as logrotate does.
final class QueryLog: Sendable {
    private let path: String
    private let file = Mutex<(any File)?>(nil)
    private let log: StoreLog

    init(path: String, log: @escaping StoreLog) {
        self.path = path
        self.log = log
        reopen()
    }

    /// Opens the file under its name again, or makes it.
    func reopen() {
        do throws(FileError) {
            let opened = try HostFileSystem().openForWriting(path)
            file.withLock { $0 = opened }
        } catch {
            log("query log: \(error)")
        }
    }

    func write(
        _ asked: QueryRegister.Asked,
        _ context: QueryContext,
        seconds: Double,
        status: Int
    ) {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("params")
        writer.beginObject()
        writer.member("query", asked.text)
        for (name, text) in asked.times { writer.member(name, text) }
        writer.endObject()
        writer.key("stats")
        writer.beginObject()
        writer.key("timings")
        writer.beginObject()
        writer.member("execTotalTime", seconds)
        writer.endObject()
        writer.key("samples")
        writer.beginObject()
        writer.member("totalQueryableSamples", context.rowsRead.load(ordering: .relaxed))
        writer.endObject()
        writer.member("bytesRead", context.bytesRead.load(ordering: .relaxed))
        writer.endObject()
        writer.member("ts", TimeText.rfc3339(nanoseconds: asked.at))
        writer.key("httpRequest")
        writer.beginObject()
        writer.member("clientIP", asked.remoteAddress)
        writer.member("path", asked.path)
        writer.member("status", status)
        writer.endObject()
        writer.endObject()
        let line = writer.bytes + [0x0A]
        file.withLock { file in
            guard let open = file else { return }
            do throws(FileError) {
                try open.write(line, at: try open.size())
            } catch {
                // Said once; the next reopening tries again.
                log("query log: \(error)")
                file = nil
            }
        }
    }
}
