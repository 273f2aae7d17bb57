internal import WeirCore

/// Strings that spell rows of numbers, as those of a histogram's buckets do, kept column by
/// column: what stands at one place of a row is near what stood there in the row before.
///
/// A string is 0 and varints, each the zigzag difference of a number from the one before it, or 1
/// and doubles. Layout: docs/format/columns.md, version 2.
struct NumberTable: Hashable, Sendable {
    /// Numbers that one table may hold.
    static let numbersMax = 4 << 20
    /// Numbers that one row may hold.
    static let widthMax = 1 << 16

    enum Columns: Hashable, Sendable {
        case integers([IntegerRun])
        case doubles([FloatRun])
    }

    /// Neighbouring rows of one kind and width.
    struct Group: Hashable, Sendable {
        let rowCount: Int
        let columns: Columns

        var bodyCount: Int {
            switch columns {
            case .integers(let runs): runs.reduce(0) { $0 + $1.bodyCount }
            case .doubles(let runs): runs.reduce(0) { $0 + $1.bodyCount }
            }
        }
    }

    let groups: [Group]

    var bodyCount: Int { groups.reduce(0) { $0 + $1.bodyCount } }

    /// Reads a head.
    init(count: Int, from head: inout ByteReader) throws(DecodeError) {
        var groups: [Group] = []
        var rows = 0
        var numbers = 0
        while rows < count {
            let rowCount = try head.readCount(limit: count - rows)
            guard rowCount > 0 else { throw .notCanonical(offset: head.offset) }
            let shape = try head.readCount(limit: Self.widthMax * 2 + 1)
            let width = shape >> 1
            numbers += rowCount * max(1, width)
            guard numbers <= Self.numbersMax else {
                throw .countTooLarge(
                    offset: head.offset,
                    count: UInt64(numbers),
                    limit: Self.numbersMax
                )
            }
            if shape & 1 == 0 {
                var runs: [IntegerRun] = []
                for _ in 0..<width { runs.append(try IntegerRun(count: rowCount, from: &head)) }
                groups.append(Group(rowCount: rowCount, columns: .integers(runs)))
            } else {
                var runs: [FloatRun] = []
                for _ in 0..<width { runs.append(try FloatRun(count: rowCount, from: &head)) }
                groups.append(Group(rowCount: rowCount, columns: .doubles(runs)))
            }
            rows += rowCount
        }
        self.groups = groups
    }

    // MARK: Writing

    /// A group's numbers, row by row.
    enum Rows {
        case integers(width: Int, [Int64])
        case doubles(width: Int, [Double])
    }

    /// Reads the strings as numbers; nil when one spells none, or not the one way they are written.
    static func groups(
        _ values: BytesColumn,
        _ rows: Range<Int>
    ) -> [(rowCount: Int, rows: Rows)]? {
        var groups: [(rowCount: Int, rows: Rows)] = []
        var total = 0
        for row in rows {
            guard let next = numbers(values[row]) else { return nil }
            switch next {
            case .integers(let width, let numbers):
                total += max(1, width)
                if case .integers(let held, var all)? = groups.last?.rows, held == width {
                    groups[groups.count - 1].rows = .integers(width: 0, [])
                    all.append(contentsOf: numbers)
                    groups[groups.count - 1].rows = .integers(width: width, all)
                    groups[groups.count - 1].rowCount += 1
                    continue
                }
            case .doubles(let width, let numbers):
                total += max(1, width)
                if case .doubles(let held, var all)? = groups.last?.rows, held == width {
                    groups[groups.count - 1].rows = .doubles(width: 0, [])
                    all.append(contentsOf: numbers)
                    groups[groups.count - 1].rows = .doubles(width: width, all)
                    groups[groups.count - 1].rowCount += 1
                    continue
                }
            }
            groups.append((1, next))
            guard total <= numbersMax else { return nil }
        }
        return total <= numbersMax ? groups : nil
    }

    private static func numbers(_ text: ArraySlice<UInt8>) -> Rows? {
        guard let tag = text.first else { return nil }
        let bytes = Array(text.dropFirst())
        var reader = ByteReader(bytes.span)
        if tag == 1 {
            guard bytes.count % 8 == 0, bytes.count / 8 <= widthMax else { return nil }
            var numbers: [Double] = []
            while reader.remaining > 0 {
                guard let bits = try? reader.readUInt64() else { return nil }
                numbers.append(Double(bitPattern: bits))
            }
            return .doubles(width: numbers.count, numbers)
        }
        guard tag == 0 else { return nil }
        var numbers: [Int64] = []
        var again: [UInt8] = []
        var previous: Int64 = 0
        while reader.remaining > 0 {
            guard let difference = try? reader.readVarint() else { return nil }
            difference.appendVarint(to: &again)
            previous &+= Int64(zigZag: difference)
            numbers.append(previous)
        }
        guard again == bytes, numbers.count <= widthMax else { return nil }
        return .integers(width: numbers.count, numbers)
    }

    static func encode(
        _ groups: [(rowCount: Int, rows: Rows)],
        head: inout [UInt8],
        body: inout [UInt8],
        scratch: inout EncodingScratch
    ) {
        for group in groups {
            UInt64(group.rowCount).appendVarint(to: &head)
            switch group.rows {
            case .integers(let width, let numbers):
                UInt64(width << 1).appendVarint(to: &head)
                for column in 0..<width {
                    let values = (0..<group.rowCount).map { numbers[$0 * width + column] }
                    IntegerRun.encode(
                        values.span,
                        findsUnit: false,
                        head: &head,
                        body: &body,
                        scratch: &scratch.residuals
                    )
                }
            case .doubles(let width, let numbers):
                UInt64(width << 1 | 1).appendVarint(to: &head)
                for column in 0..<width {
                    let values = (0..<group.rowCount).map { numbers[$0 * width + column] }
                    FloatRun.encode(values.span, head: &head, body: &body, scratch: &scratch)
                }
            }
        }
    }

    // MARK: Reading

    func decode(
        _ body: Span<UInt8>,
        appendingTo output: inout BytesColumn,
        scratch: inout [Int64]
    ) throws(DecodeError) {
        var offset = 0
        var text: [UInt8] = []
        for group in groups {
            switch group.columns {
            case .integers(let runs):
                scratch.removeAll(keepingCapacity: true)
                for run in runs {
                    let part = body.extracting(offset..<(offset + run.bodyCount))
                    try run.decode(part, appendingTo: &scratch)
                    offset += run.bodyCount
                }
                for row in 0..<group.rowCount {
                    text.removeAll(keepingCapacity: true)
                    text.append(0)
                    var previous: Int64 = 0
                    for column in runs.indices {
                        let number = scratch[column * group.rowCount + row]
                        UInt64(zigZag: number &- previous).appendVarint(to: &text)
                        previous = number
                    }
                    output.append(text.span)
                }
            case .doubles(let runs):
                var numbers: [Double] = []
                for run in runs {
                    let part = body.extracting(offset..<(offset + run.bodyCount))
                    try run.decode(part, appendingTo: &numbers, scratch: &scratch)
                    offset += run.bodyCount
                }
                for row in 0..<group.rowCount {
                    text.removeAll(keepingCapacity: true)
                    text.append(1)
                    for column in runs.indices {
                        text.appendLittleEndian(
                            numbers[column * group.rowCount + row].bitPattern
                        )
                    }
                    output.append(text.span)
                }
            }
        }
    }
}
