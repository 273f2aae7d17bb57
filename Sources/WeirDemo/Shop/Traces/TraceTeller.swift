/// Makes the trace of a request: who called whom, for how long, and what went wrong.
///
/// The span of the service that writes the log line ends when the line is written, takes as long as
/// the line says, and has the id that the line has.
struct TraceTeller {
    let moment: ShopMoment
    var spans: [ShopSpan] = []
    var noise = ShopNoise(seed: 0)
    private var flow: UInt64 = 0
    private var instance = 0
    private var place: UInt64 = 100
    private var seen: Set<Int> = []

    static let gateway = ShopTopology.index(of: "gateway")

    init(moment: ShopMoment) { self.moment = moment }

    /// Adds a request's trace.
    ///
    /// `echo`: When checkout writes a line about the same failure, in nanoseconds since 1970.
    mutating func tell(_ request: ShopRequest, echo: Int64?, to writer: inout SpanWriter) {
        begin(flow: request.flow, instance: request.instance)
        noise = request.noise
        let length = Int64(request.milliseconds * 1_000_000)
        let main: Int
        switch request.service.name {
        case "gateway":
            main = addRoot(request.route, request, from: 0, to: length)
            addPage(main, request)
        case "checkout", "payment", "fraud", "inventory", "email":
            main = addOrder(request, length, echo: echo.map { $0 - request.time } ?? 0)
        default:
            let start = ms(0.4 + 2 * noise.uniform())
            let root = addRoot(
                ShopTopology.services[Self.gateway].routes[1],
                request,
                from: 0,
                to: start + length + ms(1.5)
            )
            main = call(
                from: root,
                request.serviceIndex,
                request.route,
                at: start,
                for: length,
                failure: request.isFailure ? failureText(request.service.name) : nil
            )
            addInside(main, request)
        }
        if request.isFailure, spans[0].failure == nil, main != 0, flow % 4 != 0 {
            fail(0, status: 502, "upstream \(request.service.name) failed")
        }
        // A sender that lost a span leaves its children without a parent.
        if flow % 61 == 0, spans.count > 4, spans[1].kind == .client { spans.remove(at: 1) }
        guard let end = spans.first(where: { $0.id == request.spanID })?.end else { return }
        // The line is written just before the span ends.
        writer.append(
            spans,
            traceHigh: request.traceHigh,
            traceLow: request.traceLow,
            origin: request.time - end + 60_000
        )
    }

    private mutating func begin(flow: UInt64, instance: Int) {
        self.flow = flow
        self.instance = instance
        spans.removeAll(keepingCapacity: true)
        seen.removeAll(keepingCapacity: true)
        place = 100
    }

    /// A job that reads everything and indexes it anew: many hundred spans.
    mutating func tellBatch(seed: UInt64, endSeconds: Int64, to writer: inout SpanWriter) {
        var chance = ShopNoise(seed: seed ^ UInt64(bitPattern: endSeconds))
        begin(flow: chance.bits(), instance: chance.below(3))
        noise = chance
        let search = ShopTopology.index(of: "search")
        let root = add(parent: nil, search, "reindex products", .inner, from: 0, to: 0)
        spans[root].attributes = [
            .init("job.name", "reindex"), .init("job.pages", 24),
            .init("job.trigger", "schedule"),
        ]
        var time = ms(3)
        for page in 0..<24 {
            let load = add(parent: root, search, "load page", .inner, from: time, to: 0)
            spans[load].attributes = [.init("page", page)]
            time += ms(0.5)
            for row in 0..<30 {
                let took = ms(2 + 3 * noise.uniform() + 12 * (1 - moment.cacheWarmth))
                let query = addQuery(load, "SELECT", "products", at: time, for: took)
                spans[query].attributes.append(.init("product.batch", page * 30 + row))
                time += took + ms(0.15)
            }
            let bulk = ms(18 + 20 * noise.uniform())
            addClient(
                load,
                "POST products/_bulk",
                at: time,
                for: bulk,
                [
                    .init("db.system", "opensearch"), .init("db.name", "products"),
                    .init("db.operation", "bulk"), .init("db.response.returned_rows", 300),
                ]
            )
            time += bulk + ms(0.4)
            spans[load].end = time
            // Nothing says what happens here.
            time += page == 11 ? ms(420) : ms(0.8)
        }
        spans[root].end = time
        writer.append(
            spans,
            traceHigh: chance.bits(),
            traceLow: chance.bits(),
            origin: endSeconds * 1_000_000_000 - time
        )
    }

    // MARK: Parts

    /// Nanoseconds.
    func ms(_ milliseconds: Double) -> Int64 { Int64(milliseconds * 1_000_000) }

    func length(_ index: Int) -> Int64 { spans[index].end - spans[index].start }

    /// The first span of a service has the id that its log line would have.
    private mutating func nextID(_ service: Int, isServer: Bool) -> UInt64 {
        if isServer, seen.insert(service).inserted {
            return ShopRequest.spanID(flow: flow, service: service)
        }
        place += 1
        return ShopRequest.id(flow: flow, place: place)
    }

