internal import WeirCore

/// Puts spans together as rows, whichever wire they come by; docs/spans.md.
///
/// What makes a span refused is checked by `begin`, before anything of it is written; what comes
/// after is cut, or dropped and counted, where it breaks a limit. A resource and a scope are read
/// once and are the stream of their spans (`SharedFields`), unless they are too long for that.
struct SpanRows {
    /// What an attribute belongs to.
    enum Place: Int {
        case span
        case resource
        case scope
    }

    /// The fields that are no attributes.
    enum Slot: Int, CaseIterable {
        case traceID
        case spanID
        case parentID
        case name
        case kind
        case status
        case statusMessage
        case duration
        case traceState
        case flags
        case events
        case links
        case droppedAttributes
        case droppedEvents
        case droppedLinks
        case cut
        case scopeName
        case scopeVersion
        case scopeSchemaURL
        case scopeDroppedAttributes
        case resourceSchemaURL
        case resourceDroppedAttributes

        var name: String {
            switch self {
            case .traceID: SpanField.traceID
            case .spanID: SpanField.spanID
            case .parentID: SpanField.parentID
            case .name: SpanField.name
            case .kind: SpanField.kind
            case .status: SpanField.status
            case .statusMessage: SpanField.statusMessage
            case .duration: SpanField.duration
            case .traceState: SpanField.traceState
            case .flags: SpanField.flags
            case .events: SpanField.events
            case .links: SpanField.links
            case .droppedAttributes: SpanField.droppedAttributes
            case .droppedEvents: SpanField.droppedEvents
            case .droppedLinks: SpanField.droppedLinks
            case .cut: SpanField.cut
            case .scopeName: SpanField.scopeName
            case .scopeVersion: SpanField.scopeVersion
            case .scopeSchemaURL: SpanField.scopeSchemaURL
            case .scopeDroppedAttributes: SpanField.scopeDroppedAttributes
            case .resourceSchemaURL: SpanField.resourceSchemaURL
            case .resourceDroppedAttributes: SpanField.resourceDroppedAttributes
            }
        }
    }

    /// A value that each span of a resource, or of a scope, gets.
    private struct Constant {
        let column: Int
        let kind: FieldKind
        let range: Range<Int>
    }

    /// The values of a resource or a scope.
    private struct Constants {
        var values: [Constant] = []
        var bytes: [UInt8] = []
        var cuts: [[UInt8]] = []
        var count = 0
        var dropped: UInt64 = 0
    }

    /// What a value costs in a column beside its bytes.
    private static let valueOverhead = 9

    private static let kindNames: [[UInt8]] = SpanKind.allCases.map { Array("\($0)".utf8) }
    private static let statusNames: [[UInt8]] = [[], Array("ok".utf8), Array("error".utf8)]

    let options: SpanOptions
    var result = SpanResult()
    private var keys: KeyTable
    private var parents: [Int32] = []
    private var previous: [Int32] = []
    private var slots = [Int](repeating: -1, count: Slot.allCases.count)
    private var resource = Constants()
    private var scope = Constants()
    /// The number of the stream that resource and scope make; nil until it is needed.
    private var stream: UInt32?
    /// Whether they are too long for a stream, and are written with each span.
    private var isWrittenOut = false
    private var streams: [Labels: UInt32] = [:]
    private var scratch: [UInt8] = []
    private var cuts: [[UInt8]] = []
    private var row = 0
    private var attributeCount = 0
    private var storedByteCount = 0
    private(set) var droppedAttributes: UInt64 = 0

    /// About how many spans will come; what all of them have gets room for so many at once.
    private let expected: Int

    init(_ options: SpanOptions, expected: Int = 0) {
        self.options = options
        self.expected = min(expected, options.limits.spansMax)
        keys = KeyTable(
            nodesMax: options.limits.namesMax,
            nameBytesMax: options.limits.nameBytesMax
        )
        for name in ["span", "resource", "scope"] {
            let bytes = Array(name.utf8)
            let node = try? keys.node(
                bytes.span,
                0..<bytes.count,
                parent: KeyTable.root,
                after: KeyTable.root
            )
            parents.append(node ?? KeyTable.root)
        }
        previous = parents
        streams.reserveCapacity(64)
    }

