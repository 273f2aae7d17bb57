internal import WeirColumns
internal import WeirCore

/// By what rows fall into groups.
struct LogGrouping: Sendable {
    /// The stream's labels and those that stages made belong to a group's.
    var isWhole: Bool
    /// Labels that do not count, when whole.
    var dropped: Set<String> = []
    /// Labels that count: all of them, or those besides the stream's.
    var names: [String]

    static func by(_ names: [String]) -> LogGrouping { LogGrouping(isWhole: false, names: names) }
}

/// The groups met in one block: a number for each, given by codes of columns where that is
/// possible, and never by building a label set per row.
struct LogBlockGroups {
    let grouping: LogGrouping
    let view: LogBlockView
    private(set) var labels: [Labels] = []
    private var known: [Labels: Int] = [:]

    init(_ grouping: LogGrouping, _ view: LogBlockView) {
        self.grouping = grouping
        self.view = view
    }

    /// One way in which rows differ: a code per row, and what each code stands for.
    private struct Dimension {
        let codes: [UInt32]
        let pairs: [[(String, String)]]
    }

    private mutating func number(_ key: Labels) -> Int {
        if let number = known[key] { return number }
        known[key] = labels.count
        labels.append(key)
        return labels.count - 1
    }

    /// A group per row of `rows`, from columns alone.
    mutating func groups(of rows: [UInt32]) throws(QueryError) -> [Int32] {
        var dimensions: [Dimension] = []
        if grouping.isWhole { dimensions.append(try streamDimension(rows)) }
        for name in grouping.names {
            if let dimension = try dimension(rows, name) { dimensions.append(dimension) }
        }
        guard var combined = dimensions.first else {
            let only = Int32(number(.empty))
            return [Int32](repeating: only, count: rows.count)
        }
        for dimension in dimensions.dropFirst() {
            combined = Self.product(combined, dimension)
        }
        var numbers: [Int32] = []
        numbers.reserveCapacity(combined.pairs.count)
        for pairs in combined.pairs { numbers.append(Int32(number(Labels(pairs)))) }
        let codes = combined.codes
        // Mostly each code is a group of its own already.
        if numbers.indices.allSatisfy({ Int(numbers[$0]) == $0 }) {
            return codes.map { Int32(truncatingIfNeeded: $0) }
        }
        var groups = [Int32](repeating: 0, count: codes.count)
        for index in 0..<codes.count { groups[index] = numbers[Int(codes[index])] }
        return groups
    }

    private func streamDimension(_ rows: [UInt32]) throws(QueryError) -> Dimension {
        let numbers = try view.streamNumbers()
        var place = [Int32](repeating: -1, count: view.streams.labels.count)
        var codes: [UInt32] = []
        codes.reserveCapacity(rows.count)
        var pairs: [[(String, String)]] = []
        for row in rows {
            let stream = Int(numbers[Int(row)])
            guard stream >= 0 else {
                codes.append(0)
                continue
            }
            if place[stream] < 0 {
                place[stream] = Int32(pairs.count)
                pairs.append(
                    LogStreams.pairs(view.streams.labels[stream])
                        .filter { !grouping.dropped.contains($0.name) }
                        .map { ($0.name, $0.value) }
                )
            }
            codes.append(UInt32(place[stream]))
        }
        if pairs.isEmpty { pairs.append([]) }
        return Dimension(codes: codes, pairs: pairs)
    }

    /// Nil when no row has the label.
    private func dimension(_ rows: [UInt32], _ name: String) throws(QueryError) -> Dimension? {
        let column = view.streams.column(name)
        let fields = column.isComplete ? [] : try view.columns(meaning: name)
        if column.isAbsent, fields.isEmpty { return nil }
        if column.isAbsent, fields.count == 1 {
            let found = fields[0].codes(at: rows)
            return Dimension(
                codes: found.codes,
                pairs: found.texts.map { [(name, String(decoding: $0, as: UTF8.self))] }
            )
        }
        var known: [[UInt8]: UInt32] = [:]
        var codes: [UInt32] = []
        codes.reserveCapacity(rows.count)
        var pairs: [[(String, String)]] = []
        func code(_ text: [UInt8]) -> UInt32 {
            if let code = known[text] { return code }
            let code = UInt32(pairs.count)
            known[text] = code
            pairs.append([(name, String(decoding: text, as: UTF8.self))])
            return code
        }
        if column.isComplete {
            let numbers = try view.streamNumbers()
            let codeOf = column.values.map { code($0 ?? []) }
            for row in rows {
                let stream = Int(numbers[Int(row)])
                codes.append(stream >= 0 ? codeOf[stream] : code([]))
            }
        } else {
            for row in rows { codes.append(code(try view.value(name, row: Int(row)) ?? [])) }
        }
        return Dimension(codes: codes, pairs: pairs)
    }

    /// Both at once; only the pairs of codes that occur are numbered.
    private static func product(_ left: Dimension, _ right: Dimension) -> Dimension {
        let stride = right.pairs.count
        let (total, overflow) = left.pairs.count.multipliedReportingOverflow(by: stride)
        var codes = [UInt32](repeating: 0, count: left.codes.count)
        var pairs: [[(String, String)]] = []
        if !overflow, total <= 1 << 16 {
            var place = [Int32](repeating: -1, count: total)
            let leftCodes = left.codes
            let rightCodes = right.codes
            for index in 0..<codes.count {
                let both = Int(leftCodes[index]) &* stride &+ Int(rightCodes[index])
                var number = place[both]
                if number < 0 {
                    number = Int32(pairs.count)
                    place[both] = number
                    pairs.append(
                        left.pairs[Int(leftCodes[index])] + right.pairs[Int(rightCodes[index])]
                    )
                }
                codes[index] = UInt32(truncatingIfNeeded: number)
            }
        } else {
            var place: [UInt64: UInt32] = [:]
            for index in 0..<codes.count {
                let both = UInt64(left.codes[index]) << 32 | UInt64(right.codes[index])
                if let known = place[both] {
                    codes[index] = known
                    continue
                }
                let code = UInt32(pairs.count)
                place[both] = code
                codes[index] = code
                pairs.append(
                    left.pairs[Int(left.codes[index])] + right.pairs[Int(right.codes[index])]
                )
            }
        }
        return Dimension(codes: codes, pairs: pairs)
    }

    /// The group of a row that went through its stages.
    mutating func group(of row: LogRowState) throws(QueryError) -> Int32 {
        var pairs: [(String, String)] = []
        if grouping.isWhole {
            let stream = Int(try view.streamNumbers()[row.row])
            if stream >= 0 {
                for pair in LogStreams.pairs(view.streams.labels[stream])
                where row.isVisible(pair.name) && !grouping.dropped.contains(pair.name) {
                    pairs.append((pair.name, pair.value))
                }
            }
            for one in row.made where !grouping.dropped.contains(one.name) {
                pairs.append((one.name, String(decoding: one.value, as: UTF8.self)))
            }
        }
        for name in grouping.names {
            if let value = try row.value(name) {
                pairs.append((name, String(decoding: value, as: UTF8.self)))
            }
        }
        return Int32(number(Labels(pairs)))
    }
}
