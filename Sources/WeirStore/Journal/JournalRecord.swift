internal import WeirCore

/// One accepted batch as the journal keeps it.
///
/// Layout: docs/format/journal.md, version 1.
///
/// Streams are named by references; a reference is defined, with its labels, in the first record
/// of a journal file that uses it, so that each file can be read alone.
struct JournalRecord: Sendable {
    static let batchType: UInt8 = 1
    /// The longest payload that is read back.
    static let payloadBytesMax = 256 << 20
    /// length, checksum and type.
    static let headerCount = 9

    /// More than the record of `batch` takes, and less than twice that where values are not tiny.
    static func byteCountMax(of batch: RowBatch) -> Int {
        var bytes = 1024 + batch.streams.reduce(0) { $0 + $1.bytes.count + 12 }
        bytes += batch.rowCount * 15
        for column in batch.columns {
            bytes += column.floats.count * 9 + column.ints.count * 10
            bytes += column.texts.count * 5 + column.texts.bytes.count
        }
        for column in batch.fields.columns {
            // A step, a kind and a length to each value.
            bytes += column.name.utf8.count + 16 + column.count * 11 + column.values.bytes.count
        }
        return bytes
    }

    let sequence: UInt64
    let tenant: String
    let signal: Signal
    let batchID: [UInt8]
    let definitions: [(reference: UInt32, labels: Labels)]
    let references: [UInt32]
    let times: [Int64]
    let columns: [ColumnValues]
    /// Empty unless the signal has fields.
    let fields: FieldTable

    /// Appends the whole record, header and all, to `output`.
    func append(to output: inout [UInt8]) {
        let start = output.count
        output.append(contentsOf: repeatElement(0, count: Self.headerCount))
        output.reserveCapacity(output.count + times.count * 12)
        output.appendLittleEndian(sequence)
        output.append(signal.rawValue)
        appendRun(Array(tenant.utf8), to: &output)
        appendRun(batchID, to: &output)
        UInt64(definitions.count).appendVarint(to: &output)
        for (reference, labels) in definitions {
            UInt64(reference).appendVarint(to: &output)
            appendRun(labels.bytes, to: &output)
        }
        UInt64(times.count).appendVarint(to: &output)
        var previousReference: Int64 = 0
        output.appendVarints(count: references.count) { index in
            let reference = Int64(references[index])
            defer { previousReference = reference }
            return UInt64(zigZag: reference &- previousReference)
        }
        var previousTime: Int64 = 0
        output.appendVarints(count: times.count) { index in
            let time = times[index]
            defer { previousTime = time }
            return UInt64(zigZag: time &- previousTime)
        }
        for column in columns { append(column, to: &output) }
        if signal.schema.hasFields {
            JournalFields.append(fields, rowCount: times.count, to: &output)
        }
        finishHeader(from: start, in: &output)
    }

    private func append(_ column: ColumnValues, to output: inout [UInt8]) {
        switch column.kind {
        case .float64:
            Self.append(column.floats, to: &output)
        case .int64:
            for value in column.ints { UInt64(zigZag: value).appendVarint(to: &output) }
        case .bytes:
            for row in 0..<column.count { appendRun(column.texts[row], to: &output) }
        }
    }

    /// Whole numbers, which most samples are, take a varint of twice their zigzag form; all other
    /// doubles a 1 and their bits.
    private static func append(_ values: [Double], to output: inout [UInt8]) {
        let values = values.span
        output.append(addingCapacity: values.count * 9) { free in
            for index in values.indices {
                // SAFETY: index < values.count.
                let value = unsafe values[unchecked: index]
                // NaN and the infinities fail the comparison, -0 and fractions the other.
                if abs(value) < 0x1p53, Double(Int64(value)).bitPattern == value.bitPattern {
                    var rest = UInt64(zigZag: Int64(value)) &<< 1
                    while rest >= 0x80 {
                        free.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                        rest &>>= 7
                    }
                    free.append(UInt8(truncatingIfNeeded: rest))
                } else {
                    free.append(1)
                    for shift in stride(from: 0, to: 64, by: 8) as StrideTo<UInt64> {
                        free.append(UInt8(truncatingIfNeeded: value.bitPattern &>> shift))
                    }
                }
            }
        }
    }

