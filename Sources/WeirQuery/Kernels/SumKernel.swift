internal import WeirColumns

/// Sums and means.
///
/// Overlapping windows share the sums of blocks of samples. Where windows are made of those of rollups
/// the blocks are the rollups' windows, cut at midnight: so are rollups added up, and their answer is
/// this one to the last bit.
package struct SumKernel: WindowKernel {
    private static let block = 32
    private static let millisecondsPerDay: Int64 = 86_400_000
    private let isMean: Bool
    /// The windows of rollups that windows are made of, milliseconds.
    private let pieceMilliseconds: Int64?
    private var blocks: [CompensatedSum] = []
    /// Where each block begins, and where the last one ends; empty when all are `block` long.
    private var starts: [Int] = []

    package init(isMean: Bool, pieceMilliseconds: Int64? = nil) {
        self.isMean = isMean
        self.pieceMilliseconds = pieceMilliseconds
    }

    @inline(__always)
    package mutating func prepare(
        _ times: Span<Int64>,
        _ values: Span<Double>,
        isOverlapping: Bool
    ) {
        if let pieceMilliseconds {
            cut(times, values, every: pieceMilliseconds)
            return
        }
        guard isOverlapping, values.count > 4 * Self.block else { return }
        let count = values.count / Self.block
        blocks.reserveCapacity(count)
        for index in 0..<count {
            blocks.append(.of(values, (index * Self.block)..<((index + 1) * Self.block)))
        }
    }

    /// Makes a block of each window of a rollup and day.
    private mutating func cut(
        _ times: Span<Int64>,
        _ values: Span<Double>,
        every milliseconds: Int64
    ) {
        var start = 0
        var width = 0
        while start < times.count {
            let time = times[start]
            let rest = time % milliseconds
            let windowEnd = time - rest + (rest > 0 ? milliseconds : 0)
            let inDay = time % Self.millisecondsPerDay
            let dayEnd = time - inDay + (inDay < 0 ? 0 : Self.millisecondsPerDay) - 1
            let end = WindowSlide.firstIndex(
                times,
                after: min(windowEnd, dayEnd),
                from: start,
                start + width
            )
            starts.append(start)
            blocks.append(.of(values, start..<end))
            width = end - start
            start = end
        }
        starts.append(times.count)
    }

    /// The number of the block that begins at `index`.
    @inline(__always)
    private func block(at index: Int) -> Int {
        var low = 0
        var high = starts.count - 1
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] < index { low = middle + 1 } else { high = middle }
        }
        return low
    }

    @inline(__always)
    private func sum(_ values: Span<Double>, _ range: Range<Int>) -> CompensatedSum {
        guard starts.isEmpty else { return pieces(values, range) }
        let first = (range.lowerBound + Self.block - 1) / Self.block
        let last = range.upperBound / Self.block
        guard !blocks.isEmpty, first < last else { return .of(values, range) }
        var total = CompensatedSum.of(values, range.lowerBound..<(first * Self.block))
        for part in blocks[first..<last] {
            total.add(part.sum)
            total.compensation += part.compensation
        }
        let tail = CompensatedSum.of(values, (last * Self.block)..<range.upperBound)
        total.add(tail.sum)
        total.compensation += tail.compensation
        return (total.sum + total.compensation).isFinite ? total : .of(values, range)
    }

    /// The sum of whole blocks.
    private func pieces(_ values: Span<Double>, _ range: Range<Int>) -> CompensatedSum {
        let first = block(at: range.lowerBound)
        var last = first
        while last + 1 < starts.count, starts[last + 1] <= range.upperBound { last += 1 }
        guard first + 1 < starts.count, starts[first] == range.lowerBound,
            starts[last] == range.upperBound
        else { return .of(values, range) }
        if last == first + 1 { return blocks[first] }
        var total = CompensatedSum()
        for part in blocks[first..<last] {
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
        let total = sum(values, range)
        guard isMean else { return total.value }
        if total.sum.isFinite {
            return total.sum / Double(range.count) + total.compensation / Double(range.count)
        }
        var mean = RunningMean()
        for index in range { mean.add(values[index]) }
        return mean.value
    }
}
