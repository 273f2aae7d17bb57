internal import WeirCore

/// Reads JSON logs: an object a line, arrays of objects, or objects one after another.
///
/// One pass over the bytes: no tree, and no `String` for a key or value that was seen before.
/// Nested objects become dotted names, arrays stay JSON text, numbers keep their text, `null` is
/// absence, and of equal keys the last wins. A bad row is refused and its neighbours are kept.
/// Rules and limits: docs/logs-in.md.
package struct JSONLogParser {
    struct Pending {
        let node: Int32
        let kind: FieldKind
        let isEscaped: Bool
        let start: Int
        let end: Int

        @inline(__always) var range: Range<Int> { unsafe Range(uncheckedBounds: (start, end)) }
    }

    /// The candidate that stands first in its list of names.
    struct Choice {
        var place = Int.max
        var pending = -1
        var node: Int32 = -1
    }

    var rows: LogRows
    private var keys: KeyTable
    private var lines = LineCounter()
    private var pending: [Pending] = []
    private var time = Choice()
    private var body = Choice()
    /// For each stream field, where it is in `pending`.
    private var streamPlaces: [Int]
    private var streamCount = 0
    private var streams = StreamTable()
    /// Labels that differ from row to row without being in it, and their number.
    private var extraLabels: [(name: String, value: String)] = []
    private var extraNumber: UInt32 = 0
    private var scratch: [UInt8] = []
    private var bodyColumn = -1
    private var previous: Int32 = 0
    private var fieldCount = 0

    /// Parses a whole body.
    package static func parse(_ body: [UInt8], options: LogOptions) -> LogResult {
        var parser = JSONLogParser(options: options)
        let bytes = body.span
        parser.rows.result.batch.times.reserveCapacity(min(body.count / 200, 1 << 16))
        parser.rows.result.batch.streamIndexes.reserveCapacity(min(body.count / 200, 1 << 16))
        parser.parseAll(bytes)
        return parser.rows.finished()
    }

    init(options: LogOptions) {
        rows = LogRows(options)
        keys = KeyTable(options)
        streamPlaces = [Int](repeating: -1, count: options.streamFields.count)
    }

    // MARK: Rows

    private mutating func parseAll(_ bytes: Span<UInt8>) {
        let hasMark =
            bytes.count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF
        var scanner = JSONScanner(
            (hasMark ? 3 : 0)..<bytes.count,
            depthMax: rows.options.limits.depthMax
        )
        while true {
            scanner.skipSpace(bytes)
            guard scanner.offset < scanner.end else { return }
            guard rows.hasRoom() else { return }
            if scanner.peek(bytes) == UInt8(ascii: "[") {
                parseArray(bytes, &scanner)
            } else {
                let start = scanner.offset
                if !parseRow(bytes, &scanner) {
                    // The row's first line is lost, and what follows it is looked at anew.
                    let end = ByteWords.find(UInt8(ascii: "\n"), in: bytes, start..<scanner.end)
                    scanner.offset = min(end + 1, scanner.end)
                }
            }
        }
    }

    /// Reads one object and stores it, or refuses it.
    ///
    /// - Returns: Whether the scanner stands behind the object.
    mutating func parseRow(_ bytes: Span<UInt8>, _ scanner: inout JSONScanner) -> Bool {
        let start = scanner.offset
        do throws(LogError) {
            try readRow(bytes, &scanner)
        } catch {
            refuse(bytes, at: start, error)
            return false
        }
        do throws(LogError) {
            try commit(bytes, at: start)
        } catch {
            refuse(bytes, at: start, error)
        }
        return true
    }

    /// Reads the one object that fills the scanner's range.
    ///
    /// - Returns: Why it was refused, or nil.
    mutating func parseDocument(
        _ bytes: Span<UInt8>,
        _ scanner: inout JSONScanner
    ) -> LogError? {
        let start = scanner.offset
        do throws(LogError) {
            try readRow(bytes, &scanner)
            guard scanner.offset == scanner.end else {
                throw scanner.unexpected(bytes, "the end of the line")
            }
            try commit(bytes, at: start)
            return nil
        } catch {
            refuse(bytes, at: start, error)
            return error
        }
    }

    mutating func refuse(_ bytes: Span<UInt8>, at start: Int, _ error: LogError) {
        let isShown = rows.result.refusals.count < LogResult.refusalsMax
        rows.result.refuse(line: isShown ? lines.line(of: start, in: bytes) : 0, error)
    }

    /// Gives the rows from here on these labels too.
    mutating func setExtraLabels(_ labels: [(name: String, value: String)], number: UInt32) {
        extraLabels = labels
        extraNumber = number
    }

    private mutating func parseArray(_ bytes: Span<UInt8>, _ scanner: inout JSONScanner) {
        scanner.offset += 1
        scanner.skipSpace(bytes)
        if scanner.peek(bytes) == UInt8(ascii: "]") {
            scanner.offset += 1
            return
        }
        while true {
            scanner.skipSpace(bytes)
            guard rows.hasRoom() else { return }
            let start = scanner.offset
            if !parseRow(bytes, &scanner) {
                // An element that is JSON, but no good row, ends where it ends; else the rest of
                // the array has no certain beginning, and is looked at as from its next line on.
                var skipper = JSONScanner(start..<scanner.end, depthMax: 2 * scanner.depthMax)
                guard (try? skipper.value(bytes, depth: 0)) != nil else {
                    scanner.offset = Self.nextElement(bytes, from: start, end: scanner.end)
                    if scanner.offset < scanner.end { continue }
                    return
                }
                scanner.offset = skipper.offset
            }
            scanner.skipSpace(bytes)
            switch scanner.peek(bytes) {
            case UInt8(ascii: ","): scanner.offset += 1
            case UInt8(ascii: "]") where scanner.offset < scanner.end:
                scanner.offset += 1
                return
            default:
                scanner.origin = start
                rows.result.recordCount += 1
                refuse(bytes, at: start, scanner.unexpected(bytes, "\",\" or \"]\""))
                scanner.offset = Self.nextElement(bytes, from: start, end: scanner.end)
                guard scanner.offset < scanner.end else { return }
            }
        }
    }

    /// Where a broken array goes on: the next line that begins an object.
    private static func nextElement(_ bytes: Span<UInt8>, from start: Int, end: Int) -> Int {
        var cursor = start
        while cursor < end {
            cursor = ByteWords.find(UInt8(ascii: "\n"), in: bytes, cursor..<end) + 1
            var scanner = JSONScanner(min(cursor, end)..<end, depthMax: 1)
            scanner.skipSpace(bytes)
            if scanner.peek(bytes) == UInt8(ascii: "{") { return scanner.offset }
            cursor = max(cursor, scanner.offset)
        }
        return end
    }

    // MARK: One row

    private mutating func readRow(
        _ bytes: Span<UInt8>,
        _ scanner: inout JSONScanner
    ) throws(LogError) {
        rows.begin()
        pending.removeAll(keepingCapacity: true)
        time = Choice()
        body = Choice()
        fieldCount = 0
        if streamCount > 0 {
            for place in streamPlaces.indices { streamPlaces[place] = -1 }
            streamCount = 0
        }
        previous = KeyTable.root
        scanner.origin = scanner.offset
        guard scanner.peek(bytes) == UInt8(ascii: "{") else {
            throw scanner.unexpected(bytes, "an object")
        }
        try readObject(bytes, &scanner, parent: KeyTable.root, depth: 0)
    }

    private mutating func readObject(
        _ bytes: Span<UInt8>,
        _ scanner: inout JSONScanner,
        parent: Int32,
        depth: Int
    ) throws(LogError) {
        guard depth < scanner.depthMax else { throw .tooDeep(limit: scanner.depthMax) }
        scanner.offset += 1
        scanner.skipSpace(bytes)
        if scanner.peek(bytes) == UInt8(ascii: "}") {
            scanner.offset += 1
            return
        }
        while true {
            guard scanner.peek(bytes) == UInt8(ascii: "\"") else {
                throw scanner.unexpected(bytes, "a key")
            }
            let key = try scanner.string(bytes)
            let node = try self.node(bytes, key, parent: parent)
            previous = node
            scanner.skipSpace(bytes)
            try scanner.expect(UInt8(ascii: ":"), bytes, "\":\"")
            scanner.skipSpace(bytes)
            try readValue(bytes, &scanner, node: node, depth: depth)
            scanner.skipSpace(bytes)
            if scanner.peek(bytes) == UInt8(ascii: ",") {
                scanner.offset += 1
                scanner.skipSpace(bytes)
                continue
            }
            try scanner.expect(UInt8(ascii: "}"), bytes, "\",\" or \"}\"")
            return
        }
    }

    @inline(__always)
    private mutating func node(
        _ bytes: Span<UInt8>,
        _ key: JSONScanner.Text,
        parent: Int32
    ) throws(LogError) -> Int32 {
        if !key.isEscaped {
            return try keys.node(bytes, key.range, parent: parent, after: previous)
        }
        var unescaped: [UInt8] = []
        JSONText.appendUnescaped(bytes, key.range, to: &unescaped)
        let count = unescaped.count
        return try keys.node(unescaped.span, 0..<count, parent: parent, after: previous)
    }

    @inline(__always)
    private mutating func readValue(
        _ bytes: Span<UInt8>,
        _ scanner: inout JSONScanner,
        node: Int32,
        depth: Int
    ) throws(LogError) {
        switch scanner.peek(bytes) {
        case UInt8(ascii: "\""):
            let text = try scanner.string(bytes)
            try add(node, .text, text.range, isEscaped: text.isEscaped)
        case UInt8(ascii: "{"):
            let start = scanner.offset
            try readObject(bytes, &scanner, parent: node, depth: depth + 1)
            // An object without members is a value of its own, or it would be lost.
            if scanner.offset - start == 2 { try add(node, .json, start..<scanner.offset) }
        case UInt8(ascii: "["):
            try add(node, .json, try scanner.value(bytes, depth: depth + 1))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            try add(node, .number, try scanner.number(bytes))
        case UInt8(ascii: "t"): try add(node, .boolean, try scanner.word("true", bytes))
        case UInt8(ascii: "f"): try add(node, .boolean, try scanner.word("false", bytes))
        case UInt8(ascii: "n"): _ = try scanner.word("null", bytes)
        default: throw scanner.unexpected(bytes, "a value")
        }
    }

    @inline(__always)
    private mutating func add(
        _ node: Int32,
        _ kind: FieldKind,
        _ range: Range<Int>,
        isEscaped: Bool = false
    ) throws(LogError) {
        let place = pending.count
        guard place < rows.options.limits.fieldsMax else {
            throw .tooManyFields(limit: rows.options.limits.fieldsMax)
        }
        switch keys.nodes[Int(node)].role {
        case .field: break
        case .time(let rank):
            if rank <= time.place { time = Choice(place: rank, pending: place, node: node) }
        case .body(let rank):
            if rank <= body.place { body = Choice(place: rank, pending: place, node: node) }
        case .stream(let rank):
            streamPlaces[rank] = place
            streamCount += 1
        }
        pending.append(
            Pending(
                node: node,
                kind: kind,
                isEscaped: isEscaped,
                start: range.lowerBound,
                end: range.upperBound
            )
        )
    }

    // MARK: Storing

    private mutating func commit(_ bytes: Span<UInt8>, at start: Int) throws(LogError) {
        guard !pending.isEmpty else { throw .empty }
        let moment = try moment(bytes)
        let stream = try stream(bytes, at: start)
        for place in pending.indices {
            let value = pending[place]
            switch keys.nodes[Int(value.node)].role {
            case .field: break
            case .stream: continue
            case .time: if value.node == time.node { continue }
            case .body:
                if value.node == body.node {
                    if place == body.pending { try storeBody(bytes, value) }
                    continue
                }
            }
            store(bytes, value, column: try column(of: value.node))
        }
        rows.end(time: moment, stream: stream)
    }

    @inline(__always)
    private mutating func column(of node: Int32) throws(LogError) -> Int {
        let known = keys.nodes[Int(node)].column
        if known >= 0 { return Int(known) }
        let name = keys.nodes[Int(node)].name
        let column = try rows.column(name.span)
        keys.nodes[Int(node)].column = Int32(column)
        return column
    }

    private mutating func storeBody(_ bytes: Span<UInt8>, _ value: Pending) throws(LogError) {
        if bodyColumn < 0 {
            let name: [UInt8] = []
            bodyColumn = try rows.column(name.span)
        }
        store(bytes, value, column: bodyColumn)
    }

    @inline(__always)
    private mutating func store(_ bytes: Span<UInt8>, _ value: Pending, column: Int) {
        if value.isEscaped {
            scratch.removeAll(keepingCapacity: true)
            JSONText.appendUnescaped(bytes, value.range, to: &scratch)
            // Taken out, so that it may be lent while `rows` changes.
            let text = scratch
            rows.store(column: column, value.kind, text.span)
        } else {
            rows.store(column: column, value.kind, bytes.extracting(value.range))
        }
    }

    /// The row's time, and whether its field is used up.
    private mutating func moment(_ bytes: Span<UInt8>) throws(LogError) -> Int64 {
        guard time.pending >= 0 else { return rows.options.now }
        let value = pending[time.pending]
        let reading: LogTime.Reading
        switch value.kind {
        case .text where value.isEscaped:
            let text = text(bytes, value)
            reading = LogTime.read(text.span, 0..<text.count)
        case .text, .number: reading = LogTime.read(bytes, value.range)
        case .boolean, .json, .bytes: reading = .notATime
        }
        switch reading {
        case .time(let moment):
            try rows.check(time: moment, text: shown(bytes, value))
            return moment
        case .outOfRange:
            throw .timeOutOfRange(field: name(value), text: shown(bytes, value))
        case .notATime:
            guard time.place >= rows.options.timeFields.count else {
                throw .badTime(field: name(value), text: shown(bytes, value))
            }
            time = Choice()
            return rows.options.now
        }
    }

    private mutating func stream(_ bytes: Span<UInt8>, at start: Int) throws(LogError) -> UInt32 {
        streams.beginKey(extra: extraNumber)
        if streamCount > 0 {
            for (rank, place) in streamPlaces.enumerated() where place >= 0 {
                let value = pending[place]
                streams.addKey(rank, value.isEscaped, bytes.extracting(value.range))
            }
        }
        if let known = streams.find() { return known }
        var pairs: [(name: String, value: String)] = []
        for place in streamPlaces where place >= 0 {
            let value = pending[place]
            pairs.append((name(value), String(decoding: text(bytes, value), as: UTF8.self)))
        }
        let line = lines.line(of: start, in: bytes)
        let stream = try rows.stream(pairs + extraLabels, line: line)
        streams.insert(stream)
        return stream
    }

    private func name(_ value: Pending) -> String {
        String(decoding: keys.nodes[Int(value.node)].name, as: UTF8.self)
    }

    private func text(_ bytes: Span<UInt8>, _ value: Pending) -> [UInt8] {
        var text: [UInt8] = []
        if value.isEscaped {
            JSONText.appendUnescaped(bytes, value.range, to: &text)
        } else {
            text.append(bytes, value.range)
        }
        return text
    }

    private func shown(_ bytes: Span<UInt8>, _ value: Pending) -> String {
        let text = text(bytes, value)
        return String(decoding: text.prefix(64), as: UTF8.self) + (text.count > 64 ? "…" : "")
    }
}
