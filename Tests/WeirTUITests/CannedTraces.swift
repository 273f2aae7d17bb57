import WeirCore
import WeirTUI

/// Traces made by hand: the same on every machine.
enum CannedTraces {
    static let id = "4bf92f3577b34da6a3ce929d0e0e4710"
    /// Nanoseconds since 1970: a minute before the canned now.
    static let start: Int64 = (CannedAPI.now - 60_000) * 1_000_000

    /// One span: times in microseconds from the trace's start.
    struct Span {
        let id: String
        let parent: String?
        let service: String
        let name: String
        let kind: String
        let from: Int64
        let to: Int64
        var error: String?
        var attributes = "{}"
        var events = "[]"
        var links = "[]"
    }

    /// A slow checkout whose payment times out twice, with seven stock requests, time that nothing
    /// tells of, a span without its parent, and a mail after the end.
    static let spans: [Span] = {
        var spans = [
            Span(
                id: "a1",
                parent: nil,
                service: "gateway",
                name: "POST /orders",
                kind: "server",
                from: 0,
                to: 900_000,
                error: ""
            ),
            Span(
                id: "a2",
                parent: "a1",
                service: "gateway",
                name: "POST checkout",
                kind: "client",
                from: 2000,
                to: 896_000,
                error: "status 503"
            ),
            Span(
                id: "b1",
                parent: "a2",
                service: "checkout",
                name: "POST /orders",
                kind: "server",
                from: 4000,
                to: 890_000,
                error: "payment unavailable",
                attributes:
                    #"{"http.route":"/orders","order.items":7,"order.total":49.5,"first":false}"#,
                events:
                    #"[{"at":"880000000","name":"exception","attributes":{"exception.type":"PaymentUnavailable","exception.message":"status 503"}}]"#
            ),
            Span(
                id: "c1",
                parent: "b1",
                service: "cart",
                name: "GET /cart",
                kind: "server",
                from: 6000,
                to: 21_000
            ),
            Span(
                id: "c2",
                parent: "c1",
                service: "cart",
                name: "GET carts",
                kind: "client",
                from: 7000,
                to: 20_000
            ),
        ]
        for index in 0..<7 as Range<Int64> {
            let from = 25_000 + index * 12_000
            spans.append(
                Span(
                    id: "d\(index)",
                    parent: "b1",
                    service: "inventory",
                    name: "GET /stock",
                    kind: "server",
                    from: from,
                    to: from + 10_000,
                    error: index == 4 ? "deadlock" : nil
                )
            )
            spans.append(
                Span(
                    id: "e\(index)",
                    parent: "d\(index)",
                    service: "inventory",
                    name: "SELECT stock",
                    kind: "client",
                    from: from + 1000,
                    to: from + 9000,
                    attributes: #"{"db.system":"postgresql","db.statement":"SELECT \#(index)"}"#
                )
            )
        }
        spans += [
            // Nothing from 110 to 300 ms.
            Span(
                id: "f1",
                parent: "b1",
                service: "fraud",
                name: "POST /score",
                kind: "server",
                from: 300_000,
                to: 340_000
            ),
            Span(
                id: "g1",
                parent: "b1",
                service: "payment",
                name: "POST /charge",
                kind: "server",
                from: 345_000,
                to: 885_000,
                error: "provider timed out",
                events: #"[{"at":"260000000","name":"retry","attributes":{"attempt":2}}]"#
            ),
            Span(
                id: "g2",
                parent: "g1",
                service: "payment",
                name: "POST payvia",
                kind: "client",
                from: 350_000,
                to: 600_000,
                error: "504"
            ),
            Span(
                id: "g3",
                parent: "g1",
                service: "payment",
                name: "POST payvia",
                kind: "client",
                from: 605_000,
                to: 880_000,
                error: "504"
            ),
            Span(
                id: "h1",
                parent: "ff",
                service: "shipping",
                name: "POST /rates",
                kind: "server",
                from: 500_000,
                to: 560_000
            ),
            Span(
                id: "i1",
                parent: "b1",
                service: "email",
                name: "process emails",
                kind: "consumer",
                from: 950_000,
                to: 990_000,
                links:
                    #"[{"traceID":"0af7651916cd43dd8448eb211c80319c","spanID":"b7ad6b7169203331","attributes":{"why":"batch"}}]"#
            ),
        ]
        return spans
    }()

