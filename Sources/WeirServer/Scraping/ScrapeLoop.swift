internal import WeirCore
internal import WeirHTTP
internal import WeirStore
internal import WeirSystem
internal import WeirWire

/// Scrapes one target at its times, on a thread of its own, until it is told to end.
///
/// A target that hangs so holds up no other.
final class ScrapeLoop: Sendable {
    enum End: Sendable {
        /// The target is gone: its series end.
        case withMarkers
        /// The server stops, or another target has the same series: they go on.
        case quietly
    }

    /// What became of the last scrape.
    struct Report: Sendable {
        /// Nanoseconds since the Unix epoch; 0: none yet.
        var time: Int64 = 0
        var seconds = 0.0
        /// Why it failed; nil when it did not.
        var failure: String?
        var metadata: [FamilyMetadata] = []
    }

    private struct State: Sendable {
        var job: ScrapeJob
        /// Why the whole job is not to be scraped: too many targets.
        var refusal: String?
        /// Counts changes of the job.
        var revision = 0
        var end: End?
        var report = Report()
    }

    /// Batches that are kept for the store while it takes nothing; the newest beyond that are lost.
    private static let owedMax = 100
    /// How often the ends of a target that is gone are offered to a store that refuses them.
    private static let endTriesMax = 5

    /// A start up to this much late counts as in time, so that points line up.
    private static let tolerance: Int64 = 2_000_000

    let target: ScrapeTarget
    private let limits: MetricOptions
    private let intake: MetricIntake
    private let clock: any WallClock
    private let cancellation = HTTPCancellation()
    private let state: Monitor<State>

    init(
        _ target: ScrapeTarget,
        job: ScrapeJob,
        refusal: String?,
        limits: MetricOptions,
        intake: MetricIntake,
        clock: any WallClock
    ) {
        self.target = target
        self.limits = limits
        self.intake = intake
        self.clock = clock
        state = Monitor(State(job: job, refusal: refusal))
    }

    var report: Report { state.read { $0.report } }

    /// Goes on by the rules of a changed job.
    func change(_ job: ScrapeJob, refusal: String?) {
        state.update { state in
            state.refusal = refusal
            guard state.job.source != job.source else { return }
            state.job = job
            state.revision += 1
        }
    }

    /// Asks for the end; what is being fetched is left.
    func end(_ end: End) {
        cancellation.cancel()
        state.update { $0.end = end }
    }

    /// Scrapes until the end.
    func run() {
        var (job, revision) = state.read { ($0.job, $0.revision) }
        var series = ScrapeSeries(labels: target.labels, job: job)
        var fetch = ScrapeFetch(job, target, limits: limits)
        var owed: [MetricBatches] = []
        var last: Int64 = 0
        while true {
            let now = clock.nowNanoseconds()
            let due = target.due(after: now)
            let end: End? = state.wait(timeoutNanoseconds: due - now) { $0.end } ?? nil
            if let end {
                if end == .withMarkers, last > 0 {
                    let time = max(clock.nowNanoseconds() / 1_000_000 * 1_000_000, last + 1_000_000)
                    owed.append(series.end(time: time))
                    for turn in 1...Self.endTriesMax where !pay(&owed) {
                        if turn < Self.endTriesMax { Thread.sleep(nanoseconds: 1_000_000_000) }
                    }
                }
                return
            }
            let changed = state.read { $0.revision == revision ? nil : ($0.job, $0.revision) }
            if let changed {
                (job, revision) = changed
                series.change(job)
                fetch = ScrapeFetch(job, target, limits: limits)
            }
            let start = clock.nowNanoseconds()
            let isInTime = start >= due && start - due <= Self.tolerance
            last = (isInTime ? due : start) / 1_000_000 * 1_000_000
            scrape(fetch, &series, &owed, time: last)
        }
    }

    /// `owed`: ends and reports of earlier scrapes that the store did not take; they come first.
    private func scrape(
        _ fetch: ScrapeFetch,
        _ series: inout ScrapeSeries,
        _ owed: inout [MetricBatches],
        time: Int64
    ) {
        let start = Stopwatch.monotonicNanoseconds()
        var report = Report(time: clock.nowNanoseconds())
        var batches: MetricBatches
        var counts: ScrapeCounts
        var seconds: Double { Double(Stopwatch.monotonicNanoseconds() - start) / 1e9 }
        do throws(ScrapeFailure) {
            if let refusal = state.read({ $0.refusal }) { throw ScrapeFailure(refusal) }
            let answer = try fetch.scrape(time: time, cancellation: cancellation)
            report.seconds = seconds
            report.metadata = answer.batches.metadata
            (batches, counts) = try series.take(
                answer.batches,
                time: time,
                damage: answer.damage
            )
        } catch {
            // It failed since the end came.
            if cancellation.isCancelled { return }
            report.failure = error.description
            if report.seconds == 0 { report.seconds = seconds }
            report.metadata = state.read { $0.report.metadata }
            counts = error.counts
            batches = series.fail(time: time)
            intake.telemetry.failedScrapes.add(1)
        }
        series.report(
            isUp: report.failure == nil,
            seconds: report.seconds,
            counts,
            time: time,
            to: &batches
        )
        intake.telemetry.scrapes.add(1)
        if let refusal = pay(&owed) ? store(batches).map({ "\($0)" }) : Self.owedText {
            if report.failure == nil {
                // As Prometheus has it: what was not stored was not scraped, and its series end.
                intake.telemetry.failedScrapes.add(1)
                report.failure = refusal
                let ends = ScrapeSeries.ends(of: batches)
                if ends.rowCount > 0, owed.count < Self.owedMax { owed.append(ends) }
                batches = series.fail(time: time)
                series.report(
                    isUp: false,
                    seconds: report.seconds,
                    counts,
                    time: time,
                    to: &batches
                )
            }
            if owed.count < Self.owedMax { owed.append(batches) }
            _ = pay(&owed)
        }
        let finished = report
        state.update { $0.report = finished }
    }

    private static let owedText = "the store takes no rows"

    /// Stores what is owed, the oldest first.
    ///
    /// - Returns: Whether nothing is owed any more.
    private func pay(_ owed: inout [MetricBatches]) -> Bool {
        while let first = owed.first {
            switch store(first) {
            case nil: break
            // It will never be taken.
            case .labelsTooLong, .batchTooLarge: break
            default: return false
            }
            owed.removeFirst()
        }
        return true
    }

    /// Returns when the store has taken, or refused, all.
    ///
    /// - Returns: Why it took nothing; nil when it did.
    private func store(_ batches: MetricBatches) -> StoreError? {
        let result = Monitor<StoreError??>(nil)
        intake.take(batches, format: .scrape) { [intake] outcome in
            var refusal: StoreError?
            if case .failure(let error) = outcome {
                intake.telemetry.refusedMetricRows[MetricFormat.scrape.rawValue]
                    .add(batches.rowCount)
                refusal = error
            }
            result.update { $0 = .some(refusal) }
        }
        return result.wait { $0 } ?? nil
    }
}
