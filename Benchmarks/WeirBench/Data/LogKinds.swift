/// The sixteen kinds of services whose logs the benchmark makes, each with its own messages and
/// fields, in the manner of real ones.
///
/// A message is text with placeholders: `{int:900}` a number below 900, `{ip}`, `{uuid}`, `{hex:16}`,
/// `{path}`, `{user}`, `{word}`, `{float:90}`, `{host}`. A field is a name, a placeholder, and whether
/// it is a JSON string.
struct LogKind: Sendable {
    struct Message: Sendable {
        let weight: Int
        let level: String
        let text: String
    }

    struct Field: Sendable {
        let name: String
        let value: String
        let isText: Bool
    }

    let service: String
    /// Of a thousand lines, about how many are this kind's.
    let weight: Int
    let logger: String
    let messages: [Message]
    let fields: [Field]
}

extension LogKind {
    private static func text(_ name: String, _ value: String) -> Field {
        Field(name: name, value: value, isText: true)
    }

    private static func number(_ name: String, _ value: String) -> Field {
        Field(name: name, value: value, isText: false)
    }

    private static func info(_ weight: Int, _ text: String) -> Message {
        Message(weight: weight, level: "info", text: text)
    }

    private static func debug(_ weight: Int, _ text: String) -> Message {
        Message(weight: weight, level: "debug", text: text)
    }

    private static func warn(_ weight: Int, _ text: String) -> Message {
        Message(weight: weight, level: "warn", text: text)
    }

    private static func error(_ weight: Int, _ text: String) -> Message {
        Message(weight: weight, level: "error", text: text)
    }

    private static let request = [
        text("method", "{method}"), text("path", "{path}"), number("status", "{status}"),
        number("duration_ms", "{float:900}"), number("bytes", "{int:60000}"),
        text("client_ip", "{ip}"),
    ]

    static let javaStack =
        #"\n\tat com.shop.checkout.OrderService.place(OrderService.java:{int:400})"#
        + #"\n\tat com.shop.checkout.OrderController.post(OrderController.java:{int:200})"#
        + #"\n\tat org.framework.web.Dispatcher.invoke(Dispatcher.java:{int:900})"#
        + #"\n\tat java.base/java.lang.Thread.run(Thread.java:1583)"#

    private static let pythonStack =
        #"\n  File \"/app/recommend/model.py\", line {int:300}, in score"#
        + #"\n    return self.weights[user] @ items"#
        + #"\n  File \"/usr/lib/python3.12/site-packages/numpy/core.py\", line {int:900}, in dot"#

