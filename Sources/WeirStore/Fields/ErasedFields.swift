internal import WeirColumns
internal import WeirCore

/// The rows of a segment of fields without those of some streams at some times, packed anew.
///
/// Everything is packed anew, so that no name or value of what is left out stands in a dictionary.
struct ErasedFields {
    private(set) var sources: [FieldSource] = []
    private(set) var erasedRowCount = 0
    private(set) var erasedStreams: Set<Labels> = []

    /// The rows to leave out are those of any of `parts`.
    init(
        _ segment: SegmentReader,
        erasing parts: [(ordinals: Set<Int32>, times: ClosedRange<Int64>)],
        encoder: PageEncoder
    ) throws(SegmentError) {
        let source = try FieldSource(segment, decoder: PageDecoder())
        let order = StreamOrder(
            labels: source.labels,
            references: source.labels.indices.map { UInt32($0) }
        )
        let packer = FieldBlockPacker(encoder: encoder)
        for pages in source.blocks {
            let batch = try FieldRows.read(pages, ordinals: Array(source.labels.indices))
            var kept: [Int] = []
            for row in 0..<batch.rowCount {
                let reference = batch.references[row]
                let isErased = parts.contains { part in
                    part.ordinals.contains(Int32(reference))
                        && part.times.contains(batch.times[row])
                }
                if isErased {
                    erasedRowCount += 1
                    erasedStreams.insert(source.labels[Int(reference)])
                } else {
                    kept.append(row)
                }
            }
            let part = FieldPart(
                [kept.count < batch.rowCount ? batch.selecting(kept) : batch],
                order: order,
                schema: segment.footer.signal.schema,
                packer: packer
            )
            if let part { sources.append(FieldSource(part)) }
        }
    }
}
