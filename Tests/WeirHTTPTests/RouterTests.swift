import Testing

@testable import WeirHTTP

@Suite struct RouterTests {
    private static let router: Router<Int> = {
        var router = Router<Int>()
        router.add("GET", "POST", at: "/api/v1/query", 1)
        router.add("GET", at: "/api/v1/label/{name}/values", 2)
        router.add("POST", at: "/write", 3)
        router.add("GET", at: "/files/{path...}", 4)
        router.add("GET", at: "/", 5)
        router.add("GET", at: "/api/v1/label/special/values", 6)
        return router
    }()

    @Test(arguments: [
        ("GET", "/api/v1/query", 1, [:]),
        ("POST", "/api/v1/query", 1, [:]),
        ("HEAD", "/api/v1/query", 1, [:]),
        ("GET", "/api/v1/query/", 1, [:]),
        ("GET", "/api/v1/label/job/values", 2, ["name": "job"]),
        ("GET", "/api/v1/label/special/values", 6, [:]),
        ("POST", "/write", 3, [:]),
        ("GET", "/files/a/b/c", 4, ["path": "a/b/c"]),
        ("GET", "/files", 4, ["path": ""]),
        ("GET", "/", 5, [:]),
    ])
    func routesAreFound(
        method: String,
        path: String,
        route: Int,
        parameters: [String: String]
    ) {
        guard case .found(let found, let bound) = Self.router.match(method: method, path: path)
        else {
            Issue.record("not found")
            return
        }
        #expect(found == route)
        #expect(bound == parameters)
    }

    @Test func aParameterMayHoldAnEscapedSlash() {
        let head = HTTPRequestHead(method: "GET", target: "/api/v1/label/app.io%2Fname/values")
        let match = Self.router.match(
            method: "GET",
            path: head.path,
            segments: head.pathSegments
        )
        guard case .found(2, let bound) = match else {
            Issue.record("not found")
            return
        }
        #expect(bound == ["name": "app.io/name"])
        #expect(
            Self.router.refusal(method: "GET", path: head.path, segments: head.pathSegments) == nil
        )
        #expect(Self.router.refusal(method: "GET", path: head.path)?.status == 404)
    }

    @Test func aWrongMethodNamesTheRightOnes() {
        let response = Self.router.refusal(method: "PUT", path: "/api/v1/query")
        #expect(response?.status == 405)
        #expect(response?.header("allow") == "GET, POST, HEAD, OPTIONS")
        #expect(
            Self.router.refusal(method: "GET", path: "/write")?.header("allow") == "POST, OPTIONS"
        )
        let options = Self.router.refusal(method: "OPTIONS", path: "/write")
        #expect(options?.status == 204)
        #expect(options?.header("allow") == "POST, OPTIONS")
    }

    @Test(arguments: [
        ("/api/v1/qury", "/api/v1/query"), ("/writ", "/write"), ("/Write", "/write"),
        ("/api/v1/label/values", "/api/v1/label/{name}/values"),
    ])
    func anUnknownPathHintsAtTheNearest(path: String, nearest: String) {
        guard case .notFound(let found) = Self.router.match(method: "GET", path: path) else {
            Issue.record("found")
            return
        }
        #expect(found == nearest)
    }

    @Test func aStrangePathHasNoNearest() {
        guard case .notFound(nil) = Self.router.match(method: "GET", path: "/wholly/elsewhere/x")
        else {
            Issue.record("found")
            return
        }
    }
}
