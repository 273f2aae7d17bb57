internal import CMicroHTTPD
internal import Glibc

/// The C callbacks of libmicrohttpd, and what is said to it about responses.
@safe
enum MicroHTTPD {
    /// Bodies up to this size are copied into the response; larger ones are read from where they
    /// are, piece by piece.
    private static let copiedBytesMax = 64 * 1024
    private static let pieceBytes = 32 * 1024

    /// Called when a request's first line has arrived; what it returns is the request's own.
    static let begin:
        @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?, OpaquePointer?) ->
            UnsafeMutableRawPointer? = { context, target, connection in
                guard let context = unsafe context, let target = unsafe target,
                    let connection = unsafe connection
                else { return nil }
                // SAFETY: the server keeps its core alive until the daemon has stopped.
                let core = unsafe Unmanaged<ServerCore>.fromOpaque(context).takeUnretainedValue()
                let request = unsafe RequestContext(
                    target: String(cString: target),
                    connection: connection,
                    core: core
                )
                return unsafe Unmanaged.passRetained(request).toOpaque()
            }

    /// Called when a connection opens and, before its socket is closed, when it ends.
    static let connect:
        @convention(c) (
            UnsafeMutableRawPointer?, OpaquePointer?,
            UnsafeMutablePointer<UnsafeMutableRawPointer?>?, MHD_ConnectionNotificationCode
        ) -> Void = { context, connection, slot, what in
            guard let context = unsafe context, let connection = unsafe connection,
                let slot = unsafe slot
            else { return }
            // SAFETY: the server keeps its core alive until the daemon has stopped.
            let core = unsafe Unmanaged<ServerCore>.fromOpaque(context).takeUnretainedValue()
            if what == .CONNECTION_NOTIFY_STARTED {
                let opened = unsafe ConnectionContext(descriptor: weir_mhd_socket(connection))
                core.opened(opened)
                unsafe slot.pointee = unsafe Unmanaged.passRetained(opened).toOpaque()
            } else if let pointer = unsafe slot.pointee {
                unsafe slot.pointee = nil
                // SAFETY: balances the start; MHD tells each end once.
                core.closed(
                    unsafe Unmanaged<ConnectionContext>.fromOpaque(pointer).takeRetainedValue()
                )
            }
        }

    /// What `connect` made for the connection.
    static func context(of connection: OpaquePointer) -> ConnectionContext? {
        // SAFETY: it lives until the connection's end is told, which comes after its requests'.
        unsafe weir_mhd_socket_context(connection).map { pointer in
            unsafe Unmanaged<ConnectionContext>.fromOpaque(pointer).takeUnretainedValue()
        }
    }

    static let complete:
        @convention(c) (
            UnsafeMutableRawPointer?, OpaquePointer?,
            UnsafeMutablePointer<UnsafeMutableRawPointer?>?, MHD_RequestTerminationCode
        ) -> Void = { _, _, slot, how in
            guard let slot = unsafe slot, let pointer = unsafe slot.pointee else { return }
            unsafe slot.pointee = nil
            // SAFETY: balances `begin`; MHD calls this once for each request.
            let request = unsafe Unmanaged<RequestContext>.fromOpaque(pointer).takeRetainedValue()
            request.complete(isBroken: how != .REQUEST_TERMINATED_COMPLETED_OK)
        }

    static let handle:
        @convention(c) (
            UnsafeMutableRawPointer?, OpaquePointer?, UnsafePointer<CChar>?,
            UnsafePointer<CChar>?, UnsafePointer<CChar>?, UnsafePointer<CChar>?,
            UnsafeMutablePointer<Int>?, UnsafeMutablePointer<UnsafeMutableRawPointer?>?
        ) -> MHD_Result = { _, _, _, method, _, bytes, count, slot in
            guard let pointer = unsafe slot?.pointee, let method = unsafe method,
                let count = unsafe count
            else { return .NO }
            // SAFETY: `begin` made the pointer, and `complete` has not been called.
            let request = unsafe Unmanaged<RequestContext>.fromOpaque(pointer)
                .takeUnretainedValue()
            let isAlive = unsafe bytes.withMemoryRebound(count: count.pointee) { piece in
                unsafe request.advance(method: String(cString: method), bytes: piece)
            }
            // All of the piece was used; MHD asks again when it is not said so.
            unsafe count.pointee = 0
            return isAlive ? .YES : .NO
        }

    /// Where the header iterator puts what it is shown.
    private final class HeaderBox {
        var headers: [(name: String, value: String)] = []
    }

    /// All headers of a request, names in lower case.
    static func headers(of connection: OpaquePointer) -> [(name: String, value: String)] {
        let box = HeaderBox()
        box.headers.reserveCapacity(12)
        withExtendedLifetime(box) {
            let context = unsafe Unmanaged.passUnretained(box).toOpaque()
            // SAFETY: the iterator is called only inside this call, while `box` lives.
            _ = unsafe MHD_get_connection_values_n(
                connection,
                .HEADER_KIND,
                { context, _, name, nameCount, value, valueCount in
                    guard let context = unsafe context, let name = unsafe name else {
                        return .YES
                    }
                    let box = unsafe Unmanaged<HeaderBox>.fromOpaque(context).takeUnretainedValue()
                    box.headers.append(
                        unsafe (
                            MicroHTTPD.text(name, nameCount).lowercased(),
                            value.map { unsafe MicroHTTPD.text($0, valueCount) } ?? ""
                        )
                    )
                    return .YES
                },
                context
            )
        }
        return box.headers
    }

    private static func text(_ start: UnsafePointer<CChar>, _ count: Int) -> String {
        unsafe String(
            decoding: UnsafeRawBufferPointer(start: start, count: count),
            as: UTF8.self
        )
    }

    /// Gives an answer to a connection.
    ///
    /// Called on its thread, inside the access handler.
    static func queue(
        _ response: HTTPResponse,
        on connection: OpaquePointer,
        of request: RequestContext
    ) -> Bool {
        guard let made = unsafe make(response, for: request) else { return false }
        defer { unsafe MHD_destroy_response(made) }
        // MHD refuses names and values with line breaks; such a header is left out.
        for (name, value) in response.headers {
            _ = unsafe MHD_add_response_header(made, name, value)
        }
        if response.closesConnection {
            _ = unsafe MHD_add_response_header(made, "Connection", "close")
        }
        var isExpected = (200...599).contains(response.status)
        if case .upgrade = response.body { isExpected = response.status == 101 }
        let status = isExpected ? response.status : 500
        return unsafe MHD_queue_response(connection, UInt32(status), made) == .YES
    }

    private static func make(
        _ response: HTTPResponse,
        for request: RequestContext
    ) -> OpaquePointer? {
        switch response.body {
        case .bytes(let bytes) where bytes.count <= copiedBytesMax:
            return unsafe bytes.withUnsafeBytes { buffer in
                unsafe weir_mhd_copied_response(buffer.baseAddress, buffer.count)
            }
        case .bytes(let bytes):
            let context = unsafe Unmanaged.passRetained(WholeBody(bytes)).toOpaque()
            return unsafe MHD_create_response_from_callback(
                UInt64(bytes.count),
                pieceBytes,
                { context, position, room, roomCount in
                    guard let context = unsafe context, let room = unsafe room else {
                        return weir_mhd_end_with_error()
                    }
                    let body = unsafe Unmanaged<WholeBody>.fromOpaque(context)
                        .takeUnretainedValue()
                    return unsafe body.copy(
                        from: Int(position),
                        to: UnsafeMutableRawBufferPointer(start: room, count: roomCount)
                    )
                },
                context,
                { context in
                    guard let context = unsafe context else { return }
                    // SAFETY: balances passRetained above; MHD calls it once.
                    unsafe Unmanaged<WholeBody>.fromOpaque(context).release()
                }
            )
        case .upgrade(let opening):
            // Where the daemon ends before the upgrade is called, the opening is leaked: MHD tells
            // nobody. It calls it once, or never.
            let upgrade = Upgrade(opening: opening, core: request.serverCore)
            let context = unsafe Unmanaged.passRetained(upgrade).toOpaque()
            return unsafe MHD_create_response_for_upgrade(Self.upgraded, context)
        case .stream(let stream):
            let body = StreamedBody(stream: stream, request: request)
            let context = unsafe Unmanaged.passRetained(body).toOpaque()
            return unsafe MHD_create_response_from_callback(
                weir_mhd_size_unknown(),
                pieceBytes,
                { context, _, room, roomCount in
                    guard let context = unsafe context, let room = unsafe room else {
                        return weir_mhd_end_with_error()
                    }
                    let body = unsafe Unmanaged<StreamedBody>.fromOpaque(context)
                        .takeUnretainedValue()
                    return unsafe body.read(
                        into: UnsafeMutableRawBufferPointer(start: room, count: roomCount)
                    )
                },
                context,
                { context in
                    guard let context = unsafe context else { return }
                    // SAFETY: balances passRetained above; MHD calls it once.
                    unsafe Unmanaged<StreamedBody>.fromOpaque(context).release()
                }
            )
        }
    }

    /// What a connection becomes, on its way through C.
    private final class Upgrade {
        let opening: WebSocketOpening
        let core: ServerCore

        init(opening: WebSocketOpening, core: ServerCore) {
            self.opening = opening
            self.core = core
        }
    }

    /// Called on the connection's thread when 101 has been sent: the socket is ours from here on.
    private static let upgraded:
        @convention(c) (
            UnsafeMutableRawPointer?, OpaquePointer?, UnsafeMutableRawPointer?,
            UnsafePointer<CChar>?, Int, Int32, OpaquePointer?
        ) -> Void = { context, _, _, extra, extraCount, descriptor, handle in
            guard let context = unsafe context, let handle = unsafe handle else { return }
            // SAFETY: balances `make`; MHD calls this once for each response.
            let upgrade = unsafe Unmanaged<Upgrade>.fromOpaque(context).takeRetainedValue()
            let bytes = unsafe extra.withMemoryRebound(count: extraCount) { unsafe Array($0) }
            unsafe upgrade.core.webSockets.open(
                WebSocket(descriptor: descriptor, opening: upgrade.opening),
                extra: bytes,
                handle: handle
            )
        }

    /// A large body that is read from where it is.
    private final class WholeBody {
        private let bytes: [UInt8]

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        func copy(from position: Int, to room: UnsafeMutableRawBufferPointer) -> Int {
            let part = bytes[min(position, bytes.count)...].prefix(room.count)
            guard !part.isEmpty else { return weir_mhd_end_of_stream() }
            // SAFETY: `part` is no longer than the room.
            unsafe room.copyBytes(from: part)
            return part.count
        }
    }

    /// A body that its producer still writes.
    private final class StreamedBody {
        private let stream: HTTPBodyStream
        private let request: RequestContext

        init(stream: HTTPBodyStream, request: RequestContext) {
            self.stream = stream
            self.request = request
        }

        func read(into room: UnsafeMutableRawBufferPointer) -> Int {
            switch unsafe stream.read(into: room, connection: request.connection) {
            case .bytes(let count): return count
            case .end: return weir_mhd_end_of_stream()
            case .broken: return weir_mhd_end_with_error()
            case .suspended:
                request.watchStream()
                return 0
            }
        }
    }
}

extension Optional where Wrapped == UnsafePointer<CChar> {
    /// The bytes behind the pointer; none when there is no pointer.
    fileprivate func withMemoryRebound<Result>(
        count: Int,
        _ body: (UnsafeBufferPointer<UInt8>) -> Result
    ) -> Result {
        guard let start = self, count > 0 else {
            return unsafe body(UnsafeBufferPointer(start: nil, count: 0))
        }
        // SAFETY: CChar and UInt8 have one layout; the caller says how many there are.
        return unsafe start.withMemoryRebound(to: UInt8.self, capacity: count) { bytes in
            unsafe body(UnsafeBufferPointer(start: bytes, count: count))
        }
    }
}
