internal import Synchronization
internal import WeirCore
internal import WeirStore
internal import WeirSystem
internal import WeirWire

/// Graphite's plaintext and StatsD, where they are asked for: each a listener, and what it gathers.
///
/// Nothing is acknowledged in these protocols: what was gathered and not yet stored is lost with the
/// process.
final class PushListeners: Sendable {
    private let graphite: LineListener?
    private let statsd: LineListener?

    /// The ports in use; nil where nothing listens.
    var graphitePorts: (udp: Int?, tcp: Int?) { graphite?.ports ?? (nil, nil) }
    var statsdPort: Int? { statsd?.ports.udp }

    init(
        _ configuration: ServerConfiguration,
        intake: MetricIntake,
        clock: any WallClock
    ) throws(SocketError) {
        var limits = MetricOptions(now: clock.nowNanoseconds())
        limits.futureMax = configuration.futureMax
        limits.labelsMax = configuration.labelsMax
        limits.labelNameBytesMax = configuration.labelNameBytesMax
        limits.labelValueBytesMax = configuration.labelValueBytesMax
        if configuration.graphiteUDP.isEmpty, configuration.graphiteTCP.isEmpty {
            graphite = nil
        } else {
            graphite = try LineListener(
                name: "weir-graphite",
                udp: configuration.graphiteUDP,
                tcp: configuration.graphiteTCP,
                owner: Self.graphiteOwner(limits, intake, clock)
            )
        }
        guard !configuration.statsdUDP.isEmpty else {
            statsd = nil
            return
        }
        do throws(SocketError) {
            statsd = try LineListener(
                name: "weir-statsd",
                udp: configuration.statsdUDP,
                tcp: "",
                owner: Self.statsdOwner(limits, configuration.statsdInterval, intake, clock)
            )
        } catch {
            graphite?.stop()
            throw error
        }
    }

    func stop() {
        graphite?.stop()
        statsd?.stop()
    }

    private static func graphiteOwner(
        _ limits: MetricOptions,
        _ intake: MetricIntake,
        _ clock: any WallClock
    ) -> LineListener.Owner {
        let parser = Mutex(GraphiteParser(limits: limits))
        let submitter = MetricSubmitter(intake: intake, format: .graphite)
        return LineListener.Owner(
            take: { lines in
                let arrival = clock.nowNanoseconds()
                parser.withLock { $0.parse(lines, arrival: arrival) }
            },
            tick: { isLast in
                let batches = parser.withLock { parser in
                    defer { parser = GraphiteParser(limits: limits) }
                    return parser.batches
                }
                submitter.submit(batches, isLast: isLast)
            },
            isBehind: { submitter.isBehind },
            drop: { submitter.drop() }
        )
    }

    private static func statsdOwner(
        _ limits: MetricOptions,
        _ interval: Int64,
        _ intake: MetricIntake,
        _ clock: any WallClock
    ) -> LineListener.Owner {
        struct State {
            var totals: StatsDTotals
            var flushAt: Int64
        }
        let interval = max(interval, 100_000_000)
        // At whole multiples of the interval, so that points line up.
        let state = Mutex(
            State(
                totals: StatsDTotals(limits: limits),
                flushAt: (clock.nowNanoseconds() / interval + 1) * interval
            )
        )
        let submitter = MetricSubmitter(intake: intake, format: .statsd)
        return LineListener.Owner(
            take: { datagram in
                let now = clock.nowNanoseconds()
                state.withLock { $0.totals.add(datagram, at: now) }
            },
            tick: { isLast in
                let now = clock.nowNanoseconds()
                let batches: MetricBatches? = state.withLock { state in
                    guard isLast || now >= state.flushAt else { return nil }
                    let at = isLast ? now : now / interval * interval
                    state.flushAt = (now / interval + 1) * interval
                    return state.totals.flush(at: at)
                }
                submitter.submit(batches ?? MetricBatches(), isLast: isLast)
            },
            isBehind: { submitter.isBehind },
            drop: { submitter.drop() }
        )
    }
}

/// Gives a listener's batches to the store, and tries again what it had no room for.
final class MetricSubmitter: Sendable {
    /// Batches that may wait for the store.
    private static let inHandMax = 16

    private let intake: MetricIntake
    private let format: MetricFormat
    private let inHand = Atomic<Int>(0)
    private let refused = Mutex<[MetricBatches]>([])

    init(intake: MetricIntake, format: MetricFormat) {
        self.intake = intake
        self.format = format
    }

    var isBehind: Bool { inHand.load(ordering: .acquiring) >= Self.inHandMax }

    func drop() { intake.telemetry.refusedMetricRows[format.rawValue].add(1) }

    /// Submits a batch, and those that were refused before; empty ones only count their refusals.
    func submit(_ batches: MetricBatches, isLast: Bool) {
        let again = refused.withLock { refused in
            defer { refused = [] }
            return refused
        }
        for batches in again { give(batches, isLast: isLast) }
        guard batches.rowCount > 0 || batches.refusedCount > 0 else { return }
        inHand.add(1, ordering: .acquiringAndReleasing)
        give(batches, isLast: isLast)
    }

    private func give(_ batches: MetricBatches, isLast: Bool) {
        intake.take(batches, format: format) { [self] outcome in
            if case .failure(let error) = outcome {
                if case .memoryFull = error, !isLast {
                    var rest = batches
                    // They are counted already.
                    rest.refusedCount = 0
                    refused.withLock { [rest] in $0.append(rest) }
                    return
                }
                intake.telemetry.refusedMetricRows[format.rawValue].add(batches.rowCount)
            }
            inHand.subtract(1, ordering: .acquiringAndReleasing)
        }
    }
}
