internal import Synchronization
internal import WeirCore
internal import WeirHTTP
internal import WeirQuery
internal import WeirStore
internal import WeirSystem

/// The server's own metrics at one moment: shown at `/metrics`, and stored in the server itself.
struct SelfMetrics: Sendable {
    private enum Kind: String {
        case counter
        case gauge
        case histogram
    }

    private struct Family {
        let name: String
        let kind: Kind
        let help: String
        var samples: [(name: String, labels: [(String, String)], value: Double)]
    }

    private var families: [Family] = []

    /// `results` is nil where no answers are kept.
    init(
        store: Store,
        telemetry: ServerTelemetry,
        results: ResultsCache.Status?,
        http: HTTPServerStatistics,
        startedAt: Int64
    ) {
        let status = store.status()
        let counters = store.counters

        counter("weir_ingested_samples_total", "Samples taken in", counters.rows.value)
        counter("weir_ingested_batches_total", "Batches taken in", counters.batches.value)
        counter(
            "weir_refused_batches_total",
            "Batches refused for want of memory",
            counters.refusedBatches.value
        )
        counter(
            "weir_refused_lines_total",
            "Lines that did not parse",
            telemetry.refusedLines.value
        )
        counter(
            "weir_skipped_strings_total",
            "String fields left out",
            telemetry.skippedStrings.value
        )
        counter(
            "weir_refused_series_total",
            "Series refused by series-max",
            telemetry.refusedSeries.value
        )
        for format in MetricFormat.allCases {
            let labels = [("format", format.name)]
            counter(
                "weir_metric_rows_total",
                "Samples, histograms and exemplars taken in",
                telemetry.metricRows[format.rawValue].value,
                labels
            )
            counter(
                "weir_metric_refused_rows_total",
                "Samples, histograms and exemplars refused",
                telemetry.refusedMetricRows[format.rawValue].value,
                labels
            )
        }
        for format in LogFormat.allCases {
            let labels = [("format", format.name)]
            counter(
                "weir_log_rows_total",
                "Log rows taken in",
                telemetry.logRows[format.rawValue].value,
                labels
            )
            counter(
                "weir_log_refused_rows_total",
                "Log rows refused",
                telemetry.refusedLogRows[format.rawValue].value,
                labels
            )
        }
        counter(
            "weir_log_cut_rows_total",
            "Log rows of which a value was cut",
            telemetry.cutLogRows.value
        )
        addSpans(telemetry)
        counter(
            "weir_syslog_dropped_total",
            "Syslog messages dropped since the store was behind",
            telemetry.droppedSyslogMessages.value
        )
        counter(
            "weir_syslog_refused_connections_total",
            "Syslog connections beyond the limit",
            telemetry.refusedSyslogConnections.value
        )
        counter("weir_journal_syncs_total", "Syncs of the journal", counters.syncs.value)
        counter(
            "weir_journal_written_bytes_total",
            "Bytes written to the journal",
            counters.journalBytes.value
        )
        counter("weir_flushes_total", "Checkpoints", counters.flushes.value)
        counter("weir_merges_total", "Merges of segments", counters.merges.value)
        counter(
            "weir_merged_samples_total",
            "Samples rewritten by merges",
            counters.mergedRows.value
        )
        counter(
            "weir_rollups_made_total",
            "Days of metrics that rollups were made of",
            counters.rolledUpDays.value
        )
        counter(
            "weir_rollup_rows_total",
            "Rows of rollups made",
            counters.rolledUpRows.value
        )
        counter(
            "weir_segment_written_bytes_total",
            "Bytes written to segments",
            counters.segmentBytesWritten.value
        )
        counter(
            "weir_expired_segments_total",
            "Segments deleted by retention",
            counters.expiredSegments.value
        )
        gauge("weir_journal_bytes", "Size of the journal", Double(status.journalBytes))
        gauge(
            "weir_journal_lag_samples",
            "Samples not yet in segments",
            Double(status.journalLagRows)
        )
        gauge("weir_memory_rows_bytes", "Size of rows in memory", Double(status.memoryBytes))
        gauge(
            "weir_disk_free_bytes",
            "Room on the data folder's disk",
            Double(status.diskFreeBytes)
        )
        gauge("weir_disk_full", "1 while writes are refused", status.isDiskFull ? 1 : 0)
        gauge("weir_quarantined_segments", "Damaged segments", Double(status.quarantined.count))
        for signal in status.signals {
            let labels = [("tenant", signal.tenant), ("signal", signal.signal.name)]
            gauge("weir_segments", "Segment files", Double(signal.segments), labels)
            gauge("weir_segment_bytes", "Size of segments", Double(signal.segmentBytes), labels)
            gauge("weir_segment_samples", "Samples in segments", Double(signal.segmentRows), labels)
            gauge(
                "weir_active_series",
                "Series written lately",
                Double(signal.activeStreams),
                labels
            )
        }
        counter("weir_http_requests_total", "Requests", http.requests)
        counter("weir_http_received_bytes_total", "Bytes of bodies", http.receivedBytes)
        gauge("weir_http_requests_in_hand", "Requests being served", Double(http.requestsInHand))
        histogram("weir_query_duration_seconds", "Time queries took", telemetry.queries)
        counter(
            "weir_queried_samples_total",
            "Samples queries decoded",
            telemetry.queriedSamples.value
        )
        if let results { add(results) }
        counter("weir_refused_queries_total", "Queries refused", telemetry.refusedQueries.value)
        histogram(
            "weir_rule_evaluation_duration_seconds",
            "Time rule expressions took",
            telemetry.ruleEvaluations
        )
        counter(
            "weir_rule_failures_total",
            "Rule expressions that failed",
            telemetry.ruleFailures.value
        )
        counter("weir_notifications_total", "Alert messages sent", telemetry.notifications.value)
        counter(
            "weir_notification_failures_total",
            "Alert messages that failed",
            telemetry.failedNotifications.value
        )
        add(
            Family(
                name: "process_cpu_seconds_total",
                kind: .counter,
                help: "Processor time used",
                samples: [
                    (
                        "process_cpu_seconds_total", [],
                        Double(Stopwatch.processorNanoseconds()) / 1e9
                    )
                ]
            )
        )
        gauge(
            "process_resident_memory_bytes",
            "Memory in RAM",
            Double(ProcessStatus.residentBytes())
        )
        gauge("process_open_fds", "Open descriptors", Double(ProcessStatus.descriptorCount()))
        gauge("process_start_time_seconds", "When the process began", Double(startedAt) / 1e9)
    }

