internal import WeirColumns
internal import WeirCore

/// Sums and means.
///
/// Large windows are summed by blocks of time, whose bounds do not depend on where windows lie: the
/// same samples give the same sum, to the last bit, whatever else is evaluated. Overlapping windows
/// share the sums of whole blocks. Where windows are made of those of rollups, the blocks are the
/// rollups' windows, cut at midnight: so are rollups added up, and their answer is this one to the last
/// bit.
package struct SumKernel: WindowKernel {
    /// Smaller windows that are not made of rollups' are summed in one go.
    private static let samplesMin = 1024
    /// A window is at least as many blocks wide.
    private static let blocksMin: Int64 = 16
    private static let millisecondsPerDay: Int64 = 86_400_000
    private let isMean: Bool
    /// The windows of rollups that windows are made of, milliseconds.
    private let pieceMilliseconds: Int64?
    /// Without those, bounds of blocks are where a time shifted by this changes.
    private let shift: Int64
    /// The first sample of each block, and after the last one the number of samples.
    private var starts: [Int] = []
    private var sums: [CompensatedSum] = []

    package init(isMean: Bool, rangeMilliseconds: Int64, pieceMilliseconds: Int64? = nil) {
        self.isMean = isMean
        self.pieceMilliseconds = pieceMilliseconds
        let width = max(1, rangeMilliseconds / Self.blocksMin)
        shift = Int64(Int64.bitWidth - 1 - width.leadingZeroBitCount)
    }

    @inline(__always)
    package mutating func prepare(
        _ times: Span<Int64>,
        _ values: Span<Double>,
        isOverlapping: Bool
    ) {
        guard isOverlapping, isSummedByBlocks(values.count) else { return }
        var start = 0
        while start < values.count {
            let end = blockEnd(times, from: start, below: values.count)
            starts.append(start)
            sums.append(.of(values, start..<end))
            start = end
        }
        starts.append(start)
    }

    @inline(__always)
    private func isSummedByBlocks(_ sampleCount: Int) -> Bool {
        pieceMilliseconds != nil || sampleCount > Self.samplesMin
    }

    /// Where the block of sample `start` ends, at most `limit`.
    @inline(__always)
    private func blockEnd(_ times: Span<Int64>, from start: Int, below limit: Int) -> Int {
        let last = lastTime(ofBlockAt: times[start])
        guard times[limit - 1] > last else { return limit }
        return WindowSlide.firstIndex(times, after: last, from: start, 0)
    }

    /// The last time in the block that has this one.
    @inline(__always)
    private func lastTime(ofBlockAt time: Int64) -> Int64 {
        guard let pieceMilliseconds else { return ((time >> shift) << shift) | ((1 << shift) - 1) }
        let rest = time % pieceMilliseconds
        let windowEnd = time - rest + (rest > 0 ? pieceMilliseconds : 0)
        let inDay = time % Self.millisecondsPerDay
        let dayEnd = time - inDay + (inDay < 0 ? 0 : Self.millisecondsPerDay) - 1
        return min(windowEnd, dayEnd)
    }

    @inline(__always)
    private func sum(
        _ times: Span<Int64>,
        _ values: Span<Double>,
        _ range: Range<Int>
    ) -> CompensatedSum {
        guard isSummedByBlocks(range.count) else { return .of(values, range) }
        var total = CompensatedSum()
        var start = range.lowerBound
        var block = starts.partitioningIndex { $0 >= start }
        while start < range.upperBound {
            let part: CompensatedSum
            let isWhole =
                block + 1 < starts.count && starts[block] == start
                && starts[block + 1] <= range.upperBound
            if isWhole {
                part = sums[block]
                start = starts[block + 1]
            } else {
                let end = blockEnd(times, from: start, below: range.upperBound)
                part = .of(values, start..<end)
                start = end
            }
            if block < starts.count, starts[block] < start { block += 1 }
            total.add(part.sum)
            total.compensation += part.compensation
        }
        return (total.sum + total.compensation).isFinite ? total : .of(values, range)
    }

    @inline(__always)
    package func value(
        _ times: Span<Int64>,
        _ values: Span<Double>,
        _ range: Range<Int>,
        _ window: Window
    ) -> Double {
        let total = sum(times, values, range)
        guard isMean else { return total.value }
        if total.sum.isFinite {
            return total.sum / Double(range.count) + total.compensation / Double(range.count)
        }
        var mean = RunningMean()
        for index in range { mean.add(values[index]) }
        return mean.value
    }
}
