/// What happens on a WebSocket once its handshake is done.
///
/// All closures run on the socket's own thread.
package struct WebSocketOpening: Sendable {
    /// Unsent bytes a socket may hold before `send` refuses.
    package var unsentBytesMax: Int
    package var onOpen: @Sendable (WebSocket) -> Void
    package var onText: @Sendable (WebSocket, [UInt8]) -> Void
    /// Called once, when nothing more will be sent or received.
    package var onClose: @Sendable (WebSocket) -> Void

    package init(
        unsentBytesMax: Int = 4 << 20,
        onOpen: @escaping @Sendable (WebSocket) -> Void = { _ in },
        onText: @escaping @Sendable (WebSocket, [UInt8]) -> Void = { _, _ in },
        onClose: @escaping @Sendable (WebSocket) -> Void = { _ in }
    ) {
        self.unsentBytesMax = unsentBytesMax
        self.onOpen = onOpen
        self.onText = onText
        self.onClose = onClose
    }
}
