internal import WeirCore
internal import WeirQuery
internal import WeirTestSupport

/// Seeded series of every kind that queries treat differently.
///
/// Samples lie on whole steps and beside them, on the edges of windows and inside; values are
/// whole, quarters, or have every bit set.
package struct DifferentialData {
    package static let start: Int64 = 1_700_000_040_000
    /// Short enough that a Prometheus takes every sample in any order.
    package static let spanSeconds: Int64 = 50 * 60
    /// In order of labels, in which Prometheus numbers them.
    package private(set) var source = ArraySource()
    private var random: SplitMix64

    /// With `isVersion3` for a peer that takes names in UTF-8 and native histograms.
    package init(seed: UInt64, isVersion3: Bool = true) {
        random = SplitMix64(seed: seed)
        for instance in ["a", "b", "c"] {
            for code in ["200", "500"] {
                for job in ["api", "web"] where !(job == "web" && instance == "c") {
                    let labels = [("job", job), ("instance", instance), ("code", code)]
                    addCounter("requests_total", labels)
                }
            }
        }
        for (host, room) in [("h1", "x"), ("h2", "x"), ("h3", "y"), ("h4", "y"), ("h5", "z")] {
            addGauge("temperature", [("host", host), ("room", room)], isCoarse: true)
            addGauge("humidity", [("host", host), ("room", room)], isCoarse: false)
        }
        for instance in ["a", "b", "c"] {
            add("up", [("job", "api"), ("instance", instance)]) { generator, _ in
                Double.random(in: 0..<1, using: &generator) < 0.9 ? 1 : 0
            }
            add("info", [("instance", instance), ("version", "v\(instance)"), ("zone", "z1")]) {
                _,
                _ in 1
            }
            let data = ["a": "eu", "b": "us"][instance] ?? ""
            let labels = [("job", "api"), ("instance", instance), ("data", data)]
            add("target_info", labels, isSteady: true) { _, _ in 1 }
        }
        for queue in ["q1", "q2", "q3", "q10"] {
            add("queue_depth", [("queue", queue)]) { generator, _ in
                Double(Int.random(in: 0...4, using: &generator))
            }
        }
        addHistograms()
        addSpecials()
        addCounter("errors_total", [("job", "api"), ("instance", "a"), ("cause", "disk full")])
        addCounter("errors_total", [("job", "api"), ("instance", "b"), ("cause", "a\"b\\c")])
        addCounter(
            "errors_total",
            [("job", "web"), ("instance", "a"), ("cause", "d\u{e9}j\u{e0}")]
        )
        if isVersion3 {
            for host in ["a", "b"] {
                addCounter("http.requests", [("host.name", host), ("job", "api")])
                addGauge("temp\u{e9}rature", [("host", host)], isCoarse: true)
            }
        }
        if isVersion3 { addNativeHistograms() }
        let all = source.all
        source.all = LabelOrder.sortedIndices(all.map(\.labels)).map { all[$0] }
    }

    private mutating func chance(_ share: Double) -> Bool {
        Double.random(in: 0..<1, using: &random) < share
    }

    private mutating func addCounter(_ name: String, _ labels: [(String, String)]) {
        var total = 0.0
        let isWhole = chance(0.7)
        add(name, labels) { generator, _ in
            if Double.random(in: 0..<1, using: &generator) < 0.01 { total = 0 }
            total +=
                isWhole
                ? Double(Int.random(in: 0...20, using: &generator))
                : Double.random(in: 0...20, using: &generator)
            return total
        }
    }

    private mutating func addGauge(
        _ name: String,
        _ labels: [(String, String)],
        isCoarse: Bool
    ) {
        var value = Double(Int.random(in: 40...120, using: &random)) / 4
        add(name, labels) { generator, _ in
            value +=
                isCoarse
                ? Double(Int.random(in: -4...4, using: &generator)) / 4
                : Double.random(in: -1...1, using: &generator)
            return value
        }
    }

    private mutating func addHistograms() {
        let count = Int(Self.spanSeconds / 15)
        let kinds: [(job: String, bounds: [String])] = [
            ("api", ["0.1", "0.5", "1", "2.5", "+Inf"]),
            ("web", ["0.1", "0.5", "1", "2.5", "+Inf"]),
            // One bound twice, one that is no number, and no order.
            ("odd", ["-1", "1", "1.0", "none", "+Inf"]),
            ("open", ["0.25", "4"]),
        ]
        for kind in kinds {
            var counts = [Double](repeating: 0, count: kind.bounds.count)
            var columns = [[Double]](repeating: [], count: kind.bounds.count)
            for _ in 0..<count {
                var below = 0
                for bound in kind.bounds.indices {
                    below += Int.random(in: 0...5, using: &random)
                    counts[bound] += Double(below)
                    columns[bound].append(counts[bound])
                }
            }
            let isTorn = chance(0.3)
            for (bound, text) in kind.bounds.enumerated() {
                let labels = [("job", kind.job), ("le", text)]
                add("latency_bucket", labels, isSteady: !isTorn) { _, index in
                    columns[bound][index]
                }
            }
            add("latency_count", [("job", kind.job)]) { _, index in
                columns[kind.bounds.count - 1][index]
            }
        }
    }

    private mutating func addSpecials() {
        // Now and then an ordinary value, a different one in each: no ties.
        for (rank, kind) in ["nan", "inf", "minus"].enumerated() {
            let value = [Double.nan, .infinity, -.infinity][rank]
            add("special", [("kind", kind)]) { _, index in
                index % 7 == 3 ? Double(index) * 0.5 + Double(rank) * 0.1 : value
            }
        }
        add("special", [("kind", "plain")]) { _, index in Double(index) * 0.25 }
        add("extreme", [("kind", "huge")]) { generator, _ in
            Double.random(in: -1.7...1.7, using: &generator) * 1e308
        }
        add("extreme", [("kind", "tiny")]) { _, index in index % 3 == 0 ? -0.0 : 2.5e-308 }
        for part in 0..<4 {
            // Series that follow one another, as after deployments; each says that it ends.
            let from = part * 50
            add("churn", [("pod", "p\(part)")], from: from, through: from + 70, endsStale: true) {
                generator,
                _ in Double(Int.random(in: 0...40, using: &generator)) / 4
            }
        }
        // Comes and goes.
        add("flapping", [("job", "api")]) { generator, index in
            index % 20 > 12 ? .absent : Double(Int.random(in: 0...9, using: &generator))
        }
    }

    private mutating func add(
        _ name: String,
        _ labels: [(String, String)],
        from: Int = 0,
        through: Int = .max,
        endsStale: Bool = false,
        isSteady: Bool = false,
        _ value: (inout SplitMix64, Int) -> Double
    ) {
        let isOnStep = chance(0.5) || name == "target_info"
        let phase = isOnStep ? 0 : Int64.random(in: 1...14999, using: &random)
        let isTorn = !isSteady && chance(0.2)
        let isJittered = !isSteady && chance(0.3)
        var series = ArraySource.Series(
            labels: Labels([("__name__", name)] + labels),
            times: [],
            values: []
        )
        let last = min(through, Int(Self.spanSeconds / 15) - 1)
        for index in 0...last {
            var number = value(&random, index)
            let isMissing = isTorn && chance(0.2)
            let jitter = isJittered ? Int64.random(in: -400...400, using: &random) : 0
            guard index >= from, !isMissing || index == last else { continue }
            if endsStale, index == last, last == through { number = .absent }
            series.times.append(Self.start + Int64(index) * 15000 + phase + jitter)
            series.values.append(number)
        }
        source.all.append(series)
    }

    private mutating func addNativeHistograms() {
        let count = Int(Self.spanSeconds / 15)
        for one in NativeSeries.make(count: count, isSmall: false, &random) {
            let phase = chance(0.5) ? 0 : Int64.random(in: 1...14999, using: &random)
            var series = ArraySource.Series(
                labels: Labels([("__name__", one.name)] + one.labels),
                times: [],
                values: []
            )
            for (index, sample) in one.samples.enumerated() {
                let time = Self.start + Int64(index) * 15000 + phase
                switch sample {
                case .none: continue
                case .number(let number):
                    series.times.append(time)
                    series.values.append(number)
                case .histogram(let histogram):
                    series.histograms.append(.init(time: time, sample: histogram))
                }
            }
            source.all.append(series)
        }
    }
}
