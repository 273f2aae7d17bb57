import Glibc
import WeirSystem

/// The unit of work that goes from machine to machine: `gzip -1` over the same bytes.
enum GzipMeasure {
    /// Writes the bytes to a file for `seconds` to read.
    static func write(_ set: DataSet, to path: String) throws(BenchError) {
        do throws(FileError) {
            let file = try HostFileSystem().openForWriting(path)
            var offset = 0
            for body in set.bodies {
                try file.write(body, at: offset)
                offset += body.count
            }
        } catch {
            throw .request(path: path, reason: error.description)
        }
    }

    /// Processor seconds of one run.
    static func seconds(_ path: String) throws(BenchError) -> Double {
        try Child("/usr/bin/env", ["gzip", "-1", "-c"], input: path).wait()
    }
}
