import Testing
import WeirCore
import WeirPattern
import WeirQuery
import WeirSystem
import WeirTestSupport

@testable import WeirServer
@testable import WeirStore

/// A kept answer is the one that a fresh evaluation gives, byte for byte.
@Suite struct ResultsCacheTests {
    static let queries = [
        "temp", "reqs_total offset 2m", "temp offset -1m", "rate(reqs_total[2m])",
        "sum by (host) (rate(reqs_total[2m]))", "sum(rate(temp[1m]))", "increase(temp[3m])",
        "avg_over_time(temp[5m])", "sum(avg_over_time(temp[90s]))", "max by (zone) (temp)",
        "min_over_time(temp[2m])", "topk(2, temp)", "bottomk(1, reqs_total)",
        "topk(2, sum by (host) (rate(reqs_total[1m])))", "count_values(\"v\", temp > 0)",
        "quantile(0.9, rate(reqs_total[5m]))", "quantile(7, temp)", "stddev by (zone) (temp)",
        "limitk(2, temp)", "limit_ratio(0.5, temp)", "absent(temp{host=\"b\"})",
        "absent_over_time(other[1m])", "temp > bool 0", "temp - on (host, zone) other",
        "temp / ignoring (zone) group_left max by (host) (other)", "temp and other > 0",
        "temp or other", "sum(temp or other)", "other unless temp",
        "histogram_quantile(0.9, rate(lat_bucket[2m]))",
        "histogram_quantile(0.5, sum by (le) (lat_bucket))",
        "sum(histogram_quantile(0.5, lat_bucket))", "lat", "rate(lat[2m])", "sum(rate(lat[3m]))",
        "histogram_quantile(0.9, lat)", "histogram_avg(lat)", "lat * 2", "sum(lat)", "max(lat)",
        "max_over_time(sum by (zone) (temp)[5m:1m])", "rate(temp[1m:15s])",
        "sum_over_time(rate(reqs_total[1m])[3m:30s])", "temp @ 1790000100", "sum(temp @ end())",
        "temp - temp @ start()", "time()", "vector(time())", "timestamp(temp)",
        "scalar(temp) + temp",
        "-temp", "-{__name__=~\"temp|other\"}", "rate({__name__=~\"temp|other\"}[1m])",
        "sum(rate({__name__=~\"temp|other\"}[1m]))",
        "avg by (host) (avg_over_time({__name__=~\"reqs_total|other\"}[1m]))",
        "stddev(rate({__name__=~\"reqs_total|other\"}[1m]))",
        "label_replace(temp, \"x\", \"$1\", \"host\", \"(.)\")",
        "sum by (x) (label_replace(temp, \"x\", \"$1\", \"host\", \"(a|b)\"))", "sort(temp)",
        "sum(sort_desc(temp))", "info(temp)", "predict_linear(temp[5m], 60)", "deriv(temp[3m])",
        "resets(reqs_total[5m])", "changes(temp[5m])", "irate(reqs_total[1m])",
        "last_over_time(temp[3m])",
        "quantile_over_time(2, temp[1m])", "clamp(temp, scalar(other{host=\"a\",zone=\"1\"}), 10)",
        "sum(max by (host) (temp))", "avg(sum by (zone) (rate(reqs_total[1m])))", "hour(temp)",
        "count(lat)", "sum(lat) / 3", "lat + lat", "nothing", "sum(nothing)",
        "topk(1, count by (zone) (last_over_time(temp[16s])))",
        "limitk(1, max by (zone) (last_over_time(reqs_total[16s])))",
        "sum(sum by (host) (rate(reqs_total[31s])))",
    ]

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func keptAnswersAreTheFreshOnes(_ seed: UInt64) throws {
        let world = try ResultsWorld(seed: seed)
        var random = SplitMix64(seed: seed &+ 1000)
        for _ in 0..<60 {
            world.now += 15000
            try world.write(at: world.now, share: 0.9)
        }
        // Dashboards: a query, a step and a width each, that move on and now and then jump.
        struct Panel {
            let query: String
            let step: Int64
            let width: Int64
            let phase: Int64
            var back: Int64 = 0
        }
        var panels = Self.queries.map { query in
            let step = [15000, 60000, 30000, 7000][Int.random(in: 0..<4, using: &random)]
            return Panel(
                query: query,
                step: Int64(step),
                width: Int64.random(in: 3...40, using: &random),
                phase: Int64.random(in: 0..<2, using: &random) * 1500
            )
        }
        for round in 0..<40 {
            try world.change()
            for index in panels.indices where Int.random(in: 0..<3, using: &random) == 0 {
                if Int.random(in: 0..<8, using: &random) == 0 {
                    panels[index].back = Int64.random(in: -2...6, using: &random)
                }
                let panel = panels[index]
                let end = ((world.now / panel.step) - panel.back) * panel.step + panel.phase
                let width =
                    Int.random(in: 0..<6, using: &random) == 0 ? panel.width / 2 : panel.width
                let start = end - width * panel.step
                func ask(_ isCached: Bool) -> String {
                    ResultsWorld.answer(
                        world.ask(
                            panel.query,
                            from: start,
                            through: end,
                            step: panel.step,
                            isCached: isCached
                        )
                    )
                }
                let kept = ask(true)
                let fresh = ask(false)
                guard kept == fresh else {
                    Issue.record(
                        "seed \(seed), round \(round): \(panel.query): \(kept.prefix(3000))\n\(fresh.prefix(3000))"
                    )
                    return
                }
            }
        }
        // The test would prove nothing if all were evaluated anew.
        #expect(world.count(.hit) > 20)
        #expect(world.count(.partial) > 100)
        #expect(world.count(.miss) > 100)
    }

