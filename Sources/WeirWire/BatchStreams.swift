internal import WeirCore

/// The streams of the batch that is being made, and those of the batch before.
///
/// A sender that sends the same series in the same order every time has the same list of streams in every
/// batch: then the list is shared, and nothing is counted or copied stream by stream.
struct BatchStreams: Sendable {
    private struct List: Sendable {
        /// What each stream's keeper calls it; -1: nothing that comes again.
        var numbers: [Int32] = []
        var labels: [Labels] = []
        var handles: [StreamHandle] = []
        var lines: [Int] = []
    }

    private var before = List()
    private var list = List()
    /// How many of the streams so far are those of the batch before; -1 once one was not.
    private var sharedCount = 0
    /// Whether one of the streams so far will not come again.
    private var hasStrangers = false

    /// Starts a batch.
    mutating func begin() {
        list = List()
        sharedCount = 0
        hasStrangers = false
    }

    /// The next place, for a stream that stood at it in the batch before, named by the same line.
    mutating func repeats(_ number: Int, line: Int) -> UInt32? {
        let place = sharedCount
        guard place >= 0, place < before.numbers.count,
            before.numbers[place] == Int32(truncatingIfNeeded: number),
            before.lines[place] == line
        else { return nil }
        sharedCount = place &+ 1
        return UInt32(truncatingIfNeeded: place)
    }

    /// The next place, for any stream: `number` is what its keeper calls it, -1 if nobody will again.
    mutating func add(
        _ labels: Labels,
        _ handle: StreamHandle,
        number: Int,
        line: Int
    ) -> UInt32 {
        if sharedCount >= 0 { unshare() }
        hasStrangers = hasStrangers || number < 0
        list.numbers.append(Int32(truncatingIfNeeded: number))
        list.labels.append(labels)
        list.handles.append(handle)
        list.lines.append(line)
        return UInt32(truncatingIfNeeded: list.numbers.count - 1)
    }

    private mutating func unshare() {
        list.numbers.reserveCapacity(before.numbers.count)
        list.labels.reserveCapacity(before.numbers.count)
        list.handles.reserveCapacity(before.numbers.count)
        list.lines.reserveCapacity(before.numbers.count)
        list.numbers += before.numbers[..<sharedCount]
        list.labels += before.labels[..<sharedCount]
        list.handles += before.handles[..<sharedCount]
        list.lines += before.lines[..<sharedCount]
        sharedCount = -1
    }

    /// Ends the batch: gives it its streams.
    ///
    /// They are kept for the next where their keeper has all of them in memory anyway.
    mutating func finish(_ batch: inout RowBatch) {
        if sharedCount != before.numbers.count {
            if sharedCount >= 0 { unshare() }
            before = list
        }
        batch.streams = before.labels
        batch.handles = before.handles
        batch.firstLines = before.lines
        if hasStrangers { before = List() }
        begin()
    }
}
