extension TraceTeller {
    private func service(_ name: String) -> Int { ShopTopology.index(of: name) }

    private func route(_ service: Int, _ index: Int) -> ShopTopology.Route {
        ShopTopology.services[service].routes[index]
    }

    /// How long a request to another service takes now.
    private mutating func usual(_ service: Int, _ route: ShopTopology.Route) -> Int64 {
        ms(
            route.medianSeconds * 1000 * moment.slowness(of: service)
                * max(0.4, 1 + 0.35 * noise.normal())
        )
    }

    // MARK: Pages

    /// What the gateway asks others for.
    mutating func addPage(_ root: Int, _ request: ShopRequest) {
        let total = Double(length(root))
        if request.isFailure {
            let start = Int64(total * 0.1)
            let client = addClient(
                root,
                "GET /products",
                at: start,
                for: Int64(total * 0.7),
                [
                    .init("http.request.method", "GET"), .init("server.address", "catalog"),
                    .init("network.peer.port", 8080),
                ]
            )
            fail(client, status: 0, "connect: connection refused")
            raise(client, "ConnectError", "connect: connection refused", [])
            return
        }
        switch request.route.path {
        case "/home":
            let parts: [(String, Int, Double, Double)] = [
                ("users", 1, 0.04, 0.14), ("catalog", 0, 0.2, 0.5), ("related", 0, 0.24, 0.68),
            ]
            for (name, index, from, share) in parts {
                let other = service(name)
                let span = call(
                    from: root,
                    other,
                    route(other, index),
                    at: Int64(total * from),
                    for: Int64(total * share)
                )
                addInside(span, nil)
            }
        case "/api":
            let search = service("search")
            let span = call(
                from: root,
                search,
                route(search, request.user % 2),
                at: Int64(total * 0.06),
                for: Int64(total * 0.88)
            )
            addInside(span, nil)
        default: break
        }
    }

    // MARK: Orders

    private static let orders = ShopTopology.Route(
        method: "POST",
        path: "/api",
        share: 0,
        medianSeconds: 0
    )

    /// A request to checkout with all that it needs; the span that is told of is the one of the
    /// request's service.
    ///
    /// `echo`: How long after the request's line checkout writes its own, in nanoseconds.
    mutating func addOrder(_ request: ShopRequest, _ told: Int64, echo: Int64) -> Int {
        let checkout = service("checkout")
        let isCheckout = request.serviceIndex == checkout
        let order = route(
            checkout,
            isCheckout || request.service.name == "payment" ? request.routeIndex : 0
        )
        func length(_ name: String, _ usual: Int64) -> Int64 {
            request.service.name == name ? told : usual
        }
        let payment = service("payment")
        let charge = route(payment, request.service.name == "payment" ? request.routeIndex : 0)
        // Before anything is drawn: the log line draws the same first.
        let isTimeout =
            request.service.name == "payment" && request.isFailure && moment.paymentTrouble > 0
            && noise.uniform() < 0.7
        let cart = service("cart")
        let inventory = service("inventory")
        let fraud = service("fraud")
        var parts: [(service: Int, route: ShopTopology.Route, length: Int64)] = [
            (cart, route(cart, 0), usual(cart, route(cart, 0)))
        ]
        let stockRoute = route(
            inventory,
            request.service.name == "inventory" ? request.routeIndex : 1
        )
        for _ in 0..<(1 + request.item % 6) {
            parts.append((inventory, stockRoute, usual(inventory, stockRoute)))
        }
        if request.service.name == "inventory" { parts[1].length = told }
        parts.append((fraud, route(fraud, 0), length("fraud", usual(fraud, route(fraud, 0)))))
        if request.service.name != "email" || request.flow % 3 == 0 {
            parts.append((payment, charge, length("payment", usual(payment, charge))))
        }
        if isCheckout {
            // All of it has to fit into what the line says.
            let sum = parts.reduce(0) { $0 + $1.length }
            let room = Double(told) * 0.86
            for index in parts.indices {
                parts[index].length = Int64(
                    Double(parts[index].length) * room / Double(max(1, sum))
                )
            }
        }
        let lead = ms(1.2 + noise.uniform())
        let root = addRoot(Self.orders, request, from: 0, to: 0)
        let server = call(from: root, checkout, order, at: lead, for: 0)
        spans[server].attributes += [
            .init("user.id", request.user), .init("order.items", 1 + request.item % 7),
            .init("order.total", .decimal(Double(500 + request.item) / 50)),
            .init("order.coupons", .texts(request.user % 5 == 0 ? ["SPRING", "VIP"] : [])),
        ]
        var time = spans[server].start + ms(isCheckout ? 0.05 : 0.6)
        var main = server
        for part in parts {
            let isTold = part.service == request.serviceIndex && main == server
            let span = call(
                from: server,
                part.service,
                part.route,
                at: time,
                for: part.length,
                failure: isTold && request.isFailure && part.service != payment
                    ? failureText(request.service.name) : nil
            )
            if isTold, !isCheckout { main = span }
            if part.service == payment {
                let isFailure = isTold && request.isFailure || isCheckout && request.isFailure
                addPayment(span, request, isFailure: isFailure, isTimeout: isTimeout)
            } else {
                addInside(span, isTold ? request : nil)
            }
            // The caller's span, which was added just before.
            time = spans[span - 1].end + (isCheckout ? ms(0.02) : ms(0.5))
        }
        finishOrder(request, root, server, from: time, told: isCheckout ? told : nil, echo: echo)
        if request.service.name == "email" {
            main =
                spans.lastIndex { $0.service == request.serviceIndex && $0.kind == .consumer }
                ?? main
        }
        return main
    }

