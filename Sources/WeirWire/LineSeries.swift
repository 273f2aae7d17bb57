internal import WeirCore

/// Remembers the series of earlier bodies of line protocol by the bytes that named them.
///
/// A producer sends the same `measurement,tags` again and again, each with the same fields in the same
/// order, and the lines themselves in the same order. So what came after a prefix or a field the last time
/// is compared first, then looked up as raw bytes; names are read once. Not for use by two threads at once:
/// each takes one of its own, and gives it back. Bounded: one that has grown beyond `byteCountMax` begins
/// anew with the next body.
package struct LineSeries: Sendable {
    /// One `measurement,tags`.
    struct Prefix: Sendable {
        let measurement: String
        /// The canonical bytes of the tags, without the name.
        let tags: [UInt8]
    }

    /// What is kept of a prefix for finding its fields.
    private struct Place {
        /// The prefix that followed the last time; -1: none is known.
        var next: Int32 = -1
        /// The field that came first the last time; -1: none is known.
        var firstField: Int32 = -1
        /// How many of its fields the body `stamp` stands for has named.
        var namedCount: Int32 = 0
        var stamp: UInt32 = 0
    }

    /// One field of a prefix: its key, and its place in the batch.
    private struct Field {
        /// Where its key, escaped and with the equals sign, begins in `keys`.
        let start: Int
        let count: Int32
        let prefix: Int32
        /// The field that followed the last time; -1: none is known.
        var next: Int32 = -1
        var stream: UInt32 = 0
        var stamp: UInt32 = 0
    }

    private struct Slot {
        var hash: UInt64 = 0
        /// -1: free.
        var field: Int32 = -1
    }

    /// What decides how a prefix is read.
    private struct Settings: Hashable {
        let extraLabels: [String]
        let limits: [Int]

        init(_ options: LineProtocolOptions) {
            extraLabels = options.extraLabels.flatMap { [$0.name, $0.value] }
            limits = [
                options.labelsMax, options.labelNameBytesMax, options.labelValueBytesMax,
            ]
        }
    }

    private let byteCountMax: Int
    private var settings: Settings?
    private var table = ByteTable()
    private(set) var prefixes: [Prefix] = []
    private var places: [Place] = []
    private var keys: [UInt8] = []
    private var fields: [Field] = []
    private var labels: [Labels] = []
    private var handles: [StreamHandle] = []
    private var slots = [Slot](repeating: Slot(), count: 256)
    private var streams = BatchStreams()
    private var namesByteCount = 0
    /// Bytes of labels that the body is the first to name.
    private(set) var madeByteCount = 0
    /// The body that is being read.
    private var stamp: UInt32 = 0
    private var lastPrefix: Int32 = -1
    /// Rows of the body before, as many as the next will have.
    var rowCountBefore = 0

    package init(byteCountMax: Int = 32 << 20) { self.byteCountMax = byteCountMax }

    private var byteCount: Int {
        table.byteCount + namesByteCount + keys.count + prefixes.count * 48 + fields.count * 148
    }

    /// Whether it is no larger than it may be.
    package var hasRoom: Bool { byteCount <= byteCountMax }

    /// Whether series that `options` would not read alike are kept.
    package func isMade(for options: LineProtocolOptions) -> Bool {
        settings == nil || settings == Settings(options)
    }

    /// Starts a body: no series has a place in its batch.
    mutating func beginBody(_ options: LineProtocolOptions) {
        let settings = Settings(options)
        if byteCount > byteCountMax || stamp == .max || self.settings != settings {
            self = LineSeries(byteCountMax: byteCountMax)
        }
        self.settings = settings
        madeByteCount = 0
        stamp += 1
        streams.begin()
    }

    /// Ends a body: gives its batch the streams that were named.
    mutating func endBody(_ batch: inout RowBatch) { streams.finish(&batch) }

    // MARK: Prefixes

    /// The prefix that is to come if the order is that of the last time, when it stands at `start` with a
    /// space behind it.
    func predictedPrefix(
        _ bytes: Span<UInt8>,
        _ line: Range<Int>
    ) -> (number: Int, end: Int)? {
        guard lastPrefix >= 0 else { return nil }
        let number = Int(places[Int(lastPrefix)].next)
        guard number >= 0 else { return nil }
        let end = line.lowerBound + table.length(of: number)
        guard end < line.upperBound, bytes[end] == UInt8(ascii: " "),
            table.isString(number, at: line.lowerBound, in: bytes)
        else { return nil }
        return (number, end)
    }

    func findPrefix(_ range: Range<Int>, hash: UInt64, in bytes: Span<UInt8>) -> Int? {
        table.find(range, hash: hash, in: bytes)
    }

    /// Remembers that a prefix was found, after the one before.
    mutating func foundPrefix(_ number: Int) {
        if lastPrefix >= 0, places[Int(lastPrefix)].next != Int32(truncatingIfNeeded: number) {
            places[Int(lastPrefix)].next = Int32(truncatingIfNeeded: number)
        }
        lastPrefix = Int32(truncatingIfNeeded: number)
    }

    /// Adds a prefix that `findPrefix` did not find.
    mutating func insertPrefix(
        _ prefix: Prefix,
        _ range: Range<Int>,
        hash: UInt64,
        in bytes: Span<UInt8>
    ) -> Int {
        namesByteCount += prefix.measurement.utf8.count + prefix.tags.count
        prefixes.append(prefix)
        places.append(Place())
        return table.insert(range, hash: hash, in: bytes)
    }

    // MARK: Fields

    /// The field that is to come first in a line of `prefix` if it is as the last time; -1 for none.
    func firstField(of prefix: Int) -> Int { Int(places[prefix].firstField) }

    /// The field that is to follow `field`; -1 for none.
    func field(after field: Int) -> Int { Int(fields[field].next) }

    /// Where the key of `field` ends, if it stands whole at `start`; nil if it does not.
    @inline(__always)
    func end(
        ofField field: Int,
        at start: Int,
        before end: Int,
        in bytes: Span<UInt8>
    ) -> Int? {
        let known = fields[field]
        let count = Int(known.count)
        guard end &- start >= count else { return nil }
        return ByteHash.areEqualShort(known.start, in: keys.span, start, in: bytes, count: count)
            ? start &+ count : nil
    }

    /// The field of `prefix` whose key stands at `key`, its equals sign with it.
    func findField(of prefix: Int, _ key: Range<Int>, in bytes: Span<UInt8>) -> Int? {
        let hash = Self.hash(prefix, key, in: bytes)
        var index = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[index].field >= 0 {
            let field = Int(slots[index].field)
            if slots[index].hash == hash, Int(fields[field].prefix) == prefix,
                Int(fields[field].count) == key.count,
                end(ofField: field, at: key.lowerBound, before: key.upperBound, in: bytes) != nil
            {
                return field
            }
            index = (index + 1) & (slots.count - 1)
        }
        return nil
    }

    /// Adds a field that `findField` did not find.
    mutating func insertField(
        of prefix: Int,
        _ key: Range<Int>,
        labels: Labels,
        in bytes: Span<UInt8>
    ) -> Int {
        if fields.count * 2 >= slots.count { growSlots() }
        let start = keys.count
        for index in key { keys.append(bytes[index]) }
        fields.append(
            Field(
                start: start,
                count: Int32(truncatingIfNeeded: key.count),
                prefix: Int32(truncatingIfNeeded: prefix)
            )
        )
        self.labels.append(labels)
        handles.append(StreamHandle())
        namesByteCount += labels.bytes.count
        madeByteCount += labels.bytes.count
        let number = Int32(truncatingIfNeeded: fields.count - 1)
        place(Slot(hash: Self.hash(prefix, key, in: bytes), field: number))
        return Int(number)
    }

    /// Remembers that `field` came after `previous`, or first if that is -1.
    mutating func foundField(_ field: Int, after previous: Int, of prefix: Int) {
        let number = Int32(truncatingIfNeeded: field)
        if previous >= 0 {
            fields[previous].next = number
        } else {
            places[prefix].firstField = number
        }
    }

    /// The place of the field's series in the batch, once it has one.
    @inline(__always)
    func stream(of field: Int) -> UInt32? {
        let known = fields[field]
        return known.stamp == stamp ? known.stream : nil
    }

    /// How many fields of `prefix` have a place in the batch.
    func namedCount(of prefix: Int) -> Int {
        places[prefix].stamp == stamp ? Int(places[prefix].namedCount) : 0
    }

    /// Gives the field's series the next place in the batch.
    mutating func name(_ field: Int, line: Int) -> UInt32 {
        let stream =
            streams.repeats(field, line: line)
            ?? streams.add(labels[field], handles[field], number: field, line: line)
        fields[field].stream = stream
        fields[field].stamp = stamp
        let prefix = Int(fields[field].prefix)
        places[prefix].namedCount = Int32(truncatingIfNeeded: namedCount(of: prefix) + 1)
        places[prefix].stamp = stamp
        return stream
    }

    private static func hash(_ prefix: Int, _ key: Range<Int>, in bytes: Span<UInt8>) -> UInt64 {
        let hash = ByteHash.hash(key, in: bytes) &+ UInt64(truncatingIfNeeded: prefix)
        let product = hash.multipliedFullWidth(by: 0x9FB2_1C65_1E98_DF25)
        return product.high ^ product.low
    }

    private mutating func place(_ slot: Slot) {
        var index = Int(truncatingIfNeeded: slot.hash) & (slots.count - 1)
        while slots[index].field >= 0 { index = (index + 1) & (slots.count - 1) }
        slots[index] = slot
    }

    private mutating func growSlots() {
        let old = slots
        slots = [Slot](repeating: Slot(), count: old.count * 2)
        for slot in old where slot.field >= 0 { place(slot) }
    }
}
