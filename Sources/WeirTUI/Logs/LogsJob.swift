internal import WeirCore

/// One of the questions that the logs screen asks.
package struct LogsJob: Sendable, Hashable {
    package enum Part: Hashable, Sendable {
        case rows(limit: Int)
        case hits
        case facets
        case patterns
    }

    package let part: Part
    package let query: String
    /// Milliseconds since 1970.
    package let from: Int64
    package let to: Int64
    /// Columns of the volume chart.
    package let cells: Int

    /// Asks and waits.
    package func run(_ api: any QueryAPI) throws(APIError) -> LogsAnswer {
        let parameters = [
            ("query", query), ("start", TimeText.nanoseconds(from)),
            ("end", TimeText.nanoseconds(to)),
        ]
        switch part {
        case .rows(let limit):
            let lines = try api.lines(
                path: "/api/v1/logs/query",
                parameters: parameters + [("limit", String(limit)), ("direction", "backward")]
            )
            return .rows(lines.reversed())
        case .hits:
            let step = max(1, (to - from) / Int64(max(1, cells)) / 1000)
            let answer = try api.get(
                path: "/api/v1/logs/hits",
                parameters: parameters + [("step", "\(step)s")]
            )
            return .hits(LogVolume(answer, from: from, step: step * 1000))
        case .facets:
            let answer = try api.get(
                path: "/api/v1/logs/facets",
                parameters: parameters + [("limit", "6")]
            )
            return .facets((answer["facets"]?.array ?? []).map(LogFacet.init))
        case .patterns:
            let answer = try api.get(path: "/api/v1/logs/patterns", parameters: parameters)
            return .patterns(
                (answer["patterns"]?.array ?? []).map { one in
                    LogFacet.Count(
                        text: one["pattern"]?.string ?? "",
                        count: one["total"]?.int ?? 0
                    )
                }
            )
        }
    }
}

/// What came of it.
package enum LogsAnswer: Sendable {
    /// JSON lines, oldest first.
    case rows([[UInt8]])
    case hits(LogVolume)
    case facets([LogFacet])
    case patterns([LogFacet.Count])
}

/// One field and its most frequent values.
package struct LogFacet: Hashable, Sendable {
    package struct Count: Hashable, Sendable {
        package let text: String
        package let count: Int
    }

    package let name: String
    package let distinct: Int
    package let values: [Count]

    init(_ json: JSONValue) {
        name = json["field_name"]?.string ?? ""
        distinct = json["distinct"]?.int ?? 0
        values = (json["values"]?.array ?? []).map {
            Count(text: $0["field_value"]?.string ?? "", count: $0["hits"]?.int ?? 0)
        }
    }
}

/// Counts of lines over time by level.
package struct LogVolume: Hashable, Sendable {
    package struct Series: Hashable, Sendable {
        package let level: LogLevel
        package var counts: [Int]
    }

    /// Milliseconds since 1970.
    package let start: Int64
    package let step: Int64
    /// The worst level first.
    package private(set) var series: [Series] = []

    init(_ json: JSONValue, from: Int64, step: Int64) {
        let first = json["start"]?.string.flatMap { Int64($0) }.map { $0 / 1_000_000 }
        start = first ?? from
        self.step = step
        for one in json["hits"]?.array ?? [] {
            let level = LogLevel(one["fields"]?.members?.first?.value.string ?? "")
            let counts = (one["values"]?.array ?? []).map { $0.int ?? 0 }
            if let index = series.firstIndex(where: { $0.level == level }) {
                // Several words may mean one level.
                for place in counts.indices where place < series[index].counts.count {
                    series[index].counts[place] += counts[place]
                }
            } else {
                series.append(Series(level: level, counts: counts))
            }
        }
        let order = LogLevel.allCases
        series.sort {
            (order.firstIndex(of: $0.level) ?? 0) < (order.firstIndex(of: $1.level) ?? 0)
        }
    }

    package var total: Int { series.reduce(0) { $0 + $1.counts.reduce(0, +) } }
}