    private mutating func add(_ results: ResultsCache.Status) {
        for outcome in ResultsCache.Outcome.allCases {
            counter(
                "weir_results_cache_queries_total",
                "Range queries, by what the results cache had of them",
                results.outcomes[outcome.rawValue],
                [("outcome", "\(outcome)")]
            )
        }
        counter(
            "weir_results_cache_evictions_total",
            "Answers dropped from the results cache for room",
            results.evictions
        )
        gauge("weir_results_cache_entries", "Answers kept", Double(results.entries))
        gauge("weir_results_cache_bytes", "Size of the answers kept", Double(results.bytes))
    }

    private mutating func addSpans(_ telemetry: ServerTelemetry) {
        counter(
            "weir_otlp_metric_points_total",
            "Data points of OpenTelemetry's metrics taken in",
            telemetry.metricPoints.value
        )
        counter(
            "weir_otlp_metric_points_refused_total",
            "Data points of OpenTelemetry's metrics refused",
            telemetry.refusedMetricPoints.value
        )
        counter("weir_exemplars_total", "Exemplars taken in", telemetry.exemplars.value)
        gauge(
            "weir_scrape_targets",
            "Targets that are scraped",
            Double(telemetry.scrapeTargets.load(ordering: .relaxed))
        )
        counter("weir_scrapes_total", "Scrapes", telemetry.scrapes.value)
        counter("weir_scrapes_failed_total", "Scrapes that failed", telemetry.failedScrapes.value)
        counter(
            "weir_scrape_reloads_failed_total",
            "Scrape configurations that could not be used",
            telemetry.failedScrapeReloads.value
        )
        for wire in SpanWire.allCases {
            let labels = [("wire", wire.name)]
            counter(
                "weir_spans_total",
                "Spans taken in",
                telemetry.spans[wire.rawValue].value,
                labels
            )
            counter(
                "weir_spans_refused_total",
                "Spans refused",
                telemetry.refusedSpans[wire.rawValue].value,
                labels
            )
            counter(
                "weir_spans_duplicate_total",
                "Spans left out since they were there",
                telemetry.duplicateSpans[wire.rawValue].value,
                labels
            )
        }
        counter(
            "weir_span_metrics_samples_total",
            "Samples and exemplars made of spans",
            telemetry.spanMetricsSamples.value
        )
        counter(
            "weir_span_metrics_lost_samples_total",
            "Samples and exemplars made of spans that the store did not take",
            telemetry.lostSpanMetricsSamples.value
        )
        counter(
            "weir_span_metrics_uncounted_total",
            "Spans not counted since too many waited",
            telemetry.uncountedSpans.value
        )
        counter(
            "weir_span_metrics_overflow_total",
            "Spans and edges not counted since there are too many series",
            telemetry.spanMetricsOverflow.value
        )
        counter(
            "weir_spans_cut_total",
            "Spans of which a value was cut",
            telemetry.cutSpans.value
        )
    }