    @discardableResult
    mutating func add(
        parent: Int?,
        _ service: Int,
        _ name: String,
        _ kind: ShopSpan.Kind,
        from start: Int64,
        to end: Int64
    ) -> Int {
        let isServer = kind == .server || kind == .consumer
        spans.append(
            ShopSpan(
                id: nextID(service, isServer: isServer),
                parent: parent.map { spans[$0].id } ?? 0,
                service: service,
                instance: instance,
                name: name,
                kind: kind,
                start: start,
                end: end
            )
        )
        return spans.count - 1
    }

    /// The gateway's span, at which the trace begins.
    mutating func addRoot(
        _ route: ShopTopology.Route,
        _ request: ShopRequest,
        from start: Int64,
        to end: Int64
    ) -> Int {
        let root = add(
            parent: nil,
            Self.gateway,
            "\(route.method) \(route.path)",
            .server,
            from: start,
            to: end
        )
        let address = request.address.map(String.init).joined(separator: ".")
        spans[root].attributes = [
            .init("http.request.method", route.method), .init("http.route", route.path),
            .init("http.response.status_code", 200), .init("client.address", address),
            .init("user.id", request.user),
            .init("user_agent.original", request.user % 3 == 0 ? "shop-ios/9.1" : "Mozilla/5.0"),
        ]
        if request.isFailure, request.service.name == "gateway" {
            fail(root, status: 503, "no upstream is healthy")
        }
        return root
    }

    /// A request to another service: the caller's span and the callee's.
    ///
    /// Returns the callee's, which lasts `length`.
    mutating func call(
        from caller: Int,
        _ service: Int,
        _ route: ShopTopology.Route,
        at start: Int64,
        for length: Int64,
        failure: String? = nil
    ) -> Int {
        let name = "\(route.method) \(route.path)"
        let network = ms(0.15 + 0.5 * noise.uniform())
        let client = add(
            parent: caller,
            spans[caller].service,
            name,
            .client,
            from: start,
            to: start + length + 2 * network
        )
        let callee = ShopTopology.services[service].name
        spans[client].attributes = [
            .init("http.request.method", route.method), .init("server.address", callee),
            .init("server.port", 8080), .init("http.response.status_code", 200),
        ]
        let server = add(
            parent: client,
            service,
            name,
            .server,
            from: start + network,
            to: start + network + length
        )
        spans[server].attributes = [
            .init("http.request.method", route.method), .init("http.route", route.path),
            .init("http.response.status_code", route.method == "POST" ? 201 : 200),
        ]
        if let failure {
            fail(server, status: 503, failure)
            fail(client, status: 503, "")
        }
        return server
    }

    @discardableResult
    mutating func addClient(
        _ parent: Int,
        _ name: String,
        at start: Int64,
        for length: Int64,
        _ attributes: [ShopSpan.Attribute]
    ) -> Int {
        let span = add(
            parent: parent,
            spans[parent].service,
            name,
            .client,
            from: start,
            to: start + length
        )
        spans[span].attributes = attributes
        return span
    }

    @discardableResult
    mutating func addQuery(
        _ parent: Int,
        _ operation: String,
        _ table: String,
        at start: Int64,
        for length: Int64
    ) -> Int {
        let statement =
            switch operation {
            case "SELECT": "SELECT * FROM \(table) WHERE id = $1"
            case "INSERT": "INSERT INTO \(table) (id, user_id, total) VALUES ($1, $2, $3)"
            default: "UPDATE \(table) SET reserved = reserved + $1 WHERE sku = $2"
            }
        return addClient(
            parent,
            "\(operation) \(table)",
            at: start,
            for: length,
            [
                .init("db.system", "postgresql"), .init("db.name", table),
                .init("db.operation", operation), .init("db.statement", statement),
                .init("db.response.returned_rows", 1 + noise.below(40)),
            ]
        )
    }

    mutating func addCache(_ parent: Int, _ key: String, at start: Int64, isHit: Bool) -> Int64 {
        let length = ms(0.25 + 0.6 * noise.uniform())
        addClient(
            parent,
            "GET \(key)",
            at: start,
            for: length,
            [
                .init("db.system", "redis"), .init("db.name", key), .init("db.operation", "GET"),
                .init("cache.hit", .flag(isHit)),
            ]
        )
        return start + length
    }

    mutating func fail(_ span: Int, status: Int, _ text: String) {
        spans[span].failure = text
        for index in spans[span].attributes.indices
        where spans[span].attributes[index].name == "http.response.status_code" {
            spans[span].attributes[index] = .init("http.response.status_code", status)
        }
    }

    /// An exception just before the span's end.
    mutating func raise(_ span: Int, _ type: String, _ text: String, _ frames: [String]) {
        let trace = ["\(type): \(text)"] + frames.map { "\tat \($0)" }
        spans[span].events.append(
            ShopSpan.Event(
                name: "exception",
                time: spans[span].end - ms(0.08),
                attributes: [
                    .init("exception.type", type), .init("exception.message", text),
                    .init("exception.stacktrace", trace.joined(separator: "\n")),
                ]
            )
        )
    }

    func failureText(_ service: String) -> String {
        switch service {
        case "catalog": "query on products timed out"
        case "users": "session store refused connection"
        case "shipping": "no rate for parcel: zone unknown"
        case "cart", "search", "related": "upstream refused: connection refused"
        case "inventory": "deadlock found"
        case "fraud": "model did not answer"
        case "email": "worker lost: broken pipe"
        default: "failed"
        }
    }
}
