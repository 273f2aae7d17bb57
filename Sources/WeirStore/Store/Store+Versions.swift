internal import Synchronization

/// What a reader of samples saw, so that it can be asked later what has changed since.
package struct StoreVersion: Hashable, Sendable {
    /// Rises when samples go: by erasure, by retention, with a damaged segment.
    package let generation: UInt64
    /// The last batch that was visible.
    package let sequence: UInt64

    package init(generation: UInt64, sequence: UInt64) {
        self.generation = generation
        self.sequence = sequence
    }
}

/// What has changed since some version.
package enum StoreChange: Hashable, Sendable {
    case nothing
    /// Samples came; the earliest of them has this time, in nanoseconds, or a later one.
    case samples(from: Int64)
    /// Samples went.
    case removal
}

extension Store {
    /// What a reader sees at least who selects samples now.
    package var sampleVersion: StoreVersion {
        state.withLock {
            StoreVersion(generation: $0.sampleGeneration, sequence: $0.lastSequence)
        }
    }

    /// What has become of samples and native histograms, of all tenants, since `version` was read.
    package func sampleChange(since version: StoreVersion) -> StoreChange {
        state.withLock { state in
            guard state.sampleGeneration == version.generation else { return .removal }
            guard let time = state.sampleWrites.leastTime(after: version.sequence) else {
                return .nothing
            }
            return .samples(from: time)
        }
    }
}
