internal import WeirCore
internal import WeirWire

/// Finds who calls whom: pairs the two spans of a call by the id of the caller's.
///
/// A caller's span whose other half does not come in time, and that names whom it called, is an
/// edge to a virtual node. A call of a database is one at once, since databases send no spans.
struct ServiceGraph {
    /// What an edge goes through.
    enum Connection: UInt8, Hashable {
        case direct
        case messaging
        case database
        case virtual

        /// The value of `connection_type`; empty: none.
        var label: String {
            switch self {
            case .direct: ""
            case .messaging: "messaging_system"
            case .database: "database"
            case .virtual: "virtual_node"
            }
        }
    }

    /// One call.
    struct Edge {
        let client: Int32
        let server: Int32
        let connection: Connection
        let isFailed: Bool
        /// Nanoseconds since the Unix epoch: when it ended.
        let time: Int64
        let clientDuration: Int64?
        let serverDuration: Int64?
    }

    /// A span whose other half has not come.
    struct Half {
        let isClient: Bool
        /// The name of its service.
        let service: Int32
        let connection: Connection
        let isFailed: Bool
        let time: Int64
        let duration: Int64
        /// The name of whom it called, if it says; -1: not.
        let peer: Int32
        let peerConnection: Connection
    }

    private let halvesMax: Int
    private let wait: Int64
    private var halves: [UInt64: Half] = [:]
    private var queue: [(key: UInt64, time: Int64)] = []
    private var head = 0

    /// `wait`: how long a half waits for the other, in nanoseconds of span time.
    init(halvesMax: Int = 50_000, wait: Int64 = 10_000_000_000) {
        self.halvesMax = halvesMax
        self.wait = wait
    }

    /// Takes one half of a call, `key` being that of the caller's span; returns the whole, when it
    /// is.
    mutating func add(_ half: Half, key: UInt64) -> Edge? {
        if let other = halves[key], other.isClient != half.isClient {
            halves[key] = nil
            let client = half.isClient ? half : other
            let server = half.isClient ? other : half
            return Edge(
                client: client.service,
                server: server.service,
                connection: server.connection,
                isFailed: client.isFailed || server.isFailed,
                time: max(client.time, server.time),
                clientDuration: client.duration,
                serverDuration: server.duration
            )
        }
        halves[key] = half
        queue.append((key, half.time))
        return nil
    }

    /// Gives up on halves that ended before `watermark` less the wait, and on those beyond the
    /// limit; calls `body` for each that is an edge all the same.
    mutating func expire(_ watermark: Int64, _ body: (Edge) -> Void) {
        while head < queue.count,
            queue[head].time < watermark - wait || halves.count > halvesMax
                || queue.count - head > halvesMax * 4
        {
            let (key, time) = queue[head]
            head += 1
            guard let half = halves[key], half.time == time else { continue }
            halves[key] = nil
            if half.isClient, half.peer >= 0 { body(Self.edge(half)) }
        }
        if head > 4096, head * 2 > queue.count {
            queue.removeFirst(head)
            head = 0
        }
    }

    /// The edge of a caller whose other half does not come.
    static func edge(_ half: Half) -> Edge {
        Edge(
            client: half.service,
            server: half.peer,
            connection: half.peerConnection,
            isFailed: half.isFailed,
            time: half.time,
            clientDuration: half.duration,
            serverDuration: half.duration
        )
    }
}