    private static func two(_ world: ResultsWorld, _ query: String) -> (kept: String, fresh: String)
    {
        let (from, through) = (world.now - 600_000, world.now)
        func ask(_ isCached: Bool) -> String {
            ResultsWorld.answer(
                world.ask(query, from: from, through: through, step: 15000, isCached: isCached)
            )
        }
        return (ask(true), ask(false))
    }

    @Test func aQueryAfterAWriteSeesIt() throws {
        let world = try ResultsWorld(seed: 1)
        for _ in 0..<40 {
            world.now += 15000
            try world.write(at: world.now, share: 1)
        }
        let before = Self.two(world, "sum(reqs_total)")
        try world.write(at: world.now, share: 1)
        let after = Self.two(world, "sum(reqs_total)")
        #expect(before.kept == before.fresh && after.kept == after.fresh)
        #expect(before.kept != after.kept)
        #expect(world.count(.partial) == 1 && world.count(.miss) == 1 && world.count(.bypass) == 2)
        #expect(Self.two(world, "sum(reqs_total)").kept == after.kept)
        #expect(world.count(.hit) == 1)
    }

    @Test func aDayThatRetentionDropsIsGoneFromKeptAnswers() throws {
        let world = try ResultsWorld(seed: 2, retentionAge: 86_400_000_000_000)
        for _ in 0..<40 {
            world.now += 15000
            try world.write(at: world.now, share: 1)
        }
        try world.store.flush()
        let before = Self.two(world, "reqs_total")
        #expect(before.kept.contains("reqs_total"))
        world.clock.advance(nanoseconds: 4 * 86_400_000_000_000)
        world.store.enforceRetention()
        let after = Self.two(world, "reqs_total")
        #expect(after.kept == after.fresh)
        #expect(!after.kept.contains("reqs_total"))
    }

    @Test func aDamagedSegmentIsGoneFromKeptAnswers() throws {
        let world = try ResultsWorld(seed: 3)
        for _ in 0..<40 {
            world.now += 15000
            try world.write(at: world.now, share: 1)
        }
        try world.store.flush()
        #expect(Self.two(world, "reqs_total").kept.contains("reqs_total"))
        try world.damageSegments()
        // Another query finds the damage.
        _ = Self.two(world, "temp")
        let after = Self.two(world, "reqs_total")
        #expect(after.kept == after.fresh)
        #expect(after.kept.contains("is damaged and was left out"))
        #expect(!after.kept.contains("\"reqs_total\""))
    }

    @Test func roomIsBounded() throws {
        let world = try ResultsWorld(seed: 4, bytesMax: 200_000)
        for _ in 0..<40 {
            world.now += 15000
            try world.write(at: world.now, share: 1)
        }
        for query in Self.queries {
            let (kept, fresh) = Self.two(world, query)
            #expect(kept == fresh)
            #expect(world.cache.status.bytes <= 200_000)
        }
        #expect(world.cache.status.evictions > 10)
        #expect(world.cache.status.entries > 3)
        world.cache.removeAll()
        #expect(world.cache.status.entries == 0 && world.cache.status.bytes == 0)
    }

    @Test func metricsOfKeptAnswersCountAsRead() throws {
        let world = try ResultsWorld(seed: 5)
        for _ in 0..<40 {
            world.now += 15000
            try world.write(at: world.now, share: 1)
        }
        _ = Self.two(world, "sum(rate(reqs_total[1m]))").kept
        let day = try #require(world.store.reads.days["reqs_total"])
        world.clock.advance(nanoseconds: 3 * 86_400_000_000_000)
        let (from, through) = (world.now - 600_000, world.now)
        _ = world.ask(
            "sum(rate(reqs_total[1m]))",
            from: from,
            through: through,
            step: 15000,
            isCached: true
        )
        #expect(world.count(.hit) == 1)
        #expect(world.store.reads.days["reqs_total"] == day + 3)
    }
}
