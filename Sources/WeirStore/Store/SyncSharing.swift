/// Decides how long requests wait for others that are about to come, so that they share a sync.
///
/// Senders that wait for an answer before they send again come back together after a sync: those it was
/// for, and those that came while it ran. When as many were seen, a request waits a moment for the rest of
/// them: at most as long as a sync of its own would take. One sender alone never waits. Not safe for
/// several threads: the commit thread owns it. docs/decisions/013-shared-syncs.md.
package struct SyncSharing: Sendable {
    /// The longest that a request waits, in nanoseconds.
    package static let waitMax: Int64 = 1_000_000
    /// Syncs that are not waited for after the rest did not come.
    package static let restMax = 16

    private var expectedCount = 0
    private var syncNanoseconds: Int64 = 0
    private var restCount = 0

    package init() {}

    /// How long `count` requests may wait for company, in nanoseconds; nil: there is none to wait for.
    package func patience(for count: Int) -> Int64? {
        guard restCount == 0, count > 0, count < expectedCount else { return nil }
        return min(Self.waitMax, syncNanoseconds)
    }

    /// Whether `count` requests are as many as are to come.
    package func isWhole(_ count: Int) -> Bool { count >= expectedCount }

    /// Remembers a wait after which `count` requests were there.
    package mutating func waited(until count: Int) {
        if !isWhole(count) { restCount = Self.restMax }
    }

    /// Remembers a sync: what it was for, and what had come by its end.
    package mutating func synced(requests: Int, waiting: Int, nanoseconds: Int64) {
        expectedCount = requests + waiting
        syncNanoseconds = nanoseconds
        restCount = max(0, restCount - 1)
    }
}
