internal import Synchronization
internal import WeirAlerts
internal import WeirCore
internal import WeirHTTP
internal import WeirQuery
internal import WeirStore
internal import WeirSystem

/// The server's parts, put together once.
final class ServerParts: Sendable {
    let configuration: ServerConfiguration
    let clock: any WallClock
    let startedAt: Int64
    let store: Store
    let telemetry: ServerTelemetry
    let write: WriteEndpoint
    let otlpMetrics: OTLPMetricsEndpoint
    let metricIntake: MetricIntake
    /// Nil where nothing is scraped.
    let scraper: Scraper?
    let remoteWrite: RemoteWriteEndpoint
    let textImport: ImportEndpoint
    let logIntake: LogIntake
    let logs: LogsEndpoint
    let spanIntake: SpanIntake
    let spans: SpansEndpoint
    let spanMetrics: SpanMetricsWriter?
    let elastic: ElasticEndpoint
    /// Nil where no answers are kept.
    let results: ResultsCache?
    let query: QueryEndpoint
    let export: ExportEndpoint
    let federate: FederateEndpoint
    let remoteRead: RemoteReadEndpoint
    let logQuery: LogQueryEndpoint
    let traceQuery: TraceQueryEndpoint
    let tailHub = TailHub()
    let tail: TailEndpoint
    let admin: AdminEndpoint
    let adminTSDB: AdminTSDBEndpoint
    let statusPages: StatusEndpoint
    let queryLog: QueryLog?
    let rules: RuleEngine
    let ruleLoop: RuleLoop
    let queryPool: WorkerPool
    let parsePool: WorkerPool
    let adminPool: WorkerPool
    /// Set once the HTTP server listens.
    let httpServer = Mutex<HTTPServer?>(nil)