    static let all: [LogKind] = [
        LogKind(
            service: "edge-gateway",
            weight: 170,
            logger: "access",
            messages: [
                info(90, "{method} {path} {status} in {float:900}ms"),
                warn(6, "slow upstream {host}:8080 took {float:9000}ms for {path}"),
                error(2, "upstream {host}:8080 connection refused"),
            ],
            fields: request + [text("user_agent", "{agent}")]
        ),
        LogKind(
            service: "checkout",
            weight: 90,
            logger: "com.shop.checkout.OrderService",
            messages: [
                info(50, "order {uuid} placed by {user}, {int:9} items, total {float:400} EUR"),
                info(20, "reserved stock for order {uuid} in {int:90}ms"),
                warn(6, "retrying payment for order {uuid}, attempt {int:4} of 5"),
                error(2, "payment declined for order {uuid}: insufficient funds"),
                error(1, "java.lang.IllegalStateException: order {uuid} is closed" + javaStack),
            ],
            fields: [text("user_id", "{user}"), number("items", "{int:9}")]
        ),
        LogKind(
            service: "payments",
            weight: 70,
            logger: "payments.processor",
            messages: [
                info(50, "authorized {float:400} EUR on card ending {int:9999} via {word}"),
                info(20, "settlement batch {int:90000} closed with {int:900} captures"),
                warn(4, "provider {word} answered 503, backing off {int:900}ms"),
                error(2, "timeout after {int:9000}ms waiting for provider {word}"),
            ],
            fields: [
                text("provider", "{word}"), number("amount", "{float:400}"),
                text("payment_id", "{uuid}"),
            ]
        ),
        LogKind(
            service: "cart",
            weight: 70,
            logger: "cart.api",
            messages: [
                info(60, "added sku-{int:90000} to cart of {user}"),
                info(20, "cart of {user} now has {int:20} items"),
                warn(3, "sku-{int:90000} is out of stock"),
            ],
            fields: request
        ),
        LogKind(
            service: "catalog",
            weight: 80,
            logger: "catalog.search",
            messages: [
                info(60, "search q={word} hits={int:900} took={int:90}ms shard={int:12}"),
                debug(30, "cache hit key=catalog:{int:90000} age={int:300}s"),
                warn(2, "query for {word} rewrote to {int:40} terms"),
            ],
            fields: [
                number("hits", "{int:900}"), number("took_ms", "{int:90}"), text("query", "{word}"),
            ]
        ),
        LogKind(
            service: "recommend",
            weight: 40,
            logger: "recommend.model",
            messages: [
                info(60, "scored {int:300} candidates for {user} in {float:90}ms, top={float:1}"),
                error(2, "Traceback (most recent call last):" + pythonStack),
            ],
            fields: [text("model", "gbdt-v{int:4}"), number("score", "{float:1}")]
        ),
        LogKind(
            service: "auth",
            weight: 60,
            logger: "auth.session",
            messages: [
                info(60, "login of {user} from {ip} succeeded"),
                info(20, "token refreshed for session {hex:16}"),
                warn(6, "login of {user} from {ip} failed: bad password"),
                error(1, "account {user} locked after {int:9} failures"),
            ],
            fields: [text("client_ip", "{ip}"), text("session", "{hex:16}")]
        ),
        LogKind(
            service: "postgres",
            weight: 60,
            logger: "postgres",
            messages: [
                info(
                    40,
                    "duration: {float:90} ms  statement: SELECT * FROM orders WHERE id = {int:900000}"
                ),
                info(20, "checkpoint complete: wrote {int:9000} buffers; sync={float:1} s"),
                warn(
                    3,
                    "process {int:30000} still waiting for ShareLock on transaction {int:9000000} after {float:1000} ms"
                ),
                error(1, "duplicate key value violates unique constraint orders_pkey"),
            ],
            fields: [number("pid", "{int:30000}"), text("database", "shop")]
        ),
        LogKind(
            service: "redis",
            weight: 40,
            logger: "redis",
            messages: [
                info(40, "{int:900} changes in {int:60} seconds. Saving..."),
                info(20, "DB saved on disk, {float:90} MB in {float:3} s"),
                warn(4, "slowlog: {int:90000} us HGETALL cart:{int:90000}"),
            ],
            fields: [number("connected", "{int:400}")]
        ),
        LogKind(
            service: "kafka",
            weight: 60,
            logger: "kafka.server",
            messages: [
                info(
                    40,
                    "[GroupCoordinator {int:3}]: Member consumer-{int:40}-{uuid} in group orders has joined"
                ),
                info(
                    30,
                    "[Log partition=orders-{int:24}] Rolled new log segment at offset {int:90000000}"
                ),
                warn(
                    4,
                    "[ReplicaFetcher {int:3}] Connection to node {int:3} ({host}/{ip}:9092) was disconnected"
                ),
            ],
            fields: [text("topic", "orders"), number("partition", "{int:24}")]
        ),
        LogKind(
            service: "kubelet",
            weight: 60,
            logger: "kubelet",
            messages: [
                info(40, "SyncLoop UPDATE source=api pods=[shop/checkout-{hex:10}-{hex:6}]"),
                info(30, "probe succeeded for pod shop/cart-{hex:10} in {int:90}ms"),
                warn(
                    5,
                    "container runtime status check may not have completed yet, pleg took {float:9}s"
                ),
                error(
                    1,
                    "failed to pull image registry.shop/checkout:{hex:8}: context deadline exceeded"
                ),
            ],
            fields: [text("node", "{host}"), text("pod", "checkout-{hex:10}")]
        ),
        LogKind(
            service: "ingress",
            weight: 80,
            logger: "nginx",
            messages: [
                info(
                    90,
                    #"{ip} - - \"{method} {path} HTTP/1.1\" {status} {int:60000} rt={float:1}"#
                ),
                error(
                    2,
                    "upstream prematurely closed connection while reading response header, client: {ip}"
                ),
            ],
            fields: request
        ),
        LogKind(
            service: "shipping",
            weight: 40,
            logger: "shipping.labels",
            messages: [
                info(50, "label {hex:12} printed for order {uuid}"),
                info(20, "parcel {hex:12} handed to {word}, weight {float:20} kg"),
                warn(3, "address of {user} could not be verified"),
            ],
            fields: [text("carrier", "{word}"), text("order_id", "{uuid}")]
        ),
        LogKind(
            service: "mailer",
            weight: 30,
            logger: "mailer.queue",
            messages: [
                info(50, "sent template order-confirmation to {user} via {host} in {int:900}ms"),
                warn(4, "deferred message {hex:12}: 451 greylisted"),
            ],
            fields: [text("message_id", "<{hex:24}@shop.example>")]
        ),
        LogKind(
            service: "scheduler",
            weight: 30,
            logger: "cron",
            messages: [
                info(50, "job reindex-{word} finished in {float:90}s"),
                info(20, "next run of {word} in {int:600}s"),
                error(2, "job export-{word} exited with code {int:4}"),
            ],
            fields: [number("run", "{int:90000}")]
        ),
        LogKind(
            service: "worker",
            weight: 20,
            logger: "worker.pool",
            messages: [
                debug(50, "picked task {uuid} from queue {word}, {int:900} left"),
                info(20, "task {uuid} done in {int:9000}ms"),
                error(2, "task {uuid} failed: disk quota exceeded on {host}"),
            ],
            fields: [text("queue", "{word}"), number("attempt", "{int:4}")]
        ),
    ]
}
