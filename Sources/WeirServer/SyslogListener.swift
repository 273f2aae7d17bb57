internal import Synchronization
internal import WeirCore
internal import WeirStore
internal import WeirSystem
internal import WeirWire

/// Takes syslog over UDP and TCP, on a thread of its own.
///
/// Rows go to the store every 200 ms, or 1000 at a time. While the store is behind, connections are
/// not read, so that their senders wait; datagrams, whose senders cannot, are dropped and counted.
final class SyslogListener: Sendable {
    static let connectionsMax = 512
    /// At the limit, one that was silent for so long makes room for a new one.
    private static let idleNanosecondsMax: Int64 = 60_000_000_000
    /// Bytes of messages, over all connections, whose rest has not come.
    private static let waitingBytesMax = 64 << 20
    private static let rowsPerBatch = 1000
    private static let flushMilliseconds: Int32 = 200
    /// Batches that may wait for the store.
    private static let batchesInHandMax = 16
    /// Reads of one socket before the others have their turn.
    private static let readsPerTurn = 64

    private final class Connection {
        let socket: Socket
        var framing: SyslogFraming
        var heardAt = Stopwatch.monotonicNanoseconds()
        init(_ socket: Socket, messageBytesMax: Int) {
            self.socket = socket
            framing = SyslogFraming(messageBytesMax: messageBytesMax)
        }
    }

    private let intake: LogIntake
    private let telemetry: ServerTelemetry
    private let clock: any WallClock
    private let limits: LogLimits
    private let datagrams: Socket?
    private let listener: Socket?
    private let isStopping = Atomic<Bool>(false)
    private let batchesInHand = Atomic<Int>(0)
    /// Batches that the store had no room for.
    private let refusedBatches = Mutex<[RowBatch]>([])
    private let thread = Mutex<Thread?>(nil)

    /// The ports in use; nil where nothing listens.
    var ports: (udp: Int?, tcp: Int?) { (datagrams?.port, listener?.port) }

    /// Listens, and starts the thread; an empty address is none.
    init(
        udp: String,
        tcp: String,
        intake: LogIntake,
        telemetry: ServerTelemetry,
        clock: any WallClock,
        limits: LogLimits
    ) throws(SocketError) {
        datagrams = udp.isEmpty ? nil : try Socket.datagrams(at: udp)
        listener = tcp.isEmpty ? nil : try Socket.listener(at: tcp)
        self.intake = intake
        self.telemetry = telemetry
        self.clock = clock
        self.limits = limits
        thread.withLock { $0 = Thread(name: "weir-syslog") { self.run() } }
    }

