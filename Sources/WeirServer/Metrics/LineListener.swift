internal import Synchronization
internal import WeirSystem

/// Reads datagrams, and lines from TCP connections, on a thread of its own.
///
/// What they mean is its owner's. While the owner is behind, connections are not read, so that their
/// senders wait; datagrams, whose senders cannot, are dropped.
final class LineListener: Sendable {
    /// What the owner does; all of it on the listener's thread.
    struct Owner: Sendable {
        /// Takes a datagram, or whole lines.
        let take: @Sendable ([UInt8]) -> Void
        /// Called some times a second, and at least once more when the listener stops.
        let tick: @Sendable (_ isLast: Bool) -> Void
        let isBehind: @Sendable () -> Bool
        /// Counts datagrams that were dropped, and connections that were ended.
        let drop: @Sendable () -> Void
    }

    static let connectionsMax = 512
    static let lineBytesMax = 64 << 10
    private static let tickMilliseconds: Int32 = 100
    /// Reads of one socket before the others have their turn.
    private static let readsPerTurn = 64

    private final class Connection {
        let socket: Socket
        var waiting: [UInt8] = []
        init(_ socket: Socket) { self.socket = socket }
    }

    private let datagrams: Socket?
    private let listener: Socket?
    private let owner: Owner
    private let isStopping = Atomic<Bool>(false)
    private let thread = Mutex<Thread?>(nil)

    /// The ports in use; nil where nothing listens.
    var ports: (udp: Int?, tcp: Int?) { (datagrams?.port, listener?.port) }

    /// Listens, and starts the thread; an empty address is none.
    init(name: String, udp: String, tcp: String, owner: Owner) throws(SocketError) {
        datagrams = udp.isEmpty ? nil : try Socket.datagrams(at: udp)
        listener = tcp.isEmpty ? nil : try Socket.listener(at: tcp)
        self.owner = owner
        thread.withLock { $0 = Thread(name: name) { self.run() } }
    }

    /// Ends the thread; what has come is taken first.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
    }

    private func run() {
        var connections: [Connection] = []
        // A datagram is never longer.
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while !isStopping.load(ordering: .acquiring) {
            let isBehind = owner.isBehind()
            let streams = isBehind ? [] : connections
            let listeners = [datagrams, isBehind ? nil : listener].compactMap { $0 }
            let ready = Socket.waitReadable(
                listeners + streams.map(\.socket),
                milliseconds: Self.tickMilliseconds
            )
            for (place, socket) in listeners.enumerated() where ready[place] {
                if socket === datagrams {
                    readDatagrams(socket, &buffer, isBehind: isBehind)
                } else {
                    accept(socket, &connections)
                }
            }
            for (place, connection) in streams.enumerated() where ready[listeners.count + place] {
                if !read(connection, &buffer) { connections.removeAll { $0 === connection } }
            }
            owner.tick(false)
        }
        for connection in connections where read(connection, &buffer) { finish(connection) }
        if let datagrams { readDatagrams(datagrams, &buffer, isBehind: false) }
        owner.tick(true)
    }

    private func accept(_ listener: Socket, _ connections: inout [Connection]) {
        while let socket = listener.accept() {
            guard connections.count < Self.connectionsMax else {
                owner.drop()
                continue
            }
            connections.append(Connection(socket))
        }
    }

    private func readDatagrams(_ socket: Socket, _ buffer: inout [UInt8], isBehind: Bool) {
        for _ in 0..<(Self.readsPerTurn * 16) {
            switch socket.receive(into: &buffer) {
            case .nothing: return
            // An empty datagram reads as an end, which datagrams have none of.
            case .closed: continue
            case .bytes(let count):
                if isBehind { owner.drop() } else { owner.take(Array(buffer[..<count])) }
            }
        }
    }

    /// Reads what a connection has.
    ///
    /// - Returns: Whether it goes on.
    private func read(_ connection: Connection, _ buffer: inout [UInt8]) -> Bool {
        for _ in 0..<Self.readsPerTurn {
            switch connection.socket.receive(into: &buffer) {
            case .nothing: return true
            case .closed:
                finish(connection)
                return false
            case .bytes(let count):
                connection.waiting += buffer[..<count]
                if let end = connection.waiting.lastIndex(of: 0x0A) {
                    owner.take(Array(connection.waiting[...end]))
                    connection.waiting.removeSubrange(...end)
                }
                guard connection.waiting.count <= Self.lineBytesMax else {
                    owner.drop()
                    return false
                }
            }
        }
        return true
    }

    /// The last line may lack its end.
    private func finish(_ connection: Connection) {
        if !connection.waiting.isEmpty { owner.take(connection.waiting) }
        connection.waiting = []
    }
}