    /// Whether there is room for one span more; notes it when there is not.
    mutating func hasRoom() -> Bool {
        guard result.batch.rowCount < options.limits.spansMax,
            storedByteCount <= options.limits.batchBytesMax
        else {
            result.isTooLarge = true
            return false
        }
        return true
    }

    // MARK: Resource and scope

    mutating func beginResource() {
        resource = Constants()
        stream = nil
        previous[Place.resource.rawValue] = parents[Place.resource.rawValue]
        beginScope()
    }

    mutating func beginScope() {
        scope = Constants()
        stream = nil
        previous[Place.scope.rawValue] = parents[Place.scope.rawValue]
    }

    mutating func setConstant(_ place: Place, _ slot: Slot, _ value: Span<UInt8>) {
        guard value.count > 0 else { return }
        stream = nil
        let end = ByteWords.cut(value, to: options.limits.valueBytesMax)
        let column = column(slot)
        let isCut = end < value.count
        if place == .resource {
            Self.add(column, .text, value.extracting(0..<end), to: &resource)
            if isCut { resource.cuts.append(Array(slot.name.utf8)) }
        } else {
            Self.add(column, .text, value.extracting(0..<end), to: &scope)
            if isCut { scope.cuts.append(Array(slot.name.utf8)) }
        }
    }

    mutating func addDropped(_ place: Place, _ count: UInt64) {
        if place != .span { stream = nil }
        switch place {
        case .span: droppedAttributes = Self.sum(droppedAttributes, count)
        case .resource: resource.dropped = Self.sum(resource.dropped, count)
        case .scope: scope.dropped = Self.sum(scope.dropped, count)
        }
    }

    static func sum(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow || sum > UInt64(Int64.max) ? UInt64(Int64.max) : sum
    }

    private static func add(
        _ column: Int,
        _ kind: FieldKind,
        _ value: Span<UInt8>,
        to constants: inout Constants
    ) {
        let start = constants.bytes.count
        constants.bytes.append(value, 0..<value.count)
        constants.values.append(
            Constant(column: column, kind: kind, range: start..<constants.bytes.count)
        )
    }

    // MARK: Spans

    /// Counts a span that comes; call it once for each, before `begin` or a refusal.
    mutating func count() { result.recordCount += 1 }

    /// Starts a span's row, unless it must be refused.
    mutating func begin(_ facts: SpanFacts) throws(SpanError) {
        guard facts.traceHigh | facts.traceLow != 0 else { throw .zeroID(field: "trace id") }
        guard facts.spanID != 0 else { throw .zeroID(field: "span id") }
        let limit = options.limits.futureMax
        guard facts.start <= options.now || facts.start &- options.now <= limit else {
            throw .tooFarInFuture(time: facts.start, limit: limit)
        }
        row = result.batch.rowCount
        attributeCount = 0
        droppedAttributes = 0
        previous[Place.span.rawValue] = parents[Place.span.rawValue]
        let traceID = column(.traceID)
        HexDigits.withDigits((facts.traceHigh, facts.traceLow)) { put(traceID, .text, $0) }
        let spanID = column(.spanID)
        let parentID = facts.parentID == 0 ? -1 : column(.parentID)
        HexDigits.withDigits((facts.spanID, facts.parentID)) {
            put(spanID, .text, $0.extracting(0..<16))
            if parentID >= 0 { put(parentID, .text, $0.extracting(16..<32)) }
        }
        scratch.appendDecimal(facts.duration)
        putScratch(.duration, .number)
        if facts.kind != .unspecified {
            let column = column(.kind)
            let name = Self.kindNames[Int(facts.kind.rawValue)]
            put(column, .text, name.span)
        }
        if facts.status != .unset {
            let column = column(.status)
            let name = Self.statusNames[Int(facts.status.rawValue)]
            put(column, .text, name.span)
        }
        let stream = stream ?? makeStream()
        if isWrittenOut {
            write(resource, .resourceDroppedAttributes)
            write(scope, .scopeDroppedAttributes)
        }
        if !resource.cuts.isEmpty || !scope.cuts.isEmpty { cuts += resource.cuts + scope.cuts }
        result.facts.append(facts)
        result.batch.times.append(facts.start)
        result.batch.streamIndexes.append(stream)
    }

