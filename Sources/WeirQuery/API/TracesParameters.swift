internal import WeirCore

/// Why a request on the trace paths is refused.
struct TracesError: Error {
    let status: Int
    let message: String
    let subject: Subject

    /// What is wrong, as far as a hint depends on it.
    enum Subject {
        case traceID
        case parameter
        case traceQL
        case promQL
    }

    init(_ message: String, status: Int = 400, subject: Subject = .parameter) {
        self.status = status
        self.message = message
        self.subject = subject
    }

    init(_ error: LokiError) {
        self.init(error.message, status: error.status)
    }

    init(_ error: QueryError, query: String = "") {
        self.init(
            error.logQLMessage(query: query),
            status: LokiAnswer.status(of: error),
            subject: .traceQL
        )
    }

    /// The error's name on Weir's own paths.
    var name: String {
        switch (status, subject) {
        case (404, _): "not_found"
        case (400, .traceID): "bad_id"
        case (400, .parameter): "bad_parameter"
        case (400, _): "bad_query"
        default: "query_failed"
        }
    }

    /// What to do about it.
    var hint: String {
        switch (status, subject) {
        case (404, _): "it may be older than the store keeps, or not have come yet"
        case (400, .traceID): "take the id whole, as a log line or a search shows it"
        case (400, .parameter): "docs/api.md tells what each path takes"
        case (400, .promQL):
            "query takes PromQL such as traces_spanmetrics_latency_bucket{service=\"api\"}"
        case (400, .traceQL):
            "q takes TraceQL such as {resource.service.name=\"api\" && duration>500ms}; "
                + "see docs/traceql.md"
        default: "ask for less: shorter times, a narrower filter, a smaller limit"
        }
    }

    static func notFound(_ id: TraceID, withinTimes: Bool = false) -> TracesError {
        TracesError(
            "there is no trace \(id.text)"
                + (withinTimes ? " within an hour of the times asked for" : ""),
            status: 404
        )
    }
}

/// The parameters that trace requests share, and what they are asked of.
///
/// Items are those of the URL and of a form body together, in order.
package struct TracesRequest: Sendable {
    let parameters: LokiParameters
    let spans: any RowSource
    let context: QueryContext
    let began = ContinuousClock.now

    package init(
        parameters: [(String, String)],
        spans: any RowSource,
        context: QueryContext,
        nowNanoseconds: Int64
    ) {
        self.parameters = LokiParameters(parameters, nowNanoseconds: nowNanoseconds)
        self.spans = spans
        self.context = context
    }

    func parameter<Result>(
        _ body: () throws(LokiError) -> Result
    ) throws(TracesError) -> Result {
        do throws(LokiError) {
            return try body()
        } catch {
            throw TracesError(error)
        }
    }

    func run<Result>(
        query: String = "",
        _ body: () throws(QueryError) -> Result
    ) throws(TracesError) -> Result {
        do throws(QueryError) {
            return try body()
        } catch {
            throw TracesError(error, query: query)
        }
    }

    /// `start` and `end`, by default the last hour; inclusive.
    func times(default length: Int64 = LokiAPI.hour) throws(TracesError) -> ClosedRange<Int64> {
        let (start, end) = try parameter { () throws(LokiError) in
            try parameters.span(default: length)
        }
        return start...end
    }

    /// `start` and `end` where they are given; otherwise all times.
    func optionalTimes() throws(TracesError) -> ClosedRange<Int64> {
        let (start, end) = try parameter { () throws(LokiError) in
            (try parameters.time("start"), try parameters.time("end"))
        }
        guard start != nil || end != nil else { return .min ... .max }
        let (low, high) = (start ?? .min, end ?? .max)
        guard low <= high else { throw TracesError("end is before start") }
        return (low...high).widened(by: TraceSearch.reach)
    }

    func count(_ name: String, default count: Int, max: Int) throws(TracesError) -> Int {
        let found = try parameter { () throws(LokiError) in
            try parameters.count(name, default: count)
        }
        guard found <= max else { throw TracesError("'\(name)' may be at most \(max)") }
        return found
    }

    func query(_ text: String) throws(TracesError) -> TraceQLQuery {
        try run(query: text) { () throws(QueryError) in try TraceQLParser.parse(text) }
    }

    static func id(_ text: String) throws(TracesError) -> TraceID {
        guard let id = TraceID(text.utf8) else {
            throw TracesError(
                "\(PromQLStringLiteral.quote(text)) is no trace id: 1 to 32 hexadecimal digits",
                subject: .traceID
            )
        }
        return id
    }

    func detail(_ text: String) throws(TracesError) -> TraceDetail {
        let id = try Self.id(text)
        let times = try optionalTimes()
        let found = try run { () throws(QueryError) in
            try TraceDetail.load(id, times: times, source: spans, context: context)
        }
        guard let found else { throw .notFound(id, withinTimes: times != .min ... .max) }
        return found
    }
}

/// A whole HTTP answer of a trace path.
package struct TracesAnswer: Sendable {
    package let status: Int
    package let contentType: String
    package let body: [UInt8]

    init(json: [UInt8], status: Int = 200) {
        self.status = status
        contentType = "application/json"
        body = json
    }

    init(protobuf: [UInt8]) {
        status = 200
        contentType = "application/protobuf"
        body = protobuf
    }

    init(status: Int, text: String) {
        self.status = status
        contentType = "text/plain; charset=utf-8"
        body = Array(text.utf8)
    }

    init(_ answer: PrometheusAnswer) {
        self.init(json: answer.body, status: answer.status)
    }
}
