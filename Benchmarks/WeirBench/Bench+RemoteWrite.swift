import WeirSystem
import WeirWire

extension Bench {
    /// The gauges as line protocol and as remote write, by turns, into fresh servers.
    mutating func measureRemoteWrite() throws(BenchError) {
        progress("making the gauges as remote write")
        let minutes: Int64 = options.isShort ? 72 : 720
        let lines = GaugeData.set(minutes: minutes, seed: options.seed)
        // As many samples a request as a Prometheus sends.
        let small = GaugeData.set(
            minutes: minutes,
            seed: options.seed,
            linesPerBody: RemoteWriteData.samplesPerRequest / GaugeData.fieldNames.count
        )
        let remotes = [1, 2].map { version in
            RemoteWriteData.set(
                minutes: minutes,
                seed: options.seed,
                version: version,
                pack: SnappyBlock.pack
            )
        }
        var line: [IngestMeasure] = []
        var smallLine: [IngestMeasure] = []
        var weir: [[IngestMeasure]] = remotes.map { _ in [] }
        var peer: [[IngestMeasure]] = remotes.map { _ in [] }
        for turn in 1...options.repeats {
            progress("remote write: load \(turn) of \(options.repeats)")
            line.append(try loadOnce(lines, .weir))
            smallLine.append(try loadOnce(small, .weir))
            for (place, remote) in remotes.enumerated() {
                weir[place].append(try loadOnce(remote, .weir))
                // Version 2 is not spoken by the peer.
                if options.peer != nil, place == 0 {
                    peer[place].append(try loadOnce(remote, .victoriaMetrics))
                }
            }
        }
        let samples = Double(lines.sampleCount)
        func perSecond(
            _ measures: [IngestMeasure],
            _ seconds: (IngestMeasure) -> Double
        ) -> Double? {
            measures.isEmpty
                ? nil : Spread(measures.map { samples / max(1e-9, seconds($0)) }).median
        }
        report.begin(
            "remote write: the gauges, \(RemoteWriteData.samplesPerRequest) samples a request"
        )
        report.add(
            "line protocol, samples per CPU second, merges included",
            perSecond(line, \.totalSeconds) ?? 0,
            .samplesPerSecond
        )
        report.add(
            "  the same, \(RemoteWriteData.samplesPerRequest) samples a request",
            perSecond(smallLine, \.totalSeconds) ?? 0,
            .samplesPerSecond
        )
        for (place, remote) in remotes.enumerated() {
            report.add(
                "\(remote.name), the same",
                perSecond(weir[place], \.totalSeconds) ?? 0,
                .samplesPerSecond,
                peer: perSecond(peer[place], \.totalSeconds)
            )
            // Turn by turn, so that a machine that slows down slows both.
            let alike = zip(smallLine, weir[place]).map { $1.totalSeconds / $0.totalSeconds }
            report.add(
                "  CPU over line protocol's, requests alike",
                Spread(alike).median,
                .times,
                reach: 1.25
            )
            let ratios = zip(line, weir[place]).map { $1.totalSeconds / $0.totalSeconds }
            report.add("  over line protocol's in large requests", Spread(ratios).median, .times)
            let loads = zip(line, weir[place]).map { $1.loadSeconds / $0.loadSeconds }
            report.add("    the same until the last answer", Spread(loads).median, .times)
            report.noteLosses(remote.name, weir[place], expected: remote.sampleCount)
        }
        report.noteLosses("line protocol", line + smallLine, expected: lines.sampleCount)
    }

    private mutating func loadOnce(
        _ set: DataSet,
        _ kind: ServerKind
    ) throws(BenchError) -> IngestMeasure {
        let server = try start(kind, in: freshFolder())
        let measure = try IngestMeasure.load(set, into: server)
        server.stop()
        try SmallFile.removeTree(server.folder)
        return measure
    }
}
