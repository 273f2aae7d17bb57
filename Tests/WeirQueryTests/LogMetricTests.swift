import Testing
import WeirCore
import WeirQuery
import WeirTestSupport

/// Range aggregations against a slow reference that goes row by row.
@Suite struct LogMetricTests {
    private struct Row {
        let time: Int64
        let stream: String
        let level: String?
        let user: String?
        let number: Double?
        let body: String
    }

    private static func rows(_ random: inout SplitMix64, count: Int) -> [Row] {
        (0..<count).map { _ in
            Row(
                time: Int64.random(in: 0...100, using: &random) * 1_000_000_000
                    + Int64.random(in: 0...2, using: &random),
                stream: ["a", "b", "c"].randomElement(using: &random) ?? "a",
                level: ["info", "warn", "error", nil].randomElement(using: &random) ?? nil,
                user: Bool.random(using: &random)
                    ? "u\(Int.random(in: 0...20, using: &random))" : nil,
                number: Int.random(in: 0...3, using: &random) > 0
                    ? Double(Int.random(in: -50...50, using: &random)) / 4 : nil,
                body: ["took", "failed", "took longer"].randomElement(using: &random) ?? ""
            )
        }
    }

    private static func source(_ rows: [Row], blocks: Int) -> BlocksLogSource {
        var tables = [LogTable](repeating: LogTable(), count: blocks)
        for (index, row) in rows.enumerated() {
            let block = index * blocks / max(1, rows.count)
            var table = tables[block]
            table.add(row.time, ["service": row.stream], row.body)
            let place = table.batch.rowCount - 1
            if let level = row.level {
                table.batch.fields.set("level", row: place, kind: .text, value: level)
            }
            if let user = row.user {
                table.batch.fields.set("user.id", row: place, kind: .text, value: user)
            }
            if let number = row.number {
                table.batch.fields.set("n", row: place, kind: .number, value: "\(number)")
            }
            tables[block] = table
        }
        return BlocksLogSource(batches: tables.map(\.batch))
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let operation: String
        let unwraps: Bool
        var testDescription: String { operation + (unwraps ? " unwrap" : "") }
    }

    static let cases: [Case] = [
        Case(operation: "count_over_time", unwraps: false),
        Case(operation: "rate", unwraps: false),
        Case(operation: "bytes_over_time", unwraps: false),
        Case(operation: "bytes_rate", unwraps: false),
        Case(operation: "sum_over_time", unwraps: true),
        Case(operation: "avg_over_time", unwraps: true),
        Case(operation: "min_over_time", unwraps: true),
        Case(operation: "max_over_time", unwraps: true),
        Case(operation: "stddev_over_time", unwraps: true),
        Case(operation: "stdvar_over_time", unwraps: true),
        Case(operation: "first_over_time", unwraps: true),
        Case(operation: "last_over_time", unwraps: true),
        Case(operation: "quantile_over_time", unwraps: true),
        Case(operation: "rate", unwraps: true),
    ]

    private static func reference(_ one: Case, _ rows: [Row], range: Double) -> Double? {
        let values = rows.map { one.unwraps ? $0.number ?? 0 : Double($0.body.utf8.count) }
        guard !values.isEmpty else { return nil }
        let count = Double(values.count)
        let sum = values.reduce(0, +)
        let mean = sum / count
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        switch one.operation {
        case "count_over_time": return count
        case "rate": return one.unwraps ? sum / range : count / range
        case "bytes_over_time", "sum_over_time": return sum
        case "bytes_rate": return sum / range
        case "avg_over_time": return mean
        case "min_over_time": return values.min()
        case "max_over_time": return values.max()
        case "stddev_over_time": return variance.squareRoot()
        case "stdvar_over_time": return variance
        case "first_over_time": return values.first
        case "last_over_time": return values.last
        default:
            let sorted = values.sorted()
            let rank = 0.9 * (count - 1)
            let low = Int(rank)
            let high = min(low + 1, sorted.count - 1)
            return sorted[low] * (1 - (rank - Double(low))) + sorted[high] * (rank - Double(low))
        }
    }

