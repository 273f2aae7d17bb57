internal import WeirColumns
internal import WeirCore

/// The fields of one block: their entries, and where their pages lie in the block's area.
struct FieldDirectory: Sendable {
    let entries: [FieldEntry]
    private let offsets: [Int]
    private let indexes: [FieldName: Int]

    /// Reads the directory of a block of `rowCount` rows, whose pages fill `areaCount` bytes.
    init(_ bytes: [UInt8], rowCount: Int, areaCount: Int) throws(DecodeError) {
        var reader = ByteReader(bytes.span)
        var entries: [FieldEntry] = []
        var offsets: [Int] = []
        var indexes: [FieldName: Int] = [:]
        var offset = 0
        for index in 0..<(try reader.readCount(limit: bytes.count)) {
            let start = reader.offset
            let entry = try FieldEntry(from: &reader, rowCount: rowCount)
            guard indexes.updateValue(index, forKey: FieldName(entry.name)) == nil else {
                throw .notCanonical(offset: start)
            }
            offsets.append(offset)
            offset += entry.storedCount
            entries.append(entry)
        }
        guard reader.remaining == 0, offset == areaCount else {
            throw .notCanonical(offset: reader.offset)
        }
        self.entries = entries
        self.offsets = offsets
        self.indexes = indexes
    }

    func index(of name: String) -> Int? { indexes[FieldName(name)] }

    /// Where page `page` of entry `index` begins in the area.
    func offset(ofPage page: Int, of index: Int) -> Int {
        entries[index].pages[..<page].reduce(offsets[index]) { $0 + $1.storedCount }
    }
}
