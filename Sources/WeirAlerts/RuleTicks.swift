internal import WeirCore

/// When a group's evaluations are due: pure arithmetic over Unix milliseconds.
package struct RuleTicks: Hashable, Sendable {
    package enum Rhythm: Hashable, Sendable {
        /// Every so many milliseconds, `offset` after the multiples of the interval.
        case interval(milliseconds: Int64, offset: Int64)
        case schedule(CronSchedule)
    }

    package let rhythm: Rhythm
    /// The most missed ticks that recording rules make up for, and how far back.
    package let catchUpTicksMax: Int
    package let catchUpMillisecondsMax: Int64

    package init(rhythm: Rhythm, catchUpTicksMax: Int, catchUpMillisecondsMax: Int64) {
        self.rhythm = rhythm
        self.catchUpTicksMax = catchUpTicksMax
        self.catchUpMillisecondsMax = catchUpMillisecondsMax
    }

    /// What is due now.
    package struct Due: Hashable, Sendable {
        /// For recording rules only, in order.
        package var missed: [Int64]
        /// For all rules; nil when nothing is due.
        package var current: Int64?
        /// Ticks that nobody makes up for.
        package var skippedCount: Int
    }

    /// The first tick after the given moment; nil when there is none for decades.
    package func next(after milliseconds: Int64) -> Int64? {
        switch rhythm {
        case .interval(let interval, let offset):
            (milliseconds - offset).floorDivided(by: interval) * interval + interval + offset
        case .schedule(let schedule): schedule.next(afterMilliseconds: milliseconds)
        }
    }

    /// The ticks after `last` up to `now`.
    ///
    /// A group that was never evaluated starts at once with the latest tick of its interval, or
    /// waits for its schedule.
    package func due(last: Int64?, now: Int64) -> Due {
        switch rhythm {
        case .interval(let interval, let offset):
            let latest = (now - offset).floorDivided(by: interval) * interval + offset
            guard let last else { return Due(missed: [], current: latest, skippedCount: 0) }
            guard latest > last else { return Due(missed: [], current: nil, skippedCount: 0) }
            let first = next(after: last) ?? latest
            let missedCount = Int((latest - first) / interval)
            let reach = Int(catchUpMillisecondsMax / interval)
            let kept = min(missedCount, catchUpTicksMax, reach)
            let missed = (0..<kept).map { latest - Int64(kept - $0) * interval }
            return Due(missed: missed, current: latest, skippedCount: missedCount - kept)
        case .schedule:
            guard let last else { return Due(missed: [], current: nil, skippedCount: 0) }
            // Only as far back as counts: a year of minutes would be half a million ticks.
            let horizon = now - catchUpMillisecondsMax - 1
            var ticks: [Int64] = []
            var tick = next(after: max(last, horizon))
            while let at = tick, at <= now {
                ticks.append(at)
                tick = next(after: at)
            }
            if ticks.isEmpty {
                // Rarer than the horizon: the latest one still counts.
                var latest: Int64?
                var skipped = 0
                var tick = next(after: last)
                while let at = tick, at <= now {
                    if latest != nil { skipped += 1 }
                    latest = at
                    tick = next(after: at)
                }
                return Due(missed: [], current: latest, skippedCount: skipped)
            }
            let missed = Array(ticks.dropLast().suffix(catchUpTicksMax))
            return Due(
                missed: missed,
                current: ticks.last,
                skippedCount: ticks.count - 1 - missed.count
            )
        }
    }

    /// Where in its interval a group's ticks lie: different groups are not all due at once, and a
    /// group keeps its place over restarts.
    package static func offset(of key: RuleGroupKey, intervalMilliseconds: Int64) -> Int64 {
        let hash = FNV1a.hash(Array("\(key.file)\u{FF}\(key.name)".utf8))
        return Int64(hash % UInt64(max(1, intervalMilliseconds)))
    }
}
