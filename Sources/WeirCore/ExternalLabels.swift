internal import Synchronization

/// Labels by which others tell this server from its like: added to what is sent to them, where it
/// has no such labels itself, and not to what is stored.
///
/// They change when the configuration is read again.
package final class ExternalLabels: Sendable {
    private let held: Mutex<[String: String]>

    package init(_ labels: [String: String] = [:]) { held = Mutex(labels) }

    package var current: [String: String] { held.withLock { $0 } }

    package func replace(_ labels: [String: String]) { held.withLock { $0 = labels } }
}

extension [String: String] {
    /// As pairs in order of the names' bytes.
    package var sortedPairs: [(name: String, value: String)] {
        map { (name: $0.key, value: $0.value) }
            .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }
}
