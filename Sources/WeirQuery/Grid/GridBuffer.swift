/// Rows of `steps` numbers each, in one allocation that is paid for from the query's memory.
///
/// Different rows may be written from different threads at once; nothing else may be shared
/// while that goes on.
@safe
package final class GridBuffer: @unchecked Sendable {
    package let rows: Int
    package let steps: Int
    private let context: QueryContext
    private let base: UnsafeMutableBufferPointer<Double>

    /// All numbers start as `initial`.
    ///
    /// - Throws: `.limit` when the query may not use that much memory.
    package init(
        rows: Int,
        steps: Int,
        initial: Double = .absent,
        context: QueryContext
    ) throws(QueryError) {
        let (count, countOverflow) = rows.multipliedReportingOverflow(by: steps)
        let (bytes, bytesOverflow) = count.multipliedReportingOverflow(by: 8)
        guard !countOverflow, !bytesOverflow, bytes <= context.memoryBytesMax else {
            throw .limit(name: "query memory bytes", limit: context.memoryBytesMax)
        }
        try context.reserve(bytes: bytes)
        self.rows = rows
        self.steps = steps
        self.context = context
        unsafe self.base = .allocate(capacity: count)
        unsafe base.initialize(repeating: initial)
    }

    deinit {
        unsafe base.deallocate()
        context.release(bytes: rows * steps * 8)
    }

    @inline(__always)
    package subscript(row: Int, step: Int) -> Double {
        get {
            precondition(row >= 0 && row < rows && step >= 0 && step < steps)
            // SAFETY: both indices were checked, so the offset is inside the allocation.
            return unsafe base[row &* steps &+ step]
        }
        set {
            precondition(row >= 0 && row < rows && step >= 0 && step < steps)
            // SAFETY: both indices were checked, so the offset is inside the allocation.
            unsafe base[row &* steps &+ step] = newValue
        }
    }

    /// Calls `body` with all steps of one row, to read and write.
    @inline(__always)
    package func withRow<Failure: Error>(
        _ row: Int,
        _ body: (inout MutableSpan<Double>) throws(Failure) -> Void
    ) throws(Failure) {
        precondition(row >= 0 && row < rows)
        // SAFETY: the row lies inside the allocation, which lives as long as `self`.
        let part = unsafe UnsafeMutableBufferPointer(
            rebasing: base[(row * steps)..<((row + 1) * steps)]
        )
        var span = unsafe part.mutableSpan
        try body(&span)
    }

    /// Whether the row has any number at all.
    package func hasValues(row: Int) -> Bool {
        for step in 0..<steps where !self[row, step].isAbsent { return true }
        return false
    }
}
