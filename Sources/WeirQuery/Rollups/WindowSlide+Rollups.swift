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
}
