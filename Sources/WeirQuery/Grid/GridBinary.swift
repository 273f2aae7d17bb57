internal import WeirCore

/// Binary operators over grids: vector with scalar, vector with vector, set operators.
///
/// Any query language may use it.
package struct GridBinary {
    let operation: BinaryOperator
    let returnsBool: Bool
    let context: QueryContext
    /// Where the left operand begins.
    let place: PromQLPlace

    package init(
        _ operation: BinaryOperator,
        returnsBool: Bool,
        at place: PromQLPlace = PromQLPlace(),
        context: QueryContext
    ) {
        self.place = place
        self.operation = operation
        self.returnsBool = returnsBool
        self.context = context
    }

    private var dropsNames: Bool { operation.isArithmetic || returnsBool }

    @inline(__always)
    private func combine(_ left: Double, _ right: Double) -> Double {
        if operation.isArithmetic { return operation.arithmetic(left, right) }
        let holds = operation.holds(left, right)
        if returnsBool { return holds ? 1 : 0 }
        return holds ? left : .absent
    }

    package func scalars(_ left: [Double], _ right: [Double]) -> [Double] {
        zip(left, right).map { combine($0, $1) }
    }

    /// A vector and a scalar; comparisons keep the vector's value whichever side it is on.
    package func vector(
        _ vector: SeriesGrid,
        scalar: [Double],
        isScalarLeft: Bool
    ) throws(QueryError) -> SeriesGrid {
        try context.check()
        var result = vector
        result.histograms = try histograms(of: vector, scalar: scalar, isScalarLeft: isScalarLeft)
        if operation.isComparison, !returnsBool {
            vector.update { value, step in
                let holds =
                    isScalarLeft
                    ? operation.holds(scalar[step], value) : operation.holds(value, scalar[step])
                return holds ? value : .absent
            }
        } else if isScalarLeft {
            vector.update { value, step in combine(scalar[step], value) }
        } else {
            vector.update { value, step in combine(value, scalar[step]) }
        }
        if dropsNames { result.dropMetricNames() }
        return try result.merged(context: context)
    }

    // MARK: Vector with vector

    /// Numbers the match groups that occur on either side.
    private struct Groups {
        var left: [Int] = []
        var right: [Int] = []
        var labels: [Labels] = []

        init(_ leftLabels: [Labels], _ rightLabels: [Labels], _ matching: VectorMatching) {
            let key = GroupKey(Grouping(isWithout: !matching.isOn, labels: matching.labels))
            var known: [Labels: Int] = [:]
            func number(_ labels: Labels) -> Int {
                let own = key.of(labels)
                if let group = known[own] { return group }
                known[own] = self.labels.count
                self.labels.append(own)
                return self.labels.count - 1
            }
            for labels in leftLabels { left.append(number(labels)) }
            for labels in rightLabels { right.append(number(labels)) }
        }
    }

    /// `and or unless`.
    package func set(
        _ left: SeriesGrid,
        _ right: SeriesGrid,
        _ matching: VectorMatching
    ) throws(QueryError) -> SeriesGrid {
        let groups = Groups(left.labels, right.labels, matching)
        let steps = left.steps
        let probe = operation == .or ? left : right
        let probeGroups = operation == .or ? groups.left : groups.right
        let present = try GridBuffer(
            rows: groups.labels.count,
            steps: steps,
            context: context
        )
        for row in 0..<probe.count {
            if row & 255 == 0 { try context.check() }
            for step in 0..<steps where probe.isPresent(row, step) {
                present[probeGroups[row], step] = 1
            }
        }
        var filtered = operation == .or ? right : left
        let filteredGroups = operation == .or ? groups.right : groups.left
        for row in 0..<filtered.count {
            if row & 255 == 0 { try context.check() }
            for step in 0..<steps {
                let isMatched = !present[filteredGroups[row], step].isAbsent
                if isMatched != (operation == .and) { filtered.values[row, step] = .absent }
            }
        }
        filtered.histograms = try filtered.histograms?.mapped { histogram, row, step in
            let isMatched = !present[filteredGroups[row], step].isAbsent
            return isMatched == (operation == .and) ? histogram : nil
        }
        guard operation == .or else { return try filtered.merged(context: context) }
        let joined = try GridBuffer(
            rows: left.count + right.count,
            steps: steps,
            context: context
        )
        var result = SeriesGrid(labels: left.labels + right.labels, values: joined)
        for (base, part) in [(0, left), (left.count, filtered)] {
            for row in 0..<part.count {
                for step in 0..<steps { joined[base + row, step] = part.values[row, step] }
            }
            for row in part.histograms?.rowIndexes ?? [] {
                let cells = result.histograms ?? HistogramCells(steps: steps, context: context)
                result.histograms = cells
                if let boxes = part.histograms?.row(row) { try cells.set(base + row, boxes) }
            }
        }
        return try result.merged(context: context)
    }

    /// Arithmetic and comparison with one-to-one, many-to-one or one-to-many matching.
    package func vectors(
        _ left: SeriesGrid,
        _ right: SeriesGrid,
        _ matching: VectorMatching
    ) throws(QueryError) -> SeriesGrid {
        let groups = Groups(left.labels, right.labels, matching)
        let isSwapped = matching.cardinality == .oneToMany
        let many = isSwapped ? right : left
        let one = isSwapped ? left : right
        let oneGroups = isSwapped ? groups.left : groups.right
        let manyGroups = isSwapped ? groups.right : groups.left
        var onesOf = [[Int]](repeating: [], count: groups.labels.count)
        for (row, group) in oneGroups.enumerated() { onesOf[group].append(row) }
        var manysOf = [[Int]](repeating: [], count: groups.labels.count)
        for (row, group) in manyGroups.enumerated() { manysOf[group].append(row) }
        let duplicate = findDuplicateOne(many, one, oneGroups, groups.labels, isSwapped)
        var pairs: [(many: Int, one: Int)] = []
        for group in groups.labels.indices {
            for manyRow in manysOf[group] {
                try context.check()
                for oneRow in onesOf[group] where isMeeting(many, manyRow, one, oneRow) {
                    pairs.append((manyRow, oneRow))
                    guard pairs.count <= context.seriesMax else {
                        throw .limit(name: "query series", limit: context.seriesMax)
                    }
                }
            }
        }
        let result = try GridBuffer(rows: pairs.count, steps: left.steps, context: context)
        var labels: [Labels] = []
        labels.reserveCapacity(pairs.count)
        let maker = ResultLabels(matching, dropsNames: dropsNames)
        for (row, pair) in pairs.enumerated() {
            if row & 255 == 0 { try context.check() }
            labels.append(maker.labels(many: many.labels[pair.many], one: one.labels[pair.one]))
            for step in 0..<left.steps {
                let manyValue = many.values[pair.many, step]
                let oneValue = one.values[pair.one, step]
                if manyValue.isAbsent || oneValue.isAbsent { continue }
                result[row, step] =
                    isSwapped ? combine(oneValue, manyValue) : combine(manyValue, oneValue)
            }
        }
        let cells = try combineHistograms(
            left,
            right,
            pairs: pairs.map { isSwapped ? ($0.one, $0.many) : ($0.many, $0.one) },
            ranks: pairs.map(\.many),
            into: result
        )
        let output = SeriesGrid(labels: labels, values: result, histograms: cells)
        let pairGroups = pairs.map { manyGroups[$0.many] }
        try refuseRepeats(output, pairGroups, matching, before: duplicate?.step ?? left.steps)
        if let duplicate { throw duplicate.error }
        return try output.merged(context: context)
    }

    private func isMeeting(
        _ many: SeriesGrid,
        _ manyRow: Int,
        _ one: SeriesGrid,
        _ oneRow: Int
    ) -> Bool {
        for step in 0..<many.steps
        where many.isPresent(manyRow, step) && one.isPresent(oneRow, step) {
            return true
        }
        return false
    }

    /// The "one" side may hold one series of a match group at a step; says where it first does not.
    private func findDuplicateOne(
        _ many: SeriesGrid,
        _ one: SeriesGrid,
        _ oneGroups: [Int],
        _ groupLabels: [Labels],
        _ isSwapped: Bool
    ) -> (step: Int, error: QueryError)? {
        guard one.count > groupLabels.count || Set(oneGroups).count < one.count else { return nil }
        var rowOf = [Int](repeating: -1, count: groupLabels.count)
        for step in 0..<one.steps {
            // With nothing on the other side nothing is matched, so nothing is wrong.
            guard many.hasValues(step: step) else { continue }
            for group in rowOf.indices { rowOf[group] = -1 }
            for (row, group) in oneGroups.enumerated() where one.isPresent(row, step) {
                guard rowOf[group] >= 0 else {
                    rowOf[group] = row
                    continue
                }
                let error = QueryError.invalid(
                    reason: "found duplicate series for the match group "
                        + LabelOrder.text(groupLabels[group])
                        + " on the \(isSwapped ? "left" : "right") hand-side of the operation: ["
                        + LabelOrder.text(one.labels[row]) + ", "
                        + LabelOrder.text(one.labels[rowOf[group]])
                        + "];many-to-many matching not allowed: matching labels must be unique on "
                        + "one side"
                )
                return (step, error)
            }
        }
        return nil
    }

    /// Refuses two results of one match group at one step, where the matching allows only one.
    ///
    /// Looks at the steps below `end`.
    private func refuseRepeats(
        _ output: SeriesGrid,
        _ pairGroups: [Int],
        _ matching: VectorMatching,
        before end: Int
    ) throws(QueryError) {
        struct Slot: Hashable {
            let group: Int
            let labels: Labels
        }
        var rowsOf: [Slot: [Int]] = [:]
        let isOneToOne = matching.cardinality == .oneToOne
        for row in 0..<output.count {
            let labels = isOneToOne ? Labels.empty : output.labels[row]
            rowsOf[Slot(group: pairGroups[row], labels: labels), default: []].append(row)
        }
        let reason =
            isOneToOne
            ? "multiple matches for labels: many-to-one matching must be explicit "
                + "(group_left/group_right)"
            : "multiple matches for labels: grouping labels must ensure unique matches"
        for rows in rowsOf.values where rows.count > 1 {
            for step in 0..<end {
                let count = rows.reduce(0) { $0 + (output.isPresent($1, step) ? 1 : 0) }
                guard count <= 1 else { throw .invalid(reason: reason) }
            }
        }
    }
}

/// The labels of a matched pair.
private struct ResultLabels {
    private let matching: VectorMatching
    private let dropsNames: Bool
    private let names: Set<String>

    init(_ matching: VectorMatching, dropsNames: Bool) {
        self.matching = matching
        self.dropsNames = dropsNames
        self.names = Set(matching.labels)
    }

    func labels(many: Labels, one: Labels) -> Labels {
        var labels = dropsNames ? many.droppingMetricName : many
        if matching.cardinality == .oneToOne {
            labels = matching.isOn ? labels.keeping(names) : labels.dropping(names)
        }
        for name in matching.included { labels = labels.setting(name, to: one[name] ?? "") }
        return labels
    }
}

extension SeriesGrid {
    /// Whether any series has a value at the step.
    func hasValues(step: Int) -> Bool {
        for row in 0..<count where isPresent(row, step) { return true }
        return false
    }
}
