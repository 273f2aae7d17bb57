internal import WeirColumns
internal import WeirCore

/// Encoded blocks in memory: what a segment will have on disk, not yet written.
///
/// Immutable, so it is read without a lock.
final class FieldPart: Sendable {
    let sequences: ClosedRange<UInt64>
    /// Ascending; the blocks' runs are ordinals of these.
    let labels: [Labels]
    let blocks: [FieldBlock]
    /// Nanoseconds, inclusive.
    let timeRange: ClosedRange<Int64>
    let rowCount: Int

    var byteCount: Int { blocks.reduce(labels.count * 16) { $0 + $1.byteCount } }

    /// Packs the rows of `batches`, which are in journal order.
    ///
    /// - Returns: Nil when there are none.
    init?(
        _ batches: [ResolvedBatch],
        order: StreamOrder,
        schema: StreamSchema,
        packer: FieldBlockPacker
    ) {
        guard let first = batches.first, let last = batches.last else { return nil }
        let packed = packer.pack(batches, order: order, schema: schema)
        guard let firstBlock = packed.blocks.first else { return nil }
        sequences = first.sequence...last.sequence
        labels = packed.labels
        blocks = packed.blocks
        rowCount = packed.blocks.reduce(0) { $0 + $1.rowCount }
        timeRange = packed.blocks.reduce(firstBlock.timeRange) { range, block in
            min(
                range.lowerBound,
                block.timeRange.lowerBound
            )...max(
                range.upperBound,
                block.timeRange.upperBound
            )
        }
    }
}
