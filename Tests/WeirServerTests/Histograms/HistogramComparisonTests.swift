import Testing
import WeirCore
import WeirHTTP
import WeirServer
import WeirStore
import WeirSystem
import WeirTestSupport

/// Weir and a real Prometheus 3 are asked the same of the same native histograms, over HTTP.
@Suite struct HistogramComparisonTests {
    /// Where the two are known to differ, and why.
    ///
    /// Matched by the exact query.
    static let knownDifferences: [String: String] = {
        let empty = "Prometheus lists, and so compares and scales, buckets of other samples"
        let skewed = "with observations of NaN 3.5 interpolates in the highest bucket"
        let order = "which series is added first is not said; the answers are empty"
        var known = [
            "requests == on (parity) group_left () sum by (parity) (requests)": empty,
            "requests != on (parity) group_left () sum by (parity) (requests)": empty,
            "requests * NaN": empty,
            "sum({__name__=~\"custom|requests\"})": order,
            "avg({__name__=~\"custom|requests\"})": order,
            "sum by (__name__) (rate({__name__=~\"requests|sizes|plain\"}[4m]))":
                "docs/promql.md: series that dropping the name made equal are aggregated",
        ]
        for phi in ["0", "0.1", "0.37", "0.5", "0.9"] {
            known["histogram_quantile(\(phi), odd)"] = skewed
        }
        return known
    }()

    private struct Mode {
        let path: String
        let times: [(String, String)]
    }

    private static let modes = [
        Mode(path: "/api/v1/query", times: [("time", "1700000600")]),
        Mode(path: "/api/v1/query", times: [("time", "1700001337.5")]),
        Mode(path: "/api/v1/query", times: [("time", "1700001810")]),
        Mode(
            path: "/api/v1/query_range",
            times: [("start", "1700000000"), ("end", "1700002700"), ("step", "90")]
        ),
        Mode(
            path: "/api/v1/query_range",
            times: [("start", "1700001000"), ("end", "1700001300"), ("step", "7s")]
        ),
    ]

    @Test(arguments: [20_260_101, 7] as [UInt64])
    func answersEqualPrometheus(seed: UInt64) throws {
        guard HistogramPeer.isThere else {
            print("histograms: skipped, .peers/bin/prometheus is not there (Scripts/peers.sh)")
            return
        }
        let data = HistogramData(seed: seed)
        let peer = try #require(HistogramPeer())
        defer { peer.stop() }
        for request in data.remoteWrites {
            let written = try peer.write(request)
            #expect(written.status / 100 == 2, "\(written.text)")
        }
        let server = try LogServer { configuration in
            configuration.promqlExperimentalFunctions = true
            do {
                try Self.fill(configuration, data.batches())
            } catch {
                Issue.record("\(error)")
            }
        }
        var tally = HistogramTally()
        for query in HistogramQueries.all {
            for mode in Self.modes {
                let form = [("query", query)] + mode.times
                let theirs = try #require(peer.ask(mode.path, form))
                let ours = try #require(
                    LoopbackHTTP.request(
                        port: UInt16(server.server.port),
                        path: mode.path,
                        form: form
                    )
                )
                let difference = HistogramTally.difference(
                    ours: try JSONParser.parse(ours.body),
                    theirs: try JSONParser.parse(theirs.body)
                )
                tally.count(theirs, isEqual: difference == nil)
                guard let difference, Self.knownDifferences[query] == nil else { continue }
                Issue.record("seed \(seed): \(query) at \(mode.times): \(difference)")
            }
        }
        print("histograms, seed \(seed): \(tally.summary)")
        #expect(tally.cases >= 1000)
    }

    /// Puts the rows into a store as they come to lie in one: in merged segments, in a segment
    /// flushed after them, and in the journal.
    static func fill(_ configuration: ServerConfiguration, _ batches: [RowBatch]) throws {
        var options = StoreOptions(directory: configuration.data)
        options.diskFreeBytesMin = 0
        let store = try Store(options: options) { _ in }
        let parts = 5
        for part in 0..<parts {
            for batch in batches {
                let rows = Array(
                    (batch.rowCount * part / parts)..<(batch.rowCount * (part + 1) / parts)
                )
                let outcome = Monitor<Result<AppendOutcome, StoreError>?>(nil)
                store.append(batch.selecting(rows)) { result in outcome.update { $0 = result } }
                #expect(try outcome.wait { $0 }?.get().rowCount == rows.count)
            }
            if part < parts - 1 { try store.flush() }
            if part == parts - 3 { try store.merge() }
        }
        store.stop(isFlushing: false)
    }
}

