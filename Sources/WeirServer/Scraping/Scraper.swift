internal import Synchronization
internal import WeirCore
internal import WeirStore
internal import WeirSystem
internal import WeirWire

/// Scrapes what a Prometheus configuration file names: keeps a `ScrapeLoop` for each target, and looks
/// after target files and reloads.
final class Scraper: Sendable {
    /// Target files are looked at this often.
    private static let refreshInterval: Int64 = 5_000_000_000
    /// Targets of all jobs, each of which has a thread.
    static let targetsMax = 4096

    /// What one job's targets are now.
    struct Pool: Sendable {
        var name: String
        var active: [ScrapeLoop] = []
        var dropped: [Labels] = []
        var droppedCount = 0
    }

    private struct State {
        var configuration: ScrapeConfiguration
        var discovery = FileDiscovery()
        var loops: [ScrapeTarget.Key: ScrapeLoop] = [:]
        var pools: [Pool] = []
        var problems: Set<String> = []
        var isStopped = false
    }

    private let path: String
    private let externalLabels: ExternalLabels
    private let limits: MetricOptions
    private let intake: MetricIntake
    private let clock: any WallClock
    private let log: StoreLog
    private let state: Mutex<State>
    private let isStopping = Monitor(false)
    private let running = Monitor(0)
    private let thread = Mutex<Thread?>(nil)

    /// Reads the file at `path`; scrapes nothing before `start`.
    ///
    /// `externalLabels` become those of the file, now and with each `reload`.
    init(
        path: String,
        configuration: ServerConfiguration,
        externalLabels: ExternalLabels,
        intake: MetricIntake,
        clock: any WallClock,
        log: @escaping StoreLog
    ) throws(ScrapeConfigurationError) {
        self.path = path
        self.externalLabels = externalLabels
        self.intake = intake
        self.clock = clock
        self.log = log
        var limits = MetricOptions(now: clock.nowNanoseconds())
        limits.labelsMax = configuration.labelsMax
        limits.labelNameBytesMax = configuration.labelNameBytesMax
        limits.labelValueBytesMax = configuration.labelValueBytesMax
        self.limits = limits
        let read = try ScrapeConfigurationReader.read(path: path)
        externalLabels.replace(read.externalLabels)
        state = Mutex(State(configuration: read))
    }

    /// The jobs and their targets, in order of name.
    var pools: [Pool] { state.withLock { $0.pools } }

    /// Begins to scrape.
    func start() {
        for warning in state.withLock({ $0.configuration.warnings }) { log("scraping: \(warning)") }
        refresh()
        thread.withLock { thread in
            thread = Thread(name: "weir-discover") { [self] in
                while isStopping.wait(
                    timeoutNanoseconds: Self.refreshInterval,
                    until: { $0 ? true : nil }
                ) == nil { refresh() }
            }
        }
    }

    /// Reads the configuration file again.
    ///
    /// - Throws: When it cannot be used: all stays as it was.
    func reload() throws(ScrapeConfigurationError) {
        let configuration: ScrapeConfiguration
        do throws(ScrapeConfigurationError) {
            configuration = try ScrapeConfigurationReader.read(path: path)
        } catch {
            intake.telemetry.failedScrapeReloads.add(1)
            throw error
        }
        for warning in configuration.warnings { log("scraping: \(warning)") }
        externalLabels.replace(configuration.externalLabels)
        state.withLock { $0.configuration = configuration }
        refresh()
    }

    /// Ends all scrapes and waits for them; series are not ended.
    func stop() {
        isStopping.update { $0 = true }
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
        state.withLock { state in
            state.isStopped = true
            for loop in state.loops.values { loop.end(.quietly) }
        }
        _ = running.wait { $0 == 0 ? true : nil }
    }

    /// Finds out what the targets are, and starts and ends loops.
    private func refresh() {
        let news = state.withLock { state -> [String] in
            guard !state.isStopped else { return [] }
            var found: Set<ScrapeTarget.Key> = []
            var pools: [Pool] = []
            var problems: Set<String> = []
            for job in state.configuration.jobs {
                pools.append(refresh(job, &state, &found, &problems))
            }
            let labels = Set(found.map(\.labels))
            for (key, loop) in state.loops where !found.contains(key) {
                // Another target may carry on the same series: no end is to stand between them.
                loop.end(labels.contains(key.labels) ? .quietly : .withMarkers)
                state.loops[key] = nil
            }
            state.pools = pools.sorted { $0.name < $1.name }
            intake.telemetry.scrapeTargets.store(state.loops.count, ordering: .relaxed)
            defer { state.problems = problems }
            return state.discovery.takeProblems()
                + problems.subtracting(state.problems).sorted()
        }
        for problem in news { log("scraping: \(problem)") }
    }

    private func refresh(
        _ job: ScrapeJob,
        _ state: inout State,
        _ found: inout Set<ScrapeTarget.Key>,
        _ problems: inout Set<String>
    ) -> Pool {
        var pool = Pool(name: job.name)
        var targets: [ScrapeTarget] = []
        for group in job.groups + state.discovery.groups(job.files) {
            for address in group.addresses {
                switch ScrapeTarget.make(job, address: address, groupLabels: group.labels) {
                case .active(let target):
                    guard found.count < Self.targetsMax else {
                        problems.insert("more than \(Self.targetsMax) targets")
                        continue
                    }
                    if found.insert(target.key).inserted { targets.append(target) }
                case .dropped(let labels):
                    pool.droppedCount += 1
                    if job.keptDroppedMax == 0 || pool.dropped.count < job.keptDroppedMax {
                        pool.dropped.append(labels)
                    }
                case .unusable(let reason): problems.insert("job \"\(job.name)\": \(reason)")
                }
            }
        }
        let refusal =
            job.targetLimit > 0 && targets.count > job.targetLimit
            ? "target_limit exceeded (number of targets: \(targets.count), "
                + "limit: \(job.targetLimit))" : nil
        for target in targets {
            if let loop = state.loops[target.key] {
                loop.change(job, refusal: refusal)
                pool.active.append(loop)
            } else {
                let loop = begin(target, job, refusal)
                state.loops[target.key] = loop
                pool.active.append(loop)
            }
        }
        pool.active.sort { $0.target.url < $1.target.url }
        return pool
    }

    private func begin(_ target: ScrapeTarget, _ job: ScrapeJob, _ refusal: String?) -> ScrapeLoop {
        let loop = ScrapeLoop(
            target,
            job: job,
            refusal: refusal,
            limits: limits,
            intake: intake,
            clock: clock
        )
        running.update { $0 += 1 }
        Thread(name: "weir-scrape") { [running] in
            loop.run()
            running.update { $0 -= 1 }
        }.detach()
        return loop
    }
}
