internal import WeirCore
internal import WeirPattern
internal import WeirWire

/// Why a scrape failed as a whole.
struct ScrapeFailure: Error, Hashable, CustomStringConvertible {
    let description: String
    /// What the scrape had nevertheless, as Prometheus counts it.
    var counts = ScrapeCounts()

    init(_ description: String, counts: ScrapeCounts = ScrapeCounts()) {
        self.description = description
        self.counts = counts
    }
}

/// What the `scrape_*` series say of one scrape.
struct ScrapeCounts: Hashable, Sendable {
    var scraped = 0
    var kept = 0
    var added = 0
}

/// Turns what a target exposed into rows for the store: target labels, relabelling, limits, ends of
/// series, and the target's own series.
struct ScrapeSeries {
    static let reportNames = [
        "up", "scrape_duration_seconds", "scrape_samples_scraped",
        "scrape_samples_post_metric_relabeling", "scrape_series_added",
    ]

    private let labels: Labels
    private var job: ScrapeJob
    private var samples = ScrapedStreams()
    private var histograms = ScrapedStreams()
    private var round = 0
    private let reports: [(labels: Labels, handle: StreamHandle)]

    /// `labels`: the target's.
    init(labels: Labels, job: ScrapeJob) {
        self.labels = labels
        self.job = job
        reports = Self.reportNames.map {
            (labels.setting(Labels.metricNameLabel, to: $0), StreamHandle())
        }
    }

    /// Goes on by the rules of a changed job.
    mutating func change(_ job: ScrapeJob) {
        self.job = job
        samples.forgetRules()
        histograms.forgetRules()
    }

    /// The rows of a scrape that began at `time`.
    ///
    /// `damage`: what could not be read, and where; then it is only counted what stands before.
    ///
    /// - Throws: When a limit is passed, a series has no valid labels or there is damage: nothing is to be
    ///   stored then.
    mutating func take(
        _ parsed: MetricBatches,
        time: Int64,
        damage: (line: Int, failure: ScrapeFailure)? = nil
    ) throws(ScrapeFailure) -> (batches: MetricBatches, counts: ScrapeCounts) {
        let rename = { [labels, job] (source: Labels) throws(ScrapeFailure) -> Labels? in
            try Self.rename(source, labels, job)
        }
        let damagedLine = damage?.line ?? .max
        let sampleIndexes = samples.resolve(
            Self.streams(parsed.samples, before: damagedLine),
            rename: rename
        )
        let histogramIndexes = histograms.resolve(
            Self.streams(parsed.histograms, before: damagedLine),
            rename: rename
        )
        let failure = sampleIndexes.failure ?? histogramIndexes.failure
        var counts = ScrapeCounts(
            scraped: Self.count(parsed.samples, sampleIndexes.indexes) { _ in true }
                + Self.count(parsed.histograms, histogramIndexes.indexes) { _ in true },
            kept: Self.count(parsed.samples, sampleIndexes.indexes) { $0 >= 0 }
                + Self.count(parsed.histograms, histogramIndexes.indexes) { $0 >= 0 },
            added: sampleIndexes.newCount + histogramIndexes.newCount
        )
        if let failure {
            // The sample itself is counted too.
            counts.scraped += 1
            throw ScrapeFailure(failure.description, counts: counts)
        }
        if let damage { throw ScrapeFailure(damage.failure.description, counts: counts) }
        guard job.sampleLimit == 0 || counts.kept <= job.sampleLimit else {
            throw ScrapeFailure("sample limit exceeded", counts: counts)
        }
        let previous = round
        round += 1
        var batches = MetricBatches()
        samples.write(
            parsed.samples,
            sampleIndexes.indexes,
            round: round,
            defaultTime: time,
            tracksOwnTimes: job.tracksTimestampsStaleness,
            into: &batches.samples
        )
        histograms.write(
            parsed.histograms,
            histogramIndexes.indexes,
            round: round,
            defaultTime: time,
            tracksOwnTimes: job.tracksTimestampsStaleness,
            into: &batches.histograms
        )
        writeEnds(previous: previous, time: time, into: &batches)
        samples.prune(round: round, exposed: parsed.samples.streams)
        histograms.prune(round: round, exposed: parsed.histograms.streams)
        batches.exemplars = renamed(parsed.exemplars, until: time &+ ScrapedStreams.futureMax)
        batches.metadata = parsed.metadata
        return (batches, counts)
    }

    /// The ends of series in `batches`, which are to come to the store whatever becomes of the rest.
    static func ends(of batches: MetricBatches) -> MetricBatches {
        var ends = MetricBatches()
        let marker = Double.staleMarker.bitPattern
        let samples = batches.samples.columns[0].floats
        ends.samples = batches.samples.selecting(
            samples.indices.filter { samples[$0].bitPattern == marker }
        )
        // A histogram that ends a series has the marker for its sum.
        let sums = batches.histograms.columns[1].floats
        ends.histograms = batches.histograms.selecting(
            sums.indices.filter { sums[$0].bitPattern == marker }
        )
        return ends
    }

    /// The ends of all series of the scrape before.
    mutating func fail(time: Int64) -> MetricBatches {
        let previous = round
        round += 1
        var batches = MetricBatches()
        writeEnds(previous: previous, time: time, into: &batches)
        samples.pruneAfterFailure()
        histograms.pruneAfterFailure()
        return batches
    }

    /// The ends of all series and of the target's own: it is gone.
    mutating func end(time: Int64) -> MetricBatches {
        var batches = fail(time: time)
        report([Double](repeating: .staleMarker, count: reports.count), time: time, to: &batches)
        return batches
    }

