import WeirHTTP
import WeirSystem

/// What a load of rows with fields is called, and what it is to reach.
struct RowLoadReport {
    let what: String
    let of: String
    let rate: Figure.Unit
    /// In gz.
    let ingestReach: Double
    /// Bytes a row.
    let bytesReach: Double
}

/// Loads of rows with fields: logs and spans.
extension Bench {
    /// Loads `set` `turns` times, asks `queries` of the last server, and reports the load.
    ///
    /// - Returns: What the queries took.
    mutating func measureRows(
        _ set: DataSet,
        _ load: RowLoadReport,
        _ queries: [QueryMeasure.Query],
        turns: Int,
        hasReach: Bool
    ) throws(BenchError) -> [QueryPair] {
        var pairs: [QueryPair] = []
        let figures = try loadRows(set, turns: turns) { (bench, weir) throws(BenchError) in
            bench.progress("\(set.name): queries")
            pairs = try bench.ask(queries, weir, nil)
        }
        addRowLoad(set, figures, load, hasReach: hasReach)
        return pairs
    }

    /// Loads `set` into a fresh server `turns` times; `last` asks the last one.
    private mutating func loadRows(
        _ set: DataSet,
        turns: Int,
        last: (inout Bench, Server) throws(BenchError) -> Void
    ) throws(BenchError) -> LoadFigures {
        var figures = LoadFigures()
        let plain = folder + "/rows"
        try GzipMeasure.write(set, to: plain)
        for turn in 1...turns {
            progress("\(set.name): load \(turn) of \(turns)")
            figures.gzSeconds.append(try GzipMeasure.seconds(plain))
            let weir = try start(.weir, in: freshFolder())
            figures.weir.append(try IngestMeasure.load(set, into: weir))
            if turn == turns { try last(&self, weir) }
            weir.stop()
            try SmallFile.removeTree(weir.folder)
        }
        try SmallFile.removeTree(plain)
        return figures
    }

    private mutating func addRowLoad(
        _ set: DataSet,
        _ figures: LoadFigures,
        _ load: RowLoadReport,
        hasReach: Bool
    ) {
        let rows = Double(set.sampleCount)
        report.begin(
            "\(set.name): \(set.sampleCount) \(load.what) of \(set.seriesCount) \(load.of), "
                + "\(Figure.decimal(Double(set.byteCount) / 1e6, 1)) MB, "
                + "\(set.bodies.count) requests"
        )
        report.add("gzip -1 of the same bytes, CPU", Spread(figures.gzSeconds).median, .seconds)
        report.add("server CPU until the last answer", figures.weirMedian(\.loadSeconds), .seconds)
        report.add(
            "server CPU, flush and merge included",
            figures.weirMedian(\.totalSeconds),
            .seconds
        )
        report.add(
            "  the same in gz",
            figures.gzUnits(figures.weir, \.totalSeconds) ?? 0,
            .gz,
            reach: hasReach ? load.ingestReach : nil
        )
        report.add("load, wall", figures.weirMedian(\.wallSeconds), .seconds)
        report.add(
            "load, acknowledged",
            rows / max(1e-9, figures.weirMedian(\.wallSeconds)),
            load.rate
        )
        report.add(
            "segments on disk after merge",
            figures.weirMedian { Double($0.segmentBytes) / rows },
            .bytesPerRow,
            reach: hasReach ? load.bytesReach : nil
        )
        if figures.weir.contains(where: { $0.derivedRows > 0 }) {
            report.add(
                "  and of what is derived",
                figures.weirMedian { Double($0.derivedBytes) / rows },
                .bytesPerRow
            )
            report.add(
                "  rows derived",
                figures.weirMedian { Double($0.derivedRows) },
                .count
            )
        }
        report.add(
            "journal written",
            figures.weirMedian { Double($0.journalBytes) / rows },
            .bytesPerRow
        )
        report.add(
            "peak memory",
            figures.weirMedian { Double($0.peakResidentBytes) / 1e6 },
            .megabytes,
            reach: hasReach ? 200 : nil
        )
        report.add(
            "idle memory after the load",
            figures.weirMedian { Double($0.restingResidentBytes) / 1e6 },
            .megabytes
        )
        report.noteLosses(set.name, figures.weir, expected: set.sampleCount)
    }

    /// How much longer each query takes over ten times the rows.
    mutating func addGrowth(from ones: [QueryPair], to tens: [QueryPair]) {
        guard ones.count == tens.count else { return }
        report.begin("the same over a tenth of that, times")
        for (one, ten) in zip(ones, tens) {
            report.add(
                one.query.name,
                ten.weir.client.median / max(1e-9, one.weir.client.median),
                .times
            )
        }
    }
}
