/// What a reader of samples saw, so that it can be asked later what has changed since.
package struct SampleVersion: Hashable, Sendable {
    /// Rises when samples go: by erasure, by retention, with a damaged segment.
    package let generation: UInt64
    /// The last write that was visible.
    package let sequence: UInt64

    package init(generation: UInt64, sequence: UInt64) {
        self.generation = generation
        self.sequence = sequence
    }
}
