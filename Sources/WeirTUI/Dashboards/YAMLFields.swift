import WeirCore
import WeirYAML

/// Takes the known keys out of one mapping, strictly: what is not asked for is an error.
struct YAMLFields {
    private let node: YAMLNode
    private let place: String

    /// `place`: what the mapping is, for messages: `a panel`.
    init(_ node: YAMLNode, place: String, known: [String]) throws(DashboardError) {
        guard let entries = node.entries else {
            throw .wrongValue(line: node.line, key: place, expected: "a mapping of keys")
        }
        for entry in entries where !known.contains(entry.key) {
            throw .unknownKey(
                line: entry.line,
                key: entry.key,
                place: place,
                nearest: EditDistance.nearest(to: entry.key, among: known)
            )
        }
        self.node = node
        self.place = place
    }

    var line: Int { node.line }

    func has(_ key: String) -> Bool { node[key] != nil }

    func node(_ key: String) -> YAMLNode? { node[key] }

    func text(_ key: String) throws(DashboardError) -> String? {
        guard let value = node[key] else { return nil }
        guard let text = value.string else {
            throw .wrongValue(line: value.line, key: key, expected: "text")
        }
        return text
    }

    func requiredText(_ key: String) throws(DashboardError) -> String {
        guard let text = try text(key), !text.isEmpty else {
            throw .missingKey(line: node.line, key: key, place: place)
        }
        return text
    }

    func number(_ key: String) throws(DashboardError) -> Double? {
        guard let value = node[key] else { return nil }
        guard let number = value.double, number.isFinite else {
            throw .wrongValue(line: value.line, key: key, expected: "a number")
        }
        return number
    }

    func integer(_ key: String, _ range: ClosedRange<Int>) throws(DashboardError) -> Int? {
        guard let value = node[key] else { return nil }
        guard let number = value.int, range.contains(number) else {
            throw .wrongValue(
                line: value.line,
                key: key,
                expected: "a whole number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return number
    }

    func flag(_ key: String) throws(DashboardError) -> Bool? {
        guard let value = node[key] else { return nil }
        guard let flag = value.bool else {
            throw .wrongValue(line: value.line, key: key, expected: "true or false")
        }
        return flag
    }

    /// A duration in milliseconds.
    func duration(
        _ key: String,
        min: Int64,
        expected: String
    ) throws(DashboardError) -> Int64? {
        guard let value = node[key] else { return nil }
        guard let nanoseconds = value.string.flatMap({ Units.nanoseconds($0) }),
            nanoseconds / 1_000_000 >= min
        else { throw .wrongValue(line: value.line, key: key, expected: expected) }
        return nanoseconds / 1_000_000
    }

    func list(
        _ key: String,
        _ count: ClosedRange<Int>
    ) throws(DashboardError) -> [YAMLNode]? {
        guard let value = node[key] else { return nil }
        guard let items = value.items, count.contains(items.count) else {
            throw .wrongValue(
                line: value.line,
                key: key,
                expected: "a list of \(count.lowerBound) to \(count.upperBound) items"
            )
        }
        return items
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String,
        _: Choice.Type,
        reserved: [String] = []
    ) throws(DashboardError) -> Choice? where Choice.RawValue == String {
        guard let value = node[key] else { return nil }
        guard let text = value.string else {
            throw .wrongValue(line: value.line, key: key, expected: "text")
        }
        if reserved.contains(text) { throw .notYet(line: value.line, key: key, value: text) }
        guard let choice = Choice(rawValue: text) else {
            let choices = Choice.allCases.map { $0.rawValue }
            throw .unknownChoice(
                line: value.line,
                key: key,
                value: text,
                nearest: EditDistance.nearest(to: text, among: choices + reserved),
                choices: choices
            )
        }
        return choice
    }
}
