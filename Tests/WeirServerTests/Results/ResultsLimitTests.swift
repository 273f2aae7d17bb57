import Synchronization
import Testing
import WeirCore
import WeirQuery
import WeirStore
import WeirTestSupport

/// A query that may be answered may be answered with a results cache too, however near its limits it is.
@Suite struct ResultsLimitTests {
    /// The order of groups of some changes with what series there are.
    private static let queries = [
        "temp", "sum by (host) (rate(reqs_total[2m]))", "avg_over_time(temp[5m])",
        "sum(sum by (host) (rate(reqs_total[31s])))",
        "sum(max by (host) (last_over_time(temp[16s])))",
        "limitk(1, max by (zone) (last_over_time(reqs_total[16s])))",
    ]

    /// Queries that move on, each asked with limits that it just keeps when nothing is kept of it.
    ///
    /// - Returns: How often more was read than those limits are of.
    private static func move(
        _ world: ResultsWorld,
        _ context: (_ ask: (QueryContext) -> String) -> QueryContext
    ) throws -> Int {
        var twice = 0
        for round in 0..<20 {
            world.now += 15000
            try world.write(at: world.now, share: round % 3 == 0 ? 0.3 : 0.9)
            if round % 2 == 0 { try addSeries(world, round) }
            // What lies in memory costs no rows.
            try world.store.flush()
            for query in queries {
                func ask(_ context: QueryContext, isCached: Bool) -> String {
                    ResultsWorld.answer(
                        world.ask(
                            query,
                            from: world.now - 20 * 15000,
                            through: world.now,
                            step: 15000,
                            isCached: isCached,
                            context: context
                        )
                    )
                }
                let free = QueryContext()
                let fresh = ask(free, isCached: false)
                let narrow = context { ask($0, isCached: false) }
                let kept = ask(narrow, isCached: true)
                #expect(kept == fresh, "\(query) in round \(round)")
                if narrow.rowsReadCount > free.rowsReadCount { twice += 1 }
            }
        }
        return twice
    }

    /// Writes series that come before all others: groups then stand in another order.
    private static func addSeries(_ world: ResultsWorld, _ round: Int) throws {
        var batch = RowBatch(signal: .metrics)
        let host = ("host", "\(99 - round)")
        for name in ["temp", "reqs_total"] {
            batch.streams.append(Labels([("__name__", name), host, ("zone", "\(round)")]))
            batch.firstLines.append(1)
        }
        for (stream, age) in [(0, 10_000), (0, 0), (1, 10_000), (1, 0)] {
            batch.streamIndexes.append(UInt32(stream))
            batch.times.append((world.now - Int64(age)) * 1_000_000)
            batch.columns[0].floats.append(1)
        }
        try world.append(batch)
    }

    private static func world(seed: UInt64) throws -> ResultsWorld {
        let world = try ResultsWorld(seed: seed)
        for _ in 0..<40 {
            world.now += 15000
            try world.write(at: world.now, share: 0.9)
        }
        return world
    }

    @Test func rowsReadInVainDoNotCount() throws {
        let world = try Self.world(seed: 11)
        let twice = try Self.move(world) { ask in
            let free = QueryContext()
            _ = ask(free)
            return QueryContext(samplesMax: free.rowsReadCount)
        }
        #expect(world.count(.partial) > 20)
        // There were some, or nothing was tested.
        #expect(twice > 5)
    }

    @Test func roomForWhatIsKeptIsNotAskedOfTheQuery() throws {
        let world = try Self.world(seed: 12)
        _ = try Self.move(world) { ask in
            // The least memory that is enough.
            var (low, high) = (0, 1 << 20)
            while low < high {
                let middle = (low + high) / 2
                if ask(QueryContext(memoryBytesMax: middle)).contains("\"success\"") {
                    high = middle
                } else {
                    low = middle + 1
                }
            }
            return QueryContext(memoryBytesMax: low)
        }
        #expect(world.count(.partial) > 0)
    }
}

extension QueryContext {
    fileprivate var rowsReadCount: Int { rowsRead.load(ordering: .relaxed) }
}