    private mutating func add(_ family: Family) {
        if let index = families.firstIndex(where: { $0.name == family.name }) {
            families[index].samples += family.samples
        } else {
            families.append(family)
        }
    }

    private mutating func counter(
        _ name: String,
        _ help: String,
        _ value: Int,
        _ labels: [(String, String)] = []
    ) {
        add(
            Family(
                name: name,
                kind: .counter,
                help: help,
                samples: [(name, labels, Double(value))]
            )
        )
    }

    private mutating func gauge(
        _ name: String,
        _ help: String,
        _ value: Double,
        _ labels: [(String, String)] = []
    ) {
        add(Family(name: name, kind: .gauge, help: help, samples: [(name, labels, value)]))
    }

    private mutating func histogram(_ name: String, _ help: String, _ source: DurationHistogram) {
        let (cumulative, sum) = source.snapshot
        var samples: [(name: String, labels: [(String, String)], value: Double)] = []
        for (index, count) in cumulative.enumerated() {
            let bound =
                index < DurationHistogram.bounds.count
                ? Self.text(DurationHistogram.bounds[index]) : "+Inf"
            samples.append((name + "_bucket", [("le", bound)], Double(count)))
        }
        samples.append((name + "_sum", [], sum))
        samples.append((name + "_count", [], Double(cumulative.last ?? 0)))
        add(Family(name: name, kind: .histogram, help: help, samples: samples))
    }

    private static func text(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : value.description
    }

    /// Prometheus's text format, version 0.0.4.
    var text: String {
        var text = ""
        for family in families {
            text += "# HELP \(family.name) \(family.help)\n"
            text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
            for sample in family.samples {
                text += sample.name
                if !sample.labels.isEmpty {
                    let pairs = sample.labels.map { "\($0.0)=\"\($0.1)\"" }
                    text += "{" + pairs.joined(separator: ",") + "}"
                }
                text += " \(Self.text(sample.value))\n"
            }
        }
        return text
    }

    /// The same as rows, with the labels a scrape would have added.
    func batch(at nanoseconds: Int64, instance: String) -> RowBatch {
        var batch = RowBatch(signal: .metrics)
        for family in families {
            for sample in family.samples {
                let pairs =
                    [
                        (Labels.metricNameLabel, sample.name), ("job", "weir"),
                        ("instance", instance),
                    ]
                    + sample.labels
                batch.streamIndexes.append(UInt32(batch.streams.count))
                batch.streams.append(Labels(pairs))
                batch.firstLines.append(0)
                batch.times.append(nanoseconds)
                batch.columns[0].floats.append(sample.value)
            }
        }
        return batch
    }
}
