import WeirCore
import WeirTestSupport

/// Seeded series of every kind that queries treat differently, and the same as OpenMetrics text.
///
/// No sample lies on a whole second, so that none lies exactly on a window's edge, where
/// versions of Prometheus differ.
struct DifferentialData {
    static let start: Int64 = 1_700_000_000_000
    static let spanSeconds: Int64 = 3 * 3600
    private(set) var source = ArraySource()
    private(set) var openMetrics: [UInt8] = []
    private var random: SplitMix64

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
        for instance in ["a", "b", "c"] {
            for code in ["200", "500"] {
                for job in ["api", "web"] where !(job == "web" && instance == "c") {
                    addCounter(
                        "requests_total",
                        [("job", job), ("instance", instance), ("code", code)]
                    )
                }
            }
        }
        for (host, room) in [("h1", "x"), ("h2", "x"), ("h3", "y"), ("h4", "y"), ("h5", "z")] {
            addGauge("temperature", [("host", host), ("room", room)], gap: host == "h3")
            addGauge("humidity", [("host", host), ("room", room)], gap: host == "h4")
        }
        for instance in ["a", "b", "c"] {
            add("up", [("job", "api"), ("instance", instance)]) { generator, _ in
                Double.random(in: 0..<1, using: &generator) < 0.9 ? 1 : 0
            }
            add("info", [("instance", instance), ("version", "v\(instance)"), ("zone", "z1")]) {
                _,
                _ in 1
            }
        }
        for queue in ["q1", "q2", "q3"] {
            add("queue_depth", [("queue", queue)]) { generator, _ in
                Double(Int.random(in: 0...4, using: &generator))
            }
        }
        for job in ["api", "web"] { addHistogram([("job", job)]) }
        // Now and then an ordinary value, a different one in each: no ties.
        for (rank, kind) in ["nan", "inf", "minus"].enumerated() {
            let value = [Double.nan, .infinity, -.infinity][rank]
            add("special", [("kind", kind)]) { _, index in
                index % 7 == 3 ? Double(index) * 0.5 + Double(rank) * 0.1 : value
            }
        }
        add("special", [("kind", "plain")]) { _, index in Double(index) * 0.25 }
        for part in 0..<4 {
            // Series that follow one another, as after deployments.
            add("churn", [("pod", "p\(part)")], from: part * 140, through: part * 140 + 170) {
                generator,
                _ in Double.random(in: 0...10, using: &generator)
            }
        }
        addCounter("errors_total", [("job", "api"), ("instance", "a"), ("cause", "disk full")])
        addCounter("errors_total", [("job", "api"), ("instance", "b"), ("cause", "a\"b\\c")])
        openMetrics.append(contentsOf: "# EOF\n".utf8)
    }

    private mutating func addCounter(_ name: String, _ labels: [(String, String)]) {
        var total = 0.0
        add(name, labels) { generator, _ in
            if Double.random(in: 0..<1, using: &generator) < 0.01 { total = 0 }
            total += Double(Int.random(in: 0...20, using: &generator))
            return total
        }
    }

    private mutating func addGauge(_ name: String, _ labels: [(String, String)], gap: Bool) {
        var value = Double.random(in: 10...30, using: &random)
        add(name, labels, gapFrom: gap ? 200 : -1, gapThrough: gap ? 260 : -1) { generator, _ in
            value += Double.random(in: -1...1, using: &generator)
            return value
        }
    }

    private mutating func addHistogram(_ labels: [(String, String)]) {
        let bounds = ["0.1", "0.5", "1", "2.5", "+Inf"]
        let count = Int(Self.spanSeconds / 15)
        var counts = [Double](repeating: 0, count: bounds.count)
        var columns = [[Double]](repeating: [], count: bounds.count)
        for _ in 0..<count {
            var below = 0
            for bound in bounds.indices {
                below += Int.random(in: 0...5, using: &random)
                counts[bound] += Double(below)
                columns[bound].append(counts[bound])
            }
        }
        for (bound, text) in bounds.enumerated() {
            add("latency_bucket", labels + [("le", text)]) { _, index in columns[bound][index] }
        }
    }

    private mutating func add(
        _ name: String,
        _ labels: [(String, String)],
        from: Int = 0,
        through: Int = .max,
        gapFrom: Int = -1,
        gapThrough: Int = -1,
        _ value: (inout SplitMix64, Int) -> Double
    ) {
        let phase = Int64.random(in: 1...14, using: &random) * 1000
        var series = ArraySource.Series(
            labels: Labels([("__name__", name)] + labels),
            times: [],
            values: []
        )
        let selector =
            "\(name){"
            + labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",") + "}"
        for index in 0..<Int(Self.spanSeconds / 15) {
            let number = value(&random, index)
            let isGap = index >= gapFrom && index <= gapThrough
            guard index >= from, index <= through, !isGap else { continue }
            let fraction = Int64.random(in: 1...999, using: &random)
            let time = Self.start + Int64(index) * 15000 + phase + fraction
            series.times.append(time)
            series.values.append(number)
            let milliseconds = String(time % 1000 + 1000).dropFirst()
            openMetrics.append(
                contentsOf:
                    "\(selector) \(Self.text(number)) \(time / 1000).\(milliseconds)\n".utf8
            )
        }
        source.all.append(series)
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    }

    private static func text(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number > 0 ? "+Inf" : "-Inf" }
        return number.description
    }
}
