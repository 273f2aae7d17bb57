import Testing
import WeirCore
import WeirHTTP
import WeirServer
import WeirTestSupport

/// A real Prometheus 3 that has nothing itself reads native histograms from Weir, and answers as Weir
/// does.
@Suite struct HistogramRemoteReadTests {
    @Test func prometheusReadsHistogramsFromWeir() throws {
        guard HistogramPeer.isThere else {
            print("histograms: skipped, .peers/bin/prometheus is not there (Scripts/peers.sh)")
            return
        }
        let server = try LogServer { configuration in
            configuration.promqlExperimentalFunctions = true
            do {
                try HistogramComparisonTests.fill(configuration, HistogramData(seed: 5).batches())
            } catch {
                Issue.record("\(error)")
            }
        }
        let peer = try #require(
            HistogramPeer(
                configuration: """
                    remote_read:
                      - {url: 'http://\(server.server.address)/api/v1/read', read_recent: true}

                    """
            )
        )
        defer { peer.stop() }
        let raw = ["requests", "sizes", "custom", "plain", "odd", "{__name__=~\".+\"}"].map {
            "\($0)[40m]"
        }
        let others = HistogramQueries.all.enumerated().filter { $0.offset % 12 == 0 }.map(\.element)
        var compared = 0
        var withHistograms = 0
        for query in raw + others where HistogramComparisonTests.knownDifferences[query] == nil {
            let form = [("query", query), ("time", "1700002390")]
            let theirs = try #require(peer.ask("/api/v1/query", form))
            let ours = try #require(
                LoopbackHTTP.request(
                    port: UInt16(server.server.port),
                    path: "/api/v1/query",
                    form: form
                )
            )
            let difference = HistogramTally.difference(
                ours: try JSONParser.parse(ours.body),
                theirs: try JSONParser.parse(theirs.body)
            )
            #expect(difference == nil, "\(query)")
            compared += 1
            let text = String(decoding: theirs.body, as: UTF8.self)
            if text.contains("\"histogram") { withHistograms += 1 }
        }
        print("remote read: \(compared) queries alike, \(withHistograms) with histograms")
        #expect(compared > 40 && withHistograms > 10)
    }
}
