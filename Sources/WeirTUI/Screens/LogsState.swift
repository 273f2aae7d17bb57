internal import WeirCore
internal import WeirTerminal

/// What the logs screen knows, and where one stands in it.
struct LogsState {
    enum Pane: Hashable {
        case lines
        case facets
    }

    enum Typing {
        case query
        case search
    }

    /// A line that is taken apart when it is drawn.
    struct Item {
        let bytes: [UInt8]
        private var parsed: LogRow??

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        mutating func row() -> LogRow? {
            if let parsed { return parsed }
            let row = LogRow(json: bytes)
            parsed = .some(row)
            return row
        }
    }

    static let rowsMax = 2000

    var query = ""
    var editor = LineEditor()
    var typing: Typing?
    var search = ""
    var pane = Pane.lines
    /// Oldest first.
    var items: [Item] = []
    var selected = 0
    /// The first item that is drawn.
    var top = 0
    var isExpanded = false
    /// Of the expanded row.
    var field = 0
    var columns: [String] = []
    var isWrapped = false
    var volume: LogVolume?
    var facets: [LogFacet] = []
    var patterns: [LogFacet.Count] = []
    /// In the list of facets' values and patterns.
    var facet = 0
    var error: APIError?
    var isLoading = false
    var isAsked = false
    /// Queries and times to go back to.
    var past: [(query: String, span: TimeSpan)] = []

    // MARK: Following

    var isFollowing = false
    /// Milliseconds since 1970.
    var followSince: Int64 = 0
    var isHeld = false
    /// Since following began.
    var received = 0
    var dropped = 0
    /// Received while it was held.
    var heldCount = 0
    private var held: [[UInt8]] = []
    private var rates: [(at: Int64, received: Int)] = []

    var isAtEnd: Bool { selected >= items.count - 1 }

    /// Lines a second over the last few.
    var rate: Int {
        guard let first = rates.first, let last = rates.last, last.at > first.at else { return 0 }
        return Int(Int64(last.received - first.received) * 1000 / (last.at - first.at))
    }

    mutating func forget() {
        items = []
        selected = 0
        top = 0
        isExpanded = false
        field = 0
        received = 0
        dropped = 0
        heldCount = 0
        held = []
        rates = []
        error = nil
    }

    /// Takes a new answer; whoever stands on a line other than the newest, or looks into one, stays
    /// on it for as long as it is among the lines.
    mutating func set(_ lines: [[UInt8]]) {
        let isStaying = (!isAtEnd || isExpanded) && selected < items.count
        let kept = isStaying ? items[selected].bytes : nil
        let row = selected - top
        items = lines.map(Item.init)
        if let kept, let place = items.lastIndex(where: { $0.bytes == kept }) {
            selected = place
            top = max(0, place - row)
        } else {
            selected = max(0, items.count - 1)
            top = 0
            isExpanded = false
        }
    }

    mutating func add(_ batch: TailBatch, now: Int64) {
        received += batch.received
        dropped += batch.dropped
        rates.append((now, received))
        rates.removeAll { now - $0.at > 5000 }
        if let failure = batch.failure {
            error = .malformed(failure)
            isFollowing = false
        }
        if isHeld {
            heldCount += batch.received
            held += batch.lines
            if held.count > 2 * LogTail.linesMax { held.removeFirst(held.count - LogTail.linesMax) }
        } else {
            append(batch.lines)
        }
    }

    private mutating func append(_ lines: [[UInt8]]) {
        let wasAtEnd = isAtEnd
        items += lines.map(Item.init)
        if items.count > 2 * LogTail.linesMax {
            let gone = items.count - LogTail.linesMax
            items.removeFirst(gone)
            selected = max(0, selected - gone)
            top = max(0, top - gone)
        }
        if wasAtEnd, !isExpanded { selected = max(0, items.count - 1) }
    }

    /// Shows what came while it was held, and the newest line.
    mutating func catchUp() {
        isHeld = false
        append(held)
        held = []
        heldCount = 0
        isExpanded = false
        selected = max(0, items.count - 1)
    }

    mutating func move(by count: Int) {
        selected = min(max(0, selected + count), max(0, items.count - 1))
        isExpanded = false
        field = 0
    }

    /// The next item for which `isWanted` holds, around the end; nil when there is none.
    mutating func find(by step: Int, _ isWanted: (inout Item) -> Bool) -> Int? {
        guard !items.isEmpty else { return nil }
        var index = selected
        for _ in items.indices {
            index = (index + step + items.count) % items.count
            if isWanted(&items[index]) { return index }
        }
        return nil
    }

    /// What can be chosen of a row: its time, its stream's labels, its line, its fields.
    static func tree(_ row: LogRow) -> [(name: String, value: String)] {
        [("_time", row.timeText)] + row.stream.map { ($0.name, $0.value) }
            + [("_msg", row.line)] + row.fields.map { ($0.key, LogRow.text($0.value)) }
    }

    /// What the left side lists: headings are not to be chosen.
    var choices: [(name: String, value: String, count: Int)] {
        facets.flatMap { facet in facet.values.map { (facet.name, $0.text, $0.count) } }
            + patterns.map { ("", $0.text, $0.count) }
    }
}

/// A log query grown by what was chosen.
enum LogQueryText {
    /// With a condition on a field, or on the line where the name is `_msg`.
    static func adding(
        _ query: String,
        name: String,
        value: String,
        isExcluded: Bool
    ) -> String {
        let text = started(query)
        if name == "_msg" {
            let first = value.prefix { $0 != "\n" }
            return text + (isExcluded ? " != " : " |= ") + quoted(String(first))
        }
        return "\(text) | \(plain(name)) \(isExcluded ? "!=" : "=") \(quoted(value))"
    }

    /// The name by which LogQL finds a label or field: `_` for what it does not allow.
    static func plain(_ name: String) -> String {
        String(
            name.unicodeScalars.map { scalar in
                let isWord =
                    scalar.isASCII
                    && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                        || scalar == "_")
                return isWord ? Character(scalar) : "_"
            }
        )
    }

    /// With a pattern that the line must have, or must not.
    static func adding(_ query: String, pattern: String, isExcluded: Bool) -> String {
        "\(started(query)) \(isExcluded ? "!>" : "|>") \(quoted(pattern))"
    }

    /// A query that can be continued: plain words become a filter that means the same.
    private static func started(_ query: String) -> String {
        func isSpace(_ character: Character) -> Bool { character.isWhitespace }
        var words = query.drop(while: isSpace)
        while let last = words.last, isSpace(last) { words.removeLast() }
        guard let first = words.first else { return "" }
        if first == "{" || first == "|" || first == "!" || words.hasPrefix("({") { return query }
        if words.utf8.allSatisfy({ isHexadecimal($0) }) {
            if words.utf8.count == 32 { return "| trace_id = \(quoted(String(words)))" }
            if words.utf8.count == 16 { return "| span_id = \(quoted(String(words)))" }
        }
        let inner = words.dropFirst().dropLast()
        if words.count > 2, first == "\"" || first == "`", words.last == first,
            !inner.contains(first)
        {
            words = inner
        }
        return "|= \(quoted(String(words)))"
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20)
    }

    static func quoted(_ text: String) -> String {
        var bytes: [UInt8] = []
        JSONWriter.appendString(text, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
