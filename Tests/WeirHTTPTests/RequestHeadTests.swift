import Testing

@testable import WeirHTTP

@Suite struct RequestHeadTests {
    @Test func aTargetIsTakenApart() {
        let head = HTTPRequestHead(
            method: "GET",
            target: "/api/v1/label/a%2Fb%20c/values?match[]=up&match%5B%5D=x%3D1&e=&f&q=a+b%zz"
        )
        #expect(head.path == "/api/v1/label/a/b c/values")
        #expect(head.pathSegments == ["api", "v1", "label", "a/b c", "values"])
        #expect(head.query.all("match[]") == ["up", "x=1"])
        #expect(head.query["e"] == "")
        #expect(head.query["f"] == "")
        #expect(head.query["q"] == "a b%zz")
        #expect(head.query["none"] == nil)
        #expect(HTTPRequestHead(method: "GET", target: "/a+b").path == "/a+b")
        #expect(HTTPRequestHead(method: "GET", target: "/?").query.items.isEmpty)
        let absolute = HTTPRequestHead(method: "GET", target: "http://host:80/a/b?c=d")
        #expect(absolute.path == "/a/b")
        #expect(absolute.query["c"] == "d")
        #expect(HTTPRequestHead(method: "GET", target: "http://host").path == "/")
    }

    @Test(arguments: [
        ("gzip", true), ("deflate, gzip;q=0.5", true), ("gzip;q=0", false), ("*", true),
        ("identity", false), ("br, GZIP", true), ("", false),
    ])
    func gzipIsUsedWhenTaken(value: String, isTaken: Bool) {
        let head = HTTPRequestHead(
            method: "GET",
            target: "/",
            headers: [("accept-encoding", value)]
        )
        #expect(head.acceptsGzip == isTaken)
    }

    @Test func anEncodedTextIsDecodedToItself() {
        let text = "up{job=~\"a|b\"} / 100% + ä🙂"
        let encoded = PercentEncoding.encode(text)
        #expect(encoded.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
        #expect(PercentEncoding.decode(Array(encoded.utf8), plusIsSpace: true) == text)
    }

    @Test(arguments: [
        ("127.0.0.1:4040", "127.0.0.1", 4040), ("[::1]:0", "::1", 0), (":4040", "", 4040),
        ("*:80", "", 80), ("localhost:65535", "localhost", 65535),
    ])
    func listenAddressesAreRead(text: String, host: String, port: Int) throws {
        let address = try ListenAddress(parsing: text)
        #expect(address.host == host)
        #expect(Int(address.port) == port)
    }

    @Test(arguments: ["", "4040", "127.0.0.1", "::1:80", "a:b", "a:70000", "a:-1", "a:+1", "[]:1"])
    func otherAddressesAreRefused(text: String) {
        #expect(throws: HTTPServerError.badAddress(text)) { try ListenAddress(parsing: text) }
    }
}
