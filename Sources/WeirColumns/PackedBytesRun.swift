package import WeirCore

/// How a run of a column of byte strings is kept: as they are, each distinct one once, or as the
/// numbers that they spell.
///
/// Layout: docs/format/columns.md, version 2.
package struct PackedBytesRun: Hashable, Sendable {
    enum Content: Hashable, Sendable {
        case plain(BytesRun)
        /// Each distinct string once, and which of them each is.
        case dictionary(entries: BytesRun, indexes: IntegerRun)
        /// The numbers that the strings spell, column by column.
        case table(NumberTable)
    }

    enum Kind: UInt8 {
        case plain = 0
        case dictionary = 1
        case table = 2
    }

    package let count: Int
    let content: Content

    /// The bytes this run takes in its body page.
    package var bodyCount: Int {
        switch content {
        case .plain(let texts): texts.bodyCount
        case .dictionary(let entries, let indexes): entries.bodyCount + indexes.bodyCount
        case .table(let table): table.bodyCount
        }
    }

    /// Reads a head.
    ///
    /// `count` comes from the row counts and has been checked by the caller.
    package init(count: Int, from head: inout ByteReader) throws(DecodeError) {
        self.count = count
        let start = head.offset
        let tag = try head.readByte()
        switch Kind(rawValue: tag) {
        case .plain: content = .plain(try BytesRun(count: count, from: &head))
        case .dictionary:
            let entryCount = try head.readCount(limit: count)
            let entries = try BytesRun(count: entryCount, from: &head)
            content = .dictionary(
                entries: entries,
                indexes: try IntegerRun(count: count, from: &head)
            )
        case .table: content = .table(try NumberTable(count: count, from: &head))
        case nil: throw .unknownValue(offset: start, value: UInt64(tag))
        }
    }

    /// Encodes rows `rows` of `values`.
    package static func encode(
        _ values: BytesColumn,
        rows: Range<Int>,
        head: inout [UInt8],
        body: inout [UInt8],
        scratch: inout EncodingScratch
    ) {
        if let (entries, indexes) = distinct(values, rows) {
            head.append(Kind.dictionary.rawValue)
            UInt64(entries.count).appendVarint(to: &head)
            BytesRun.encode(
                entries,
                rows: 0..<entries.count,
                head: &head,
                body: &body,
                scratch: &scratch
            )
            IntegerRun.encode(
                indexes.span,
                findsUnit: false,
                head: &head,
                body: &body,
                scratch: &scratch.residuals
            )
        } else if let groups = NumberTable.groups(values, rows) {
            head.append(Kind.table.rawValue)
            NumberTable.encode(groups, head: &head, body: &body, scratch: &scratch)
        } else {
            head.append(Kind.plain.rawValue)
            BytesRun.encode(values, rows: rows, head: &head, body: &body, scratch: &scratch)
        }
    }

    /// The distinct strings in order of first appearance, and which each row has; nil when less
    /// than half of the rows repeat.
    private static func distinct(
        _ values: BytesColumn,
        _ rows: Range<Int>
    ) -> (entries: BytesColumn, indexes: [Int64])? {
        var known: [ArraySlice<UInt8>: Int64] = [:]
        var entries = BytesColumn()
        var indexes: [Int64] = []
        indexes.reserveCapacity(rows.count)
        var previous: ArraySlice<UInt8>?
        for row in rows {
            let text = values[row]
            if let previous, let index = indexes.last, text == previous {
                indexes.append(index)
                continue
            }
            previous = text
            if let index = known[text] {
                indexes.append(index)
                continue
            }
            guard entries.count <= rows.count / 2 else { return nil }
            known[text] = Int64(entries.count)
            indexes.append(Int64(entries.count))
            entries.append(text)
        }
        return entries.count <= max(1, rows.count / 2) ? (entries, indexes) : nil
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
        switch content {
        case .plain(let texts): try texts.decode(body, appendingTo: &output, scratch: &scratch)
        case .dictionary(let entries, let indexes):
            var distinct = BytesColumn()
            let size = entries.bodyCount
            try entries.decode(
                body.extracting(0..<size),
                appendingTo: &distinct,
                scratch: &scratch
            )
            scratch.removeAll(keepingCapacity: true)
            try indexes.decode(body.extracting(size..<body.count), appendingTo: &scratch)
            var total = output.bytes.count
            for index in scratch {
                guard index >= 0, index < distinct.count else {
                    throw .notCanonical(offset: size)
                }
                // A long string that is named often: no writer's block holds so much.
                total += distinct.range(Int(index)).count
                guard total <= PageDecoder.rawCountMax * 4 else {
                    throw .countTooLarge(
                        offset: size,
                        count: UInt64(total),
                        limit: PageDecoder.rawCountMax * 4
                    )
                }
                output.append(Int(index), of: distinct)
            }
        case .table(let table): try table.decode(body, appendingTo: &output, scratch: &scratch)
        }
    }
}
