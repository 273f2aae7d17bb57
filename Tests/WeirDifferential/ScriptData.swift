internal import WeirCore
internal import WeirQuery
internal import WeirTestSupport

/// Small seeded series for scripts: the names of `DifferentialData`, few samples at even steps from
/// the epoch on, values that are short to write.
struct ScriptData {
    static let stepSeconds: Int64 = 30
    static let count = 21
    private(set) var series: [ScriptSeries] = []
    private var random: SplitMix64

    init(seed: UInt64, hasHistograms: Bool) {
        random = SplitMix64(seed: seed)
        for (job, instance, code) in [
            ("api", "a", "200"), ("api", "a", "500"), ("api", "b", "200"), ("web", "a", "200"),
        ] {
            counter("requests_total", [("job", job), ("instance", instance), ("code", code)])
        }
        for (host, room) in [("h1", "x"), ("h2", "x"), ("h3", "y")] {
            gauge("temperature", [("host", host), ("room", room)])
            if host != "h3" { gauge("humidity", [("host", host), ("room", room)]) }
        }
        for instance in ["a", "b"] {
            let labels = [("job", "api"), ("instance", instance)]
            add("up", labels) { generator, _ in Double(Int.random(in: 0...1, using: &generator)) }
            add("info", [("instance", instance), ("version", "v\(instance)")]) { _, _ in 1 }
            add("target_info", labels + [("data", instance == "a" ? "eu" : "us")]) { _, _ in 1 }
        }
        for queue in ["q1", "q2", "q10"] {
            add("queue_depth", [("queue", queue)]) { generator, _ in
                Double(Int.random(in: 0...4, using: &generator))
            }
        }
        histogram("api", ["0.1", "1", "2.5", "+Inf"])
        histogram("odd", ["1", "1.0", "none", "+Inf"])
        for (rank, kind) in ["nan", "inf"].enumerated() {
            let value = [Double.nan, .infinity][rank]
            add("special", [("kind", kind)]) { _, index in
                index % 4 == 1 ? Double(index) + Double(rank) * 0.5 : value
            }
        }
        add("special", [("kind", "plain")]) { _, index in Double(index) - 3 }
        for (part, pod) in ["p1", "p2"].enumerated() {
            add("churn", [("pod", pod)]) { generator, index in
                let age = index - part * 8
                if age < 0 || age > 10 { return nil }
                return age == 10 ? .absent : Double(Int.random(in: 0...9, using: &generator))
            }
        }
        add("flapping", [("job", "api")]) { generator, index in
            index % 6 > 3 ? .absent : Double(Int.random(in: 0...9, using: &generator))
        }
        counter("errors_total", [("job", "api"), ("instance", "a"), ("cause", "disk full")])
        for host in ["a", "b"] { counter("http.requests", [("host.name", host)]) }
        gauge("temp\u{e9}rature", [("host", "a")])
        if hasHistograms { addNativeHistograms() }
    }

    private mutating func counter(_ name: String, _ labels: [(String, String)]) {
        var total = 0.0
        add(name, labels) { generator, _ in
            if Int.random(in: 0..<12, using: &generator) == 0 { total = 0 }
            total += Double(Int.random(in: 0...9, using: &generator))
            return Int.random(in: 0..<15, using: &generator) == 0 ? nil : total
        }
    }

    private mutating func gauge(_ name: String, _ labels: [(String, String)]) {
        var value = Double(Int.random(in: 40...80, using: &random)) / 4
        add(name, labels) { generator, _ in
            value += Double(Int.random(in: -4...4, using: &generator)) / 4
            return Int.random(in: 0..<10, using: &generator) == 0 ? nil : value
        }
    }

    private mutating func histogram(_ job: String, _ bounds: [String]) {
        var counts = [Double](repeating: 0, count: bounds.count)
        var columns = [[Double]](repeating: [], count: bounds.count)
        for _ in 0..<Self.count {
            var below = 0
            for bound in bounds.indices {
                below += Int.random(in: 0...3, using: &random)
                counts[bound] += Double(below)
                columns[bound].append(counts[bound])
            }
        }
        for (bound, text) in bounds.enumerated() {
            add("latency_bucket", [("job", job), ("le", text)]) { _, index in
                columns[bound][index]
            }
        }
    }

    private mutating func add(
        _ name: String,
        _ labels: [(String, String)],
        _ value: (inout SplitMix64, Int) -> Double?
    ) {
        addValues(name, labels) { generator, index in
            value(&generator, index).map(ScriptValue.number) ?? .none
        }
    }

    mutating func addValues(
        _ name: String,
        _ labels: [(String, String)],
        _ value: (inout SplitMix64, Int) -> ScriptValue
    ) {
        var values: [ScriptValue] = []
        for index in 0..<Self.count { values.append(value(&random, index)) }
        series.append(ScriptSeries(Labels([("__name__", name)] + labels), values))
    }

    private mutating func addNativeHistograms() {
        for one in NativeSeries.make(count: Self.count, isSmall: true, &random) {
            addValues(one.name, one.labels) { _, index in
                switch one.samples[index] {
                case .none: .none
                case .number(let number): .number(number)
                case .histogram(let histogram):
                    histogram.isStale ? .number(.absent) : .histogram(FloatHistogram(histogram))
                }
            }
        }
    }
}
