internal import Synchronization
internal import WeirColumns
package import WeirCore
package import WeirPattern

extension Store {
    /// The finest rollups of the days whose samples are no longer there and that touch `times`.
    func rollupsAlone(tenant: String, times: ClosedRange<Int64>) -> [LiveSegment] {
        state.withLock { $0.rollupDays(tenant: tenant, times: times) }
            .compactMap(\.finestAlone)
            .filter { $0.record.times.overlaps(times) }
    }

    /// Finds the series of metrics that satisfy every matcher, to be read as rows of rollups: those of
    /// days that have them, and what the samples of other days come to.
    ///
    /// `times` are nanoseconds, inclusive; `resolutions` those whose windows the reader can use, the best
    /// first. Rollups of days whose samples are gone are read in any case. Nil when no day has a rollup to
    /// be read.
    package func selectRollups(
        tenant: String = "default",
        matchers: [LabelMatcher],
        times: ClosedRange<Int64>,
        resolutions: [RollupResolution],
        budget: some ScanBudget
    ) throws(StoreError) -> RollupSelection? {
        let compiled = try StreamMatchers.compiled(matchers)
        while true {
            let days = state.withLock { $0.metricDays(tenant: tenant, times: times) }
            let picks = days.map { Self.pick(from: $0, resolutions) }
            guard picks.contains(where: { $0 != nil }) else { return nil }
            noteDamage(tenant: tenant, signal: .metrics, times: times, budget: budget)
            let watched = RollupBudget(budget)
            var found: [Found] = []
            var alone: [ClosedRange<Int64>] = []
            var alonePaths: Set<String> = []
            for (day, pick) in zip(days, picks) {
                if let pick, pick.record.times.overlaps(times) {
                    if day.isAlone(pick) { alonePaths.insert(pick.record.path) }
                    let streams = try find(
                        compiled,
                        in: pick,
                        decoder: PageDecoder(),
                        budget: watched
                    )
                    guard !streams.isEmpty else { continue }
                    found.append(Found(.segment(pick), streams))
                    if day.isAlone(pick), let times = day.aloneTimes {
                        alone.append(
                            RollupFold.milliseconds(
                                times.lowerBound
                            )...RollupFold.milliseconds(times.upperBound)
                        )
                    }
                } else if pick == nil, let metrics = day.metrics {
                    found += try find(
                        compiled,
                        in: metrics,
                        times: times,
                        registry: registry(tenant: tenant, signal: .metrics),
                        schema: .metrics,
                        budget: watched
                    )
                }
            }
            let damaged = watched.damaged
            guard !damaged.isEmpty else {
                return RollupSelection(
                    combine(found, times: times),
                    foldMilliseconds: resolutions.first?.milliseconds ?? 1,
                    alone: alone,
                    aloneDays: Set(days.compactMap(\.finestAlone?.record.bucket.day)),
                    alonePaths: alonePaths
                )
            }
            // What was damaged is set aside now: its day is read in another way, if there is one.
            for path in damaged where alonePaths.contains(path) {
                budget.noteQuarantined(path: path)
            }
        }
    }

    private static func pick(
        from day: RollupDay,
        _ resolutions: [RollupResolution]
    ) -> LiveSegment? {
        for resolution in resolutions {
            if let rollup = day.rollups[resolution], day.isCurrent(rollup) || day.isAlone(rollup) {
                return rollup
            }
        }
        return day.finestAlone
    }
}
