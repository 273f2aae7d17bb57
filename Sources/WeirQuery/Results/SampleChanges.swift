package import WeirCore

/// What has become of a source's samples since some version.
package enum SampleChange: Hashable, Sendable {
    case nothing
    /// Samples came, none of them earlier than this time, in milliseconds.
    case samples(from: Int64)
    /// Samples went: nothing that was read before holds.
    case removal
}

/// Tells whether what was read from a source is still so.
package protocol SampleChanges: Sendable {
    /// Whose samples they are.
    var tenant: String { get }

    /// What a reader sees at least who selects now.
    var version: SampleVersion { get }

    /// What has changed since `version` was read.
    func change(since version: SampleVersion) -> SampleChange

    /// Notes that a query used these metrics without reading them again.
    func noteUse(of metrics: Set<String>)
}
