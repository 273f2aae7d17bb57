import WeirSystem

/// What all repetitions of one set's load found.
struct LoadFigures {
    var gzSeconds: [Double] = []
    var weir: [IngestMeasure] = []
    var peer: [IngestMeasure] = []

    private func median(
        _ measures: [IngestMeasure],
        _ value: (IngestMeasure) -> Double
    ) -> Double? {
        measures.isEmpty ? nil : Spread(measures.map(value)).median
    }

    func weirMedian(_ value: (IngestMeasure) -> Double) -> Double { median(weir, value) ?? 0 }
    func peerMedian(_ value: (IngestMeasure) -> Double) -> Double? { median(peer, value) }

    /// Processor time as a multiple of the gzip run of the same repetition, so that a machine that
    /// slows down slows both.
    func gzUnits(
        _ measures: [IngestMeasure],
        _ value: (IngestMeasure) -> Double
    ) -> Double? {
        let pairs = zip(measures, gzSeconds).filter { $0.1 > 0 }
        return pairs.isEmpty ? nil : Spread(pairs.map { value($0.0) / $0.1 }).median
    }
}

extension Bench {
    /// Loads one set into a fresh server as often as asked, beside gzip and the peer.
    ///
    /// `last`: Gets the servers of the last repetition, loaded and still running.
    mutating func load(
        _ set: DataSet,
        last: (inout Bench, Server, Server?) throws(BenchError) -> Void
    ) throws(BenchError) -> LoadFigures {
        var figures = LoadFigures()
        let plain = folder + "/\(set.name).lp"
        try GzipMeasure.write(set, to: plain)
        for turn in 1...options.repeats {
            progress("\(set.name): load \(turn) of \(options.repeats)")
            figures.gzSeconds.append(try GzipMeasure.seconds(plain))
            let weir = try start(.weir, in: freshFolder())
            figures.weir.append(try IngestMeasure.load(set, into: weir))
            var peer: Server?
            if options.peer != nil {
                let server = try start(.victoriaMetrics, in: freshFolder())
                figures.peer.append(try IngestMeasure.load(set, into: server))
                peer = server
            }
            if turn == options.repeats { try last(&self, weir, peer) }
            for server in [weir, peer].compactMap({ $0 }) {
                server.stop()
                try SmallFile.removeTree(server.folder)
            }
        }
        try SmallFile.removeTree(plain)
        addLoad(set, figures)
        return figures
    }

    private mutating func addLoad(_ set: DataSet, _ figures: LoadFigures) {
        let isGauges = set.name == "gauges"
        let samples = Double(set.sampleCount)
        report.begin(
            "\(set.name): \(set.sampleCount) samples of \(set.seriesCount) series, "
                + "\(Figure.decimal(Double(set.byteCount) / 1e6, 1)) MB, "
                + "\(set.bodies.count) requests"
        )
        report.add("gzip -1 of the same bytes, CPU", Spread(figures.gzSeconds).median, .seconds)
        report.add(
            "server CPU until the last answer",
            figures.weirMedian(\.loadSeconds),
            .seconds,
            peer: figures.peerMedian(\.loadSeconds)
        )
        report.add(
            "server CPU, flush and merge included",
            figures.weirMedian(\.totalSeconds),
            .seconds,
            peer: figures.peerMedian(\.totalSeconds)
        )
        report.add(
            "  the same in gz",
            figures.gzUnits(figures.weir, \.totalSeconds) ?? 0,
            .gz,
            reach: 1.0,
            peer: figures.gzUnits(figures.peer, \.totalSeconds)
        )
        report.add(
            "load, wall",
            figures.weirMedian(\.wallSeconds),
            .seconds,
            peer: figures.peerMedian(\.wallSeconds)
        )
        report.add(
            "load, acknowledged",
            samples / max(1e-9, figures.weirMedian(\.wallSeconds)),
            .samplesPerSecond,
            peer: figures.peerMedian(\.wallSeconds).map { samples / max(1e-9, $0) }
        )
        report.add(
            "journal written",
            figures.weirMedian { Double($0.journalBytes) / 1e6 },
            .megabytes
        )
        report.add(
            "segments on disk after merge",
            figures.weirMedian { Double($0.segmentBytes) / samples },
            .bytesPerSample,
            reach: isGauges ? 0.30 : 1.5
        )
        report.add(
            "whole folder on disk",
            figures.weirMedian { Double($0.folderBytes) / samples },
            .bytesPerSample,
            peer: figures.peerMedian { Double($0.folderBytes) / samples }
        )
        report.add(
            "peak memory",
            figures.weirMedian { Double($0.peakResidentBytes) / 1e6 },
            .megabytes,
            reach: isGauges ? 200 : nil,
            peer: figures.peerMedian { Double($0.peakResidentBytes) / 1e6 }
        )
        report.add(
            "idle memory, empty",
            figures.weirMedian { Double($0.idleResidentBytes) / 1e6 },
            .megabytes,
            reach: isGauges ? 40 : nil,
            peer: figures.peerMedian { Double($0.idleResidentBytes) / 1e6 }
        )
        report.add(
            "idle memory after the load",
            figures.weirMedian { Double($0.restingResidentBytes) / 1e6 },
            .megabytes,
            peer: figures.peerMedian { Double($0.restingResidentBytes) / 1e6 }
        )
        report.noteLosses(set.name, figures.weir, expected: set.sampleCount)
    }
}

extension BenchReport {
    /// Says so when requests failed or samples are missing.
    mutating func noteLosses(_ name: String, _ measures: [IngestMeasure], expected: Int) {
        let failures = measures.reduce(0) { $0 + $1.failures }
        if failures > 0 {
            let first = measures.first { $0.failures > 0 }?.firstFailure ?? ""
            note("\(name): \(failures) REQUESTS FAILED; the first: \(first)")
        }
        for measure in measures where measure.storedSamples != expected {
            note("\(name): \(measure.storedSamples) SAMPLES STORED OF \(expected)")
        }
    }
}
