import WeirCore
import WeirHTTP
import WeirSystem
import WeirTestSupport

/// One writer of spans in the crash test, and what it knows of what it sent.
///
/// Spans are told apart by their ids, so a batch is sent again as it was: half of them with an id of
/// their own, half without. A trace's spans lie in several batches, and in two days.
///
/// Used by one thread at a time.
final class CrashSpanWriter: @unchecked Sendable {
    struct Batch {
        let id: String?
        let first: Int
        let count: Int
        var attempts = 0
        var isAcknowledged = false
    }

    /// Spans of one trace; `tracesAtOnce` are written side by side.
    private static let spansPerTrace = 24
    private static let tracesAtOnce = 8
    /// As many as can be asked for again in a few seconds.
    private static let spansPerRoundMax = 1200

    let number: Int
    let startNanoseconds: Int64
    private(set) var batches: [Batch] = []
    private(set) var spanCount = 0
    private(set) var refusals: [String] = []
    private var random: SplitMix64

    init(number: Int, startMilliseconds: Int64, seed: UInt64) {
        self.number = number
        startNanoseconds = startMilliseconds * 1_000_000 + 3
        random = SplitMix64(seed: seed)
    }

    var acknowledgedSpans: Int { batches.reduce(0) { $0 + ($1.isAcknowledged ? $1.count : 0) } }

    // MARK: Spans

    private static func trace(ofSpan span: Int) -> Int {
        let together = spansPerTrace * tracesAtOnce
        return span / together * tracesAtOnce + span % tracesAtOnce
    }

    private static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private func traceID(_ trace: Int) -> String {
        var random = SplitMix64(seed: UInt64(trace) &* 131 &+ UInt64(number))
        return Self.hex(random.next()) + Self.hex(random.next())
    }

    /// One span in nine started the day before, so that traces span buckets.
    private func time(_ span: Int) -> Int64 {
        let day: Int64 = span % 9 == 0 ? 86_400_000_000_000 : 0
        return startNanoseconds + Int64(span) * 1_700_003 - day
    }