    private func appendRun(_ bytes: some Collection<UInt8>, to output: inout [UInt8]) {
        UInt64(bytes.count).appendVarint(to: &output)
        output.append(contentsOf: bytes)
    }

    private func finishHeader(from start: Int, in output: inout [UInt8]) {
        let payloadCount = output.count - start - Self.headerCount
        output[start + 8] = Self.batchType
        let checksum = JournalChecksum.of(output, from: start + 8)
        for byte in 0..<4 {
            output[start + byte] = UInt8(truncatingIfNeeded: payloadCount >> (8 * byte))
            output[start + 4 + byte] = UInt8(truncatingIfNeeded: checksum >> UInt32(8 * byte))
        }
    }
}

extension JournalRecord {
    /// Reads a payload.
    init(payload: [UInt8]) throws(DecodeError) {
        var reader = ByteReader(payload.span)
        sequence = try reader.readUInt64()
        let start = reader.offset
        let signalByte = try reader.readByte()
        guard let signal = Signal(rawValue: signalByte) else {
            throw .unknownValue(offset: start, value: UInt64(signalByte))
        }
        self.signal = signal
        tenant = String(decoding: try Self.readRun(&reader, limit: 256), as: UTF8.self)
        batchID = try Self.readRun(&reader, limit: 256)
        var definitions: [(reference: UInt32, labels: Labels)] = []
        for _ in 0..<(try reader.readCount(limit: payload.count)) {
            let reference = UInt32(try reader.readCount(limit: Int(UInt32.max)))
            let bytes = try Self.readRun(&reader, limit: StreamIndex.labelsBytesMax)
            definitions.append((reference, try Labels(validating: bytes)))
        }
        self.definitions = definitions
        let rowCount = try reader.readCount(limit: payload.count)
        var references: [UInt32] = []
        references.reserveCapacity(rowCount)
        var reference: Int64 = 0
        for _ in 0..<rowCount {
            reference &+= Int64(zigZag: try reader.readVarint())
            guard let exact = UInt32(exactly: reference) else {
                throw .notCanonical(offset: reader.offset)
            }
            references.append(exact)
        }
        self.references = references
        var times: [Int64] = []
        times.reserveCapacity(rowCount)
        var time: Int64 = 0
        for _ in 0..<rowCount {
            time &+= Int64(zigZag: try reader.readVarint())
            times.append(time)
        }
        self.times = times
        var columns: [ColumnValues] = []
        for spec in signal.schema.columns {
            columns.append(try Self.readColumn(&reader, kind: spec.kind, rowCount: rowCount))
        }
        self.columns = columns
        fields =
            signal.schema.hasFields
            ? try JournalFields.read(&reader, rowCount: rowCount) : FieldTable()
        guard reader.remaining == 0 else { throw .notCanonical(offset: reader.offset) }
    }

    private static func readRun(
        _ reader: inout ByteReader,
        limit: Int
    ) throws(DecodeError) -> [UInt8] {
        let count = try reader.readCount(limit: limit)
        return try reader.readBytes(count: count)
    }

    private static func readColumn(
        _ reader: inout ByteReader,
        kind: ColumnKind,
        rowCount: Int
    ) throws(DecodeError) -> ColumnValues {
        var column = ColumnValues(kind: kind)
        for _ in 0..<rowCount {
            switch kind {
            case .float64:
                let start = reader.offset
                let head = try reader.readVarint()
                guard head == 1 || head & 1 == 0 else {
                    throw .unknownValue(offset: start, value: head)
                }
                column.floats.append(
                    head == 1
                        ? Double(bitPattern: try reader.readUInt64())
                        : Double(Int64(zigZag: head >> 1))
                )
            case .int64: column.ints.append(Int64(zigZag: try reader.readVarint()))
            case .bytes:
                column.texts.append(try readRun(&reader, limit: JournalRecord.payloadBytesMax))
            }
        }
        return column
    }
}
