/// Traces of a simulated shop, as OTLP protobuf: requests of 500 spans in the order in which spans
/// end, grouped by the process that sends them, as a collector does.
struct SpanData {
    private var numbers: SeededNumbers
    private let kinds: [String: SpanKind]
    /// A trace that is certainly there, and the value of an attribute that one span has.
    private(set) var someTraceID = ""
    private(set) var rareOrder = ""

    static let spansPerBody = 500
    private static let hostsPerService = 3
    /// A request begins each so many milliseconds.
    private static let agents = [
        "Mozilla/5.0 (X11; Linux x86_64) Firefox/143.0", "okhttp/5.1.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/605.1.15", "curl/8.14.1",
    ]
    private static let statuses = [200, 200, 200, 200, 200, 200, 200, 200, 200, 204, 404]

    private struct Made {
        let end: Int64
        /// Service and host.
        let process: Int
        let bytes: [UInt8]
    }

    private var services: [String] = []
    private var resources: [[UInt8]] = []

    init(seed: UInt64) {
        numbers = SeededNumbers(seed: seed)
        kinds = Dictionary(uniqueKeysWithValues: SpanKind.all.map { ($0.operation, $0) })
        for kind in SpanKind.all where !services.contains(kind.service) {
            services.append(kind.service)
        }
        for service in services {
            for host in 0..<Self.hostsPerService { resources.append(resource(service, host)) }
        }
    }

    var processCount: Int { resources.count }

    /// About `count` spans over twelve hours.
    static func set(count: Int, seed: UInt64) -> (data: SpanData, set: DataSet) {
        var data = SpanData(seed: seed)
        let start = DataSet.lastWholeDay()
        var waiting: [Made] = []
        var bodies: [[UInt8]] = []
        var made = 0
        // A trace has 21 spans in the mean; they are to fill half a day.
        let step = DataSet.day / 2 / Int64(max(1, count / 16))
        var time = start
        var end = start
        while made < count {
            data.appendTrace(at: time, to: &waiting)
            time += Int64(data.numbers.index(below: Int(step) * 2))
            guard waiting.count >= spansPerBody * 2 else { continue }
            // Those that have ended by now; some still run.
            waiting.sort { $0.end < $1.end }
            let body = Array(waiting.prefix(min(spansPerBody, count - made)))
            waiting.removeFirst(body.count)
            made += body.count
            end = max(end, body.last?.end ?? end)
            bodies.append(data.body(body))
        }
        let set = DataSet(
            name: "spans",
            bodies: bodies,
            sampleCount: made,
            seriesCount: data.processCount,
            start: start,
            end: end,
            path: "/v1/traces",
            contentType: "application/x-protobuf",
            signal: "traces"
        )
        return (data, set)
    }

