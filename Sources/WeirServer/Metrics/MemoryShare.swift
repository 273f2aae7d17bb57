internal import Synchronization

/// Memory that a query has paid for, until this is gone.
final class MemoryShare: Sendable {
    private let budget: QueryBudget
    private let reserved = Atomic<Int>(0)

    init(_ budget: QueryBudget) { self.budget = budget }

    deinit { budget.release(bytes: reserved.load(ordering: .relaxed)) }

    /// - Returns: False when the query may use no more, and is to stop.
    func grow(bytes: Int) -> Bool {
        guard budget.reserve(bytes: bytes) else { return false }
        reserved.add(bytes, ordering: .relaxed)
        return true
    }
}
