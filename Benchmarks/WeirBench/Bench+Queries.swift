/// One query as both servers answered it.
struct QueryPair {
    let query: QueryMeasure.Query
    let weir: QueryMeasure
    let peer: QueryMeasure?
}

extension Bench {
    func ask(
        _ queries: [QueryMeasure.Query],
        _ weir: Server,
        _ peer: Server?
    ) throws(BenchError) -> [QueryPair] {
        var pairs: [QueryPair] = []
        for query in queries {
            let own = try QueryMeasure.measure(query, on: weir, repeats: options.queryRepeats)
            var other: QueryMeasure?
            if let peer {
                other = try QueryMeasure.measure(query, on: peer, repeats: options.queryRepeats)
            }
            pairs.append(QueryPair(query: query, weir: own, peer: other))
        }
        return pairs
    }

    /// `reaches`: Of the first queries, in milliseconds at the client.
    mutating func addQueries(_ pairs: [QueryPair], reaches: [Double] = []) {
        report.begin("queries, median at the client (within the server)")
        for (place, pair) in pairs.enumerated() {
            let inside = Figure.decimal(pair.weir.server.median, 1)
            report.add(
                "\(pair.query.name) (\(inside))",
                pair.weir.client.median,
                .milliseconds,
                reach: place < reaches.count ? reaches[place] : nil,
                peer: pair.peer?.client.median
            )
            if pair.query.isComparable, let peer = pair.peer, !pair.weir.agrees(with: peer) {
                report.note(
                    "\(pair.query.name): ANSWERS DIFFER: \(pair.weir.seriesCount) series summing to "
                        + "\(pair.weir.checksum), the peer \(peer.seriesCount), \(peer.checksum)"
                )
            }
        }
    }
}
