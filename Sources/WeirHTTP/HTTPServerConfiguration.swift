/// How a server listens and what it takes.
package struct HTTPServerConfiguration: Sendable {
    /// `127.0.0.1:4040`, `[::1]:0`, `:4040` for every address, `localhost:4040`.
    package var listen: String
    /// Threads of the pool; 0 for one a core.
    package var threadCount = 0
    package var connectionsMax = 10_000
    /// From one address; 0 for no limit of its own.
    package var connectionsPerAddressMax = 1000
    /// A connection on which nothing moves for so long is closed.
    package var idleSecondsMax = 30
    /// A whole request head must come within so long of the connection's start or of the request
    /// before; idle time on a kept connection counts, so it must be more than `idleSecondsMax`.
    package var headSecondsMax = 60
    /// A request whose body takes longer is cut off, however steadily it trickles.
    package var bodySecondsMax = 300
    package var connectionMemoryBytes = 32 * 1024
    /// All request bodies in hand together; past it requests get 503.
    package var bodiesBytesMax = 1 << 30
    /// How much of a refused body is read and thrown away, so that the client gets to read the
    /// answer; past it the connection is cut.
    package var discardedBytesMax = 64 << 20
    /// PEM texts; both for TLS, neither for plain HTTP.
    package var tlsCertificate: String?
    package var tlsKey: String?

    package init(listen: String) { self.listen = listen }
}
