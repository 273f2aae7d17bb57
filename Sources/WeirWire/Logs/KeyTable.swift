internal import WeirCore

/// What a key of JSON logs is for.
enum KeyRole: Hashable {
    case field
    /// Its place in `timeFields`; places behind them are of `softTimeFields`.
    case time(Int)
    /// Its place in `bodyFields`.
    case body(Int)
    /// Its place in `streamFields`.
    case stream(Int)
}

/// A key below a parent, and what is known of it.
struct KeyNode {
    let parent: Int32
    let count: Int32
    /// The first eight bytes, or fewer.
    let head: UInt64
    /// The last eight bytes of a key of eight or more.
    let tail: UInt64
    /// Where the key lies in the table's bytes.
    let start: Int
    /// The dotted name.
    let name: [UInt8]
    let role: KeyRole
    /// The field's column; -1 until it is needed.
    var column: Int32 = -1
    /// The node that came after this one the last time.
    var next: Int32 = -1
}

/// The keys of a body, of logs or of spans' attributes, found by their bytes.
///
/// The same keys come row after row in the same order: so each key is first compared with the one
/// that followed the one before the last time.
struct KeyTable {
    /// The node above the top level's keys; it stands for the row itself.
    static let root: Int32 = 0

    var nodes: [KeyNode]
    private var bytes: [UInt8] = []
    private var slots = [Int32](repeating: -1, count: 256)
    private let roles: [[UInt8]: KeyRole]
    private let nodesMax: Int
    private let nameBytesMax: Int
    /// Unknown to who sends, so that keys cannot be made to collide.
    private let seed = UInt64.random(in: .min ... .max)

    init(_ options: LogOptions) {
        nodes = [
            KeyNode(parent: -1, count: 0, head: 0, tail: 0, start: 0, name: [], role: .field)
        ]
        // Objects have nodes too.
        nodesMax = options.limits.namesMax * 2
        nameBytesMax = options.limits.nameBytesMax
        var roles: [[UInt8]: KeyRole] = [:]
        for (place, name) in (options.timeFields + options.softTimeFields).enumerated() {
            roles[Array(name.utf8)] = .time(place)
        }
        for (place, name) in options.bodyFields.enumerated() {
            roles[Array(name.utf8)] = .body(place)
        }
        for (place, name) in options.streamFields.enumerated() {
            roles[Array(name.utf8)] = .stream(place)
        }
        self.roles = roles
    }

    /// A table whose keys are all plain fields.
    init(nodesMax: Int, nameBytesMax: Int) {
        nodes = [
            KeyNode(parent: -1, count: 0, head: 0, tail: 0, start: 0, name: [], role: .field)
        ]
        self.nodesMax = nodesMax
        self.nameBytesMax = nameBytesMax
        roles = [:]
    }

    /// The node of the key in `range`.
    @inline(__always)
    mutating func node(
        _ body: Span<UInt8>,
        _ range: Range<Int>,
        parent: Int32,
        after previous: Int32
    ) throws(LogError) -> Int32 {
        let (head, tail) = Self.words(body, range)
        let hint = nodes[Int(previous)].next
        if hint >= 0, matches(hint, body, range, parent: parent, head: head, tail: tail) {
            return hint
        }
        let found = try find(body, range, parent: parent, head: head, tail: tail)
        nodes[Int(previous)].next = found
        return found
    }

    @inline(__always)
    private static func words(_ body: Span<UInt8>, _ range: Range<Int>) -> (UInt64, UInt64) {
        let count = range.count
        if count >= 8 {
            return (
                ByteWords.word(body, range.lowerBound), ByteWords.word(body, range.upperBound - 8)
            )
        }
        if range.lowerBound &+ 8 <= body.count {
            let mask = (1 as UInt64) &<< UInt64(count &* 8) &- 1
            return (ByteWords.word(body, range.lowerBound) & mask, 0)
        }
        var word: UInt64 = 0
        for index in range.reversed() { word = word &<< 8 | UInt64(body[index]) }
        return (word, 0)
    }

    @inline(__always)
    private func matches(
        _ index: Int32,
        _ body: Span<UInt8>,
        _ range: Range<Int>,
        parent: Int32,
        head: UInt64,
        tail: UInt64
    ) -> Bool {
        let isAlike =
            nodes[Int(index)].head == head && nodes[Int(index)].tail == tail
            && nodes[Int(index)].parent == parent && Int(nodes[Int(index)].count) == range.count
        guard isAlike, range.count > 16 else { return isAlike }
        let start = nodes[Int(index)].start
        let bytes = self.bytes
        return ByteWords.areEqual(
            bytes.span.extracting(start..<(start + range.count)),
            body.extracting(range)
        )
    }

    private mutating func find(
        _ body: Span<UInt8>,
        _ range: Range<Int>,
        parent: Int32,
        head: UInt64,
        tail: UInt64
    ) throws(LogError) -> Int32 {
        let hash = ByteWords.hash(
            body.extracting(range),
            seed: seed ^ UInt64(UInt32(bitPattern: parent))
        )
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] >= 0 {
            let index = slots[slot]
            if matches(index, body, range, parent: parent, head: head, tail: tail) { return index }
            slot = (slot + 1) & (slots.count - 1)
        }
        guard nodes.count < nodesMax else { throw .tooManyNames(limit: nodesMax / 2) }
        var name = nodes[Int(parent)].name
        if parent != Self.root { name.append(UInt8(ascii: ".")) }
        guard range.count + name.count <= nameBytesMax else {
            throw .nameTooLong(bytes: range.count + name.count, limit: nameBytesMax)
        }
        name.append(body, range)
        if name.isEmpty { name = Array(LogOptions.emptyName.utf8) }
        let start = bytes.count
        bytes.append(body, range)
        slots[slot] = Int32(nodes.count)
        nodes.append(
            KeyNode(
                parent: parent,
                count: Int32(range.count),
                head: head,
                tail: tail,
                start: start,
                name: name,
                role: roles[name] ?? .field
            )
        )
        let made = Int32(nodes.count - 1)
        if nodes.count * 2 > slots.count { grow() }
        return made
    }

    private mutating func grow() {
        slots = [Int32](repeating: -1, count: slots.count * 2)
        let bytes = self.bytes
        for index in nodes.indices.dropFirst() {
            let node = nodes[index]
            let hash = ByteWords.hash(
                bytes.span.extracting(node.start..<(node.start + Int(node.count))),
                seed: seed ^ UInt64(UInt32(bitPattern: node.parent))
            )
            var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = Int32(index)
        }
    }
}
