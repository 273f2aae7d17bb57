import Testing
import WeirCore
import WeirQuery
import WeirStore
import WeirSystem
import WeirTestSupport

/// Rollups beside what they cannot answer for: days without samples, series with histograms, damage.
@Suite struct RollupGapTests {
    private typealias Bed = RollupBed
    private static let everyHour: ClosedRange<Int64> = 1...60

    private static func labels(_ name: String, _ host: Int = 0) -> Labels {
        Labels([("__name__", name), ("host", "h\(host)")])
    }

    /// Three days of a sample a minute, whose sums are rounded.
    private static func rows(
        _ series: [Labels],
        seed: UInt64 = 5
    ) -> [(Labels, Int64, Double)] {
        var random = SplitMix64(seed: seed)
        return series.flatMap { labels in
            (0..<(3 * 1440)).map { minute in
                (
                    labels, Bed.midnight + Int64(minute) * 60 * Bed.second,
                    Double.random(in: 0...1, using: &random)
                )
            }
        }
    }

    private static let fiveMinutes: Int64 = 300_000
    /// The steps of five minutes in a day, and in a window of 35 minutes.
    private static let (dayOfSteps, windowOfSteps): (Int64, Int64) = (288, 7)

    /// The numbers at steps of five minutes, by step since midnight.
    private static func numbers(_ answer: Bed.Answer, _ labels: String) -> [Int64: Double] {
        var numbers: [Int64: Double] = [:]
        for point in answer.points[labels] ?? [] {
            let time = Int64(bitPattern: point[0]) - Bed.midnightMilliseconds
            numbers[time / fiveMinutes] = Double(bitPattern: point[1])
        }
        return numbers
    }

    private static let queries = [
        "avg_over_time(g[35m])", "sum_over_time(g[35m])",
        "sum by (host) (avg_over_time(g[35m]))",
    ]

    /// `streamed` is where aggregations add up while they read, `shift` off the rows of rollups.
    @Test(arguments: queries, [(Int64(0), nil), (0, 1), (60_000, nil)] as [(Int64, Int?)])
    func onlyWindowsThatTouchADayWithoutSamplesAreRounded(
        query: String,
        place: (shift: Int64, streamed: Int?)
    ) throws {
        let bed = try Bed(Self.rows([Self.labels("g"), Self.labels("g", 1)]))
        func ask(_ store: Store, _ use: RollupUse) throws -> Bed.Answer {
            try Bed.ask(
                store,
                query,
                hours: Self.everyHour,
                step: Self.fiveMinutes,
                shift: place.shift,
                streamedCellsMin: place.streamed,
                use
            )
        }
        let samples = try ask(bed.store, .off)
        let rounded = try ask(bed.store, .rounded)
        let store = try bed.withoutFirstDay(keepingFiveMinutes: true)
        defer { store.stop() }
        let untouched = Self.dayOfSteps + Self.windowOfSteps
        for use in [RollupUse.exact, .off] {
            let after = try ask(store, use)
            #expect(after.infos.contains { $0.contains("samples of some of this time are gone") })
            #expect(after.points.keys == samples.points.keys)
            for host in samples.points.keys {
                let expected = Self.numbers(samples, host)
                let found = Self.numbers(after, host)
                #expect(found.keys.sorted() == expected.keys.sorted(), "\(host)")
                let different = found.filter { step, value in
                    let other = expected[step] ?? .nan
                    if step >= untouched { return value.bitPattern != other.bitPattern }
                    return place.shift == 0 && !((value - other).magnitude <= 1e-13 * other)
                }
                #expect(different.isEmpty, "\(host) \(use)")
            }
        }
        guard place.shift == 0 else { return }
        // Rows give other sums than samples also where samples are there, or nothing was tested.
        let differing = samples.points.keys.flatMap { host in
            let expected = Self.numbers(samples, host)
            return Self.numbers(rounded, host).filter {
                $0.key >= untouched && $0.value.bitPattern != expected[$0.key]?.bitPattern
            }
        }
        #expect(!differing.isEmpty)
    }