    /// What an answer says of a span, but for the number of its resource: members by name.
    private func members(_ span: Int) -> [String] {
        var random = SplitMix64(seed: UInt64(span) &* 31 &+ UInt64(number))
        let kind = ["server", "client", "producer", ""][span % 4]
        var attributes = [
            #""a\"ü":"\#(Self.hex(random.next()))\n""#, #""n":\#(span)"#,
            #""ok":\#(span % 2 == 0)"#,
            #""ratio":\#(span % 10).25"#, #""tags":["x",\#(span % 7),2.0]"#,
        ]
        if span % 5 == 0 { attributes.append(#""z.raw":{"bytes":"AQL/"}"#) }
        if span % 50 == 0 { attributes.append(#""z.only\#(span % 4)":"\#(span)""#) }
        attributes.sort()
        var members = [
            #""spanID":"\#(Self.hex(UInt64(span + 1)))""#,
            #""name":"wörker \#(span % 6)""#, #""service":"crash\#(number).\#(span % 3)""#,
            #""scope":"crash""#, #""startTimeUnixNano":"\#(time(span))""#,
            #""durationNanos":"\#(span * 37)""#,
            #""attributes":{\#(attributes.joined(separator: ","))}"#,
        ]
        if !kind.isEmpty { members.append(#""kind":"\#(kind)""#) }
        if span % 3 != 0 { members.append(#""parentID":"\#(Self.hex(UInt64(span)))""#) }
        if span % 8 == 0 {
            members.append(#""status":"error""#)
            members.append(#""statusMessage":"boom \#(span)""#)
        }
        if span % 6 == 0 {
            members.append(
                #""events":[{"at":"\#(span)","name":"retry","attributes":{"n":\#(span)}}]"#
            )
        }
        return members.sorted()
    }

    /// The span as OTLP's JSON has it.
    private func request(_ span: Int) -> String {
        var random = SplitMix64(seed: UInt64(span) &* 31 &+ UInt64(number))
        let kind = [2, 3, 4, 0][span % 4]
        let start = time(span)
        var attributes = [
            #"{"key":"a\"ü","value":{"stringValue":"\#(Self.hex(random.next()))\n"}}"#,
            #"{"key":"n","value":{"intValue":"\#(span)"}}"#,
            #"{"key":"ok","value":{"boolValue":\#(span % 2 == 0)}}"#,
            #"{"key":"ratio","value":{"doubleValue":\#(span % 10).25}}"#,
            #"{"key":"tags","value":{"arrayValue":{"values":[{"stringValue":"x"},"#
                + #"{"intValue":"\#(span % 7)"},{"doubleValue":2}]}}}"#,
        ]
        if span % 5 == 0 {
            attributes.append(#"{"key":"z.raw","value":{"bytesValue":"AQL/"}}"#)
        }
        if span % 50 == 0 {
            attributes.append(#"{"key":"z.only\#(span % 4)","value":{"stringValue":"\#(span)"}}"#)
        }
        var text =
            #"{"traceId":"\#(traceID(Self.trace(ofSpan: span)))","#
            + #""spanId":"\#(Self.hex(UInt64(span + 1)))","name":"wörker \#(span % 6)","#
            + #""kind":\#(kind),"startTimeUnixNano":"\#(start)","#
            + #""endTimeUnixNano":"\#(start + Int64(span) * 37)","#
            + #""attributes":[\#(attributes.joined(separator: ","))]"#
        if span % 3 != 0 { text += #","parentSpanId":"\#(Self.hex(UInt64(span)))""# }
        if span % 8 == 0 { text += #","status":{"code":2,"message":"boom \#(span)"}"# }
        if span % 6 == 0 {
            text +=
                #","events":[{"timeUnixNano":"\#(start + Int64(span))","name":"retry","#
                + #""attributes":[{"key":"n","value":{"intValue":"\#(span)"}}]}]"#
        }
        return text + "}"
    }

    private func body(_ batch: Batch) -> [UInt8] {
        let resources = (0..<3).map { process in
            let spans = (batch.first..<(batch.first + batch.count)).filter { $0 % 3 == process }
            return #"{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"#
                + #""crash\#(number).\#(process)"}}]},"scopeSpans":[{"scope":{"name":"crash"},"#
                + #""spans":[\#(spans.map { request($0) }.joined(separator: ","))]}]}"#
        }
        return Array(#"{"resourceSpans":[\#(resources.joined(separator: ","))]}"#.utf8)
    }

    // MARK: Sending

    /// Sends what is not acknowledged, then new batches until there are enough or the server is
    /// gone.
    func run(_ base: String, sendsNew: Bool) {
        let http = HTTPClient()
        for index in batches.indices where !batches[index].isAcknowledged {
            guard send(index, base, http) else { return }
        }
        let end = spanCount + Self.spansPerRoundMax
        while sendsNew, spanCount < end {
            let count =
                Int.random(in: 0..<10, using: &random) == 0
                ? Int.random(in: 100...300, using: &random)
                : Int.random(in: 1...30, using: &random)
            let id =
                Int.random(in: 0..<2, using: &random) == 0
                ? "span\(number)-\(batches.count)" : nil
            batches.append(Batch(id: id, first: spanCount, count: count))
            spanCount += count
            guard send(batches.count - 1, base, http) else { return }
        }
    }

    /// - Returns: False when the server is gone.
    private func send(_ index: Int, _ base: String, _ http: HTTPClient) -> Bool {
        let batch = batches[index]
        let body = body(batch)
        var attempts = batch.attempts
        defer { batches[index].attempts = attempts }
        let delivery = CrashDelivery.send(
            to: "\(base)/v1/traces",
            http,
            headers: [(name: "Content-Type", value: "application/json")]
                + (batch.id.map { [(name: "X-Weir-Batch-Id", value: $0)] } ?? []),
            attempts: &attempts,
            accepts: { $0.status == 200 && $0.body == Array("{}".utf8) },
            body: { _ in body }
        )
        switch delivery {
        case .accepted:
            batches[index].isAcknowledged = true
            return true
        case .refused(let answer):
            refusals.append(answer)
            return false
        case .gone: return false
        case .exhausted: return true
        }
    }

    // MARK: Verifying

    /// What was found of the writer's spans.
    struct Finding {
        var missing = 0
        var doubled = 0
        /// Spans that were never sent, or differ from what was sent.
        var wrong = 0
        var notes: [String] = []

        var isClean: Bool { missing + doubled + wrong == 0 }
    }

    /// Compares what a server has with what was acknowledged, trace by trace; only of the newest
    /// `last` traces when there is a number.
    func verify(_ client: WeirClient, last: Int? = nil) throws -> Finding {
        var finding = Finding()
        guard spanCount > 0 else { return finding }
        var isAcknowledged = [Bool](repeating: false, count: spanCount)
        for batch in batches where batch.isAcknowledged {
            for span in batch.first..<(batch.first + batch.count) { isAcknowledged[span] = true }
        }
        var spansOfTrace: [Int: [Int]] = [:]
        for span in 0..<spanCount {
            spansOfTrace[Self.trace(ofSpan: span), default: []].append(span)
        }
        let traces = spansOfTrace.keys.sorted().suffix(last ?? .max)
        for trace in traces {
            let spans = spansOfTrace[trace] ?? []
            let found = try found(trace, client)
            var counts: [Int: Int] = [:]
            for (span, members) in found {
                guard spans.contains(span), members == self.members(span) else {
                    finding.wrong += 1
                    finding.notes.append("\(members)")
                    continue
                }
                counts[span, default: 0] += 1
            }
            for span in spans {
                let count = counts[span] ?? 0
                if count > 1 { finding.doubled += 1 }
                if count == 0, isAcknowledged[span] {
                    finding.missing += 1
                    finding.notes.append("span \(span) of \(traceID(trace)) is missing")
                }
            }
        }
        return finding
    }

    /// The spans that a server has of a trace: their numbers, and their members as JSON by name.
    private func found(_ trace: Int, _ client: WeirClient) throws -> [(Int, [String])] {
        let response = try client.get("/api/v1/traces/\(traceID(trace))")
        if response.status == 404 { return [] }
        guard response.status == 200 else {
            throw EndToEnd.Failure(description: String(decoding: response.body, as: UTF8.self))
        }
        return (try JSONParser.parse(response.body)["spans"]?.array ?? []).map { span in
            let members = (span.members ?? []).filter { $0.key != "resource" }.map { member in
                var writer = JSONWriter()
                writer.value(member.value)
                return "\"\(member.key)\":\(writer.text)"
            }
            let id = span["spanID"]?.string.flatMap { Int($0, radix: 16) } ?? 0
            return (id - 1, members.sorted())
        }
    }
}
