/// What a server has done since it started.
package struct HTTPServerStatistics: Hashable, Sendable {
    package var requests: Int
    package var requestsInHand: Int
    /// Bytes of the bodies in hand.
    package var bodyBytesInHand: Int
    /// Bodies as they came off the wire.
    package var receivedBytes: Int
    package var connections: Int
    /// Requests cut off before their answer was sent: the client left, was too slow, or broke the
    /// protocol.
    package var brokenRequests: Int
}
