import Glibc
import Testing
import WeirHTTP
import WeirSystem

@Suite struct TLSTests {
    /// A self-signed pair for 127.0.0.1, made by the `openssl` command; nil where there is none.
    private static func makePair(in folder: String) throws -> (certificate: String, key: String)? {
        let command =
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 "
            + "-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 "
            + "-keyout \(folder)/key.pem -out \(folder)/cert.pem >/dev/null 2>&1"
        guard unsafe system(command) == 0 else { return nil }
        let files = HostFileSystem()
        return (
            String(
                decoding: try files.readFile("\(folder)/cert.pem", bytesMax: 1 << 20),
                as: UTF8.self
            ),
            String(
                decoding: try files.readFile("\(folder)/key.pem", bytesMax: 1 << 20),
                as: UTF8.self
            )
        )
    }

    @Test func aCertificateAndAKeyGiveTLS() throws {
        let folder = "/tmp/weir-tls-\(getpid())-\(Stopwatch.monotonicNanoseconds())"
        let files = HostFileSystem()
        try files.createDirectories(folder)
        defer {
            for name in ["cert.pem", "key.pem"] { try? files.removeFile("\(folder)/\(name)") }
            try? files.removeDirectory(folder)
        }
        guard let pair = try Self.makePair(in: folder) else {
            print("skipped: there is no openssl command to make a certificate with")
            return
        }
        let server = try startServer(
            configure: {
                $0.tlsCertificate = pair.certificate
                $0.tlsKey = pair.key
            },
            handle: { exchange in
                exchange.respond(.text("\(exchange.head.isTLS) \(exchange.body.count)"))
            }
        )
        defer { server.stop(drainSeconds: 1) }
        let url = "https://127.0.0.1:\(server.port)/"
        let trusting = HTTPClient(certificateAuthorityFile: "\(folder)/cert.pem")
        for _ in 0..<3 {
            let response = try trusting.send(
                HTTPClientRequest(
                    method: "POST",
                    url: url,
                    body: [UInt8](repeating: 1, count: 200_000)
                )
            )
            #expect(response.body == Array("true 200000".utf8))
        }
        #expect(throws: HTTPClientError.self) { try HTTPClient().send(HTTPClientRequest(url: url)) }
    }

    @Test func aHalfOfAPairIsRefused() {
        for (certificate, key) in [("x", nil), (nil, "x"), ("x", "y")] as [(String?, String?)] {
            #expect(throws: HTTPServerError.self) {
                _ = try startServer(
                    configure: {
                        $0.tlsCertificate = certificate
                        $0.tlsKey = key
                    },
                    handle: echo
                )
            }
        }
    }
}
