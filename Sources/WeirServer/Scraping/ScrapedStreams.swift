internal import WeirCore

/// The series of one kind (samples, or native histograms) that a target exposed, from scrape to scrape:
/// which of its series stands for which of the store, and which were there the last time.
struct ScrapedStreams {
    private struct Stream {
        let labels: Labels
        let handle: StreamHandle
        /// The scrape it was in last.
        var seen = 0
        /// The last scrape after which its end is to be marked; -1: none.
        var tracked = -1
        /// The last time the target gave with a sample.
        var ownTime = Int64.min
        /// The scrape in whose batch it has a place.
        var placed = 0
        var place: UInt32 = 0
    }

    /// What stands for a series that relabelling dropped.
    private static let dropped = -1
    /// Samples with times further ahead are left out, as in Prometheus.
    static let futureMax: Int64 = 600_000_000_000

    private var streams: [Stream] = []
    private var indexes: [Labels: Int] = [:]
    /// By the labels as exposed.
    private var sources: [Labels: Int] = [:]
    private var sourceCountGood = 0

    /// Forgets how labels were changed, not which series there were.
    mutating func forgetRules() { sources = [:] }

    /// What stands for the series that a target exposed.
    struct Resolution {
        /// Dropped series have -1.
        var indexes: [Int] = []
        var newCount = 0
        /// What is wrong with the series that follow.
        var failure: ScrapeFailure?
    }

    /// The series that stand for `exposed`, up to the first that cannot be.
    mutating func resolve(
        _ exposed: some Sequence<Labels>,
        rename: (Labels) throws(ScrapeFailure) -> Labels?
    ) -> Resolution {
        var found = Resolution()
        for source in exposed {
            if let index = sources[source] {
                found.indexes.append(index)
                continue
            }
            let renamed: Labels?
            do throws(ScrapeFailure) {
                renamed = try rename(source)
            } catch {
                found.failure = error
                return found
            }
            guard let labels = renamed else {
                sources[source] = Self.dropped
                found.indexes.append(Self.dropped)
                continue
            }
            found.newCount += 1
            let index = indexes[labels] ?? streams.count
            if index == streams.count {
                streams.append(Stream(labels: labels, handle: StreamHandle()))
                indexes[labels] = index
            }
            sources[source] = index
            found.indexes.append(index)
        }
        return found
    }

    /// The labels in the store of a series that was resolved before.
    func labels(of source: Labels) -> Labels? {
        guard let index = sources[source], index != Self.dropped else { return nil }
        return streams[index].labels
    }

    /// Appends the rows of scrape `round` to `batch`, without those of dropped series and second ones of a
    /// series.
    ///
    /// `defaultTime`: the time of rows that had none of their own.
    mutating func write(
        _ parsed: RowBatch,
        _ indexes: [Int],
        round: Int,
        defaultTime: Int64,
        tracksOwnTimes: Bool,
        into batch: inout RowBatch
    ) {
        for row in 0..<parsed.rowCount {
            let index = indexes[Int(parsed.streamIndexes[row])]
            guard index != Self.dropped else { continue }
            let time = parsed.times[row]
            let hasOwnTime = time != defaultTime
            let isFirst = streams[index].seen != round
            guard hasOwnTime || isFirst else { continue }
            streams[index].seen = round
            if !hasOwnTime || tracksOwnTimes { streams[index].tracked = round }
            if hasOwnTime {
                // What the target showed before, or Prometheus would find too far ahead.
                guard time > streams[index].ownTime, time <= defaultTime &+ Self.futureMax else {
                    continue
                }
                streams[index].ownTime = time
            }
            if streams[index].placed != round {
                streams[index].placed = round
                streams[index].place = batch.addScraped(
                    streams[index].labels,
                    streams[index].handle
                )
            }
            batch.streamIndexes.append(streams[index].place)
            batch.times.append(time)
            for column in batch.columns.indices {
                batch.columns[column].append(row, of: parsed.columns[column])
            }
        }
    }

    /// Appends the end of every series that was in scrape `previous` and is not in `round`.
    func writeEnds(
        previous: Int,
        round: Int,
        time: Int64,
        into batch: inout RowBatch
    ) {
        for stream in streams where stream.tracked == previous && stream.seen != round {
            let place = batch.addScraped(stream.labels, stream.handle)
            if batch.signal == .histograms {
                var end = NativeHistogram()
                end.sum = .staleMarker
                batch.append(end, stream: place, time: time)
            } else {
                batch.appendScraped(.staleMarker, stream: place, time: time)
            }
        }
    }

    /// Forgets what was not in scrape `round`, which went well and had these series.
    mutating func prune(round: Int, exposed: [Labels]) {
        sourceCountGood = exposed.count
        guard sources.count != exposed.count || streams.contains(where: { $0.seen != round }) else {
            return
        }
        var kept: [Stream] = []
        var moved = [Int](repeating: Self.dropped, count: streams.count)
        for (index, stream) in streams.enumerated() where stream.seen == round {
            moved[index] = kept.count
            kept.append(stream)
        }
        var sources: [Labels: Int] = [:]
        for source in exposed {
            guard let index = self.sources[source] else { continue }
            sources[source] = index == Self.dropped ? index : moved[index]
        }
        streams = kept
        indexes = [:]
        for (index, stream) in kept.enumerated() { indexes[stream.labels] = index }
        self.sources = sources
    }

    /// Bounds what scrapes that fail leave behind.
    mutating func pruneAfterFailure() {
        guard sources.count > 2 * sourceCountGood + 1000 else { return }
        sources = [:]
        streams = []
        indexes = [:]
    }
}

extension RowBatch {
    /// Appends a series, and tells its place.
    mutating func addScraped(_ labels: Labels, _ handle: StreamHandle) -> UInt32 {
        streams.append(labels)
        handles.append(handle)
        firstLines.append(0)
        return UInt32(streams.count - 1)
    }

    /// Appends a row of `Signal.metrics`.
    mutating func appendScraped(_ value: Double, stream: UInt32, time: Int64) {
        streamIndexes.append(stream)
        times.append(time)
        columns[0].floats.append(value)
    }
}