    init(
        configuration: ServerConfiguration,
        store: Store,
        clock: any WallClock,
        log: @escaping StoreLog
    ) throws(ServerError) {
        self.configuration = configuration
        self.clock = clock
        self.store = store
        startedAt = clock.nowNanoseconds()
        telemetry = ServerTelemetry()
        let cores = ProcessStatus.coreCount()
        parsePool = WorkerPool(name: "weir-parse", threadCount: cores)
        adminPool = WorkerPool(name: "weir-admin", threadCount: 2)
        queryPool = WorkerPool(
            name: "weir-query",
            threadCount: configuration.queryThreads > 0 ? configuration.queryThreads : cores + 1
        )
        let source = StoreSampleSource(store: store)
        write = WriteEndpoint(
            store: store,
            configuration: configuration,
            clock: clock,
            telemetry: telemetry,
            pool: parsePool
        )
        metricIntake = MetricIntake(store: store, telemetry: telemetry)
        otlpMetrics = OTLPMetricsEndpoint(
            intake: metricIntake,
            clock: clock,
            pool: parsePool,
            hasClassicHistograms: configuration.hasClassicHistograms
        )
        let externalLabels = ExternalLabels()
        if configuration.scrapeConfig.isEmpty {
            scraper = nil
        } else {
            do throws(ScrapeConfigurationError) {
                scraper = try Scraper(
                    path: configuration.scrapeConfig,
                    configuration: configuration,
                    externalLabels: externalLabels,
                    intake: metricIntake,
                    clock: clock,
                    log: log
                )
            } catch {
                throw ServerError.scraping(reason: error.description)
            }
        }
        remoteWrite = RemoteWriteEndpoint(
            intake: metricIntake,
            configuration: configuration,
            clock: clock,
            pool: parsePool
        )
        textImport = ImportEndpoint(
            intake: metricIntake,
            configuration: configuration,
            clock: clock,
            pool: parsePool
        )
        logIntake = LogIntake(store: store, telemetry: telemetry)
        logIntake.observe { [tailHub] batch, sequence in
            tailHub.publish(batch, sequence: sequence)
        }
        logs = LogsEndpoint(
            intake: logIntake,
            configuration: configuration,
            clock: clock,
            telemetry: telemetry,
            pool: parsePool
        )
        spanIntake = SpanIntake(store: store, telemetry: telemetry)
        spans = SpansEndpoint(
            intake: spanIntake,
            configuration: configuration,
            clock: clock,
            pool: parsePool
        )
        if configuration.spanMetricsInterval > 0 {
            let writer = SpanMetricsWriter(
                interval: configuration.spanMetricsInterval,
                store: store,
                clock: clock,
                telemetry: telemetry
            )
            spanIntake.observe { batch, facts in writer.add(batch, facts) }
            spanMetrics = writer
        } else {
            spanMetrics = nil
        }
        elastic = ElasticEndpoint(logs: logs)
        queryLog =
            configuration.queryLog.isEmpty ? nil : QueryLog(path: configuration.queryLog, log: log)
        let register = QueryRegister(log: queryLog)
        let frame = QueryFrame(
            configuration: configuration,
            clock: clock,
            pool: queryPool,
            telemetry: telemetry,
            register: register
        )
        statusPages = StatusEndpoint(
            store: store,
            configuration: configuration,
            startedAt: startedAt,
            register: register,
            pool: adminPool
        )
        results =
            configuration.resultsCacheBytes > 0
            ? ResultsCache(bytesMax: configuration.resultsCacheBytes) : nil
        query = QueryEndpoint(
            source: source,
            results: results.map {
                RangeResults(cache: $0, changes: StoreSampleChanges(store: store))
            },
            frame: frame
        )
        export = ExportEndpoint(store: store, frame: frame)
        federate = FederateEndpoint(store: store, frame: frame, externalLabels: externalLabels)
        remoteRead = RemoteReadEndpoint(
            store: store,
            configuration: configuration,
            frame: frame,
            externalLabels: externalLabels
        )
        let logSource = StoreRowSource(store: store, signal: .logs)
        logQuery = LogQueryEndpoint(source: logSource, frame: frame)
        traceQuery = TraceQueryEndpoint(
            spans: StoreRowSource(store: store, signal: .traces),
            exemplars: StoreRowSource(store: store, signal: .exemplars),
            logs: logSource,
            samples: source,
            frame: frame
        )
        tail = TailEndpoint(store: store, hub: tailHub, clock: clock, telemetry: telemetry)
        admin = AdminEndpoint(store: store, pool: adminPool)
        adminTSDB = AdminTSDBEndpoint(
            store: store,
            results: results,
            configuration: configuration,
            clock: clock,
            pool: adminPool
        )
        let stateStore: SQLiteRuleStateStore
        do throws(RuleStateError) {
            stateStore = try SQLiteRuleStateStore(database: store.catalogDatabase)
        } catch {
            throw ServerError.rules(reason: error.reason)
        }
        var notification = NotificationConfiguration(
            receivers: configuration.webhooks.enumerated().map { index, url in
                NotificationReceiver(name: "webhook-\(index + 1)", url: url)
            }
        )
        notification.groupWaitMilliseconds = configuration.groupWait / 1_000_000
        notification.repeatIntervalMilliseconds = configuration.repeatInterval / 1_000_000
        notification.externalURL = configuration.externalURL
        let notifier = Notifier(
            configuration: notification,
            sender: WebhookSender(telemetry: telemetry),
            store: stateStore
        )
        var engine = RuleEngineConfiguration()
        engine.externalURL = configuration.externalURL
        engine.externalLabels = externalLabels
        rules = RuleEngine(
            evaluator: StoreRuleEvaluator(
                store: store,
                source: source,
                logSource: logSource,
                configuration: configuration,
                telemetry: telemetry
            ),
            store: stateStore,
            notifier: notifier,
            clock: clock,
            configuration: engine
        )
        ruleLoop = RuleLoop(
            engine: rules,
            notifier: notifier,
            files: RuleFileSet(paths: configuration.rules),
            clock: clock
        )
    }

    /// Reads the scrape configuration again; says why it cannot be used, if so.
    func reloadScraping() -> String? {
        do throws(ScrapeConfigurationError) {
            try scraper?.reload()
            return nil
        } catch {
            return error.description
        }
    }

    /// What answers for scraping.
    var targets: TargetsEndpoint {
        TargetsEndpoint(
            scraper: scraper,
            externalURL: configuration.externalURL,
            listen: httpServer.withLock { $0?.address } ?? configuration.listen
        )
    }

    func selfMetrics() -> SelfMetrics {
        SelfMetrics(
            store: store,
            telemetry: telemetry,
            results: results?.status,
            http: httpServer.withLock { $0?.statistics } ?? HTTPServerStatistics(),
            startedAt: startedAt
        )
    }
}