    @Test func seriesBesideHistogramsAreReadFromRollups() throws {
        let floats = (0..<6).map { Self.labels("g", $0) }
        let both = Self.labels("m", 10)
        let rows = Self.rows(floats + [both])
        let times = (0..<48).map { Bed.midnight + $0 * 5400 * Bed.second }
        let bed = try Bed(
            rows,
            histograms: [both, Self.labels("h", 11)].flatMap { labels in
                times.map { (labels, $0 + Bed.second) }
            }
        )
        defer { bed.store.stop() }
        for function in ["max_over_time", "rate", "count_over_time", "avg_over_time"] {
            let query = "\(function)({__name__=~\"g|m|h\"}[6h])"
            let samples = try bed.ask(query, hours: 6...47, .off)
            let rollups = try bed.ask(query, hours: 6...47, .exact)
            #expect(rollups.points == samples.points, "\(query)")
            #expect(rollups.histograms == samples.histograms, "\(query)")
            #expect(rollups.infos == samples.infos && rollups.warnings == samples.warnings)
            #expect(rollups.points.count >= 7)
            let summed = "sum by (host) (\(query))"
            let (one, other) = (
                try bed.ask(summed, hours: 6...47, .exact), try bed.ask(summed, hours: 6...47, .off)
            )
            #expect(one.points == other.points && one.histograms == other.histograms, "\(summed)")
        }
        let histograms = try bed.ask("rate({__name__=~\"g|m|h\"}[6h])", hours: 6...47, .exact)
        #expect(histograms.histograms.values.contains { !$0.isEmpty })
        // What has plain samples only is read as rows.
        let query = "max_over_time({__name__=~\"g|h\"}[6h])"
        let samples = try bed.ask(query, hours: 6...47, .off).rowsRead
        #expect(try bed.ask(query, hours: 6...47, .exact).rowsRead * 3 < samples)
    }

    @Test func seriesBesideHistogramsAreExactWhereSamplesAreGone() throws {
        let rows = Self.rows([Self.labels("g")])
        let bed = try Bed(rows, histograms: [(Self.labels("m"), Bed.midnight + Bed.second)])
        let query = "max_over_time({__name__=~\"g|m\"}[1h])"
        let before = try bed.ask(query, hours: Self.everyHour, .off)
        let store = try bed.withoutFirstDay()
        defer { store.stop() }
        let after = try Bed.ask(store, query, hours: Self.everyHour, .exact)
        #expect(after.points["{host=\"h0\"}"] == before.points["{host=\"h0\"}"])
        #expect(after.points["{host=\"h0\"}"]?.count == 60)
    }

    // MARK: Damage

    enum Part: CaseIterable {
        case block
        case index
    }

    /// Damages the first block, or the stream index, of a day's rollup.
    private static func damage(
        _ part: Part,
        _ signal: String,
        day: Int,
        in folder: String
    ) throws {
        let host = HostFileSystem()
        let days = "\(folder)/data/default/\(signal)"
        let names = try host.list(days).sorted()
        let path = "\(days)/\(names[day])"
        for name in try host.list(path) {
            let file = try host.openForWriting("\(path)/\(name)")
            let size = try file.size()
            let trailer = try file.read(at: size - 24, count: 4)
            let footer = trailer.reversed().reduce(0) { $0 << 8 | Int($1) }
            let offset = part == .block ? 16 : size - 24 - footer - 8
            try file.write([UInt8](repeating: 0x55, count: 8), at: offset)
        }
    }

    @Test(arguments: Part.allCases)
    func samplesAnswerForADamagedRollupInTheSameAnswer(part: Part) throws {
        let bed = try Bed(Self.rows([Self.labels("g"), Self.labels("g", 1)]))
        let queries = ["max_over_time(g[1h])", "avg_over_time(g[2h])", "sum(rate(g[1h]))"]
        for query in queries {
            let expected = try bed.ask(query, hours: Self.everyHour, .off)
            let path = "\(bed.folder.path)/copy"
            _ = try bed.store.snapshot(to: path)
            let host = HostFileSystem()
            // The copy shares its files until they are written anew.
            try Self.unshare("\(path)/data/default/rollups1h", host)
            try Self.damage(part, "rollups1h", day: 0, in: path)
            let store = try Bed.open(path, days: 3)
            let answer = try Bed.ask(store, query, hours: Self.everyHour, .exact)
            #expect(answer.points == expected.points, "\(query)")
            #expect(answer.warnings.isEmpty, "\(query)")
            #expect(store.status().quarantined.count == 1)
            store.stop()
            try Self.remove(path, host)
        }
        bed.store.stop()
    }