    /// Appends the target's own series.
    func report(
        isUp: Bool,
        seconds: Double,
        _ counts: ScrapeCounts,
        time: Int64,
        to batches: inout MetricBatches
    ) {
        let values = [
            isUp ? 1 : 0, seconds, Double(counts.scraped), Double(counts.kept),
            Double(counts.added),
        ]
        report(values, time: time, to: &batches)
    }

    private func report(_ values: [Double], time: Int64, to batches: inout MetricBatches) {
        for (report, value) in zip(reports, values) {
            let place = batches.samples.addScraped(report.labels, report.handle)
            batches.samples.appendScraped(value, stream: place, time: time)
        }
    }

    private func writeEnds(previous: Int, time: Int64, into batches: inout MetricBatches) {
        samples.writeEnds(previous: previous, round: round, time: time, into: &batches.samples)
        histograms.writeEnds(
            previous: previous,
            round: round,
            time: time,
            into: &batches.histograms
        )
    }

    /// The series that stand before a line.
    private static func streams(_ parsed: RowBatch, before line: Int) -> ArraySlice<Labels> {
        guard line < .max else { return parsed.streams[...] }
        return parsed.streams.prefix(parsed.firstLines.prefix { $0 < line }.count)
    }

    /// The rows of series that were resolved, and to what is wanted.
    private static func count(
        _ parsed: RowBatch,
        _ indexes: [Int],
        _ isWanted: (Int) -> Bool
    ) -> Int {
        parsed.streamIndexes.reduce(0) { count, stream in
            let isCounted = Int(stream) < indexes.count && isWanted(indexes[Int(stream)])
            return count + (isCounted ? 1 : 0)
        }
    }

    /// The exemplars of series that were kept and not of the future, under their names in the store.
    private func renamed(_ exemplars: RowBatch, until latest: Int64) -> RowBatch {
        guard exemplars.rowCount > 0 else { return exemplars }
        let found = exemplars.streams.map { samples.labels(of: $0) ?? histograms.labels(of: $0) }
        let rows = (0..<exemplars.rowCount).filter {
            found[Int(exemplars.streamIndexes[$0])] != nil && exemplars.times[$0] <= latest
        }
        let chosen = exemplars.selecting(rows)
        // Streams that are not used must not be there: the store would know them.
        var batch = RowBatch(signal: .exemplars)
        batch.times = chosen.times
        batch.columns = chosen.columns
        batch.fields = chosen.fields
        var places: [UInt32: UInt32] = [:]
        for index in chosen.streamIndexes {
            if places[index] == nil, let labels = found[Int(index)] {
                places[index] = UInt32(batch.streams.count)
                batch.streams.append(labels)
                batch.firstLines.append(0)
            }
            batch.streamIndexes.append(places[index] ?? 0)
        }
        return batch
    }

    /// A series' labels in the store; nil when it is dropped.
    private static func rename(
        _ source: Labels,
        _ target: Labels,
        _ job: ScrapeJob
    ) throws(ScrapeFailure) -> Labels? {
        var labels = LabelTable(source)
        var conflicts: [(name: String, value: String)] = []
        for (name, value) in target.pairs {
            let own = labels[name]
            if own.isEmpty {
                labels[name] = value
            } else if !job.honorsLabels {
                conflicts.append((name, own))
                labels[name] = value
            }
        }
        for (name, value) in conflicts.sorted(by: { $0.name.utf8.count < $1.name.utf8.count }) {
            var free = "exported_" + name
            while !labels[free].isEmpty { free = "exported_" + free }
            labels[free] = value
        }
        do throws(PatternError) {
            guard try job.metricRelabelRules.apply(to: &labels), !labels.isEmpty else {
                return nil
            }
        } catch {
            throw ScrapeFailure("metric_relabel_configs: \(error)")
        }
        let name = labels[Labels.metricNameLabel]
        guard !name.isEmpty else {
            throw ScrapeFailure("missing metric name (__name__ label)")
        }
        try check(labels, name, job)
        let renamed = labels.labels
        guard renamed.bytes.count <= Labels.bytesMax else {
            throw ScrapeFailure(
                "labels of \(renamed.bytes.count) bytes (metric: \(name.prefix(50))), "
                    + "more than \(Labels.bytesMax)"
            )
        }
        return renamed
    }

    private static func check(
        _ labels: LabelTable,
        _ metric: String,
        _ job: ScrapeJob
    ) throws(ScrapeFailure) {
        let metric = metric.prefix(50)
        if job.labelLimit > 0, labels.count > job.labelLimit {
            throw ScrapeFailure(
                "label_limit exceeded (metric: \(metric), number of labels: \(labels.count), "
                    + "limit: \(job.labelLimit))"
            )
        }
        guard job.labelNameLengthLimit > 0 || job.labelValueLengthLimit > 0 else { return }
        for (name, value) in labels.pairs {
            if job.labelNameLengthLimit > 0, name.utf8.count > job.labelNameLengthLimit {
                throw ScrapeFailure(
                    "label_name_length_limit exceeded (metric: \(metric), label name: "
                        + "\(name.prefix(50)), length: \(name.utf8.count), "
                        + "limit: \(job.labelNameLengthLimit))"
                )
            }
            if job.labelValueLengthLimit > 0, value.utf8.count > job.labelValueLengthLimit {
                throw ScrapeFailure(
                    "label_value_length_limit exceeded (metric: \(metric), label name: "
                        + "\(name.prefix(50)), value: \(value.prefix(50)), "
                        + "length: \(value.utf8.count), limit: \(job.labelValueLengthLimit))"
                )
            }
        }
    }
}
