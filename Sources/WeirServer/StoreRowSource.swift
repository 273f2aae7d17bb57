internal import Synchronization
internal import WeirColumns
internal import WeirCore
internal import WeirPattern
internal import WeirQuery
internal import WeirStore

/// Rows with fields in the store, as the query executor reads them.
struct StoreRowSource: RowSource {
    let store: Store
    let signal: Signal
    let tenant: String

    init(store: Store, signal: Signal, tenant: String = "default") {
        self.store = store
        self.signal = signal
        self.tenant = tenant
    }

    func select(
        _ matchers: [LabelMatcher],
        times: ClosedRange<Int64>,
        context: QueryContext
    ) throws(QueryError) -> any RowSourceSelection {
        let budget = QueryBudget(context: context)
        do throws(StoreError) {
            let selection = try store.selectRows(
                tenant: tenant,
                signal: signal,
                matchers: matchers,
                times: times,
                budget: budget
            )
            context.segmentsRead.add(selection.segmentCount, ordering: .relaxed)
            return StoreRowSelection(selection: selection, budget: budget)
        } catch {
            throw StoreSampleSource.queryError(error, budget)
        }
    }

    func streams(
        _ matcherSets: [[LabelMatcher]],
        times: ClosedRange<Int64>,
        context: QueryContext
    ) throws(QueryError) -> [Labels] {
        var found: Set<Labels> = []
        for matchers in matcherSets.isEmpty ? [[]] : matcherSets {
            try context.check()
            found.formUnion(try select(matchers, times: times, context: context).streams)
        }
        return Array(found)
    }
}

/// A store's selection as the executor reads it.
private struct StoreRowSelection: RowSourceSelection {
    let selection: RowSelection
    let budget: QueryBudget

    var streams: [Labels] { selection.labels }

    var blocks: [RowBlockSummary] {
        selection.blocks.map { RowBlockSummary(times: $0.times, rowCount: $0.rowCount) }
    }

    func blocks(ofTrace id: [UInt8]) -> [Int] {
        selection.blocks(ofTrace: id, budget: budget)
    }

    func scan(
        _ indexes: [Int],
        isWanted: @escaping @Sendable (Int) -> Bool,
        _ body:
            @escaping @Sendable (_ index: Int, _ block: any RowSourceBlock) throws(QueryError) ->
            Void
    ) throws(QueryError) {
        do throws(StoreError) {
            try selection.scan(indexes, budget: budget, isWanted: isWanted) {
                [budget] index, block in
                do throws(QueryError) {
                    try body(index, StoreRowBlock(block))
                    return true
                } catch {
                    budget.stop(error)
                    return false
                }
            }
        } catch {
            throw StoreSampleSource.queryError(error, budget)
        }
    }
}

/// A store's block as the executor reads it.
private final class StoreRowBlock: RowSourceBlock {
    private let block: RowBlock

    init(_ block: RowBlock) { self.block = block }

    var rowCount: Int { block.rowCount }
    func rows() -> [UInt32] { block.rows() }
    func times() -> [Int64] { block.times() }
    func streamNumbers() -> [Int32] { block.streamNumbers() }
    func fieldNames() -> [String] { block.fieldNames() }
    func field(_ name: String) -> FieldValues? { block.field(name) }

    func mayPass(_ test: TextTest, field: String) -> Bool {
        block.mayPass(test, field: field)
    }
}
