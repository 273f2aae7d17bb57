/// How each service writes: JSON, logfmt or plain text, with templates of its own.
struct LogVoice {
    let moment: ShopMoment
    private var record = LogRecord()
    private var line: [UInt8] = []

    init(moment: ShopMoment) { self.moment = moment }

    mutating func append(_ event: LogModel.Event, time: Int64, to output: inout [UInt8]) {
        let request = ShopRequest(event, time: time, moment: moment)
        var noise = request.noise
        record.begin(time: time, service: request.service.name, host: request.host)
        switch request.service.name {
        case "gateway": access(request, &noise)
        case "cart", "search", "related": logfmt(request, &noise)
        case "inventory", "shipping", "email": plain(request, &noise)
        case "payment": payment(request, &noise)
        case "checkout": checkout(request, &noise)
        default: structured(request, &noise)
        }
        record.end(to: &output)
    }

    // MARK: - JSON

    private mutating func access(_ request: ShopRequest, _ noise: inout ShopNoise) {
        let status = request.isFailure ? 503 : noise.uniform() < 0.012 ? 404 : 200
        record.text("level", request.isFailure ? "error" : status == 404 ? "warn" : "info")
        line.removeAll(keepingCapacity: true)
        add("\(request.route.method) \(request.route.path) \(status) in ")
        LogStamp.append(Int(request.milliseconds), to: &line)
        add(" ms")
        record.text("message", line)
        record.text("method", request.route.method)
        record.text("path", request.route.path)
        record.number("status", status)
        record.decimal("duration_ms", request.milliseconds)
        record.number("bytes", 200 + noise.below(48_000))
        address("client_ip", request)
        trace(request)
    }

    private mutating func payment(_ request: ShopRequest, _ noise: inout ShopNoise) {
        line.removeAll(keepingCapacity: true)
        if request.isFailure {
            record.text("severity", "ERROR")
            if moment.paymentTrouble > 0, noise.uniform() < 0.7 {
                add("provider payvia answered 504 after ")
                LogStamp.append(Int(request.milliseconds), to: &line)
                add(" ms, giving up after 3 attempts")
                record.text("message", line)
                record.text("error", "ProviderTimeout")
            } else {
                record.text("message", "card declined by issuer: do not honour")
                record.text("error", "CardDeclined")
            }
            record.text("provider", "payvia")
        } else {
            let isSlow = request.milliseconds > 900
            record.text("severity", isSlow ? "WARN" : "INFO")
            add(isSlow ? "slow charge of " : "charged ")
            LogStamp.append(Double(500 + request.item) / 50, to: &line)
            add(" EUR in ")
            LogStamp.append(Int(request.milliseconds), to: &line)
            add(" ms")
            record.text("message", line)
            record.decimal("amount", Double(500 + request.item) / 50)
        }
        record.number("user_id", request.user)
        record.decimal("duration_ms", request.milliseconds)
        trace(request)
    }

    private mutating func checkout(_ request: ShopRequest, _ noise: inout ShopNoise) {
        line.removeAll(keepingCapacity: true)
        if request.isFailure {
            record.text("level", "error")
            add("order for user ")
            LogStamp.append(request.user, to: &line)
            add(" failed: payment unavailable")
            add("\nshop.PaymentUnavailable: POST http://payment/charge: status 503")
            for frame in Self.frames { add("\n\tat shop.checkout.\(frame)") }
            add("\nCaused by: java.net.SocketTimeoutException: Read timed out")
            add("\n\tat java.net.SocketInputStream.read(SocketInputStream.java:171)")
            record.text("message", line)
            record.text("error", "PaymentUnavailable")
        } else {
            record.text("level", "info")
            add("order o-")
            LogStamp.append(100_000 + noise.below(900_000), to: &line)
            add(" placed by user ")
            LogStamp.append(request.user, to: &line)
            add(": ")
            LogStamp.append(1 + request.item % 7, to: &line)
            add(" items")
            record.text("message", line)
            record.number("items", 1 + request.item % 7)
            record.boolean("first_order", request.user % 11 == 0)
        }
        record.number("user_id", request.user)
        record.text("path", request.route.path)
        record.decimal("duration_ms", request.milliseconds)
        trace(request)
    }

