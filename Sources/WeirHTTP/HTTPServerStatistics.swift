/// What a server has done since it started.
package struct HTTPServerStatistics: Hashable, Sendable {
    package var requests = 0
    package var requestsInHand = 0
    /// Bytes of the bodies in hand.
    package var bodyBytesInHand = 0
    /// Bodies as they came off the wire.
    package var receivedBytes = 0
    /// Open now, idle ones among them.
    package var connections = 0
    /// Requests cut off before their answer was sent: the client left, was too slow, or broke the
    /// protocol.
    package var brokenRequests = 0

    package init() {}
}
