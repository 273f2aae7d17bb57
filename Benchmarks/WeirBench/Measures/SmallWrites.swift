import Glibc
import WeirSystem

/// Many small writes at the same moment, one line and one connection each.
///
/// One thread sends them all and then waits for whichever answer comes: a thread per connection
/// would measure the scheduler.
enum SmallWrites {
    struct Outcome {
        /// Per burst, in milliseconds from a request's own sending to its answer.
        var median: Spread
        var p99: Spread
        var max: Spread
        var failures: Int
    }

    /// `header`: One more line of every request's head, with its line end, or nothing.
    static func measure(
        port: Int,
        connections: Int = 200,
        bursts: Int,
        at start: Int64,
        header: String = ""
    ) throws(BenchError) -> Outcome {
        var descriptors: [Int32] = []
        defer { for descriptor in descriptors { close(descriptor) } }
        for _ in 0..<connections { descriptors.append(try LoopbackSocket.connect(port: port)) }
        var medians: [Double] = []
        var p99s: [Double] = []
        var maxima: [Double] = []
        var failures = 0
        // The first burst pays for new series and is not counted.
        for burst in 0...bursts {
            let requests = (0..<connections).map { connection in
                request(
                    connection: connection,
                    at: start + Int64(burst) * DataSet.second,
                    header: header
                )
            }
            let times = try Self.burst(requests, descriptors, failures: &failures)
            guard burst > 0 else { continue }
            medians.append(times.median)
            p99s.append(times.quantile(0.99))
            maxima.append(times.max)
        }
        return Outcome(
            median: Spread(medians),
            p99: Spread(p99s),
            max: Spread(maxima),
            failures: failures
        )
    }

    private static func request(connection: Int, at time: Int64, header: String) -> [UInt8] {
        let line = "small,client=c\(connection) value=\(connection)i \(time)\n"
        let head =
            "POST /write HTTP/1.1\r\nHost: localhost\r\n\(header)"
            + "Content-Length: \(line.utf8.count)\r\n\r\n"
        return Array((head + line).utf8)
    }

    private static func burst(
        _ requests: [[UInt8]],
        _ descriptors: [Int32],
        failures: inout Int
    ) throws(BenchError) -> Spread {
        var sentAt = [Int64](repeating: 0, count: requests.count)
        for (place, request) in requests.enumerated() {
            sentAt[place] = Stopwatch.monotonicNanoseconds()
            let count = unsafe request.withUnsafeBytes { bytes in
                unsafe send(descriptors[place], bytes.baseAddress, bytes.count, 0)
            }
            guard count == request.count else { throw .system(call: "send", code: errno) }
        }
        var waiting = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        var times: [Double] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while times.count < requests.count {
            guard unsafe poll(&waiting, nfds_t(waiting.count), 30_000) > 0 else {
                throw .system(call: "poll", code: errno)
            }
            let now = Stopwatch.monotonicNanoseconds()
            for place in waiting.indices where waiting[place].revents != 0 {
                // An answer without a body comes in one piece.
                let count = unsafe buffer.withUnsafeMutableBytes { bytes in
                    unsafe recv(descriptors[place], bytes.baseAddress, bytes.count, 0)
                }
                if count <= 0 || !buffer.starts(with: "HTTP/1.1 204".utf8) { failures += 1 }
                times.append(Double(now - sentAt[place]) / 1e6)
                // A negative descriptor is passed over from now on.
                waiting[place].fd = -1
                waiting[place].revents = 0
            }
        }
        return Spread(times)
    }
}
