internal import Synchronization
internal import WeirColumns
internal import WeirCore

/// Reads whole traces out of the blocks that hold their spans, each block once.
struct TraceLoader: Sendable {
    let selection: any RowSourceSelection
    let context: QueryContext
    /// More traces than this and all blocks are looked at.
    private static let askedMax = 256

    /// The traces' spans with `fields` of each, nil for all; and how many bytes the context holds for
    /// them until the caller releases them.
    func load(
        _ ids: [TraceID],
        fields: Set<String>?
    ) throws(QueryError) -> (table: TraceTable, bytes: Int) {
        var place = [TraceID: Int32](minimumCapacity: ids.count)
        for (index, id) in ids.enumerated() where place[id] == nil { place[id] = Int32(index) }
        let places = place
        let charged = Atomic<Int>(0)
        let pieces = Mutex<[(block: Int, piece: TraceTable.Piece)]>([])
        let names = fields.map { $0.subtracting([SpanField.traceID]).sorted() }
        try selection.scan(
            try blocks(ids),
            isWanted: { _ in true },
            { (index, block) throws(QueryError) in
                try context.check()
                guard let piece = try Self.piece(block, places, ids, names) else { return }
                let bytes = piece.fields.byteCount * 2 + piece.times.count * 96
                try context.reserve(bytes: bytes)
                charged.add(bytes, ordering: .relaxed)
                pieces.withLock { $0.append((index, piece)) }
            }
        )
        // Of spans that are the same the one that came first stays.
        let found = pieces.withLock { $0 }.sorted { $0.block < $1.block }.map(\.piece)
        return (TraceTable(ids, found), charged.load(ordering: .relaxed))
    }

    func blocks(_ ids: [TraceID]) throws(QueryError) -> [Int] {
        guard ids.count <= Self.askedMax else { return Array(selection.blocks.indices) }
        var found: Set<Int> = []
        for id in ids { found.formUnion(try selection.blocks(ofTrace: id.hexadecimal)) }
        return found.sorted()
    }

    private static func piece(
        _ block: any RowSourceBlock,
        _ places: [TraceID: Int32],
        _ ids: [TraceID],
        _ names: [String]?
    ) throws(QueryError) -> TraceTable.Piece? {
        var piece = TraceTable.Piece()
        var rows: [UInt32] = []
        if ids.count == 1 {
            let test = TextTest.equals(ids[0].hexadecimal)
            guard try block.mayPass(test, field: SpanField.traceID),
                let values = try block.field(SpanField.traceID)
            else { return nil }
            rows = values.filter(try block.rows(), test)
            piece.traces = [Int32](repeating: 0, count: rows.count)
        } else {
            guard let values = try block.field(SpanField.traceID) else { return nil }
            let all = try block.rows()
            let codes = values.codes(at: all)
            let wanted = codes.texts.map { TraceID($0).flatMap { places[$0] } ?? -1 }
            for (place, row) in all.enumerated() {
                let trace = wanted[Int(codes.codes[place])]
                guard trace >= 0 else { continue }
                rows.append(row)
                piece.traces.append(trace)
            }
        }
        guard !rows.isEmpty else { return nil }
        let times = try block.times()
        piece.times = rows.map { times[Int($0)] }
        let wanted = if let names { names } else { try block.fieldNames() }
        for name in wanted where name != SpanField.traceID {
            guard let column = try block.field(name)?.column(named: name, at: rows) else {
                continue
            }
            if column.count > 0 { piece.fields.append(column) }
        }
        return piece
    }
}
