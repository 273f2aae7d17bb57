internal import Synchronization
internal import WeirColumns
package import WeirCore
internal import WeirSystem

/// Series, and where the rows of their rollups lie or the samples that such rows are made of.
///
/// Immutable: what is written later is not in it.
package final class RollupSelection: Sendable {
    /// One per series, ascending.
    package var labels: [Labels] { selection.labels }
    package var sourceCount: Int { selection.sourceCount }
    /// The times of rows whose samples are gone, so that only rollups know of them: milliseconds,
    /// ascending and apart.
    package let alone: [ClosedRange<Int64>]
    /// The days, counted since 1970, that have such rollups.
    package let aloneDays: Set<Int>
    /// The paths of those that are read.
    private let alonePaths: Set<String>
    private let selection: StreamSelection
    /// The windows that samples of days without rollups are summed up over.
    private let foldMilliseconds: Int64

    init(
        _ selection: StreamSelection,
        foldMilliseconds: Int64,
        alone: [ClosedRange<Int64>],
        aloneDays: Set<Int>,
        alonePaths: Set<String>
    ) {
        self.selection = selection
        self.foldMilliseconds = foldMilliseconds
        self.alone = alone
        self.aloneDays = aloneDays
        self.alonePaths = alonePaths
    }

    /// Only the series of `wanted`, which ascend; those that are not among the selection's have no rows.
    package func narrowed(to wanted: [Labels]) -> RollupSelection {
        RollupSelection(
            selection.narrowed(to: wanted),
            foldMilliseconds: foldMilliseconds,
            alone: alone,
            aloneDays: aloneDays,
            alonePaths: alonePaths
        )
    }

    /// What is done with a series and its rows.
    package typealias Body = (_ series: Int, _ rows: RollupRows) -> Bool

    /// Gives each series with its rows, times in milliseconds (rounded down) and ascending, and the
    /// columns in `columns`, to one of the bodies that `newBody` makes.
    ///
    /// Each piece of the series is gone over by one thread with a body of its own.
    ///
    /// - Returns: False when a segment turned out to be damaged, and its rows are missing: what is there
    ///   is to be selected again. Only of a rollup whose samples are gone `budget` is told.
    /// - Throws: `StoreError.budget` when `budget` said stop or a body returned false.
    package func scan(
        columns: Set<Int>,
        budget: some ScanBudget,
        _ newBody: @escaping @Sendable () -> Body
    ) throws(StoreError) -> Bool {
        let pieces = selection.pieces()
        let shared = ScanState()
        let watched = RollupBudget(budget)
        selection.store.scanPool.forEach(count: pieces.count) { index in
            guard !shared.isStopped.load(ordering: .relaxed) else { return }
            var worker = RollupScan(
                self.selection,
                columns: columns,
                foldMilliseconds: self.foldMilliseconds
            )
            let isDone = worker.run(pieces[index], budget: watched, newBody())
            if !isDone { shared.isStopped.store(true, ordering: .relaxed) }
        }
        if shared.isStopped.load(ordering: .relaxed) { throw .budget }
        let damaged = watched.damaged
        for path in damaged where alonePaths.contains(path) { budget.noteQuarantined(path: path) }
        return damaged.isEmpty
    }
}

/// Charges another budget, and keeps what it is told of damage.
final class RollupBudget<Budget: ScanBudget>: ScanBudget {
    private let budget: Budget
    private let paths = Mutex<[String]>([])

    init(_ budget: Budget) { self.budget = budget }

    var damaged: [String] { paths.withLock { $0 } }

    func charge(rows: Int, blocks: Int, bytes: Int) -> Bool {
        budget.charge(rows: rows, blocks: blocks, bytes: bytes)
    }

    func reserveSpare(bytes: Int) -> Bool { budget.reserveSpare(bytes: bytes) }
    func reserve(bytes: Int) -> Bool { budget.reserve(bytes: bytes) }
    func release(bytes: Int) { budget.release(bytes: bytes) }

    func noteQuarantined(path: String) { paths.withLock { $0.append(path) } }
}