    private static func unshare(_ folder: String, _ host: HostFileSystem) throws {
        for day in try host.list(folder) {
            for name in try host.list("\(folder)/\(day)") {
                let path = "\(folder)/\(day)/\(name)"
                let bytes = try host.readFile(path, bytesMax: 1 << 26)
                try host.removeFile(path)
                try host.openForWriting(path).write(bytes, at: 0)
            }
        }
    }

    private static func remove(_ path: String, _ host: HostFileSystem) throws {
        for name in try host.list(path) {
            let child = "\(path)/\(name)"
            if (try? host.list(child)) != nil {
                try remove(child, host)
            } else {
                try host.removeFile(child)
            }
        }
        try host.removeDirectory(path)
    }

    /// The second day's rollup is damaged while of the first only rollups are left.
    @Test(arguments: Part.allCases)
    func damageBesideADayWithoutSamplesIsAnsweredFromSamples(part: Part) throws {
        let bed = try Bed(Self.rows([Self.labels("g")]))
        let query = "max_over_time(g[1h])"
        let expected = try bed.ask(query, hours: Self.everyHour, .off)
        try bed.withoutFirstDay().stop()
        try Self.damage(part, "rollups1h", day: 1, in: bed.folder.path)
        let store = try Bed.open(bed.folder.path, days: 3)
        defer { store.stop() }
        let answer = try Bed.ask(store, query, hours: Self.everyHour, .exact)
        #expect(answer.points == expected.points)
        #expect(answer.warnings.isEmpty)
        #expect(store.status().quarantined.count == 1)
    }

    /// The rollup of a day without samples is damaged: the others are answered, and a warning says so,
    /// in each answer.
    @Test(arguments: Part.allCases, [false, true])
    func damageOfADayWithoutSamplesIsWarnedOf(part: Part, hasLateSample: Bool) throws {
        let bed = try Bed(Self.rows([Self.labels("g")]))
        let query = "max_over_time(g[1h])"
        let expected = try bed.ask(query, hours: Self.everyHour, .off)
        try bed.withoutFirstDay().stop()
        try Self.damage(part, "rollups1h", day: 0, in: bed.folder.path)
        let store = try Bed.open(bed.folder.path, days: 3)
        defer { store.stop() }
        if hasLateSample {
            try Bed.append([(Self.labels("g"), Bed.midnight + Bed.second, 0.5)], to: store)
        }
        for _ in 0..<2 {
            let answer = try Bed.ask(store, query, hours: Self.everyHour, .exact)
            let points = answer.points["{host=\"h0\"}"] ?? []
            #expect(points.suffix(36) == expected.points["{host=\"h0\"}"]?.suffix(36))
            #expect(answer.warnings.count == 1)
            #expect(answer.warnings.first?.contains("rollups1h") == true)
        }
    }

    /// Rows of five minutes stand in for damaged ones of an hour.
    @Test func theOtherResolutionAnswersForADamagedOne() throws {
        let bed = try Bed(Self.rows([Self.labels("g")]))
        let query = "max_over_time(g[1h])"
        let expected = try bed.ask(query, hours: Self.everyHour, .off)
        try bed.withoutFirstDay(keepingFiveMinutes: true).stop()
        try Self.damage(.block, "rollups1h", day: 0, in: bed.folder.path)
        let store = try Bed.open(bed.folder.path, days: 3)
        defer { store.stop() }
        let answer = try Bed.ask(store, query, hours: Self.everyHour, .exact)
        #expect(answer.points == expected.points)
        #expect(answer.warnings.count == 1)
    }
}
