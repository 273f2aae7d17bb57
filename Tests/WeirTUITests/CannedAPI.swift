import Synchronization
import WeirCore
import WeirTUI

/// Answers made from arithmetic alone: the same on every machine, for any range and step.
final class CannedAPI: QueryAPI {
    static let now: Int64 = 1_764_000_000_000

    private struct State {
        var asked: [String] = []
        var failure: APIError?
    }

    private let state = Mutex(State())

    /// What was asked, as `path?name=value&…`.
    var asked: [String] { state.withLock { $0.asked } }

    /// Every call fails with this until it is nil again.
    func fail(with error: APIError?) { state.withLock { $0.failure = error } }

    func get(path: String, parameters: [(String, String)]) throws(APIError) -> JSONValue {
        let text = parameters.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
        let failure = state.withLock { state in
            state.asked.append("\(path)?\(text)")
            return state.failure
        }
        if let failure { throw failure }
        func parameter(_ name: String) -> String { parameters.first { $0.0 == name }?.1 ?? "" }
        let query = parameter("query")
        if let answer = try CannedTraces.answer(path, query: query + parameter("q")) {
            return answer
        }
        switch path {
        case "/api/v1/label/service/values": return Self.success("[\"cart\",\"pay\"]")
        case "/api/v1/label/__name__/values":
            return Self.success(
                "[\"http_requests_total\",\"http_errors_total\",\"up\",\"node_load1\"]"
            )
        case "/api/v1/alerts": return Self.success(Self.alerts)
        case "/api/v1/query_range", "/api/v1/query":
            guard !query.contains("broken(") else {
                throw .refused(
                    status: 400,
                    kind: "bad_data",
                    message:
                        "invalid parameter \"query\": 1:8: parse error: unexpected end of input"
                )
            }
            let isRange = path.hasSuffix("range")
            let start = Double(parameter(isRange ? "start" : "time")) ?? 0
            let end = isRange ? Double(parameter("end")) ?? 0 : start
            let step = isRange ? Double(parameter("step")) ?? 1 : 1
            return Self.answer(query, start: start, end: end, step: step, isRange: isRange)
        case "/loki/api/v1/query_range":
            return Self.answer(
                query,
                start: Double(parameter("start")) ?? 0,
                end: Double(parameter("end")) ?? 0,
                step: Double(parameter("step")) ?? 1,
                isRange: true
            )
        case "/api/v1/logs/hits": return CannedLogs.hits
        case "/api/v1/logs/facets": return CannedLogs.facets
        case "/api/v1/logs/patterns": return CannedLogs.patterns
        default: throw .refused(status: 404, kind: "not_found", message: path)
        }
    }

    func lines(path: String, parameters: [(String, String)]) throws(APIError) -> [[UInt8]] {
        let text = parameters.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
        let failure = state.withLock { state in
            state.asked.append("\(path)?\(text)")
            return state.failure
        }
        if let failure { throw failure }
        let query = parameters.first { $0.0 == "query" }?.1 ?? ""
        guard !query.contains("broken") else {
            throw .refused(
                status: 400,
                kind: "bad_query",
                message: "parse error at line 1, col 9: unexpected end of input"
            )
        }
        let limit = parameters.first { $0.0 == "limit" }.flatMap { Int($0.1) } ?? 100
        return CannedLogs.lines.suffix(limit).reversed()
    }

    private static func success(_ data: String) -> JSONValue {
        parse("{\"status\":\"success\",\"data\":\(data)}")
    }

    private static func parse(_ text: String) -> JSONValue {
        (try? JSONParser.parse(Array(text.utf8))) ?? .null
    }

    /// Goes from `low` to `high` and back in `period` seconds, quadratically.
    private static func wave(
        _ time: Double,
        _ period: Double,
        _ low: Double,
        _ high: Double
    )
        -> Double
    {
        let phase = (time / period) - (time / period).rounded(.down)
        let share = phase < 0.5 ? phase * 2 : 2 - phase * 2
        return low + (high - low) * share * share
    }

    private static func series(
        _ query: String
    ) -> [(labels: [(String, String)], value: (Double) -> Double?)] {
        if query.contains("by (route)") {
            return [("/cart", 900.0), ("/pay", 500), ("/quote", 120)].map { route, top in
                ([("route", route)], { wave($0, 1800 + top, top / 3, top) })
            }
        }
        if query.contains("errors_total") { return [([], { wave($0, 3000, 0.001, 0.03) })] }
        if query.contains("histogram_quantile") {
            return [
                (
                    [],
                    { time in
                        // Nothing was reported for ten minutes.
                        let age = Double(now) / 1000 - time
                        return age > 1200 && age < 1800 ? nil : wave(time, 2400, 0.1, 0.9)
                    }
                )
            ]
        }
        if query.contains("disk_used") {
            return [("db-1", 93.0), ("db-2", 41), ("web-1", 82)].map { name, value in
                ([("__name__", "disk_used_percent"), ("instance", name)], { _ in value })
            }
        }
        if query.contains("topk") {
            return [("/cart", 900.0), ("/pay", 510), ("/quote", 91), ("/日本", 12)].map {
                name,
                value in
                ([("route", name)], { _ in value })
            }
        }
        if query.contains("memory") {
            return (1...9).map { index in
                (
                    [
                        ("__name__", "process_resident_memory_bytes"),
                        ("instance", "web-\(index)"), ("job", "shop"),
                    ],
                    { _ in Double(index) * 50_000_000 }
                )
            }
        }
        if query.contains("up") {
            return ["a", "b"].map { name in
                ([("__name__", "up"), ("instance", name)], { wave($0, 1200, 0, 1) })
            }
        }
        return []
    }

    private static func answer(
        _ query: String,
        start: Double,
        end: Double,
        step: Double,
        isRange: Bool
    ) -> JSONValue {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("status", "success")
        writer.key("data")
        writer.beginObject()
        writer.member("resultType", isRange ? "matrix" : "vector")
        writer.key("result")
        writer.beginArray()
        for one in series(query) {
            writer.beginObject()
            writer.key("metric")
            writer.beginObject()
            for (name, value) in one.labels { writer.member(name, value) }
            writer.endObject()
            writer.key(isRange ? "values" : "value")
            if isRange { writer.beginArray() }
            let count = Int(((end - start) / step).rounded())
            for index in 0...max(0, min(count, 11_000)) {
                let time = start + Double(index) * step
                guard let value = one.value(time) else { continue }
                writer.beginArray()
                writer.value(time)
                writer.value(value.description)
                writer.endArray()
            }
            if isRange { writer.endArray() }
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        writer.endObject()
        return parse(writer.text)
    }

    private static let alerts = """
        {"alerts":[
         {"labels":{"alertname":"HighLatency","severity":"critical","service":"pay"},
          "annotations":{"summary":"p99 above 750ms","runbook":"https://example.com/latency"},
          "state":"firing","activeAt":"2025-11-24T15:12:30.5Z","value":"8.61e-01"},
         {"labels":{"alertname":"DiskFilling","severity":"warning","instance":"db-1"},
          "annotations":{"summary":"93% used, full in 2 days"},
          "state":"pending","activeAt":"2025-11-24T15:58:00Z","value":"93"},
         {"labels":{"alertname":"ErrorBudget","severity":"warning","service":"cart"},
          "annotations":{"description":"burning 4x"},
          "state":"firing","activeAt":"2025-11-23T15:58:00+00:00","value":"4.1"}
        ]}
        """
}