    static func trace(_ spans: [Span] = spans, isPartial: Bool = false) -> JSONValue {
        func hex(_ id: String) -> String { String(repeating: "0", count: 16 - id.count) + id }
        var items: [String] = []
        for span in spans.sorted(by: { ($0.from, $0.id) < ($1.from, $1.id) }) {
            var text =
                #"{"spanID":"\#(hex(span.id))","name":"\#(span.name)","kind":"\#(span.kind)""#
            if let parent = span.parent { text += #","parentID":"\#(hex(parent))""# }
            if let error = span.error {
                text += #","status":"error","statusMessage":"\#(error)""#
            }
            text +=
                #","service":"\#(span.service)","resource":0,"scope":"shop.tracing","scopeVersion":"1.0""#
            text += #","startTimeUnixNano":"\#(start + span.from * 1000)""#
            text += #","durationNanos":"\#((span.to - span.from) * 1000)""#
            text +=
                #","attributes":\#(span.attributes),"events":\#(span.events),"links":\#(span.links)}"#
            items.append(text)
        }
        let notice = isPartial ? #""notice":"60,000 spans; the earliest 50,000 are here","# : ""
        return parse(
            """
            {"traceID":"\(id)","spanCount":\(spans.count),"isPartial":\(isPartial),\(notice)
             "startTimeUnixNano":"\(start)","durationNanos":"990000000",
             "rootService":"gateway","rootName":"POST /orders",
             "resources":[{"service":"gateway","attributes":{"service.name":"gateway","host.name":"node-1"}}],
             "spans":[\(items.joined(separator: ","))],"cost":{}}
            """
        )
    }

    static let found = parse(
        """
        {"traces":[
         {"traceID":"\(id)","rootService":"gateway","rootName":"POST /orders","startTimeUnixNano":"\(start)",
          "durationNanos":"990000000","spanCount":25,"errorCount":6,
          "services":[{"name":"gateway","spanCount":2,"errorCount":2},{"name":"inventory","spanCount":14,"errorCount":1},
           {"name":"payment","spanCount":3,"errorCount":3}],"matched":3,
          "spanSets":[{"spans":[{"spanID":"00000000000000g1"}],"matched":3}]},
         {"traceID":"0af7651916cd43dd8448eb211c80319c","rootService":"gateway","rootName":"GET /home",
          "startTimeUnixNano":"\(start - 5_000_000_000)","durationNanos":"81000000","spanCount":9,"errorCount":0,
          "services":[{"name":"catalog","spanCount":5,"errorCount":0}],"matched":9,"spanSets":[]},
         {"traceID":"00000000000000000000000000000abc","rootService":"search","rootName":"reindex products",
          "startTimeUnixNano":"\(start - 61_000_000_000)","durationNanos":"412000000","spanCount":769,"errorCount":0,
          "services":[{"name":"search","spanCount":769,"errorCount":0}],"matched":1,"spanSets":[]}
        ],"cost":{}}
        """
    )

    static let logs = parse(
        """
        {"logs":[{"time":"\(start + 884_000_000)","labels":{"service":"payment","host":"node-2"},
          "body":"provider payvia answered 504 after 540 ms, giving up\\n\\tat charge","fields":{"severity":"ERROR","span_id":"x"}},
         {"time":"\(start + 350_000_000)","labels":{"service":"payment"},"body":"charging 49.50 EUR","fields":{"level":"info"}}]}
        """
    )

    static let metrics = parse(
        """
        {"service":"payment","from":"\(start - 900_000_000_000)","to":"\(start + 900_000_000_000)",
         "queries":[{"name":"rate","promql":"sum(rate(calls[5m]))"},{"name":"errors","promql":"errors"},
          {"name":"p99","promql":"histogram_quantile(0.99, latency)"}],
         "series":{"rate":[[1,"2.5"],[2,"3.5"]],"errors":[[1,"0.01"],[2,"0.4"]],"p99":[]}}
        """
    )

    static let graph = parse(
        """
        {"edges":[{"client":"gateway","server":"checkout","connectionType":"","rate":2.2,"errorRate":0.21,"p99":0.86},
          {"client":"checkout","server":"orders","connectionType":"database","rate":6.1,"errorRate":0,"p99":0.012}],
         "services":[{"service":"checkout","rate":2.2,"errorRate":0.21,"p50":0.2,"p99":0.9},
          {"service":"gateway","rate":42,"errorRate":0.011,"p50":0.03,"p99":0.31},
          {"service":"email","rate":0.4,"errorRate":null,"p50":null,"p99":null}]}
        """
    )

    /// In seconds: the greatest at 40 minutes, others every ten.
    static let exemplars: JSONValue = {
        let now = CannedAPI.now / 1000
        let all = [(600, "0.31"), (1200, "0.42"), (2400, "1.7"), (3000, "0.2")].map { age, value in
            #"{"labels":{"trace_id":"\#(id)","span_id":"00000000000000b1"},"value":"\#(value)","timestamp":\#(now - Int64(age))}"#
        }
        return parse(
            #"{"status":"success","data":[{"seriesLabels":{"__name__":"x","service":"pay"},"exemplars":[\#(all.joined(separator: ","))]}]}"#
        )
    }()

    static func parse(_ text: String) -> JSONValue {
        (try? JSONParser.parse(Array(text.utf8))) ?? .null
    }

    /// The answer of a path; nil where it is none of these.
    static func answer(_ path: String, query: String) throws(APIError) -> JSONValue? {
        switch path {
        case "/api/v1/traces/search":
            guard !query.contains("broken") else {
                throw .refused(
                    status: 400,
                    kind: "bad_query",
                    message: "parse error at line 1, col 3: unexpected end"
                )
            }
            return found
        case "/api/v1/traces/\(id)": return trace()
        case "/api/v1/traces/\(id)/logs": return logs
        case "/api/v1/traces/\(id)/metrics": return metrics
        case "/api/v1/services/graph": return graph
        case "/api/v1/query_exemplars": return exemplars
        default: return nil
        }
    }
}
