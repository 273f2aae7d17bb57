internal import CCurl
internal import Glibc

/// A blocking HTTP client over libcurl.
///
/// Keeps connections alive. Not for Swift's cooperative pool.
///
/// Use one per thread. Redirects are not followed unless asked for: the caller gets the 3xx. Raises no
/// signals.
@safe
package final class HTTPClient {
    /// The most bytes of body one answer may have, after decoding.
    package let bodyBytesMax: Int
    private let certificateAuthorityFile: String?
    private let clientCertificate: (file: String, keyFile: String)?
    private let verifiesServer: Bool
    private let followsRedirects: Bool
    private let handle: UnsafeMutableRawPointer

    /// Runs once, before the first handle; a `static let` is made by one thread only.
    private static let globalInit = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

    /// `certificateAuthorityFile`: PEM roots to trust instead of the system's.
    ///
    /// `clientCertificate`: PEM files to show. `verifiesServer`: whether a server must prove who it is.
    package init(
        bodyBytesMax: Int = 256 << 20,
        certificateAuthorityFile: String? = nil,
        clientCertificate: (file: String, keyFile: String)? = nil,
        verifiesServer: Bool = true,
        followsRedirects: Bool = false
    ) {
        _ = Self.globalInit
        guard let handle = unsafe curl_easy_init() else {
            fatalError("out of memory: curl_easy_init")
        }
        self.bodyBytesMax = bodyBytesMax
        self.certificateAuthorityFile = certificateAuthorityFile
        self.clientCertificate = clientCertificate
        self.verifiesServer = verifiesServer
        self.followsRedirects = followsRedirects
        unsafe self.handle = handle
    }

    package convenience init() { self.init(bodyBytesMax: 256 << 20) }

    deinit { unsafe curl_easy_cleanup(handle) }

    /// Sends one request and waits for the whole answer.
    package func send(
        _ request: HTTPClientRequest
    ) throws(HTTPClientError) -> HTTPClientResponse {
        try send(request, cancellation: nil)
    }

    /// Sends one request and waits for the whole answer, or for `cancellation`.
    package func send(
        _ request: HTTPClientRequest,
        cancellation: HTTPCancellation?
    ) throws(HTTPClientError) -> HTTPClientResponse {
        let transfer = Transfer(bodyBytesMax: bodyBytesMax, onBody: nil, cancellation: cancellation)
        return try perform(request, transfer)
    }

    /// Sends one request and hands the answer's body over piece by piece, decoded, as it comes.
    ///
    /// `onBody`: Gets each piece with the status; false ends the exchange with
    ///   `.cancelled`. The body limit does not apply.
    /// - Returns: The answer with an empty body.
    package func sendStreaming(
        _ request: HTTPClientRequest,
        cancellation: HTTPCancellation? = nil,
        onBody: @escaping (_ status: Int, _ bytes: [UInt8]) -> Bool
    ) throws(HTTPClientError) -> HTTPClientResponse {
        let transfer = Transfer(bodyBytesMax: .max, onBody: onBody, cancellation: cancellation)
        return try perform(request, transfer)
    }

    private func perform(
        _ request: HTTPClientRequest,
        _ transfer: Transfer
    ) throws(HTTPClientError) -> HTTPClientResponse {
        let scheme = request.url.prefix(8).lowercased()
        guard scheme.hasPrefix("http://") || scheme.hasPrefix("https://"),
            !request.url.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F })
        else { throw .badURL(request.url) }
        let headers = unsafe Self.headerList(request)
        defer { unsafe curl_slist_free_all(headers) }
        var reason = [CChar](repeating: 0, count: Int(CURL_ERROR_SIZE))
        // SAFETY: every pointer set on the handle (body, reason, transfer, headers) outlives
        // curl_easy_perform, and curl_easy_reset drops them all before this returns.
        let code = unsafe request.body.withUnsafeBufferPointer { body in
            unsafe reason.withUnsafeMutableBufferPointer { reason in
                unsafe configure(request, body: body, headers: headers, transfer: transfer)
                unsafe weir_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, reason.baseAddress)
                let code = withExtendedLifetime(transfer) { unsafe curl_easy_perform(handle) }
                transfer.status = unsafe weir_curl_response_code(handle)
                // Keeps live connections, the DNS cache and TLS sessions; forgets all else.
                unsafe curl_easy_reset(handle)
                return code
            }
        }
        if code == CURLE_OK {
            return HTTPClientResponse(
                status: transfer.status,
                headers: transfer.headers,
                body: transfer.body
            )
        }
        if transfer.isOverLimit { throw .bodyTooLarge(url: request.url, limit: bodyBytesMax) }
        switch code {
        case CURLE_OPERATION_TIMEDOUT:
            throw .timedOut(url: request.url, seconds: request.timeoutSeconds)
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: throw .badURL(request.url)
        case CURLE_WRITE_ERROR where transfer.isStopped, CURLE_ABORTED_BY_CALLBACK:
            throw .cancelled(url: request.url)
        default:
            let detail = String(
                decoding: reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
                as: UTF8.self
            )
            let general = unsafe String(cString: curl_easy_strerror(code))
            throw .unreachable(url: request.url, reason: detail.isEmpty ? general : detail)
        }
    }

    private static func headerList(
        _ request: HTTPClientRequest
    ) -> UnsafeMutablePointer<curl_slist>? {
        var list: UnsafeMutablePointer<curl_slist>?
        var names: Set<String> = []
        for (name, value) in request.headers {
            // A line break would let a value from outside write headers of its own.
            let line = "\(name): \(value)".filter { !$0.isNewline && $0 != "\0" }
            unsafe list = curl_slist_append(list, value.isEmpty ? "\(name);" : line)
            names.insert(name.lowercased())
        }
        // curl would wait up to a second for "100 Continue" before it sends a large body.
        if !names.contains("expect") { unsafe list = curl_slist_append(list, "Expect:") }
        // Else curl claims that every body is a form.
        if !names.contains("content-type") {
            unsafe list = curl_slist_append(list, "Content-Type:")
        }
        return unsafe list
    }

    private func configure(
        _ request: HTTPClientRequest,
        body: UnsafeBufferPointer<UInt8>,
        headers: UnsafeMutablePointer<curl_slist>?,
        transfer: Transfer
    ) {
        let context = unsafe Unmanaged.passUnretained(transfer).toOpaque()
        unsafe weir_curl_set_string(handle, CURLOPT_URL, request.url)
        unsafe weir_curl_set_string(handle, CURLOPT_USERAGENT, "weir")
        unsafe weir_curl_set_long(handle, CURLOPT_NOSIGNAL, 1)
        unsafe weir_curl_set_long(handle, CURLOPT_TCP_NODELAY, 1)
        unsafe weir_curl_set_long(handle, CURLOPT_FOLLOWLOCATION, followsRedirects ? 1 : 0)
        unsafe weir_curl_set_long(handle, CURLOPT_MAXREDIRS, 10)
        for option in [CURLOPT_PROTOCOLS, CURLOPT_REDIR_PROTOCOLS] {
            unsafe weir_curl_set_long(handle, option, Int(CURLPROTO_HTTP | CURLPROTO_HTTPS))
        }
        unsafe weir_curl_set_long(handle, CURLOPT_BUFFERSIZE, 128 * 1024)
        let milliseconds = min(max(request.timeoutSeconds * 1000, 1), 1e12)
        unsafe weir_curl_set_long(handle, CURLOPT_TIMEOUT_MS, Int(milliseconds))
        unsafe weir_curl_set_headers(handle, headers)
        if !request.headers.contains(where: { $0.name.lowercased() == "accept-encoding" }) {
            unsafe weir_curl_set_string(handle, CURLOPT_ACCEPT_ENCODING, "gzip, deflate")
        }
        if let certificateAuthorityFile {
            unsafe weir_curl_set_string(handle, CURLOPT_CAINFO, certificateAuthorityFile)
        }
        if let clientCertificate {
            unsafe weir_curl_set_string(handle, CURLOPT_SSLCERT, clientCertificate.file)
            unsafe weir_curl_set_string(handle, CURLOPT_SSLKEY, clientCertificate.keyFile)
        }
        if !verifiesServer {
            unsafe weir_curl_set_long(handle, CURLOPT_SSL_VERIFYPEER, 0)
            unsafe weir_curl_set_long(handle, CURLOPT_SSL_VERIFYHOST, 0)
        }
        switch request.method {
        case "GET" where body.isEmpty: break
        case "HEAD": unsafe weir_curl_set_long(handle, CURLOPT_NOBODY, 1)
        default:
            let carriesBody = ["POST", "PUT", "PATCH"].contains(request.method)
            if !body.isEmpty || carriesBody {
                unsafe weir_curl_set_long(handle, CURLOPT_POST, 1)
                unsafe weir_curl_set_pointer(
                    handle,
                    CURLOPT_POSTFIELDS,
                    UnsafeMutableRawPointer(mutating: body.baseAddress)
                )
                unsafe weir_curl_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, Int(body.count))
                if body.isEmpty { unsafe weir_curl_set_string(handle, CURLOPT_POSTFIELDS, "") }
            }
            unsafe weir_curl_set_string(handle, CURLOPT_CUSTOMREQUEST, request.method)
        }
        unsafe weir_curl_set_pointer(handle, CURLOPT_WRITEDATA, context)
        unsafe weir_curl_set_receive(handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            unsafe Transfer.from(context).receiveBody(
                UnsafeRawBufferPointer(start: bytes, count: size * count)
            )
        }
        unsafe weir_curl_set_pointer(handle, CURLOPT_HEADERDATA, context)
        unsafe weir_curl_set_receive(handle, CURLOPT_HEADERFUNCTION) {
            bytes,
            size,
            count,
            context in
            unsafe Transfer.from(context).receiveHeader(
                UnsafeRawBufferPointer(start: bytes, count: size * count)
            )
        }
        if transfer.cancellation != nil {
            unsafe weir_curl_set_long(handle, CURLOPT_NOPROGRESS, 0)
            unsafe weir_curl_set_pointer(handle, CURLOPT_XFERINFODATA, context)
            unsafe weir_curl_set_progress(handle) { context, _, _, _, _ in
                unsafe Transfer.from(context).cancellation?.isCancelled == true ? 1 : 0
            }
        }
    }

    /// What libcurl's callbacks gather during one exchange, all on the caller's thread.
    private final class Transfer {
        var status = 0
        var headers: [(name: String, value: String)] = []
        var body: [UInt8] = []
        var isOverLimit = false
        var isStopped = false
        let cancellation: HTTPCancellation?
        private let bodyBytesMax: Int
        private let onBody: ((Int, [UInt8]) -> Bool)?

        init(
            bodyBytesMax: Int,
            onBody: ((Int, [UInt8]) -> Bool)?,
            cancellation: HTTPCancellation?
        ) {
            self.bodyBytesMax = bodyBytesMax
            self.onBody = onBody
            self.cancellation = cancellation
        }

        static func from(_ context: UnsafeMutableRawPointer?) -> Transfer {
            guard let context = unsafe context else { preconditionFailure("no transfer") }
            // SAFETY: the pointer was made of a Transfer that lives until perform returns.
            return unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
        }

        /// - Returns: The bytes taken; fewer than given ends the exchange.
        func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Int {
            if cancellation?.isCancelled == true {
                isStopped = true
                return 0
            }
            if let onBody {
                guard onBody(status, unsafe Array(bytes)) else {
                    isStopped = true
                    return 0
                }
                return bytes.count
            }
            guard bytes.count <= bodyBytesMax - body.count else {
                isOverLimit = true
                return 0
            }
            unsafe body.append(contentsOf: bytes)
            return bytes.count
        }

        func receiveHeader(_ bytes: UnsafeRawBufferPointer) -> Int {
            let line = unsafe String(decoding: bytes, as: UTF8.self)
            if line.hasPrefix("HTTP/") {
                // A new head: what an interim 1xx answer said is void.
                headers.removeAll()
                let code = line.split(separator: " ", maxSplits: 2).dropFirst().first
                status = code.flatMap { Int($0.prefix(3)) } ?? 0
            } else if let colon = line.firstIndex(of: ":") {
                let value = line[line.index(after: colon)...]
                headers.append((line[..<colon].lowercased(), Self.trimmed(value)))
            }
            return bytes.count
        }

        private static func trimmed(_ text: Substring) -> String {
            var text = text
            while let first = text.first, first.isWhitespace { text.removeFirst() }
            while let last = text.last, last.isWhitespace { text.removeLast() }
            return String(text)
        }
    }
}