    /// What stands after the payment: the order is kept, and a mail is sent.
    private mutating func finishOrder(
        _ request: ShopRequest,
        _ root: Int,
        _ server: Int,
        from start: Int64,
        told: Int64?,
        echo: Int64
    ) {
        let isLost = request.isFailure && request.service.name != "email"
        var time = start
        let room = told.map { spans[server].start + $0 - start } ?? ms(12)
        if !isLost {
            addQuery(server, "INSERT", "orders", at: time, for: max(ms(0.1), room * 4 / 10))
            time += room / 2
            addPublish(server, request, at: time, for: max(ms(0.1), room / 5))
        }
        let client = server - 1
        let end = told.map { spans[server].start + $0 } ?? max(time + ms(2), start + echo + ms(4))
        spans[server].end = end
        spans[client].end = end + ms(0.4)
        spans[root].end = spans[client].end + ms(0.9)
        guard isLost, ["checkout", "payment"].contains(request.service.name) else { return }
        fail(server, status: 503, "order failed: payment unavailable")
        fail(client, status: 503, "")
        raise(
            server,
            "shop.PaymentUnavailable",
            "POST http://payment/charge: status 503",
            [
                "shop.checkout.PaymentClient.charge(PaymentClient.java:112)",
                "shop.checkout.OrderService.pay(OrderService.java:77)",
                "shop.checkout.OrdersResource.post(OrdersResource.java:29)",
            ]
        )
    }

    /// The order's mail: it waits in the queue, longer when the workers are dead.
    private mutating func addPublish(
        _ parent: Int,
        _ request: ShopRequest,
        at start: Int64,
        for length: Int64
    ) {
        let messaging: [ShopSpan.Attribute] = [
            .init("messaging.system", "rabbitmq"), .init("messaging.destination.name", "emails"),
            .init("messaging.message.body.size", 800 + request.item % 600),
        ]
        let publish = add(
            parent: parent,
            spans[parent].service,
            "publish emails",
            .producer,
            from: start,
            to: start + length
        )
        spans[publish].attributes = messaging
        let email = service("email")
        let isTold = request.serviceIndex == email
        let sending = route(email, isTold ? request.routeIndex : 1)
        let took = isTold ? ms(request.milliseconds) : usual(email, sending)
        let wait = ms(4 + 40 * noise.uniform() + 900 * moment.emailTrouble * noise.uniform())
        let consume = add(
            parent: publish,
            email,
            "process emails",
            .consumer,
            from: start + length + wait,
            to: start + length + wait + took
        )
        spans[consume].attributes = messaging
        spans[consume].link = spans[publish].id
        if isTold, request.isFailure { fail(consume, status: 0, failureText("email")) }
        let begin = spans[consume].start
        add(
            parent: consume,
            email,
            "render template",
            .inner,
            from: begin + took / 20,
            to: begin + took * 3 / 10
        )
        addClient(
            consume,
            "SMTP send",
            at: begin + took * 7 / 20,
            for: took * 6 / 10,
            [.init("peer.service", "smtp"), .init("server.address", "mail.shop.example")]
        )
    }

