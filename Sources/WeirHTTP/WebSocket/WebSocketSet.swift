internal import CMicroHTTPD
internal import WeirSystem

/// The open WebSockets of a server, each with its thread, and their end.
///
/// libmicrohttpd must not be stopped while a connection is upgraded: `stop` returns when none is.
final class WebSocketSet: Sendable {
    private struct State {
        var sockets: [ObjectIdentifier: WebSocket] = [:]
        var isStopping = false
    }

    /// What gives the connection back, for its way into a thread.
    @safe
    private struct Handle: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    private static let socketsMax = 512
    private let state = Monitor(State())

    var count: Int { state.read { $0.sockets.count } }

    /// Starts a socket's thread, which ends with giving the connection back.
    func open(_ socket: WebSocket, extra: [UInt8], handle: OpaquePointer) {
        let isTaken = state.update { state in
            guard !state.isStopping, state.sockets.count < Self.socketsMax else { return false }
            state.sockets[ObjectIdentifier(socket)] = socket
            return true
        }
        guard isTaken else {
            unsafe weir_mhd_close_upgraded(handle)
            return
        }
        let handle = unsafe Handle(pointer: handle)
        Thread(name: "weir-websocket", stackBytes: 512 * 1024) { [self] in
            socket.run(extra: extra)
            // SAFETY: called once; the daemon lives until `stop` has seen the socket removed.
            unsafe weir_mhd_close_upgraded(handle.pointer)
            state.update { _ = $0.sockets.removeValue(forKey: ObjectIdentifier(socket)) }
        }.detach()
    }

    /// Closes every socket and waits until their threads are done with them, a second or so.
    func stop() {
        let sockets = state.update { state in
            state.isStopping = true
            return Array(state.sockets.values)
        }
        for socket in sockets { socket.close(code: 1001, reason: "the server is stopping") }
        _ = state.wait { $0.sockets.isEmpty ? true : nil }
    }
}
