package import WeirCore

extension WindowSlide {
    /// The resolutions of rollups whose windows these windows are made of, the coarsest first.
    package var resolutions: [RollupResolution] {
        guard !isClosed else { return [] }
        return RollupResolution.allCases.reversed().filter { resolution in
            [ends.start, ends.interval, rangeMilliseconds].allSatisfy {
                $0 % resolution.milliseconds == 0
            }
        }
    }

    /// Whether each window holds one of some times, which are milliseconds, ascending and apart; empty
    /// when none does.
    func windows(touching times: [ClosedRange<Int64>]) -> [Bool] {
        guard !times.isEmpty else { return [] }
        let touched = (0..<ends.count).map { step in
            let end = ends.time(step)
            let start = end - rangeMilliseconds + (isClosed ? 0 : 1)
            let next = times.partitioningIndex { $0.upperBound >= start }
            return next < times.count && times[next].lowerBound <= end
        }
        return touched.contains(true) ? touched : []
    }
}