    /// The provider is asked, up to three times.
    private mutating func addPayment(
        _ span: Int,
        _ request: ShopRequest,
        isFailure: Bool,
        isTimeout: Bool
    ) {
        let total = length(span)
        spans[span].attributes += [
            .init("payment.provider", "payvia"), .init("user.id", request.user),
            .init("payment.amount", .decimal(Double(500 + request.item) / 50)),
        ]
        let start = spans[span].start
        let attempts: Int64 = isTimeout ? 3 : 1
        for attempt in 0..<attempts {
            let share = total * 9 / 10 / attempts
            let client = addClient(
                span,
                "POST /v1/charges",
                at: start + total / 20 + attempt * (share + total / 100),
                for: share,
                [
                    .init("http.request.method", "POST"), .init("peer.service", "payvia"),
                    .init("server.address", "api.payvia.example"),
                    .init("http.response.status_code", 200),
                    .init("http.request.resend_count", Int(attempt)),
                ]
            )
            if isTimeout { fail(client, status: 504, "504 Gateway Timeout") }
            if isTimeout, attempt > 0 {
                spans[span].events.append(
                    ShopSpan.Event(
                        name: "retry",
                        time: spans[client].start - ms(0.02),
                        attributes: [.init("attempt", Int(attempt) + 1)]
                    )
                )
            }
        }
        guard isFailure else { return }
        let kind = isTimeout ? "ProviderTimeout" : "CardDeclined"
        let text =
            isTimeout
            ? "provider payvia answered 504, giving up after 3 attempts"
            : "card declined by issuer: do not honour"
        fail(span, status: 503, text)
        let client = spans.firstIndex { $0.id == spans[span].parent }
        if let client { fail(client, status: 503, "") }
        raise(
            span,
            kind,
            text,
            ["payment.Gateway.charge(gateway.go:88)", "payment.Server.Charge(server.go:141)"]
        )
    }

    // MARK: Services

    /// What a service does while it answers; `request` when the log line is its own.
    mutating func addInside(_ span: Int, _ request: ShopRequest?) {
        let start = spans[span].start
        let total = length(span)
        let isFailure = request?.isFailure ?? false
        func at(_ share: Double) -> Int64 { start + Int64(Double(total) * share) }
        func part(_ share: Double) -> Int64 { Int64(Double(total) * share) }
        switch ShopTopology.services[spans[span].service].name {
        case "catalog": addCatalog(span, start, total, isFailure)
        case "search":
            let query = addClient(
                span,
                "POST products/_search",
                at: at(0.08),
                for: part(0.6),
                [
                    .init("db.system", "opensearch"), .init("db.name", "products"),
                    .init("db.operation", "search"),
                    .init("db.response.returned_rows", noise.below(60)),
                ]
            )
            if isFailure { fail(query, status: 0, "connection refused") }
            add(parent: span, spans[span].service, "rank", .inner, from: at(0.7), to: at(0.95))
        case "related":
            let time = addCache(span, "similar", at: at(0.04), isHit: !isFailure)
            add(
                parent: span,
                spans[span].service,
                "score candidates",
                .inner,
                from: min(time, at(0.5)),
                to: at(0.96)
            )
        case "users":
            _ = addCache(span, "sessions", at: at(0.05), isHit: !isFailure)
            guard total > ms(25) else { return }
            addQuery(span, "SELECT", "accounts", at: at(0.15), for: part(0.1))
            add(
                parent: span,
                spans[span].service,
                "verify password",
                .inner,
                from: at(0.3),
                to: at(0.92)
            )
        case "cart": _ = addCache(span, "carts", at: at(0.1), isHit: true)
        case "shipping":
            let carrier = addClient(
                span,
                "POST /rates",
                at: at(0.1),
                for: part(0.8),
                [
                    .init("peer.service", "carrier"), .init("http.request.method", "POST"),
                    .init("server.address", "api.carrier.example"),
                ]
            )
            if isFailure { fail(carrier, status: 422, "zone unknown") }
        case "inventory":
            let query = addQuery(span, "UPDATE", "stock", at: at(0.15), for: part(0.7))
            if isFailure {
                fail(query, status: 0, "deadlock detected")
                raise(query, "DeadlockDetected", "deadlock found when locking", [])
            }
        case "fraud":
            add(
                parent: span,
                spans[span].service,
                "load features",
                .inner,
                from: at(0.05),
                to: at(0.3)
            )
            add(parent: span, spans[span].service, "score", .inner, from: at(0.32), to: at(0.95))
        default: break
        }
    }

    /// The cache first; then a query, or one for each product when the cache is cold.
    private mutating func addCatalog(
        _ span: Int,
        _ start: Int64,
        _ total: Int64,
        _ isFailure: Bool
    ) {
        let isMiss = isFailure || noise.uniform() > 0.9 * moment.cacheWarmth
        var time = addCache(span, "products", at: start + total / 30, isHit: !isMiss)
        guard isMiss else { return }
        let count: Int64 = moment.cacheWarmth < 0.7 ? 6 + Int64(noise.below(14)) : 1
        let end = start + total * 19 / 20
        let each = max(ms(0.05), (end - time) / count)
        for index in 0..<count {
            let query = addQuery(span, "SELECT", "products", at: time, for: each * 9 / 10)
            if isFailure, index == count - 1 {
                let text = "canceling statement due to statement timeout"
                fail(query, status: 0, text)
                raise(query, "QueryCanceled", text, [])
            }
            time += each
        }
    }
}
