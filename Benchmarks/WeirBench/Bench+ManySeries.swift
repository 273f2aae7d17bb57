import WeirSystem

extension Bench {
    static var manyHosts: Int { 100_000 }
    static var manyRounds: Int { 5 }

    /// A million series of the gauges' shape, one sample a minute each.
    ///
    /// Rounds are made one by one while the server waits, so that the bench needs little memory.
    mutating func measureManySeries() throws(BenchError) {
        let own = try loadMany(.weir)
        let peer = options.isFull && options.peer != nil ? try loadMany(.victoriaMetrics) : nil
        let samples = Double(Self.manyHosts * GaugeData.fieldNames.count * Self.manyRounds)
        report.begin("1,000,000 active series, \(Self.manyRounds) rounds, a sample a minute each")
        report.add(
            "requests that failed",
            Double(own.measure.failures),
            .count,
            reach: 0,
            peer: peer.map { Double($0.measure.failures) }
        )
        report.add(
            "first round, wall",
            own.roundSeconds.first ?? 0,
            .seconds,
            peer: peer?.roundSeconds.first
        )
        report.add(
            "later rounds, wall, median",
            Spread(Array(own.roundSeconds.dropFirst())).median,
            .seconds,
            peer: peer.map { Spread(Array($0.roundSeconds.dropFirst())).median }
        )
        report.add(
            "server CPU, flush and merge included",
            own.measure.totalSeconds,
            .seconds,
            peer: peer?.measure.totalSeconds
        )
        let cost = own.measure.totalSeconds * 1e6 / samples
        report.add(
            "  per sample",
            cost,
            .microsecondsPerSample,
            peer: peer.map { $0.measure.totalSeconds * 1e6 / samples }
        )
        if smallCaseMicroseconds > 0 {
            report.add("  per sample, the gauges", smallCaseMicroseconds, .microsecondsPerSample)
            report.add("  a million series over a thousand", cost / smallCaseMicroseconds, .times)
        }
        report.add(
            "peak memory",
            Double(own.measure.peakResidentBytes) / 1e6,
            .megabytes,
            reach: 1500,
            peer: peer.map { Double($0.measure.peakResidentBytes) / 1e6 }
        )
        report.add("journal written", Double(own.measure.journalBytes) / 1e6, .megabytes)
        report.add(
            "whole folder on disk",
            Double(own.measure.folderBytes) / 1e6,
            .megabytes,
            peer: peer.map { Double($0.measure.folderBytes) / 1e6 }
        )
        report.add(
            "count all series, now",
            own.countMilliseconds,
            .milliseconds,
            peer: peer?.countMilliseconds
        )
        for (index, query) in own.queries.enumerated() {
            report.add(
                query.name,
                query.milliseconds,
                .milliseconds,
                reach: query.reach,
                peer: peer.flatMap {
                    index < $0.queries.count ? $0.queries[index].milliseconds : nil
                }
            )
        }
        report.add(
            "start to ready with them",
            own.readyMilliseconds,
            .milliseconds,
            peer: peer?.readyMilliseconds
        )
        report.noteLosses("1 M series", [own.measure], expected: Int(samples))
        if own.counted != 1_000_000 {
            report.note("1 M series: THE QUERY COUNTED \(own.counted)")
        }
    }

    private struct ManyOutcome {
        var measure = IngestMeasure()
        var roundSeconds: [Double] = []
        var counted = 0
        var countMilliseconds = 0.0
        var readyMilliseconds = 0.0
        var queries: [(name: String, milliseconds: Double, reach: Double?)] = []
    }

    /// What finds series, and not samples.
    private static func searches(
        _ set: DataSet
    ) -> [(query: QueryMeasure.Query, reach: Double?, count: Int)] {
        func count(_ name: String, _ matchers: String) -> QueryMeasure.Query {
            QueryMeasure.instant(name, "count({\(matchers)})", set)
        }
        func series(_ name: String, _ matchers: String) -> QueryMeasure.Query {
            QueryMeasure.series(name, "{\(matchers)}", set)
        }
        func values(_ name: String, of label: String) -> QueryMeasure.Query {
            QueryMeasure.labelValues(name, label, set)
        }
        let two = #"__name__=~".*_nice",hostname=~"host_4.*77""#
        let one = #"hostname=~"host_4321(x|)""#
        return [
            (series("two regular expressions, 222 series", two), 50, 222),
            (series("a regular expression, 10 series", one), 50, 10),
            (count("  the latter, their newest samples counted", one), nil, 10),
            (values("values of __name__, 10", of: "__name__"), 10, 10),
            (values("values of region, 9", of: "region"), 10, 9),
            (values("values of hostname, 100,000", of: "hostname"), nil, 100_000),
        ]
    }

    private mutating func loadMany(_ kind: ServerKind) throws(BenchError) -> ManyOutcome {
        var outcome = ManyOutcome()
        let folder = freshFolder()
        let server = try start(kind, in: folder)
        let before = server.child.processorSeconds
        var data = GaugeData(hosts: Self.manyHosts, seed: options.seed + 2)
        let begin = DataSet.lastWholeDay() + 12 * DataSet.hour
        for round in 1...Self.manyRounds {
            progress("1 M series, \(kind.name): round \(round) of \(Self.manyRounds)")
            var bodies = LineBodies(linesPerBody: DataSet.linesPerBody, lineBytes: 400)
            data.appendRound(at: begin + Int64(round) * DataSet.minute, to: &bodies)
            let load = Loader.send(bodies.finish(), to: server.base)
            outcome.measure.take(load)
            outcome.roundSeconds.append(load.wallSeconds)
        }
        try outcome.measure.settle(server, before: before)
        let end = begin + Int64(Self.manyRounds) * DataSet.minute
        let set = DataSet(
            name: "many",
            bodies: [],
            sampleCount: 0,
            seriesCount: 0,
            start: begin,
            end: end
        )
        let query = QueryMeasure.instant(
            "count",
            "count({__name__=~\"cpu_usage_.*\"})",
            set
        )
        do throws(BenchError) {
            let answer = try QueryMeasure.measure(query, on: server, repeats: 3)
            outcome.counted = Int(answer.checksum)
            outcome.countMilliseconds = answer.client.median
        } catch {
            report.note("1 M series, \(kind.name): THE QUERY FAILED: \(error)")
        }
        for (query, reach, count) in Self.searches(set) {
            do throws(BenchError) {
                let answer = try QueryMeasure.measure(query, on: server, repeats: 7)
                outcome.queries.append((query.name, answer.client.median, reach))
                let found = answer.checksum > 0 ? Int(answer.checksum) : answer.seriesCount
                if found != count {
                    report.note("1 M series, \(kind.name): \(query.name): FOUND \(found)")
                }
            } catch {
                report.note("1 M series, \(kind.name): \(query.name): FAILED: \(error)")
            }
        }
        server.stop()
        let again = try start(kind, in: folder)
        outcome.readyMilliseconds = again.readyMilliseconds
        again.stop()
        try SmallFile.removeTree(folder)
        return outcome
    }
}