    private mutating func appendTrace(at time: Int64, to made: inout [Made]) {
        let trace = (0..<16).map { _ in UInt8(numbers.index(below: 256)) }
        if someTraceID.isEmpty, time > DataSet.lastWholeDay() + DataSet.hour {
            someTraceID = trace.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        let root = SpanKind.roots[numbers.index(below: SpanKind.roots.count)]
        let user = "user-\(numbers.index(below: 50_000))"
        _ = appendSpan(root, trace, parent: [], user: user, at: time, to: &made)
    }

    /// - Returns: When the span ended.
    private mutating func appendSpan(
        _ operation: String,
        _ trace: [UInt8],
        parent: [UInt8],
        user: String,
        at start: Int64,
        to made: inout [Made]
    ) -> Int64 {
        guard let kind = kinds[operation] else { return start }
        let id = (0..<8).map { _ in UInt8(numbers.index(below: 256)) }
        let share = numbers.uniform()
        let own = Int64(share * share * share * Double(kind.ownMicroseconds) * 1000) + 20_000
        var now = start + own / 4 + Int64(numbers.index(below: 1000))
        for call in kind.calls where numbers.index(below: 100) < call.share {
            for _ in 0...numbers.index(below: call.countMax) {
                now = appendSpan(call.operation, trace, parent: id, user: user, at: now, to: &made)
                now += Int64(numbers.index(below: 30_000))
            }
        }
        let end = now + own * 3 / 4
        let isFailed = numbers.index(below: 200) == 0
        var span = Message()
        span.bytes(1, trace)
        span.bytes(2, id)
        if !parent.isEmpty { span.bytes(4, parent) }
        span.text(5, kind.name)
        span.varint(6, kind.role.rawValue)
        span.fixed(7, UInt64(start))
        span.fixed(8, UInt64(end))
        for attribute in kind.attributes {
            span.message(9, self.attribute(attribute, user: user, isFailed: isFailed))
        }
        if isFailed {
            var event = Message()
            event.fixed(1, UInt64(end - 5000))
            event.text(2, "exception")
            event.message(3, Self.attribute("exception.type", "ShopError"))
            event.message(3, Self.attribute("exception.message", "upstream \(kind.service) failed"))
            span.message(11, event)
            var status = Message()
            status.text(2, "upstream failed")
            status.varint(3, 2)
            span.message(15, status)
        }
        span.fixed32(16, 0x101)
        let process =
            (services.firstIndex(of: kind.service) ?? 0) * Self.hostsPerService
            + numbers.index(below: Self.hostsPerService)
        made.append(Made(end: end, process: process, bytes: span.bytes))
        return end
    }

    private mutating func attribute(
        _ attribute: SpanKind.Attribute,
        user: String,
        isFailed: Bool
    ) -> Message {
        let value = expand(attribute.value, user: user, isFailed: isFailed)
        if attribute.name == "order.id", rareOrder.isEmpty { rareOrder = value }
        var any = Message()
        switch attribute.kind {
        case .text: any.text(1, value)
        case .boolean: any.varint(2, value == "true" ? 1 : 0)
        case .whole: any.varint(3, UInt64(value) ?? 0)
        case .double: any.fixed(4, (Double(value) ?? 0).bitPattern)
        }
        var pair = Message()
        pair.text(1, attribute.name)
        pair.message(2, any)
        return pair
    }

    private mutating func expand(_ text: String, user: String, isFailed: Bool) -> String {
        guard let open = text.firstIndex(of: "{"),
            let close = text[open...].firstIndex(of: "}")
        else { return text }
        let parts = text[text.index(after: open)..<close].split(separator: ":")
        let limit = parts.count > 1 ? Int(parts[1]) ?? 1 : 1
        let value: String
        switch parts[0] {
        case "int": value = "\(numbers.index(below: limit))"
        case "id": value = "\(numbers.index(below: 20_000))"
        case "user": value = user
        case "sku": value = "SKU-\(10_000 + numbers.index(below: 3000))"
        case "ip": value = "10.2.\(numbers.index(below: 256)).\(numbers.index(below: 256))"
        case "uuid": value = uuid()
        case "agent": value = Self.agents[numbers.index(below: Self.agents.count)]
        case "thread": value = "\(20 + numbers.index(below: 64))"
        case "bool": value = numbers.index(below: 4) > 0 ? "true" : "false"
        case "float": value = "\(Double(numbers.index(below: 100_000)) / 100_000)"
        case "status":
            value = "\(isFailed ? 500 : Self.statuses[numbers.index(below: Self.statuses.count)])"
        default: value = ""
        }
        return text[..<open] + value + text[text.index(after: close)...]
    }

    private mutating func uuid() -> String {
        var text = ""
        for digits in [8, 4, 4, 4, 12] {
            if !text.isEmpty { text += "-" }
            for _ in 0..<digits { text += String(numbers.index(below: 16), radix: 16) }
        }
        return text
    }

    private mutating func resource(_ service: String, _ host: Int) -> [UInt8] {
        var resource = Message()
        let pod = "\(service)-7d9f\(host)b-\(numbers.index(below: 90_000))"
        let attributes = [
            ("service.name", service), ("service.version", "4.\(host).1"),
            ("service.instance.id", uuid()), ("host.name", "node-\(host)"),
            ("deployment.environment.name", "production"), ("k8s.pod.name", pod),
            ("k8s.namespace.name", "shop"), ("telemetry.sdk.name", "opentelemetry"),
            ("telemetry.sdk.language", "go"), ("telemetry.sdk.version", "1.38.0"),
        ]
        for (name, value) in attributes { resource.message(1, Self.attribute(name, value)) }
        return resource.bytes
    }

    private static func attribute(_ name: String, _ value: String) -> Message {
        var any = Message()
        any.text(1, value)
        var pair = Message()
        pair.text(1, name)
        pair.message(2, any)
        return pair
    }

    private func body(_ spans: [Made]) -> [UInt8] {
        var request = Message()
        for process in resources.indices {
            let own = spans.filter { $0.process == process }
            guard !own.isEmpty else { continue }
            var scope = Message()
            scope.text(1, "go.shop/\(services[process / Self.hostsPerService])")
            scope.text(2, "0.63.0")
            var scoped = Message()
            scoped.message(1, scope)
            for span in own { scoped.bytes(2, span.bytes) }
            var resourced = Message()
            resourced.bytes(1, resources[process])
            resourced.message(2, scoped)
            request.message(1, resourced)
        }
        return request.bytes
    }

    /// A protobuf message as it is written.
    private struct Message {
        private(set) var bytes: [UInt8] = []

        private mutating func put(_ value: UInt64) {
            var rest = value
            while rest >= 0x80 {
                bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            bytes.append(UInt8(rest))
        }

        mutating func varint(_ field: UInt64, _ value: UInt64) {
            put(field << 3)
            put(value)
        }

        mutating func fixed(_ field: UInt64, _ value: UInt64) {
            put(field << 3 | 1)
            for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value >> (shift * 8))) }
        }

        mutating func fixed32(_ field: UInt64, _ value: UInt32) {
            put(field << 3 | 5)
            for shift in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: value >> (shift * 8))) }
        }

        mutating func bytes(_ field: UInt64, _ value: [UInt8]) {
            put(field << 3 | 2)
            put(UInt64(value.count))
            bytes.append(contentsOf: value)
        }

        mutating func text(_ field: UInt64, _ value: String) { bytes(field, Array(value.utf8)) }
        mutating func message(_ field: UInt64, _ value: Message) { bytes(field, value.bytes) }
    }
}