    /// Ends the thread; what it has read is handed to the store first.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
    }

    private func newParser() -> SyslogParser {
        var options = LogOptions(now: clock.nowNanoseconds())
        options.limits = limits
        return SyslogParser(options: options)
    }

    private func run() {
        var connections: [Connection] = []
        var parser = newParser()
        // A datagram is never longer.
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var flushedAt = Stopwatch.monotonicNanoseconds()
        while !isStopping.load(ordering: .acquiring) {
            for batch in refusedBatches.withLock({ batches in
                defer { batches = [] }
                return batches
            }) {
                submit(batch)
            }
            let isBehind = batchesInHand.load(ordering: .acquiring) >= Self.batchesInHandMax
            let streams = isBehind ? [] : connections
            let listeners = [datagrams, isBehind ? nil : listener].compactMap { $0 }
            // While rows wait, no longer than until they are due.
            let ready = Socket.waitReadable(
                listeners + streams.map(\.socket),
                milliseconds: isBehind ? 20 : Self.flushMilliseconds
            )
            for (place, socket) in listeners.enumerated() where ready[place] {
                if socket === datagrams {
                    readDatagrams(socket, &buffer, isBehind: isBehind, &parser)
                } else {
                    accept(socket, &connections)
                }
            }
            for (place, connection) in streams.enumerated() where ready[listeners.count + place] {
                if !read(connection, &buffer, &parser) {
                    connections.removeAll { $0 === connection }
                }
            }
            if connections.reduce(0, { $0 + $1.framing.waitingCount }) > Self.waitingBytesMax,
                let largest = connections.indices.max(by: {
                    connections[$0].framing.waitingCount < connections[$1].framing.waitingCount
                })
            {
                telemetry.refusedSyslogConnections.add(1)
                connections.remove(at: largest)
            }
            let now = Stopwatch.monotonicNanoseconds()
            let isDue = now - flushedAt >= Int64(Self.flushMilliseconds) * 1_000_000
            if isDue || parser.rowCount >= Self.rowsPerBatch {
                flush(&parser)
                flushedAt = now
            }
        }
        for connection in connections {
            _ = read(connection, &buffer, &parser)
            drain(connection, isEnd: true, &parser)
        }
        if let datagrams { readDatagrams(datagrams, &buffer, isBehind: false, &parser) }
        flush(&parser)
        let lost = refusedBatches.withLock { $0.reduce(0) { $0 + $1.rowCount } }
        telemetry.droppedSyslogMessages.add(lost)
    }

    private func accept(_ listener: Socket, _ connections: inout [Connection]) {
        while let socket = listener.accept() {
            guard hasRoom(&connections) else {
                telemetry.refusedSyslogConnections.add(1)
                continue
            }
            // The header comes on top of the line.
            connections.append(
                Connection(socket, messageBytesMax: limits.lineBytesMax + 64 * 1024)
            )
        }
    }

    private func hasRoom(_ connections: inout [Connection]) -> Bool {
        guard connections.count >= Self.connectionsMax else { return true }
        let now = Stopwatch.monotonicNanoseconds()
        guard
            let oldest = connections.indices.min(by: {
                connections[$0].heardAt < connections[$1].heardAt
            }), now - connections[oldest].heardAt > Self.idleNanosecondsMax
        else { return false }
        connections.remove(at: oldest)
        return true
    }

    private func readDatagrams(
        _ socket: Socket,
        _ buffer: inout [UInt8],
        isBehind: Bool,
        _ parser: inout SyslogParser
    ) {
        let arrival = clock.nowNanoseconds()
        // An empty datagram reads as an end, which datagrams have none of.
        for _ in 0..<(Self.readsPerTurn * 16) {
            switch socket.receive(into: &buffer) {
            case .nothing: return
            case .closed: continue
            case .bytes(let count):
                guard !isBehind else {
                    telemetry.droppedSyslogMessages.add(1)
                    continue
                }
                let bytes = buffer
                parser.parse(bytes.span, 0..<count, arrival: arrival)
            }
        }
    }

    /// Reads what a connection has.
    ///
    /// - Returns: Whether it goes on.
    private func read(
        _ connection: Connection,
        _ buffer: inout [UInt8],
        _ parser: inout SyslogParser
    ) -> Bool {
        for _ in 0..<Self.readsPerTurn {
            switch connection.socket.receive(into: &buffer) {
            case .nothing: return true
            case .closed:
                drain(connection, isEnd: true, &parser)
                return false
            case .bytes(let count):
                connection.heardAt = Stopwatch.monotonicNanoseconds()
                connection.framing.append(buffer[..<count])
                guard drain(connection, isEnd: false, &parser) else { return false }
                if parser.rowCount >= Self.rowsPerBatch { return true }
            }
        }
        return true
    }

    @discardableResult
    private func drain(
        _ connection: Connection,
        isEnd: Bool,
        _ parser: inout SyslogParser
    ) -> Bool {
        let arrival = clock.nowNanoseconds()
        do throws(SyslogFraming.Failure) {
            while let message = try connection.framing.next(isEnd: isEnd) {
                parser.parse(message, arrival: arrival)
            }
            return true
        } catch {
            telemetry.refusedLogRows[LogFormat.syslog.rawValue].add(1)
            return false
        }
    }

    private func flush(_ parser: inout SyslogParser) {
        guard parser.rowCount > 0 || parser.refusedCount > 0 else { return }
        let result = parser.finished()
        parser = newParser()
        intake.count(result, .syslog)
        batchesInHand.add(1, ordering: .acquiringAndReleasing)
        submit(result.batch)
    }

    /// Gives a batch, counted as in hand, to the store; one it has no room for is tried again.
    private func submit(_ batch: RowBatch) {
        intake.take(batch, format: .syslog) { [self] outcome in
            if case .failure(let error) = outcome {
                if case .memoryFull = error, !isStopping.load(ordering: .acquiring) {
                    refusedBatches.withLock { $0.append(batch) }
                    return
                }
                telemetry.droppedSyslogMessages.add(batch.rowCount)
            }
            batchesInHand.subtract(1, ordering: .acquiringAndReleasing)
        }
    }
}
