internal import WeirCore

/// What became of one action of a bulk request.
package struct ElasticBulkItem: Hashable, Sendable {
    /// `index`, `create`, `update` or `delete`; as sent.
    package var action: String
    package var index: String
    package var id: String
    /// Nil when the document was taken.
    package var error: LogError?
}

/// Reads Elasticsearch's bulk format: a line that says what to do, and a document on the next.
///
/// The index becomes the label `index`; a document is read as a JSON log.
package struct ElasticBulkParser {
    package static let indexLabel = "index"

    private var parser: JSONLogParser
    private var items: [ElasticBulkItem] = []
    private var indexNumbers: [String: UInt32] = [:]
    private let defaultIndex: String

    /// Parses a whole body into rows, and an item for every action, in order.
    ///
    /// `defaultIndex` is the index in the request's path, for actions that name none.
    package static func parse(
        _ body: [UInt8],
        defaultIndex: String,
        options: LogOptions
    ) -> (result: LogResult, items: [ElasticBulkItem]) {
        var parser = ElasticBulkParser(options, defaultIndex: defaultIndex)
        parser.parseAll(body.span)
        return (parser.parser.rows.finished(), parser.items)
    }

    private init(_ options: LogOptions, defaultIndex: String) {
        parser = JSONLogParser(options: options)
        self.defaultIndex = defaultIndex
    }

    private mutating func parseAll(_ bytes: Span<UInt8>) {
        var start = 0
        while let line = Self.nextLine(bytes, &start) {
            guard parser.rows.hasRoom() else { return }
            var item = ElasticBulkItem(action: "", index: defaultIndex, id: "")
            do throws(LogError) {
                try readAction(bytes, line, into: &item)
            } catch {
                // What the next line is cannot be known: it is looked at as an action.
                item.error = error
                parser.rows.result.recordCount += 1
                parser.refuse(bytes, at: line.lowerBound, error)
                items.append(item)
                continue
            }
            switch item.action {
            case "index", "create":
                guard let document = Self.nextLine(bytes, &start) else {
                    refuse(bytes, at: line.lowerBound, &item, .missing("the document"))
                    break
                }
                readDocument(bytes, document, &item)
            case "update":
                _ = Self.nextLine(bytes, &start)
                refuse(bytes, at: line.lowerBound, &item, .unknownAction(item.action))
            default:
                refuse(bytes, at: line.lowerBound, &item, .unknownAction(item.action))
            }
            items.append(item)
        }
    }

    private mutating func refuse(
        _ bytes: Span<UInt8>,
        at start: Int,
        _ item: inout ElasticBulkItem,
        _ error: LogError
    ) {
        item.error = error
        parser.rows.result.recordCount += 1
        parser.refuse(bytes, at: start, error)
    }

    /// The next line that is not empty.
    private static func nextLine(_ bytes: Span<UInt8>, _ start: inout Int) -> Range<Int>? {
        while start < bytes.count {
            let feed = ByteWords.find(UInt8(ascii: "\n"), in: bytes, start..<bytes.count)
            var line = start..<feed
            start = feed + 1
            while let last = line.last, bytes[last] <= 0x20 { line.removeLast() }
            while let first = line.first, bytes[first] <= 0x20 { line.removeFirst() }
            if !line.isEmpty { return line }
        }
        return nil
    }

    private func readAction(
        _ bytes: Span<UInt8>,
        _ line: Range<Int>,
        into item: inout ElasticBulkItem
    ) throws(LogError) {
        var scanner = JSONScanner(line, depthMax: 8)
        var action = ""
        var index = item.index
        var id = ""
        try scanner.members(bytes, depth: 0) { (scanner, key) throws(LogError) in
            action = JSONText.string(bytes, key)
            try scanner.members(bytes, depth: 1) { (scanner, key) throws(LogError) in
                guard scanner.peek(bytes) == UInt8(ascii: "\"") else {
                    _ = try scanner.value(bytes, depth: 2)
                    return
                }
                let value = JSONText.string(bytes, try scanner.string(bytes))
                switch JSONText.string(bytes, key) {
                case "_index": index = value
                case "_id": id = value
                default: break
                }
            }
        }
        guard scanner.offset == line.upperBound else {
            throw scanner.unexpected(bytes, "the end of the line")
        }
        item.action = String(action.prefix(64))
        item.index = index
        item.id = id
        guard ["index", "create", "update", "delete"].contains(action) else {
            throw .unknownAction(item.action)
        }
    }

    private mutating func readDocument(
        _ bytes: Span<UInt8>,
        _ line: Range<Int>,
        _ item: inout ElasticBulkItem
    ) {
        let number = indexNumbers[item.index] ?? UInt32(indexNumbers.count + 1)
        indexNumbers[item.index] = number
        parser.setExtraLabels([(Self.indexLabel, item.index)], number: number)
        var scanner = JSONScanner(line, depthMax: parser.rows.options.limits.depthMax)
        item.error = parser.parseDocument(bytes, &scanner)
    }
}
