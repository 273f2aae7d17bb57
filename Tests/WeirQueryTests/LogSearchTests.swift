import Testing
import WeirCore
import WeirQuery
import WeirTestSupport

@Suite struct LogSearchTests {
    /// Rows with many equal times over several blocks; each line is its place in order of arrival.
    private static func source(_ random: inout SplitMix64) -> (BlocksLogSource, [Int64]) {
        var batches: [RowBatch] = []
        var times: [Int64] = []
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            var table = LogTable()
            for _ in 0..<Int.random(in: 1...60, using: &random) {
                let time = Int64.random(in: 0...25, using: &random)
                let stream = Bool.random(using: &random) ? "a" : "b"
                let isEven = times.count.isMultiple(of: 2)
                table.add(
                    time,
                    ["s": stream],
                    "\(times.count)",
                    ["even": isEven ? "true" : "false"]
                )
                times.append(time)
            }
            batches.append(table.batch)
        }
        return (BlocksLogSource(batches: batches), times)
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func pagesAreInOrderAndLoseNothing(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let (source, times) = Self.source(&random)
        let isForward = Bool.random(using: &random)
        let filter =
            ["", " | even=\"true\"", " | label_format x=even | x=\"true\""]
            .randomElement(using: &random) ?? ""
        let low = Int64.random(in: -1...10, using: &random)
        let high = Int64.random(in: 10...30, using: &random)
        var expected = times.indices.filter { index in
            times[index] >= low && times[index] <= high
                && (filter.isEmpty || index.isMultiple(of: 2))
        }
        expected.sort { left, right in
            isForward
                ? (times[left], left) < (times[right], right)
                : (times[left], left) > (times[right], right)
        }
        let search = try LogSearch(
            LogQLParser.parseLogs("{}" + filter),
            times: low...high,
            direction: isForward ? .forward : .backward,
            source: source,
            context: QueryContext()
        )
        var found: [Int] = []
        while true {
            let limit = Int.random(in: 1...30, using: &random)
            let page = try search.next(limit)
            found += page.compactMap { Int(String(decoding: $0.line, as: UTF8.self)) }
            #expect(page.count <= limit)
            if page.count < limit { break }
        }
        #expect(found == expected, "seed \(seed)")
    }

    @Test func hitsCountEveryRowOnce() throws {
        var random = SplitMix64(seed: 7)
        let (source, times) = Self.source(&random)
        let hits = try LogHits(
            LogQLQuery(),
            from: 3,
            to: 21,
            step: 4,
            by: ["even"],
            source: source,
            context: QueryContext()
        )
        #expect(hits.start == 0)
        #expect(hits.bucketCount == 6)
        for bucket in 0..<6 {
            let inside = times.indices.filter {
                times[$0] >= 3 && times[$0] < 21 && times[$0] / 4 == bucket
            }
            let counted = hits.series.reduce(0) { $0 + Int($1.counts[bucket]) }
            #expect(counted == inside.count)
        }
    }

    @Test func facetsCountValues() throws {
        var table = LogTable()
        for index in 0..<100 {
            table.add(
                Int64(index),
                ["s": index < 70 ? "a" : "b"],
                "line",
                ["level": index % 4 == 0 ? "warn" : "info", "id": "\(index)"]
            )
        }
        let facets = try LogFacets(
            LogQLQuery(),
            times: 0...99,
            names: nil,
            limit: 5,
            distinctWanted: 50,
            source: table.source,
            context: QueryContext()
        )
        #expect(facets.rowCount == 100)
        #expect(facets.facets.map(\.name) == ["level", "s"])
        #expect(facets.facets[0].values.map(\.count) == [75, 25])
        #expect(facets.facets[1].values.map(\.count) == [70, 30])
        let chosen = try LogFacets(
            LogQLParser.parseLogs("{} | level=\"warn\" | label_format x=id"),
            times: 0...99,
            names: ["x", "s"],
            limit: 2,
            distinctWanted: 50,
            source: table.source,
            context: QueryContext()
        )
        #expect(chosen.facets.map(\.name) == ["x", "s"])
        #expect(chosen.facets[0].distinctCount == 25)
        #expect(chosen.facets[1].values.map(\.count) == [18, 7])
    }

    static let templates: [(String, String)] = [
        ("GET /api/v1/users/123 took 12ms", "GET /api/<_>/users/<_> took <_>"),
        ("user \"bob\" left", "user \"<_>\" left"),
        ("id=4bf92f3577b34da6 ok", "id=<_> ok"),
        ("plain words", "plain words"),
        ("from 10.0.0.1:8080", "from <_>:<_>"),
    ]

    @Test(arguments: templates)
    func templatesLines(_ line: String, _ template: String) {
        let found = LogPatterns.template(of: Array(line.utf8))
        #expect(String(decoding: found, as: UTF8.self) == template)
    }
}
