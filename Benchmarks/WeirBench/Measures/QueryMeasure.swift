import WeirCore
import WeirHTTP
import WeirSystem

/// One query, asked again and again.
struct QueryMeasure {
    struct Query: Sendable {
        let name: String
        let path: String
        /// Whether the peer means the same by it: its `rate` does not extrapolate, and it breaks
        /// the ties of `topk` another way.
        var isComparable = true
        /// What is asked for is not there: 404 is the answer.
        var isAbsent = false
    }

    /// At the client, in milliseconds, from sending to the whole answer.
    var client = Spread([])
    /// As the answer's `stats` tell.
    var server = Spread([])
    var seriesCount = 0
    /// The sum of all values, by which two servers' answers are compared.
    var checksum = 0.0

    static func measure(
        _ query: Query,
        on server: Server,
        repeats: Int
    ) throws(BenchError) -> Self {
        var clientTimes: [Double] = []
        var serverTimes: [Double] = []
        var measure = Self()
        // What has no parameters is no query whose answer is kept.
        let path = query.path + (query.path.contains("?") ? server.kind.queryExtra : "")
        for turn in 0..<(repeats + 2) {
            let begin = Stopwatch.monotonicNanoseconds()
            let body = try server.send("GET", path, isAbsent: query.isAbsent)
            let taken = Double(Stopwatch.monotonicNanoseconds() - begin) / 1e6
            // The first two warm the caches of both.
            guard turn >= 2 else { continue }
            clientTimes.append(taken)
            let answer: JSONValue
            do throws(JSONError) {
                answer = try JSONParser.parse(body)
            } catch {
                throw .request(path: path, reason: "\(error)")
            }
            let stats = answer["data"]?["stats"] ?? answer["stats"]
            if let milliseconds = stats?["milliseconds"]?.double {
                serverTimes.append(milliseconds)
            }
            if turn == 2 { measure.readResult(answer) }
        }
        measure.client = Spread(clientTimes)
        measure.server = Spread(serverTimes)
        return measure
    }

    private mutating func readResult(_ answer: JSONValue) {
        guard let result = answer["data"]?["result"]?.array else {
            seriesCount = answer["data"]?.array?.count ?? 0
            return
        }
        seriesCount = result.count
        for series in result {
            let points = series["values"]?.array ?? series["value"].map { [$0] } ?? []
            for point in points {
                checksum += Double(point.array?.last?.string ?? "") ?? 0
            }
        }
    }

    /// Whether two servers gave the same answer, but for the order of additions.
    func agrees(with other: Self) -> Bool {
        let scale = Swift.max(abs(checksum), abs(other.checksum), 1e-9)
        return seriesCount == other.seriesCount && abs(checksum - other.checksum) / scale < 1e-9
    }

    static func range(
        _ name: String,
        _ expression: String,
        _ set: DataSet,
        stepSeconds: Int,
        isComparable: Bool = true
    ) -> Query {
        let step = Int64(stepSeconds) * DataSet.second
        let start = (set.start + step) / DataSet.second
        return Query(
            name: name,
            path: "/api/v1/query_range?query=\(PercentEncoding.encode(expression))"
                + "&start=\(start)&end=\(set.end / DataSet.second)&step=\(stepSeconds)",
            isComparable: isComparable
        )
    }

    static func instant(_ name: String, _ expression: String, _ set: DataSet) -> Query {
        Query(
            name: name,
            path: "/api/v1/query?query=\(PercentEncoding.encode(expression))"
                + "&time=\(set.end / DataSet.second)"
        )
    }

    static func series(_ name: String, _ selector: String, _ set: DataSet) -> Query {
        Query(
            name: name,
            path: "/api/v1/series?match[]=\(PercentEncoding.encode(selector))"
                + "&start=\(set.start / DataSet.second)&end=\(set.end / DataSet.second)"
        )
    }

    static func labelValues(_ name: String, _ label: String, _ set: DataSet) -> Query {
        Query(
            name: name,
            path: "/api/v1/label/\(label)/values?start=\(set.start / DataSet.second)"
                + "&end=\(set.end / DataSet.second)"
        )
    }
}
