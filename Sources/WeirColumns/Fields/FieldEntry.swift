package import WeirCore

/// What a block's directory says of one field: how it is kept, where, and what it cannot hold.
///
/// Layout: docs/format/fields.md.
package struct FieldEntry: Sendable {
    /// Empty for the body.
    package let name: String
    /// The kind all values share; nil when they differ.
    let kind: FieldKind?
    /// How many rows have the field.
    package let count: Int
    let codec: Codec
    let zone: Zone
    /// Present rows, kinds, filter: each only where it is needed; then the codec's own.
    package let pages: [PageEntry]
    let hasPresence: Bool
    let hasFilter: Bool

    enum Codec: Sendable {
        case run(TextRun)
        case dictionary(entryCount: Int, entries: BytesRun)
        case template
    }

    /// Between which values all of them lie.
    enum Zone: Hashable, Sendable {
        case numbers(ClosedRange<Int64>)
        /// The first bytes of the smallest and the largest text; the largest may be longer.
        case texts(least: [UInt8], greatestPrefix: [UInt8])
    }

    static let zoneBytesMax = 16
    /// The longest name kept.
    package static let nameBytesMax = 1024

    var presencePage: Int? { hasPresence ? 0 : nil }
    var kindsPage: Int? { kind == nil ? (hasPresence ? 1 : 0) : nil }
    var filterPage: Int? {
        hasFilter ? (hasPresence ? 1 : 0) + (kind == nil ? 1 : 0) : nil
    }
    /// The first page that is the codec's.
    var firstDataPage: Int {
        (hasPresence ? 1 : 0) + (kind == nil ? 1 : 0) + (hasFilter ? 1 : 0)
    }

    /// The name of the codec, for those who look into a file.
    package var codecName: String {
        switch codec {
        case .dictionary(let entryCount, _): "dictionary of \(entryCount)"
        case .template: "templates"
        case .run(let run):
            switch run.kind {
            case .plain: "text"
            case .constant: "constant"
            case .hexadecimal(let digits): "\(digits / 2)-byte ids"
            case .uuid: "UUIDs"
            case .dictionary(_, let entryCount): "dictionary of \(entryCount)"
            case .numbers(.ipv4, _): "IPv4"
            case .numbers(.timestamp, _): "timestamps"
            case .numbers: "numbers"
            }
        }
    }

    /// Reads an entry of a block of `rowCount` rows, which the caller has checked.
    package init(from reader: inout ByteReader, rowCount: Int) throws(DecodeError) {
        let nameCount = try reader.readCount(limit: Self.nameBytesMax)
        name = String(decoding: try reader.readBytes(count: nameCount), as: UTF8.self)
        let start = reader.offset
        let flags = try reader.readByte()
        let kindTag = flags & 7
        kind = FieldKind(rawValue: kindTag)
        guard kindTag == 0 || kind != nil else {
            throw .unknownValue(offset: start, value: UInt64(flags))
        }
        hasPresence = flags & 8 != 0
        hasFilter = flags & 16 != 0
        count = try reader.readCount(limit: rowCount)
        guard count > 0, hasPresence || count == rowCount else {
            throw .notCanonical(offset: start)
        }
        let dataPages: Int
        switch flags >> 5 {
        case 0:
            let run = try TextRun(count: count, from: &reader)
            codec = .run(run)
            dataPages = run.bodyCount > 0 ? 1 : 0
        case 1:
            let entryCount = try reader.readCount(limit: 1 << 16)
            codec = .dictionary(
                entryCount: entryCount,
                entries: try BytesRun(count: entryCount, from: &reader)
            )
            dataPages = 2
        case 2:
            codec = .template
            dataPages = 3
        default: throw .unknownValue(offset: start, value: UInt64(flags))
        }
        if case .run(let run) = codec, case .numbers = run.kind {
            let least = Int64(zigZag: try reader.readVarint())
            let greatest = Int64(zigZag: try reader.readVarint())
            guard least <= greatest else { throw .notCanonical(offset: start) }
            zone = .numbers(least...greatest)
        } else {
            let leastCount = try reader.readCount(limit: Self.zoneBytesMax)
            let least = try reader.readBytes(count: leastCount)
            let greatestCount = try reader.readCount(limit: Self.zoneBytesMax)
            zone = .texts(least: least, greatestPrefix: try reader.readBytes(count: greatestCount))
        }
        let pageCount =
            dataPages + (hasPresence ? 1 : 0) + (kind == nil ? 1 : 0) + (hasFilter ? 1 : 0)
        var pages: [PageEntry] = []
        for _ in 0..<pageCount { pages.append(try PageEntry(from: &reader)) }
        self.pages = pages
    }

    /// The stored bytes of all its pages.
    package var storedCount: Int { pages.reduce(0) { $0 + $1.storedCount } }

    /// False when it is certain that no row of the block passes.
    ///
    /// `loadPage` reads the filter's page; nil when it cannot be read.
    package func mayPass(
        _ test: TextTest,
        rowCount: Int,
        loadPage: (_ page: Int) -> [UInt8]?
    ) -> Bool {
        if count < rowCount, test.passesAbsent { return true }
        if case .run(let run) = codec, case .constant(let text) = run.kind {
            return test.passes(text.span)
        }
        guard !test.isNegated else { return true }
        if test.form == .equals, !isInZone(test.required[0]) { return false }
        guard let page = filterPage,
            test.required.contains(where: TokenFilter.isTold),
            let bytes = loadPage(page), let filter = TokenFilter(bytes)
        else { return true }
        return test.required.allSatisfy { filter.mayHold($0, isWhole: test.form == .equals) }
    }

    private func isInZone(_ text: [UInt8]) -> Bool {
        switch zone {
        case .numbers(let range):
            guard case .run(let run) = codec, case .numbers(let form, _) = run.kind else {
                return true
            }
            guard let value = form.integer(text.span) else { return false }
            return range.contains(value)
        case .texts(let least, let greatestPrefix):
            if text.lexicographicallyPrecedes(least) { return false }
            return !greatestPrefix.lexicographicallyPrecedes(text.prefix(Self.zoneBytesMax))
        }
    }
}