    @Test(arguments: cases, [1, 2, 3, 4, 5, 6] as [UInt64])
    func agreesWithTheReference(_ one: Case, seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let rows = Self.rows(&random, count: Int.random(in: 0...400, using: &random))
        let blocks = Int.random(in: 1...5, using: &random)
        let source = Self.source(rows, blocks: blocks)
        let range = Int64([1, 3, 7, 10, 30, 45, 200].randomElement(using: &random) ?? 1)
        let step = Int64([1, 5, 10, 13, 30].randomElement(using: &random) ?? 1)
        let offset = Int64([0, 0, 5].randomElement(using: &random) ?? 0)
        let isInstant = Bool.random(using: &random)
        let start = Int64.random(in: 0...60, using: &random)
        let end = isInstant ? start : start + Int64.random(in: 0...60, using: &random)
        let grouping = Int.random(in: 0...3, using: &random)
        let filter =
            ["", " |= \"took\"", " | level=\"error\"", " | level!=\"\" | n>0"]
            .randomElement(using: &random) ?? ""
        let unwrap = one.unwraps ? " | unwrap n" : ""
        let parameter = one.operation == "quantile_over_time" ? "0.9, " : ""
        let shift = offset > 0 ? " offset \(offset)s" : ""
        let inner =
            "\(one.operation)(\(parameter){service=~\"a|b\"}\(filter)\(unwrap) [\(range)s]\(shift))"
        // Groupings inside only where unwrapped values allow it.
        let names: [String]
        let query: String
        switch grouping {
        case 0 where one.unwraps:
            names = ["level", "user_id"]
            query = inner + " by (level, user_id)"
        case 1 where one.operation == "count_over_time" || one.operation == "sum_over_time":
            names = ["level"]
            query = "sum by (level) (\(inner))"
        case 2 where one.operation == "max_over_time":
            names = ["service", "level"]
            query = "max by (service, level) (\(inner))"
        default:
            names = ["service"]
            query = inner
        }
        let kept = rows.filter { row in
            guard row.stream != "c", !one.unwraps || row.number != nil else { return false }
            switch filter {
            case "": return true
            case " |= \"took\"": return row.body.contains("took")
            case " | level=\"error\"": return row.level == "error"
            default: return row.level != nil && (row.number ?? -1) > 0
            }
        }
        var expected: [String: [Int64: Double]] = [:]
        var byLabels: [String: [Row]] = [:]
        for row in kept {
            var pairs: [(String, String)] = []
            for name in names {
                let value = ["service": row.stream, "level": row.level, "user_id": row.user][name]
                pairs.append((name, (value ?? nil) ?? ""))
            }
            byLabels["\(Labels(pairs))", default: []].append(row)
        }
        for (labels, members) in byLabels {
            var time = start
            while time <= end {
                let last = (time - offset) * 1_000_000_000
                let inside = members.enumerated().filter {
                    $0.element.time > last - range * 1_000_000_000 && $0.element.time <= last
                }.sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
                    .map(\.element)
                if let value = Self.reference(one, inside, range: Double(range)) {
                    expected[labels, default: [:]][time * 1000] = value
                }
                time += step
            }
        }
        let expression = try LogQL.parse(query)
        var found: [String: [Int64: Double]] = [:]
        if isInstant {
            let value = try LogQL.evaluateInstant(
                expression,
                atNanoseconds: start * 1_000_000_000,
                source: source,
                context: QueryContext()
            )
            guard case .vector(let time, let samples) = value else {
                Issue.record("no vector")
                return
            }
            for sample in samples { found["\(sample.labels)", default: [:]][time] = sample.value }
        } else {
            let value = try LogQL.evaluateRange(
                expression,
                fromNanoseconds: start * 1_000_000_000,
                throughNanoseconds: end * 1_000_000_000,
                stepNanoseconds: step * 1_000_000_000,
                source: source,
                context: QueryContext()
            )
            guard case .matrix(let series) = value else {
                Issue.record("no matrix")
                return
            }
            for one in series {
                for (time, value) in zip(one.times, one.values) {
                    found["\(one.labels)", default: [:]][time] = value
                }
            }
        }
        #expect(Set(found.keys) == Set(expected.keys), "seed \(seed): \(query)")
        for (labels, points) in expected {
            let got = found[labels] ?? [:]
            #expect(Set(got.keys) == Set(points.keys), "seed \(seed): \(query) \(labels)")
            for (time, value) in points {
                let difference = abs((got[time] ?? .infinity) - value)
                #expect(
                    difference <= 1e-9 * max(1, abs(value)),
                    "seed \(seed): \(query) \(labels) at \(time): \(got[time] ?? .nan) != \(value)"
                )
            }
        }
    }

    private static func value(
        _ query: String,
        _ table: LogTable,
        at seconds: Int64
    ) throws -> String {
        let value = try LogQL.evaluateInstant(
            LogQL.parse(query),
            atNanoseconds: seconds * 1_000_000_000,
            source: table.source,
            context: QueryContext()
        )
        switch value {
        case .scalar(_, let number): return NumberText.sample(number)
        case .vector(_, let samples):
            return samples.map { "\($0.labels)=\(NumberText.sample($0.value))" }
                .joined(separator: " ")
        default: return "?"
        }
    }

    private static let table: LogTable = {
        var table = LogTable()
        let second: Int64 = 1_000_000_000
        table.add(1 * second, ["app": "x"], "{\"took\":\"5ms\",\"n\":1}")
        table.add(2 * second, ["app": "x"], "{\"took\":\"7ms\",\"n\":2}")
        table.add(3 * second, ["app": "y"], "{\"took\":\"1s\",\"n\":4}")
        table.add(4 * second, ["app": "y"], "broken")
        table.add(5 * second, ["app": "z"], "counted", ["c": "10", "level": "info"])
        table.add(6 * second, ["app": "z"], "counted", ["c": "20", "level": "warn"])
        table.add(7 * second, ["app": "z"], "counted", ["c": "5", "level": "warn"])
        table.add(8 * second, ["app": "z"], "counted", ["c": "x", "level": "warn"])
        return table
    }()

    static let queries: [(String, String)] = [
        ("1 + 2 * 3 ^ 2", "19"),
        ("1 > bool 2", "0"),
        ("3 > 2", "1"),
        ("vector(4) * 2", "{}=8"),
        ("count_over_time({}[10s])", "{app=\"x\"}=2 {app=\"y\"}=2 {app=\"z\"}=4"),
        ("sum(count_over_time({}[10s]))", "{}=8"),
        ("sum(count_over_time({} | json [10s]))", "{}=8"),
        (
            "count_over_time({app=\"x\"} | json | took=\"5ms\" [10s])",
            "{app=\"x\", n=\"1\", took=\"5ms\"}=1"
        ),
        (
            "sum by (took) (count_over_time({app=\"x\"} | json [10s]))",
            "{took=\"5ms\"}=1 {took=\"7ms\"}=1"
        ),
        (
            "sum by (app) (sum_over_time({app!=\"z\"} | json | __error__=\"\" | unwrap duration(took) [10s]))",
            "{app=\"x\"}=0.012 {app=\"y\"}=1"
        ),
        ("sum(sum_over_time({app!=\"z\"} | json | unwrap n | __error__=\"\" [10s]))", "{}=7"),
        ("sum(sum_over_time({} | json | unwrap n [10s]))", "{}=7"),
        ("sum(sum_over_time({app=\"z\"} | unwrap c | __error__=\"\" [10s]))", "{}=35"),
        (
            "sum by (level) (count_over_time({app=\"z\"}[10s]))",
            "{level=\"info\"}=1 {level=\"warn\"}=3"
        ),
        (
            "sum by (detected_level) (count_over_time({app=\"z\"}[10s]))",
            "{detected_level=\"info\"}=1 {detected_level=\"warn\"}=3"
        ),
        (
            "max by (level) (avg_over_time({app=\"z\"} | unwrap c | __error__=\"\" [10s]))",
            "{level=\"info\"}=10 {level=\"warn\"}=12.5"
        ),
        ("topk(1, sum by (app) (count_over_time({}[10s])))", "{app=\"z\"}=4"),
        (
            "sort_desc(sum by (app) (count_over_time({app!=\"x\"}[10s])))",
            "{app=\"z\"}=4 {app=\"y\"}=2"
        ),
        ("sum(count_over_time({app=\"z\"}[10s])) / sum(count_over_time({}[10s]))", "{}=0.5"),
        ("sum by (app) (count_over_time({app=\"z\"}[10s])) > 5", ""),
        (
            "count_over_time({app=\"x\"}[10s]) or count_over_time({app=\"y\"}[10s])",
            "{app=\"x\"}=2 {app=\"y\"}=2"
        ),
        ("absent_over_time({app=\"nosuch\", b=~\"c\"}[10s])", "{app=\"nosuch\"}=1"),
        ("absent_over_time({app=\"x\"}[10s])", ""),
        (
            "label_replace(count_over_time({app=\"x\"}[10s]), \"b\", \"<$1>\", \"app\", \"(.*)\")",
            "{app=\"x\", b=\"<x>\"}=2"
        ),
        (
            "quantile_over_time(0.5, {app=\"z\"} | unwrap c | __error__=\"\" [10s]) by (app)",
            "{app=\"z\"}=10"
        ),
        ("count_over_time({app=\"x\"}[1s] offset 8s)", "{app=\"x\"}=1"),
        ("sum without (app) (count_over_time({}[10s]))", "{}=8"),
        ("count(count_over_time({}[10s]))", "{}=3"),
        ("sum(bytes_over_time({app=\"y\"} |= \"broken\" [10s]))", "{}=6"),
        ("bytes_over_time({app=\"y\"} |= \"broken\" | line_format \"ab\" [10s])", "{app=\"y\"}=2"),
    ]

    @Test(arguments: queries)
    func answers(_ query: String, _ expected: String) throws {
        #expect(try Self.value(query, Self.table, at: 10) == expected)
    }

    static let failures: [(String, String)] = [
        ("sum by (took) (count_over_time({app=\"y\"} | json [10s]))", "JSONParserErr"),
        ("sum(sum_over_time({app=\"z\"} | unwrap c [10s]))", "SampleExtractionErr"),
        ("count_over_time({app=\"z\"} | c > 6 [10s])", "LabelFilterErr"),
    ]

    @Test(arguments: failures)
    func failsByTheErrorsName(_ query: String, _ name: String) throws {
        do {
            _ = try Self.value(query, Self.table, at: 10)
            Issue.record("no error")
        } catch let error as QueryError {
            #expect(error.message(query: query).contains("pipeline error: '\(name)'"))
        }
    }

    @Test func keepsToItsLimits() throws {
        var table = LogTable()
        for index in 0..<200 { table.add(Int64(index), ["i": "\(index)"], "x") }
        let query = try LogQL.parse("count_over_time({}[1s])")
        #expect(throws: QueryError.limit(name: "query series", limit: 10)) {
            try LogQL.evaluateInstant(
                query,
                atNanoseconds: 1000,
                source: table.source,
                context: QueryContext(seriesMax: 10)
            )
        }
        let context = QueryContext()
        context.cancel()
        #expect(throws: QueryError.cancelled) {
            try LogQL.evaluateInstant(
                query,
                atNanoseconds: 1000,
                source: table.source,
                context: context
            )
        }
        #expect(throws: QueryError.limit(name: "points per timeseries", limit: 11000)) {
            try LogQL.evaluateRange(
                query,
                fromNanoseconds: 0,
                throughNanoseconds: 1_000_000_000_000,
                stepNanoseconds: 1,
                source: table.source,
                context: QueryContext()
            )
        }
    }
}
