import Glibc
import WeirSystem

/// How long this disk takes to make 4 KiB durable, measured by itself.
enum DiskSync {
    /// Milliseconds of each `write` and `fdatasync` at the end of one growing file.
    static func milliseconds(folder: String, count: Int = 200) throws(BenchError) -> Spread {
        let path = folder + "/sync-probe"
        let block = [UInt8](repeating: 0x5A, count: 4096)
        var taken: [Double] = []
        do throws(FileError) {
            let file = try HostFileSystem().openForWriting(path)
            for place in 0..<count {
                let begin = Stopwatch.monotonicNanoseconds()
                try file.write(block, at: place * block.count)
                try file.sync()
                taken.append(Double(Stopwatch.monotonicNanoseconds() - begin) / 1e6)
            }
            try HostFileSystem().removeFile(path)
        } catch {
            throw .request(path: path, reason: error.description)
        }
        return Spread(taken)
    }
}
