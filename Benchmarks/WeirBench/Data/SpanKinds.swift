/// What one service of the benchmark's shop does for a request: a span with its attributes, and what
/// it calls.
///
/// Values have the placeholders of `SpanData.expand`: `{int:900}`, `{id}`, `{user}`, `{sku}`, `{ip}`,
/// `{uuid}`, `{agent}`, `{thread}`.
struct SpanKind: Sendable {
    enum Role: UInt64, Sendable {
        case `internal` = 1
        case server = 2
        case client = 3
        case producer = 4
        case consumer = 5
    }

    struct Attribute: Sendable {
        enum Kind: Sendable {
            case text
            case whole
            case boolean
            case double
        }
        let name: String
        let value: String
        let kind: Kind
    }

    /// A call of another operation: how often of a hundred, and at most how many times.
    struct Call: Sendable {
        let operation: String
        let share: Int
        let countMax: Int
    }

    let operation: String
    let service: String
    let name: String
    let role: Role
    /// Microseconds of its own, the most; mostly much less.
    let ownMicroseconds: Int
    let attributes: [Attribute]
    let calls: [Call]
}

extension SpanKind {
    private static func text(_ name: String, _ value: String) -> Attribute {
        Attribute(name: name, value: value, kind: .text)
    }

    private static func whole(_ name: String, _ value: String) -> Attribute {
        Attribute(name: name, value: value, kind: .whole)
    }

    private static func handler(
        _ operation: String,
        _ service: String,
        _ method: String,
        _ route: String,
        _ own: Int,
        _ calls: [Call]
    ) -> SpanKind {
        SpanKind(
            operation: operation,
            service: service,
            name: "\(method) \(route)",
            role: .server,
            ownMicroseconds: own,
            attributes: service == "frontend"
                ? [
                    text("http.request.method", method), text("http.route", route),
                    text("url.path", route), whole("http.response.status_code", "{status}"),
                    text("client.address", "{ip}"), text("user_agent.original", "{agent}"),
                ]
                : [
                    text("rpc.system", "grpc"), text("rpc.service", "shop.\(service)"),
                    whole("rpc.grpc.status_code", "0"), whole("thread.id", "{thread}"),
                ],
            calls: calls
        )
    }

    private static func query(_ operation: String, _ service: String, _ table: String) -> SpanKind {
        SpanKind(
            operation: operation,
            service: service,
            name: "SELECT shop.\(table)",
            role: .client,
            ownMicroseconds: 9000,
            attributes: [
                text("db.system", "postgresql"),
                text("db.collection.name", table),
                text("db.query.text", "SELECT * FROM \(table) WHERE id = $1"),
                text("server.address", "db-{int:3}.shop.internal"),
                whole("db.response.returned_rows", "{int:40}"),
            ],
            calls: []
        )
    }

    private static func cache(_ operation: String, _ service: String) -> SpanKind {
        SpanKind(
            operation: operation,
            service: service,
            name: "GET",
            role: .client,
            ownMicroseconds: 700,
            attributes: [
                text("db.system", "redis"),
                text("db.query.text", "GET {user}"),
                text("server.address", "cache.shop.internal"),
                Attribute(name: "cache.hit", value: "{bool}", kind: .boolean),
            ],
            calls: []
        )
    }

    private static func call(
        _ operation: String,
        _ service: String,
        _ peer: String,
        _ method: String,
        _ target: String
    ) -> SpanKind {
        SpanKind(
            operation: operation,
            service: service,
            name: method,
            role: .client,
            ownMicroseconds: 1500,
            attributes: [
                text("rpc.system", "grpc"), text("rpc.method", method),
                whole("rpc.grpc.status_code", "0"),
                text("server.address", "\(peer).shop.internal"), whole("server.port", "8443"),
            ],
            calls: [Call(operation: target, share: 100, countMax: 1)]
        )
    }

    private static func step(
        _ operation: String,
        _ service: String,
        _ name: String,
        _ attributes: [Attribute],
        _ calls: [Call] = []
    ) -> SpanKind {
        SpanKind(
            operation: operation,
            service: service,
            name: name,
            role: .internal,
            ownMicroseconds: 3000,
            attributes: attributes + [whole("thread.id", "{thread}")],
            calls: calls
        )
    }

    private static func calls(_ list: (String, Int, Int)...) -> [Call] {
        list.map { Call(operation: $0.0, share: $0.1, countMax: $0.2) }
    }

    /// The operations a request may begin with.
    static let roots = ["home", "home", "product", "product", "product", "cart", "checkout"]

