import Synchronization
package import WeirCore

/// The streams that a store takes as active, by number.
package struct ActiveStreams: Sendable {
    /// Empty where a stream was forgotten.
    package var labels: [Labels] = []
    /// When each stream's first and last rows came, by the wall clock, in nanoseconds; what came before
    /// the start counts as coming at the start.
    package var firstWrites: [Int64] = []
    package var lastWrites: [Int64] = []
}

/// The streams of one tenant and signal that were written lately, each with a small number.
///
/// A reference is never given to another stream. A stream that has been idle and whose rows are
/// all in segments is forgotten, and gets a new reference when it comes back.
final class StreamRegistry: Sendable {
    private struct State {
        var references: [Labels: UInt32] = [:]
        var labels: [Labels] = []
        /// When each stream was first and last written, by the wall clock, in nanoseconds.
        var firstWrites: [Int64] = []
        var lastWrites: [Int64] = []
        /// The journal epoch in which each stream was last defined.
        var definedEpochs: [UInt32] = []
        var sweepCount = 0
    }

    private static let count = Atomic<UInt32>(0)

    /// Tells this registry from all others of the process.
    let number = StreamRegistry.count.wrappingAdd(1, ordering: .relaxed).newValue
    private let state = Mutex(State())

    /// What `resolve` found.
    struct Resolution: Sendable {
        /// One reference per stream asked for; nil for those that were refused.
        var references: [UInt32?]
        var refusedCount: Int
        /// The first stream that was refused, by its place.
        var firstRefused: Int?
        /// Streams active after this.
        var activeCount: Int
    }

    /// Finds or makes the reference of each stream.
    ///
    /// New streams past `limit` are refused. `handles`, where there are any, save looking streams up
    /// that were looked up before.
    func resolve(
        _ streams: [Labels],
        handles: [StreamHandle] = [],
        limit: Int,
        now: Int64
    ) -> Resolution {
        state.withLock { state in
            var resolution = Resolution(
                references: [],
                refusedCount: 0,
                firstRefused: nil,
                activeCount: 0
            )
            resolution.references.reserveCapacity(streams.count)
            for index in streams.indices {
                if !handles.isEmpty, let known = handles[index].reference(in: number),
                    !state.labels[Int(known)].bytes.isEmpty
                {
                    state.lastWrites[Int(known)] = now
                    resolution.references.append(known)
                    continue
                }
                let labels = streams[index]
                if let known = state.references[labels] {
                    state.lastWrites[Int(known)] = now
                    if !handles.isEmpty { handles[index].setReference(known, in: number) }
                    resolution.references.append(known)
                } else if state.references.count < limit {
                    let reference = UInt32(state.labels.count)
                    state.references[labels] = reference
                    state.labels.append(labels)
                    state.firstWrites.append(now)
                    state.lastWrites.append(now)
                    state.definedEpochs.append(0)
                    if !handles.isEmpty { handles[index].setReference(reference, in: number) }
                    resolution.references.append(reference)
                } else {
                    resolution.refusedCount += 1
                    if resolution.firstRefused == nil { resolution.firstRefused = index }
                    resolution.references.append(nil)
                }
            }
            resolution.activeCount = state.references.count
            return resolution
        }
    }

    /// Which of `references` have not been defined in journal epoch `epoch`; they count as
    /// defined afterwards.
    func define(
        _ references: [UInt32],
        epoch: UInt32
    ) -> [(reference: UInt32, labels: Labels)] {
        state.withLock { state in
            var fresh: [(reference: UInt32, labels: Labels)] = []
            for reference in references where state.definedEpochs[Int(reference)] != epoch {
                state.definedEpochs[Int(reference)] = epoch
                fresh.append((reference, state.labels[Int(reference)]))
            }
            return fresh
        }
    }

    /// All labels by reference; forgotten streams are empty.
    ///
    /// `sweepCount` changes when some were.
    func snapshot() -> (labels: [Labels], sweepCount: Int) {
        state.withLock { ($0.labels, $0.sweepCount) }
    }

    /// All that are active.
    var active: ActiveStreams {
        state.withLock {
            ActiveStreams(
                labels: $0.labels,
                firstWrites: $0.firstWrites,
                lastWrites: $0.lastWrites
            )
        }
    }

    var activeCount: Int { state.withLock { $0.references.count } }

    /// Forgets streams not written since `time`.
    ///
    /// Call only when no row in memory names them.
    func sweep(notWrittenSince time: Int64) {
        state.withLock { state in
            var isChanged = false
            for reference in state.labels.indices
            where state.lastWrites[reference] < time && !state.labels[reference].bytes.isEmpty {
                state.references[state.labels[reference]] = nil
                state.labels[reference] = .empty
                isChanged = true
            }
            if isChanged { state.sweepCount += 1 }
        }
    }
}

/// The canonical order of a registry's streams, kept up as streams are added.
///
/// Owned by the thread that sorts rows. Adding k streams to n costs O(k log k + n).
struct StreamOrder {
    private var sorted: [UInt32] = []
    private(set) var ranks: [UInt32] = []
    private(set) var labels: [Labels] = []
    private var sweepCount = 0

    init() {}

    /// The order of a few streams among themselves; the others have no rank.
    init(labels: [Labels], references: [UInt32]) {
        self.labels = labels
        sorted = references.sorted { labels[Int($0)] < labels[Int($1)] }
        ranks = [UInt32](repeating: 0, count: labels.count)
        for (rank, reference) in sorted.enumerated() { ranks[Int(reference)] = UInt32(rank) }
    }

    /// Takes in the streams that were added since the last call.
    mutating func update(from registry: StreamRegistry) {
        let (labels, sweepCount) = registry.snapshot()
        if sweepCount != self.sweepCount {
            sorted = []
            ranks = []
            self.sweepCount = sweepCount
        }
        let known = ranks.count
        self.labels = labels
        guard labels.count > known else { return }
        var fresh = (known..<labels.count).map { UInt32($0) }
        fresh.sort { labels[Int($0)] < labels[Int($1)] }
        sorted = Self.merge(sorted, fresh, labels)
        ranks = [UInt32](repeating: 0, count: labels.count)
        for (rank, reference) in sorted.enumerated() { ranks[Int(reference)] = UInt32(rank) }
    }

    private static func merge(
        _ left: [UInt32],
        _ right: [UInt32],
        _ labels: [Labels]
    ) -> [UInt32] {
        var merged: [UInt32] = []
        merged.reserveCapacity(left.count + right.count)
        var (i, j) = (0, 0)
        while i < left.count, j < right.count {
            if labels[Int(right[j])] < labels[Int(left[i])] {
                merged.append(right[j])
                j += 1
            } else {
                merged.append(left[i])
                i += 1
            }
        }
        merged.append(contentsOf: left[i...])
        merged.append(contentsOf: right[j...])
        return merged
    }
}
