package import WeirCore
package import WeirWire

/// Counts spans into metrics while they come: calls, errors and durations by service and
/// operation, and the edges of the service graph.
///
/// Pure: batches of spans in, samples and exemplars out. Names, labels and windows:
/// docs/span-metrics.md.
package struct SpanMetrics {
    /// How long after the end of a window spans for it are waited for, in span time.
    private static let slack: Int64 = 10_000_000_000
    /// Series rest in windows as near to now as this; older ones are back-filled.
    private static let nearWindow: Int64 = 600_000_000_000
    private static let namesMax = 20_000
    private static let kindNames = SpanKind.allCases.map { "SPAN_KIND_\($0)".uppercased() }
    private static let statusNames = ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"]
    private static let spanCounters = ["traces_spanmetrics_calls_total"]
    private static let spanHistograms = ["traces_spanmetrics_latency"]
    private static let edgeCounters = [
        "traces_service_graph_request_total", "traces_service_graph_request_failed_total",
    ]
    private static let edgeHistograms = [
        "traces_service_graph_request_server_seconds",
        "traces_service_graph_request_client_seconds",
    ]

    private struct EdgeKey: Hashable {
        let client: Int32
        let server: Int32
        let connection: ServiceGraph.Connection
    }

    private var series: SpanSeries
    private var graph = ServiceGraph()
    private let seed = UInt64.random(in: .min ... .max)
    private var slots: [UInt64: Int32] = [:]
    private var edgeSlots: [EdgeKey: Int] = [:]
    private var names: [String] = []
    private var nameNumbers: [UInt64: Int32] = [:]
    /// The greatest end of a span, but none of the future.
    private var latest = Int64.min
    private var overflowCount = 0

    /// `interval` in nanoseconds; `slotsMax` sets of labels have series.
    package init(interval: Int64, slotsMax: Int = 5000) {
        series = SpanSeries(interval: interval, slotsMax: slotsMax)
    }

    /// Samples that wait to be taken.
    package var waitingCount: Int { series.waitingCount }

    /// The fields that tell whom a span called, in the order they are asked.
    private struct Peers {
        var database: [FieldCursor]
        var databaseNames: [FieldCursor]
        var messaging: FieldCursor
        var service: FieldCursor
        var addresses: [FieldCursor]

        init(_ fields: FieldTable) {
            func cursors(_ names: String...) -> [FieldCursor] {
                names.compactMap { name in fields["span." + name].map { FieldCursor($0) } }
            }
            database = cursors("db.system.name", "db.system")
            databaseNames = cursors("db.namespace", "db.name")
            messaging = FieldCursor(fields["span.messaging.system"])
            service = FieldCursor(fields["span.peer.service"])
            addresses = cursors("server.address", "net.peer.name")
        }
    }

    /// The services of streams.
    private struct SharedServices {
        let cursor: FieldCursor
        /// One of each stream; nil where it has none.
        let ranges: [Range<Int>?]
        let hashes: [UInt64]

        init(_ streams: [Labels], seed: UInt64) {
            var column = FieldColumn(name: SpanField.service)
            for (stream, labels) in streams.enumerated() {
                guard let value = SharedFields.value(of: SpanField.service, in: labels) else {
                    continue
                }
                let bytes = Array(value.bytes)
                column.append(stream, value.kind, bytes.span)
            }
            var cursor = FieldCursor(column)
            let ranges = streams.indices.map { cursor.range($0) }
            hashes = ranges.map { [cursor] in cursor.hash($0, seed: seed) }
            self.ranges = ranges
            self.cursor = cursor
        }
    }

    /// Counts the rows of a batch; `now` in nanoseconds since the Unix epoch.
    package mutating func add(_ batch: RowBatch, _ facts: [SpanFacts], now: Int64) {
        // Mostly a span's stream knows its service (`SharedFields`), else the span itself.
        let shared = SharedServices(batch.streams, seed: seed)
        var own = FieldCursor(batch.fields[SpanField.service])
        var operations = FieldCursor(batch.fields[SpanField.name])
        var peers = Peers(batch.fields)
        for (row, facts) in facts.enumerated() {
            let stream = Int(batch.streamIndexes[row])
            let sharedService = shared.ranges[stream]
            let service = sharedService ?? own.range(row)
            let operation = operations.range(row)
            let serviceHash =
                sharedService == nil ? own.hash(service, seed: seed) : shared.hashes[stream]
            let (sum, overflow) = facts.start.addingReportingOverflow(max(0, facts.duration))
            // A clock that is ahead must not take the windows of all others with it.
            let end = min(overflow ? now : max(sum, 0), now)
            latest = max(latest, end)
            let key = FieldCursor.mix(
                serviceHash &+ operations.hash(operation, seed: seed) &* 3
                    &+ UInt64(facts.kind.rawValue) &<< 8 &+ UInt64(facts.status.rawValue)
            )
            let slot: Int
            if let known = slots[key] {
                slot = Int(known)
            } else {
                let made = series.makeSlot(
                    counters: Self.spanCounters,
                    histograms: Self.spanHistograms,
                    [
                        (
                            "service",
                            sharedService == nil
                                ? own.text(service) : shared.cursor.text(service)
                        ),
                        ("span_name", operations.text(operation)),
                        ("span_kind", Self.kindNames[Int(facts.kind.rawValue)]),
                        ("status_code", Self.statusNames[Int(facts.status.rawValue)]),
                    ]
                )
                slot = made ?? -1
                if made != nil { slots[key] = Int32(slot) }
            }
            if slot >= 0 {
                series.addSpan(
                    slot,
                    time: end,
                    duration: facts.duration,
                    SpanSeries.Slowest(
                        time: end,
                        traceHigh: facts.traceHigh,
                        traceLow: facts.traceLow,
                        spanID: facts.spanID
                    )
                )
            } else {
                overflowCount += 1
            }
            guard facts.kind.rawValue >= SpanKind.server.rawValue else { continue }
            let caller =
                sharedService == nil
                ? name(serviceHash, own, service) : name(serviceHash, shared.cursor, service)
            addHalf(row, facts, end, caller, &peers)
        }
    }

    private mutating func addHalf(
        _ row: Int,
        _ facts: SpanFacts,
        _ end: Int64,
        _ service: Int32,
        _ peers: inout Peers
    ) {
        guard service >= 0 else { return }
        let isClient = facts.kind == .client || facts.kind == .producer
        let caller = isClient ? facts.spanID : facts.parentID
        guard caller != 0 else { return }
        var peer: Int32 = -1
        var connection = ServiceGraph.Connection.direct
        if isClient { (peer, connection) = findPeer(row, &peers) }
        let half = ServiceGraph.Half(
            isClient: isClient,
            service: service,
            connection: facts.kind == .client || facts.kind == .server ? .direct : .messaging,
            isFailed: facts.status == .error,
            time: end,
            duration: facts.duration,
            peer: peer,
            peerConnection: connection
        )
        if connection == .database {
            add(ServiceGraph.edge(half))
            return
        }
        let key = FieldCursor.mix(
            FieldCursor.mix(facts.traceHigh ^ seed) ^ facts.traceLow &+ FieldCursor.mix(caller)
        )
        if let edge = graph.add(half, key: key) { add(edge) }
    }

    /// Whom a span says it called: a database, a queue or another node; -1 where it does not say.
    private mutating func findPeer(
        _ row: Int,
        _ peers: inout Peers
    ) -> (Int32, ServiceGraph.Connection) {
        func first(_ cursors: inout [FieldCursor]) -> (FieldCursor, Range<Int>)? {
            for index in cursors.indices {
                if let range = cursors[index].range(row), !range.isEmpty {
                    return (cursors[index], range)
                }
            }
            return nil
        }
        let service = peers.service.range(row)
        if let (cursor, range) = first(&peers.database) {
            if let service { return (name(peers.service, service), .database) }
            let named = first(&peers.databaseNames) ?? (cursor, range)
            return (name(named.0, named.1), .database)
        }
        let messaging = peers.messaging.range(row)
        if let range = service ?? messaging {
            return (
                name(service != nil ? peers.service : peers.messaging, range),
                messaging != nil ? .messaging : .virtual
            )
        }
        if let (cursor, range) = first(&peers.addresses) { return (name(cursor, range), .virtual) }
        return (-1, .direct)
    }

    private mutating func name(_ cursor: FieldCursor, _ range: Range<Int>) -> Int32 {
        name(cursor.hash(range, seed: seed), cursor, range)
    }

    /// The number of a name; -1 for none.
    @inline(__always)
    private mutating func name(_ hash: UInt64, _ cursor: FieldCursor, _ range: Range<Int>?) -> Int32
    {
        guard hash != 0 else { return -1 }
        if let known = nameNumbers[hash] { return known }
        guard names.count < Self.namesMax else {
            overflowCount += 1
            return -1
        }
        names.append(cursor.text(range))
        nameNumbers[hash] = Int32(names.count - 1)
        return Int32(names.count - 1)
    }

    private mutating func add(_ edge: ServiceGraph.Edge) {
        let key = EdgeKey(client: edge.client, server: edge.server, connection: edge.connection)
        let known = edgeSlots[key]
        let slot =
            known
            ?? series.makeSlot(
                counters: Self.edgeCounters,
                histograms: Self.edgeHistograms,
                [
                    ("client", names[Int(edge.client)]), ("server", names[Int(edge.server)]),
                    ("connection_type", edge.connection.label),
                ]
            )
        guard let slot else {
            overflowCount += 1
            return
        }
        if known == nil { edgeSlots[key] = slot }
        series.add(
            slot,
            time: edge.time,
            isFailed: edge.isFailed,
            durations: (edge.serverDuration, edge.clientDuration)
        )
    }

    /// Closes the windows whose time has come: those before the latest span less the slack, and,
    /// when no spans come (`isIdle`), all that ended.
    package mutating func advance(now: Int64, isIdle: Bool) {
        guard latest > .min else { return }
        expire(isIdle ? .max : latest)
        series.close(through: isIdle ? now : latest - Self.slack)
        // Windows of long ago are likely to be followed by more: those wait for them.
        if isIdle, now - latest <= Self.nearWindow { series.rest(through: now) }
    }

    private mutating func expire(_ watermark: Int64) {
        var edges: [ServiceGraph.Edge] = []
        graph.expire(watermark) { edges.append($0) }
        for edge in edges { add(edge) }
    }

    /// Spans and edges that were not counted since this was asked last, there being too many series.
    package mutating func takeOverflow() -> Int {
        defer { overflowCount = 0 }
        return overflowCount
    }

    /// Hands over the samples and exemplars of closed windows.
    package mutating func take() -> (samples: RowBatch, exemplars: RowBatch) { series.take() }
}