    static let all: [SpanKind] = [
        handler(
            "home",
            "frontend",
            "GET",
            "/",
            9000,
            calls(("f.catalog", 100, 1), ("f.recommend", 80, 1), ("f.session", 100, 1))
        ),
        handler(
            "product",
            "frontend",
            "GET",
            "/product/{id}",
            7000,
            calls(("f.catalog", 100, 1), ("f.recommend", 60, 1), ("f.session", 100, 1))
        ),
        handler(
            "cart",
            "frontend",
            "POST",
            "/cart/{id}",
            8000,
            calls(("f.session", 100, 1), ("f.cart", 100, 1))
        ),
        handler(
            "checkout",
            "frontend",
            "POST",
            "/checkout",
            12000,
            calls(("f.session", 100, 1), ("f.cart", 100, 1), ("f.checkout", 100, 1))
        ),
        cache("f.session", "frontend"),
        call("f.catalog", "frontend", "catalog", "ListProducts", "catalog"),
        call("f.recommend", "frontend", "recommend", "Recommend", "recommend"),
        call("f.cart", "frontend", "cart", "AddItem", "cartAdd"),
        call("f.checkout", "frontend", "checkout", "PlaceOrder", "place"),
        handler(
            "catalog",
            "catalog",
            "POST",
            "/shop.catalog/ListProducts",
            4000,
            calls(("catalog.cache", 100, 1), ("catalog.db", 70, 3), ("catalog.render", 100, 1))
        ),
        cache("catalog.cache", "catalog"),
        query("catalog.db", "catalog", "products"),
        step("catalog.render", "catalog", "render", [text("product.sku", "{sku}")]),
        handler(
            "recommend",
            "recommend",
            "POST",
            "/shop.recommend/Recommend",
            15000,
            calls(("recommend.score", 100, 3), ("recommend.db", 100, 1))
        ),
        step(
            "recommend.score",
            "recommend",
            "score",
            [
                text("model.name", "als-{int:4}"),
                Attribute(name: "model.score", value: "{float}", kind: .double),
            ]
        ),
        query("recommend.db", "recommend", "views"),
        handler(
            "cartAdd",
            "cart",
            "POST",
            "/shop.cart/AddItem",
            3000,
            calls(("cart.cache", 100, 2), ("cart.db", 100, 1))
        ),
        cache("cart.cache", "cart"),
        query("cart.db", "cart", "cart_items"),
        handler(
            "place",
            "checkout",
            "POST",
            "/shop.checkout/PlaceOrder",
            9000,
            calls(
                ("place.validate", 100, 1),
                ("place.db", 100, 3),
                ("place.pay", 100, 1),
                ("place.ship", 100, 1),
                ("place.publish", 100, 1)
            )
        ),
        step(
            "place.validate",
            "checkout",
            "validate order",
            [
                text("order.id", "{uuid}"), whole("order.items", "{int:12}"),
                text("user.id", "{user}"),
            ]
        ),
        query("place.db", "checkout", "orders"),
        call("place.pay", "checkout", "payment", "Charge", "charge"),
        call("place.ship", "checkout", "shipping", "Quote", "quote"),
        SpanKind(
            operation: "place.publish",
            service: "checkout",
            name: "orders publish",
            role: .producer,
            ownMicroseconds: 900,
            attributes: [
                text("messaging.system", "rabbitmq"), text("messaging.destination.name", "orders"),
                text("messaging.message.id", "{uuid}"),
            ],
            calls: calls(("email", 100, 1))
        ),
        handler(
            "charge",
            "payment",
            "POST",
            "/shop.payment/Charge",
            60000,
            calls(("charge.risk", 100, 1), ("charge.db", 100, 2), ("charge.bank", 100, 1))
        ),
        step("charge.risk", "payment", "risk check", [text("user.id", "{user}")]),
        query("charge.db", "payment", "payments"),
        SpanKind(
            operation: "charge.bank",
            service: "payment",
            name: "POST",
            role: .client,
            ownMicroseconds: 300_000,
            attributes: [
                text("http.request.method", "POST"), text("server.address", "api.bank.example"),
                text("url.full", "https://api.bank.example/v2/charges/{uuid}"),
                whole("http.response.status_code", "{status}"),
            ],
            calls: []
        ),
        handler(
            "quote",
            "shipping",
            "POST",
            "/shop.shipping/Quote",
            5000,
            calls(("quote.db", 100, 1))
        ),
        query("quote.db", "shipping", "rates"),
        SpanKind(
            operation: "email",
            service: "email",
            name: "orders process",
            role: .consumer,
            ownMicroseconds: 30000,
            attributes: [
                text("messaging.system", "rabbitmq"), text("messaging.destination.name", "orders"),
                text("messaging.message.id", "{uuid}"), text("email.template", "order-confirmed"),
            ],
            calls: calls(("email.render", 100, 1))
        ),
        step("email.render", "email", "render template", [text("user.id", "{user}")]),
    ]
}