/// How answers compared.
struct HistogramTally {
    private(set) var cases = 0
    private var equal = 0
    private var refused = 0
    private var empty = 0
    private var withHistograms = 0
    private var annotated = 0

    mutating func count(_ theirs: (status: Int, body: [UInt8]), isEqual: Bool) {
        let text = String(decoding: theirs.body, as: UTF8.self)
        cases += 1
        if isEqual { equal += 1 }
        if theirs.status != 200 { refused += 1 }
        if text.contains("\"result\":[]") { empty += 1 }
        if text.contains("\"histogram") { withHistograms += 1 }
        if text.contains("\"warnings\"") || text.contains("\"infos\"") { annotated += 1 }
    }

    var summary: String {
        "\(cases) answers, \(equal) equal; \(withHistograms) with histograms, \(annotated) with "
            + "annotations, \(refused) refused, \(empty) empty"
    }

    /// What differs first, or nil.
    ///
    /// Numbers may differ by rounding: additions are not in the same order.
    static func difference(ours: JSONValue, theirs: JSONValue) -> String? {
        let status = (ours["status"]?.string ?? "", theirs["status"]?.string ?? "")
        guard status.0 == status.1 else {
            return "ours is \(status.0) (\(ours["error"]?.string ?? "")), "
                + "theirs \(status.1) (\(theirs["error"]?.string ?? ""))"
        }
        if status.0 == "error" { return nil }
        for kind in ["warnings", "infos"] {
            let texts = (notes(ours, kind), notes(theirs, kind))
            guard texts.0 == texts.1 else { return "\(kind): \(texts.0), theirs \(texts.1)" }
        }
        guard let left = ours["data"]?["result"], let right = theirs["data"]?["result"] else {
            return "a result is missing"
        }
        guard let own = left.array, let other = right.array,
            ours["data"]?["resultType"]?.string != "scalar"
        else { return value(left, right) }
        guard own.count == other.count else {
            return "ours has \(own.count) series, theirs \(other.count): "
                + "\(own.map(key).prefix(3)) \(other.map(key).prefix(3))"
        }
        var byKey: [String: JSONValue] = [:]
        for one in own { byKey[key(one)] = one }
        for one in other {
            guard let mine = byKey[key(one)] else { return "ours lacks \(key(one))" }
            for member in ["value", "values", "histogram", "histograms"] {
                switch (mine[member], one[member]) {
                case (nil, nil): continue
                case (let mine?, let theirs?):
                    if let difference = value(mine, theirs) {
                        return "\(key(one)): \(difference)"
                    }
                default:
                    let side = mine[member] == nil ? "ours" : "theirs"
                    return "\(key(one)): \(side) has no \(member)"
                }
            }
        }
        return nil
    }

    private static func notes(_ answer: JSONValue, _ kind: String) -> [String] {
        (answer[kind]?.array ?? []).compactMap(\.string).sorted()
    }

    private static func key(_ series: JSONValue) -> String {
        (series["metric"]?.members ?? []).map { "\($0.key)=\($0.value.string ?? "")" }.sorted()
            .joined(separator: ",")
    }

    private static func value(_ ours: JSONValue, _ theirs: JSONValue) -> String? {
        switch (ours, theirs) {
        case (.array(let left), .array(let right)):
            guard left.count == right.count else {
                return "\(left.count) elements, theirs \(right.count): \(ours) theirs \(theirs)"
            }
            for (left, right) in zip(left, right) {
                if let difference = value(left, right) { return difference }
            }
            return nil
        case (.object(let left), .object(let right)):
            guard left.map(\.key) == right.map(\.key) else {
                return "\(left.map(\.key)), theirs \(right.map(\.key))"
            }
            for (left, right) in zip(left, right) {
                if let difference = value(left.value, right.value) {
                    return "\(left.key): \(difference)"
                }
            }
            return nil
        case (.string(let left), .string(let right)):
            return isClose(left, right) ? nil : "\(left), theirs \(right)"
        default: return ours == theirs ? nil : "\(ours), theirs \(theirs)"
        }
    }

    private static func isClose(_ ours: String, _ theirs: String) -> Bool {
        if ours == theirs { return true }
        guard let left = Double(ours), let right = Double(theirs), left.isFinite, right.isFinite
        else { return false }
        return (left - right).magnitude <= 1e-9 * max(left.magnitude, right.magnitude) + 1e-12
    }
}
