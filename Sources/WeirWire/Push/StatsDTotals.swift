internal import WeirCore

/// What StatsD's lines add up to: counters that go on, gauges, and the timers and sets of an interval.
///
/// Pure: lines in, rows out at each flush. What each kind becomes: docs/metrics-in.md.
package struct StatsDTotals: Sendable {
    package static let seriesMax = 100_000
    /// Values of one timer, or members of one set, that are kept in an interval; more are sampled, or
    /// not told apart.
    static let valuesMax = 10_000
    /// A series that nothing came for ends after this.
    static let idleNanosecondsMax: Int64 = 3600 * 1_000_000_000
    static let quantiles: [(text: String, value: Double)] = [
        ("0.5", 0.5), ("0.9", 0.9), ("0.99", 0.99),
    ]

    fileprivate struct Series: Sendable {
        var kind: StatsDLine.Kind
        /// A counter's or timer's total, or a gauge's value.
        var value = 0.0
        /// A timer's observations.
        var count = 0.0
        /// A timer's values of the interval.
        var values: [Double] = []
        var seenCount = 0
        /// A set's members of the interval.
        var members: Set<String> = []
        var heardAt: Int64
    }

    private var series: [Labels: Series] = [:]
    private let limits: MetricOptions
    /// Samples with times of their own, and refusals.
    private var batches = MetricBatches()
    private var streams: [Labels: UInt32] = [:]
    package private(set) var otherCount = 0

    package init(limits: MetricOptions) { self.limits = limits }

    /// Takes in a datagram: lines, each a metric.
    package mutating func add(_ datagram: [UInt8], at now: Int64) {
        for line in datagram.split(separator: 0x0A) {
            do throws(PushError) {
                guard var text = String(validating: line, as: UTF8.self) else { throw .notUTF8 }
                if text.hasSuffix("\r") { text.removeLast() }
                guard !text.isEmpty else { continue }
                switch try StatsDLine.read(text, limits: limits) {
                case .metric(let line): try add(line, at: now)
                case .other: otherCount += 1
                }
            } catch {
                batches.refuse(line: 0, error.description)
            }
        }
    }

    private mutating func add(_ line: StatsDLine, at now: Int64) throws(PushError) {
        if let time = line.time, time > now, time - now > limits.futureMax {
            throw .tooFarInFuture(limit: limits.futureMax)
        }
        var known =
            series.removeValue(forKey: line.labels) ?? Series(kind: line.kind, heardAt: now)
        guard series.count < Self.seriesMax else {
            batches.refuse(line: 0, "more than \(Self.seriesMax) series")
            return
        }
        // One name, another kind: it begins anew.
        if known.kind != line.kind { known = Series(kind: line.kind, heardAt: now) }
        known.heardAt = now
        switch line.kind {
        case .counter: known.value += line.values.reduce(0, +) / line.rate
        case .gauge:
            for (value, isRelative) in zip(line.values, line.isRelative) {
                known.value = isRelative ? known.value + value : value
            }
        case .timer, .distribution:
            for value in line.values {
                let value = line.kind == .timer ? value / 1000 : value
                known.count += 1 / line.rate
                known.value += value / line.rate
                known.keep(value)
            }
        case .set:
            if known.members.count < Self.valuesMax { known.members.formUnion(line.members) }
        }
        series[line.labels] = known
        guard let time = line.time, line.kind == .counter || line.kind == .gauge else { return }
        put(line.labels, known.value, time)
    }

    /// What there is to be stored, as of `now`; intervals begin anew.
    package mutating func flush(at now: Int64) -> MetricBatches {
        for (labels, one) in series {
            if now - one.heardAt > Self.idleNanosecondsMax {
                end(labels, one, now)
                series[labels] = nil
                continue
            }
            switch one.kind {
            case .counter, .gauge: put(labels, one.value, now)
            case .set: put(labels, Double(one.members.count), now)
            case .timer, .distribution:
                for (quantile, value) in one.quantileValues {
                    put(labels.setting("quantile", to: quantile), value, now)
                }
                put(Self.named(labels, "_sum"), one.value, now)
                put(Self.named(labels, "_count"), one.count, now)
            }
            series[labels]?.beginInterval()
        }
        let flushed = batches
        batches = MetricBatches()
        streams = [:]
        return flushed
    }

    private mutating func end(_ labels: Labels, _ series: Series, _ now: Int64) {
        switch series.kind {
        case .counter, .gauge, .set: put(labels, .staleMarker, now)
        case .timer, .distribution:
            for quantile in Self.quantiles {
                put(labels.setting("quantile", to: quantile.text), .staleMarker, now)
            }
            for suffix in ["_sum", "_count"] { put(Self.named(labels, suffix), .staleMarker, now) }
        }
    }

    private static func named(_ labels: Labels, _ suffix: String) -> Labels {
        labels.setting(Labels.metricNameLabel, to: (labels.metricName ?? "") + suffix)
    }

    private mutating func put(_ labels: Labels, _ value: Double, _ time: Int64) {
        let stream = streams[labels] ?? batches.samples.addStream(labels)
        streams[labels] = stream
        batches.samples.append(value, stream: stream, time: time)
    }
}

extension StatsDTotals.Series {
    /// Keeps a value for the quantiles; of very many, evenly chosen ones.
    fileprivate mutating func keep(_ value: Double) {
        seenCount += 1
        if values.count < StatsDTotals.valuesMax {
            values.append(value)
        } else {
            let place = Int.random(in: 0..<seenCount)
            if place < values.count { values[place] = value }
        }
    }

    /// The interval's quantiles, none where nothing came: the smallest value that so many are not above.
    fileprivate var quantileValues: [(String, Double)] {
        guard !values.isEmpty else { return [] }
        let sorted = values.sorted()
        return StatsDTotals.quantiles.map { quantile in
            let rank = Int((quantile.value * Double(sorted.count)).rounded(.up))
            return (quantile.text, sorted[max(0, min(sorted.count, rank) - 1)])
        }
    }

    fileprivate mutating func beginInterval() {
        values = []
        seenCount = 0
        members = []
    }
}