    private mutating func structured(_ request: ShopRequest, _ noise: inout ShopNoise) {
        line.removeAll(keepingCapacity: true)
        switch (request.service.name, request.isFailure) {
        case ("catalog", true):
            record.text("level", "error")
            add("query on products timed out after ")
            LogStamp.append(Int(request.milliseconds) + 5000, to: &line)
            add(" ms: SELECT * FROM products WHERE id = ")
            LogStamp.append(request.item, to: &line)
        case ("catalog", false):
            let isMiss = noise.uniform() > 0.9 * moment.cacheWarmth
            record.text("level", isMiss && moment.cacheWarmth < 0.7 ? "warn" : "debug")
            add(isMiss ? "cache miss for product:" : "cache hit for product:")
            LogStamp.append(request.item, to: &line)
        case ("users", true):
            record.text("level", "error")
            add("session store refused connection for user ")
            LogStamp.append(request.user, to: &line)
        case ("users", false):
            let isFailed = noise.uniform() < 0.06
            record.text("level", isFailed ? "warn" : "info")
            add(isFailed ? "failed login for user " : "user ")
            LogStamp.append(request.user, to: &line)
            add(isFailed ? " from " : " logged in from ")
            appendAddress(request)
        default:
            record.text("level", request.isFailure ? "error" : "info")
            add(request.isFailure ? "model did not answer, score defaulted to " : "scored ")
            LogStamp.append(noise.uniform(), to: &line)
            add(" for user ")
            LogStamp.append(request.user, to: &line)
        }
        record.text("message", line)
        record.text("path", request.route.path)
        record.decimal("duration_ms", request.milliseconds)
        record.number("user_id", request.user)
        address("client_ip", request)
        trace(request)
    }

    // MARK: - Text

    private mutating func logfmt(_ request: ShopRequest, _ noise: inout ShopNoise) {
        line.removeAll(keepingCapacity: true)
        let isSlow = request.milliseconds > request.route.medianSeconds * 2200
        add("level=\(request.isFailure ? "error" : isSlow ? "warn" : "info")")
        if request.isFailure {
            add(" msg=\"upstream refused\" err=\"connection refused\"")
        } else {
            add(isSlow ? " msg=\"slow request\"" : " msg=\"request served\"")
        }
        add(" method=\(request.route.method) path=\(request.route.path) user=")
        LogStamp.append(request.user, to: &line)
        add(" results=")
        LogStamp.append(noise.below(60), to: &line)
        add(" duration=")
        LogStamp.append(request.milliseconds, to: &line)
        add("ms")
        record.text("message", line)
    }

    private mutating func plain(_ request: ShopRequest, _ noise: inout ShopNoise) {
        line.removeAll(keepingCapacity: true)
        LogStamp.append(request.time, separator: 0x20, digits: 3, to: &line)
        switch (request.service.name, request.isFailure) {
        case ("inventory", false):
            add(" INFO  [pool-3-thread-")
            LogStamp.append(1 + noise.below(16), to: &line)
            add("] StockService - reserved ")
            LogStamp.append(1 + noise.below(5), to: &line)
            add(" of sku-")
            LogStamp.append(request.item, to: &line)
            add(", took ")
            LogStamp.append(Int(request.milliseconds), to: &line)
            add(" ms")
        case ("inventory", true):
            add(" ERROR [pool-3-thread-")
            LogStamp.append(1 + noise.below(16), to: &line)
            add("] StockService - deadlock found when locking sku-")
            LogStamp.append(request.item, to: &line)
        case ("shipping", false):
            add(" INFO shipping.rates: label for parcel ")
            LogStamp.append(100_000 + request.item, to: &line)
            add(" printed")
        case ("shipping", true):
            add(" ERROR shipping.rates: no rate for parcel ")
            LogStamp.append(100_000 + request.item, to: &line)
            add("\nTraceback (most recent call last):")
            add("\n  File \"/srv/shipping/rates.py\", line 88, in quote")
            add("\n    return carrier.rate(parcel)")
            add("\nCarrierError: zone unknown")
        case (_, false):
            add(" INFO mailer: sent order confirmation to user ")
            LogStamp.append(request.user, to: &line)
        default:
            add(" ERROR mailer: worker ")
            LogStamp.append(1 + noise.below(8), to: &line)
            add(" lost: broken pipe; ")
            LogStamp.append(noise.below(2000), to: &line)
            add(" messages wait")
        }
        record.text("message", line)
        if request.service.name == "email" { trace(request) }
    }

    // MARK: - Parts

    private static let frames = [
        "PaymentClient.charge(PaymentClient.java:112)", "OrderService.pay(OrderService.java:77)",
        "OrderService.place(OrderService.java:41)", "OrdersResource.post(OrdersResource.java:29)",
    ]

    private mutating func add(_ text: String) { line.append(contentsOf: text.utf8) }

    private mutating func trace(_ request: ShopRequest) {
        // A request that is not sampled has no trace to go to.
        guard request.isSampled else { return }
        line.removeAll(keepingCapacity: true)
        LogStamp.appendHex(request.traceHigh, to: &line)
        LogStamp.appendHex(request.traceLow, to: &line)
        record.text("trace_id", line)
        line.removeAll(keepingCapacity: true)
        LogStamp.appendHex(request.spanID, to: &line)
        record.text("span_id", line)
    }

    private mutating func address(_ name: String, _ request: ShopRequest) {
        line.removeAll(keepingCapacity: true)
        appendAddress(request)
        record.text(name, line)
    }

    private mutating func appendAddress(_ request: ShopRequest) {
        for (place, part) in request.address.enumerated() {
            if place > 0 { line.append(UInt8(ascii: ".")) }
            LogStamp.append(part, to: &line)
        }
    }
}
