package import WeirCore

/// How a run of byte strings is kept: their lengths as integers, then all their bytes.
///
/// Layout: docs/format/columns.md, version 2.
package struct BytesRun: Hashable, Sendable {
    let lengths: IntegerRun
    /// The bytes of all strings together.
    let byteCount: Int

    package var count: Int { lengths.count }
    /// The bytes this run takes in its body page.
    package var bodyCount: Int { lengths.bodyCount + byteCount }

    /// Reads a head.
    ///
    /// `count` comes from the row counts and has been checked by the caller.
    package init(count: Int, from head: inout ByteReader) throws(DecodeError) {
        byteCount = try head.readCount(limit: PageDecoder.rawCountMax)
        lengths = try IntegerRun(count: count, from: &head)
    }

    /// Encodes rows `rows` of `values`.
    package static func encode(
        _ values: BytesColumn,
        rows: Range<Int>,
        head: inout [UInt8],
        body: inout [UInt8],
        scratch: inout EncodingScratch
    ) {
        let lengths = rows.map { Int64(values.range($0).count) }
        UInt64(lengths.reduce(0, +)).appendVarint(to: &head)
        IntegerRun.encode(
            lengths.span,
            findsUnit: false,
            head: &head,
            body: &body,
            scratch: &scratch.residuals
        )
        guard let first = rows.first, let last = rows.last else { return }
        body.append(
            contentsOf: values.bytes[values.range(first).lowerBound..<values.range(last).upperBound]
        )
    }

    /// Decodes the strings and appends them.
    ///
    /// `body` is exactly this run's part of the body page.
    package func decode(
        _ body: Span<UInt8>,
        appendingTo output: inout BytesColumn,
        scratch: inout [Int64]
    ) throws(DecodeError) {
        guard body.count == bodyCount else { throw .truncated(offset: 0, needed: bodyCount) }
        scratch.removeAll(keepingCapacity: true)
        try lengths.decode(body.extracting(0..<lengths.bodyCount), appendingTo: &scratch)
        let texts = body.extracting(lengths.bodyCount..<body.count)
        guard output.append(texts, lengths: scratch) else {
            throw .notCanonical(offset: lengths.bodyCount)
        }
    }
}
