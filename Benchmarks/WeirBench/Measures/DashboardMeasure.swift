import WeirHTTP
import WeirSystem

/// A dashboard's panel that is refreshed while time goes on: one range query, moved by one step each
/// time.
struct DashboardMeasure {
    /// At the client, in milliseconds: with nothing kept between refreshes.
    let cold: Spread
    /// The same with what the server keeps.
    let warm: Spread

    /// The panel shows `hours` of a data set that has more.
    static func measure(
        _ expression: String,
        on server: Server,
        _ set: DataSet,
        hours: Int64,
        stepSeconds: Int64,
        repeats: Int
    ) throws(BenchError) -> Self {
        let width = hours * 3600
        let last = set.end / DataSet.second / stepSeconds * stepSeconds
        let first = last - Int64(repeats + 2) * stepSeconds
        func refresh(_ extra: String) throws(BenchError) -> Spread {
            var times: [Double] = []
            for turn in 0..<Int64(repeats + 2) {
                let end = first + turn * stepSeconds
                let path =
                    "/api/v1/query_range?query=\(PercentEncoding.encode(expression))"
                    + "&start=\(end - width)&end=\(end)&step=\(stepSeconds)\(extra)"
                let begin = Stopwatch.monotonicNanoseconds()
                _ = try server.send("GET", path)
                // The first two are asked to have something kept.
                guard turn >= 2 else { continue }
                times.append(Double(Stopwatch.monotonicNanoseconds() - begin) / 1e6)
            }
            return Spread(times)
        }
        return Self(cold: try refresh(server.kind.queryExtra), warm: try refresh(""))
    }
}
