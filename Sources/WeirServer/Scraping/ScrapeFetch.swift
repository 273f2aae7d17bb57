internal import WeirCore
internal import WeirHTTP
internal import WeirSystem
internal import WeirWire

/// Asks one target for what it exposes, and reads it.
///
/// For one thread.
final class ScrapeFetch {
    private let job: ScrapeJob
    private let target: ScrapeTarget
    private let limits: MetricOptions
    private let client: HTTPClient
    /// By format, since each has escapes of its own.
    private var interners: [ExpositionFormat: SeriesInterner] = [:]

    init(_ job: ScrapeJob, _ target: ScrapeTarget, limits: MetricOptions) {
        self.job = job
        self.target = target
        self.limits = limits
        var certificate: (file: String, keyFile: String)?
        if let file = job.tls.certificateFile, let key = job.tls.keyFile {
            certificate = (file, key)
        }
        client = HTTPClient(
            bodyBytesMax: job.bodyBytesMax > 0 ? job.bodyBytesMax : 256 << 20,
            certificateAuthorityFile: job.tls.authorityFile,
            clientCertificate: certificate,
            verifiesServer: job.tls.verifiesServer,
            followsRedirects: job.followsRedirects
        )
    }

    /// What a target exposed, up to the damage in it.
    struct Answer {
        var batches: MetricBatches
        var damage: (line: Int, failure: ScrapeFailure)?
    }

    /// What the target exposes; samples without a time of their own get `time`.
    func scrape(
        time: Int64,
        cancellation: HTTPCancellation
    ) throws(ScrapeFailure) -> Answer {
        let response = try ask(cancellation)
        guard response.status == 200 else {
            throw ScrapeFailure("server returned HTTP status \(response.status)")
        }
        let type = response.header("content-type") ?? ""
        guard let form = Self.form(type) ?? job.fallbackProtocol else {
            throw ScrapeFailure(
                "received unsupported Content-Type \"\(type)\" and no fallback_scrape_protocol "
                    + "specified for target"
            )
        }
        return try parse(response.body, form, time: time)
    }

    private func ask(_ cancellation: HTTPCancellation) throws(ScrapeFailure) -> HTTPClientResponse {
        var headers = job.headers
        headers += [
            ("User-Agent", "Weir/\(WeirVersion.text)"),
            ("Accept", ScrapeProtocol.accept(job.protocols)),
            (
                "X-Prometheus-Scrape-Timeout-Seconds",
                Self.seconds(target.timeout)
            ),
        ]
        if !job.isCompressed { headers.append(("Accept-Encoding", "identity")) }
        if let authorization = try authorization() {
            headers.append(("Authorization", authorization))
        }
        do throws(HTTPClientError) {
            return try client.send(
                HTTPClientRequest(
                    url: target.url,
                    headers: headers,
                    timeoutSeconds: Double(target.timeout) / 1e9
                ),
                cancellation: cancellation
            )
        } catch {
            throw ScrapeFailure(Self.text(error))
        }
    }

    private static func seconds(_ nanoseconds: Int64) -> String {
        nanoseconds % 1_000_000_000 == 0
            ? String(nanoseconds / 1_000_000_000) : String(Double(nanoseconds) / 1e9)
    }

    private static func text(_ error: HTTPClientError) -> String {
        switch error {
        case .badURL(let url): "\"\(url)\" is no URL"
        case .unreachable(let url, let reason): "Get \"\(url)\": \(reason)"
        case .timedOut(let url, _): "Get \"\(url)\": context deadline exceeded"
        case .bodyTooLarge: "body size limit exceeded"
        case .cancelled(let url): "Get \"\(url)\": context canceled"
        }
    }

    private func authorization() throws(ScrapeFailure) -> String? {
        switch job.credentials {
        case nil: return nil
        case .basic(let user, let password):
            let pair = try "\(read(user)):\(read(password))"
            return "Basic " + Base64.encode(Array(pair.utf8))
        case .authorization(let scheme, let secret): return try "\(scheme) \(read(secret))"
        }
    }

    private func read(_ secret: ScrapeJob.Secret) throws(ScrapeFailure) -> String {
        switch secret {
        case .text(let text): return text
        case .file(let path):
            do throws(FileError) {
                let bytes = try HostFileSystem().readFile(path, bytesMax: 64 << 10)
                let text = String(decoding: bytes, as: UTF8.self)
                let start = text.drop { $0.isWhitespace }
                let end = start.reversed().drop { $0.isWhitespace }
                return String(end.reversed())
            } catch {
                throw ScrapeFailure("credentials: \(error.description)")
            }
        }
    }

    /// The form a media type stands for; nil when Prometheus would not know it.
    static func form(_ contentType: String) -> ScrapeProtocol? {
        let parts = contentType.split(separator: ";").map { part in
            part.filter { $0 != " " && $0 != "\"" }
        }
        switch parts.first?.lowercased() {
        case "application/openmetrics-text": return .openMetrics1
        case "text/plain": return .text0
        case "application/vnd.google.protobuf":
            let isFamily = parts.contains("proto=io.prometheus.client.MetricFamily")
            return isFamily && parts.contains("encoding=delimited") ? .protobuf : nil
        default: return nil
        }
    }

    private func parse(
        _ body: [UInt8],
        _ form: ScrapeProtocol,
        time: Int64
    ) throws(ScrapeFailure) -> Answer {
        let format: ExpositionFormat =
            [.openMetrics0, .openMetrics1].contains(form) ? .openMetrics : .prometheus
        var options = ExpositionOptions(format: format, now: time)
        options.limits = limits
        options.limits.now = time
        // Times too far ahead are left out one by one, in `ScrapedStreams`.
        options.limits.futureMax = .max
        options.honorsTimes = job.honorsTimestamps
        options.normalisesBounds = true
        var result: ExpositionResult
        if form == .protobuf {
            do throws(RemoteWriteError) {
                result = try ProtobufExpositionParser.parse(
                    body,
                    options: options,
                    keepsClassicBuckets: job.keepsClassicHistograms
                )
            } catch {
                throw ScrapeFailure(error.description)
            }
        } else {
            var interner = interners.removeValue(forKey: format) ?? SeriesInterner()
            result = ExpositionParser.parse(body, options: options, interner: &interner)
            interners[format] = interner
        }
        guard result.batches.rowCount <= RemoteWriteParser.rowsMax else {
            throw ScrapeFailure("more than \(RemoteWriteParser.rowsMax) samples")
        }
        if let refusal = result.batches.refusals.first {
            let failure = ScrapeFailure("line \(refusal.line): \(refusal.reason)")
            return Answer(batches: result.batches, damage: (refusal.line, failure))
        }
        if format == .openMetrics, !result.hasEnd {
            let failure = ScrapeFailure("data does not end with # EOF")
            return Answer(batches: result.batches, damage: (.max, failure))
        }
        return Answer(batches: result.batches)
    }
}