    /// Finds or makes the stream of the resource and the scope at hand.
    private mutating func makeStream() -> UInt32 {
        var fields: [(name: String, kind: FieldKind, value: ArraySlice<UInt8>)] = []
        fields.reserveCapacity(resource.values.count + scope.values.count + 2)
        for constants in [resource, scope] {
            for value in constants.values {
                let name = result.batch.fields.name(value.column)
                fields.append((name, value.kind, constants.bytes[value.range]))
            }
        }
        for (slot, count) in [
            (Slot.resourceDroppedAttributes, resource.dropped),
            (.scopeDroppedAttributes, scope.dropped),
        ] where count > 0 {
            fields.append((slot.name, .number, Array("\(count)".utf8)[...]))
        }
        // Of equal names the last stays, as it would in a column.
        let order = fields.indices.sorted { left, right in
            let order = ByteWords.order(fields[left].name.utf8.span, fields[right].name.utf8.span)
            return order == 0 ? left < right : order < 0
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(1024)
        for (place, index) in order.enumerated() {
            let field = fields[index]
            if place + 1 < order.count, fields[order[place + 1]].name == field.name { continue }
            SharedFields.append(
                name: field.name.utf8.span,
                kind: field.kind,
                value: field.value.span,
                to: &bytes
            )
        }
        isWrittenOut = bytes.count > options.limits.sharedBytesMax
        let labels = isWrittenOut ? Labels.empty : Labels(trusted: bytes)
        if let known = streams[labels] {
            stream = known
            return known
        }
        let number = UInt32(result.batch.streams.count)
        result.batch.streams.append(labels)
        result.batch.firstLines.append(0)
        streams[labels] = number
        stream = number
        return number
    }

    private mutating func write(_ constants: Constants, _ dropped: Slot) {
        let bytes = constants.bytes.span
        for value in constants.values {
            put(value.column, value.kind, bytes.extracting(value.range))
        }
        if constants.dropped > 0 { set(dropped, constants.dropped) }
    }

    /// Ends the row that `begin` started.
    mutating func end() {
        if droppedAttributes > 0 { set(.droppedAttributes, droppedAttributes) }
        guard !cuts.isEmpty else { return }
        result.cutCount += 1
        var json: [UInt8] = [UInt8(ascii: "[")]
        for (place, name) in cuts.enumerated() {
            if place > 0 { json.append(UInt8(ascii: ",")) }
            SpanText.appendQuoted(name, to: &json)
        }
        json.append(UInt8(ascii: "]"))
        let column = column(.cut)
        put(column, .json, json.span)
        cuts.removeAll(keepingCapacity: true)
    }

    /// Says that a field is not whole.
    mutating func markCut(_ slot: Slot) {
        let name = Array(slot.name.utf8)
        if !cuts.contains(name) { cuts.append(name) }
    }

    /// Sets a text of the span, cut where it is too long; empty: not.
    @inline(__always)
    mutating func set(_ slot: Slot, _ value: Span<UInt8>) {
        let limit =
            slot == .name ? options.limits.spanNameBytesMax : options.limits.valueBytesMax
        guard value.count > 0 else { return }
        let column = column(slot)
        if value.count <= limit {
            put(column, .text, value)
        } else {
            put(column, .text, value.extracting(0..<ByteWords.cut(value, to: limit)))
            markCut(slot)
        }
    }

    /// Sets a number of the span; 0: not.
    mutating func set(_ slot: Slot, _ number: UInt64) {
        guard number > 0 else { return }
        scratch.appendDecimal(Int64(clamping: number))
        putScratch(slot, .number)
    }

    /// Sets JSON that was made within the limits.
    mutating func setJSON(_ slot: Slot, _ json: Span<UInt8>) {
        let column = column(slot)
        put(column, .json, json)
    }

    /// Adds an attribute to the span, the resource or the scope at hand.
    @inline(__always)
    mutating func attribute(
        _ place: Place,
        _ bytes: Span<UInt8>,
        _ key: Range<Int>,
        _ kind: FieldKind,
        _ value: Span<UInt8>,
        isCut: Bool = false
    ) {
        let count: Int
        switch place {
        case .span:
            attributeCount &+= 1
            count = attributeCount
        case .resource:
            resource.count += 1
            count = resource.count
        case .scope:
            scope.count += 1
            count = scope.count
        }
        guard count <= options.limits.attributesMax,
            let node = try? keys.node(
                bytes,
                key,
                parent: parents[place.rawValue],
                after: previous[place.rawValue]
            )
        else {
            addDropped(place, 1)
            return
        }
        previous[place.rawValue] = node
        var column = Int(keys.nodes[Int(node)].column)
        if column < 0 { column = newColumn(node) }
        if value.count > options.limits.valueBytesMax || isCut {
            cutAttribute(place, column, node, kind, value)
        } else {
            put(place, column, kind, value)
        }
    }

    private mutating func newColumn(_ node: Int32) -> Int {
        let name = keys.nodes[Int(node)].name
        let column = result.batch.fields.index(of: name.span, hint: -1)
        keys.nodes[Int(node)].column = Int32(column)
        return column
    }

    private mutating func cutAttribute(
        _ place: Place,
        _ column: Int,
        _ node: Int32,
        _ kind: FieldKind,
        _ value: Span<UInt8>
    ) {
        let name = keys.nodes[Int(node)].name
        switch place {
        case .span: cuts.append(name)
        case .resource: resource.cuts.append(name)
        case .scope: scope.cuts.append(name)
        }
        guard value.count > options.limits.valueBytesMax else {
            return put(place, column, kind, value)
        }
        var end = ByteWords.cut(value, to: options.limits.valueBytesMax)
        // Base64 stays so in groups of four; JSON does not stay JSON.
        if kind == .bytes { end -= end % 4 }
        put(place, column, kind == .json ? .text : kind, value.extracting(0..<end))
    }

    @inline(__always)
    private mutating func put(
        _ place: Place,
        _ column: Int,
        _ kind: FieldKind,
        _ value: Span<UInt8>
    ) {
        switch place {
        case .span: put(column, kind, value)
        case .resource:
            stream = nil
            Self.add(column, kind, value, to: &resource)
        case .scope:
            stream = nil
            Self.add(column, kind, value, to: &scope)
        }
    }

    @inline(__always)
    private mutating func put(_ column: Int, _ kind: FieldKind, _ value: Span<UInt8>) {
        storedByteCount &+= value.count &+ Self.valueOverhead
        result.batch.fields.set(column, row: row, kind: kind, value: value)
    }

    @inline(__always)
    private mutating func putScratch(_ slot: Slot, _ kind: FieldKind) {
        let column = column(slot)
        // Moved out and back, so that it is neither shared nor copied.
        var text: [UInt8] = []
        swap(&text, &scratch)
        put(column, kind, text.span)
        text.removeAll(keepingCapacity: true)
        swap(&text, &scratch)
    }

    @inline(__always)
    private mutating func column(_ slot: Slot) -> Int {
        let known = slots[slot.rawValue]
        return known >= 0 ? known : makeColumn(slot)
    }

    private mutating func makeColumn(_ slot: Slot) -> Int {
        let name = slot.name
        let column = result.batch.fields.index(of: name.utf8.span, hint: -1)
        slots[slot.rawValue] = column
        let bytesEach =
            switch slot {
            case .traceID: 32
            case .spanID, .parentID, .name: 16
            case .duration: 8
            default: 0
            }
        if bytesEach > 0 {
            result.batch.fields.reserveCapacity(column, count: expected, bytesEach: bytesEach)
        }
        return column
    }

    /// What was taken; columns that no span has are left out.
    consuming func finished() -> SpanResult {
        var result = result
        if result.isTooLarge {
            result.batch = RowBatch(signal: .traces)
            result.facts = []
        } else if result.batch.fields.columns.contains(where: { $0.count == 0 }) {
            var fields = FieldTable()
            for column in result.batch.fields.columns where column.count > 0 {
                fields.append(column)
            }
            result.batch.fields = fields
        }
        return result
    }
}
