import Testing
import WeirTestSupport

@testable import WeirAlerts

@Suite struct RuleTicksTests {
    private func ticks(_ rhythm: RuleTicks.Rhythm) -> RuleTicks {
        RuleTicks(rhythm: rhythm, catchUpTicksMax: 60, catchUpMillisecondsMax: 3_600_000)
    }

    private func due(_ missed: [Int64], _ current: Int64?, _ skipped: Int) -> RuleTicks.Due {
        RuleTicks.Due(missed: missed, current: current, skippedCount: skipped)
    }

    @Test func intervalsAreAlignedWithTheirOffset() {
        let ticks = ticks(.interval(milliseconds: 60_000, offset: 7_000))
        #expect(ticks.next(after: 0) == 7_000)
        #expect(ticks.next(after: 6_999) == 7_000)
        #expect(ticks.next(after: 7_000) == 67_000)
        #expect(ticks.next(after: -60_000) == -53_000)
    }

    @Test func whatWasMissedIsCountedAndBounded() {
        let ticks = ticks(.interval(milliseconds: 60_000, offset: 0))
        #expect(ticks.due(last: nil, now: 130_000) == due([], 120_000, 0))
        #expect(ticks.due(last: 120_000, now: 179_999) == due([], nil, 0))
        #expect(ticks.due(last: 120_000, now: 180_000) == due([], 180_000, 0))
        #expect(ticks.due(last: 120_000, now: 310_000) == due([180_000, 240_000], 300_000, 0))
        let day: Int64 = 86_400_000
        let long = ticks.due(last: 0, now: day)
        #expect(long.missed.count == 60)
        #expect(long.missed.first == day - 60 * 60_000)
        #expect(long.current == day)
        #expect(long.skippedCount == 1440 - 1 - 60)
        let slow = self.ticks(.interval(milliseconds: 900_000, offset: 0))
        #expect(slow.due(last: 0, now: day).missed.count == 4)
        // A group whose interval has changed: its last tick lies on no slot.
        #expect(ticks.due(last: 119_000, now: 130_000) == due([], 120_000, 0))
    }

    @Test func schedulesAreCaughtUpToo() throws {
        let hourly = ticks(.schedule(try CronSchedule(parsing: "*/10 * * * *")))
        #expect(hourly.due(last: nil, now: 1_000_000) == due([], nil, 0))
        #expect(hourly.due(last: 0, now: 599_999) == due([], nil, 0))
        #expect(hourly.due(last: 0, now: 1_250_000) == due([600_000], 1_200_000, 0))
        let daily = ticks(.schedule(try CronSchedule(parsing: "@daily")))
        let day: Int64 = 86_400_000
        #expect(daily.due(last: 1, now: 3 * day + 7_200_000) == due([], 3 * day, 2))
        #expect(daily.next(after: 3 * day) == 4 * day)
    }

    @Test func noTickComesTwiceAndNoneIsLost() {
        var random = SplitMix64(seed: 11)
        for _ in 0..<200 {
            let interval = Int64(random.next() % 90_000 + 1000)
            let offset = Int64(random.next() % UInt64(interval))
            let ticks = ticks(.interval(milliseconds: interval, offset: offset))
            var last: Int64?
            var now: Int64 = 1_000_000
            var seen: [Int64] = []
            for _ in 0..<50 {
                let due = ticks.due(last: last, now: now)
                seen += due.missed + (due.current.map { [$0] } ?? [])
                #expect(due.skippedCount == 0 || due.missed.count >= 30)
                last = due.current ?? last
                now += Int64(random.next() % UInt64(interval * 3))
            }
            #expect(zip(seen, seen.dropFirst()).allSatisfy { $1 - $0 == interval })
        }
    }

    @Test func groupsKeepTheirPlaceInTheInterval() {
        let one = RuleGroupKey(file: "a.yml", name: "x")
        let offset = RuleTicks.offset(of: one, intervalMilliseconds: 60_000)
        #expect((0..<60_000).contains(offset))
        #expect(offset == RuleTicks.offset(of: one, intervalMilliseconds: 60_000))
        let other = RuleGroupKey(file: "a.yml", name: "y")
        #expect(offset != RuleTicks.offset(of: other, intervalMilliseconds: 60_000))
    }
}
