internal import Synchronization
package import WeirCore

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
    package var sampleVersion: SampleVersion {
        state.withLock {
            SampleVersion(generation: $0.sampleGeneration, sequence: $0.lastSequence)
        }
    }

    /// What has become of samples and native histograms, of all tenants, since `version` was read.
    package func sampleChange(since version: SampleVersion) -> StoreChange {
        state.withLock { state in
            guard state.sampleGeneration == version.generation else { return .removal }
            guard let time = state.sampleWrites.leastTime(after: version.sequence) else {
                return .nothing
            }
            return .samples(from: time)
        }
    }
}
