/// Memory that a reader lends for what is made while it reads.
struct LentMemory<Budget: ScanBudget> {
    private let budget: Budget
    private var bytes = 0

    init(_ budget: Budget) { self.budget = budget }

    /// - Returns: False when the reader has not so much to spare.
    mutating func reach(_ total: Int) -> Bool {
        guard total > bytes else { return true }
        guard budget.reserveSpare(bytes: total - bytes) else { return false }
        bytes = total
        return true
    }

    mutating func giveBack() {
        budget.release(bytes: bytes)
        bytes = 0
    }
}
