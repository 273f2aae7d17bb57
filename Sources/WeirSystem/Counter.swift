internal import Synchronization

/// A total that only grows, counted from any thread.
package final class Counter: Sendable {
    private let total = Atomic<Int>(0)

    package init() {}

    package var value: Int { total.load(ordering: .relaxed) }
    package func add(_ count: Int) { total.add(count, ordering: .relaxed) }
}
