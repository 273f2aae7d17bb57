internal import Synchronization
internal import WeirColumns
internal import WeirCore

/// Runs a range aggregation over blocks: rows into groups and cells.
final class LogTally: Sendable {
    private struct State {
        var groups: [Labels: Int] = [:]
        var labels: [Labels] = []
        var cells: LogCells
    }

    private let scan: LogScan
    private let windows: LogWindows
    private let operation: LogQLRangeOperation
    private let unwrap: LogQLUnwrap?
    private let unwrapFilters: [LogCondition]
    private let unwrapSkipsErrors: Bool
    private let unit: LogCondition.Unit
    private let grouping: LogGrouping
    private let state: Mutex<State>

    init(
        _ scan: LogScan,
        _ aggregation: LogQLRangeAggregation,
        windows: LogWindows,
        grouping: LogGrouping
    ) throws(QueryError) {
        self.scan = scan
        self.windows = windows
        operation = aggregation.operation
        unwrap = aggregation.unwrap
        var conditions: [LogCondition] = []
        let tests = LogTests()
        for filter in aggregation.unwrap?.filters ?? [] {
            conditions.append(try LogPipeline.condition(filter, tests))
        }
        unwrapFilters = conditions
        unwrapSkipsErrors =
            !conditions.isEmpty
            && conditions.allSatisfy { condition in
                if case .test(LogNames.error, let test) = condition { return test.passesAbsent }
                return false
            }
        unit =
            switch aggregation.unwrap?.conversion {
            case .duration?, .durationSeconds?: .duration
            case .bytes?: .bytes
            default: .number
            }
        self.grouping = grouping
        state = Mutex(State(cells: LogCells(LogCells.Kind(operation), width: windows.cells)))
    }

    /// Reads all blocks.
    func run() throws(QueryError) -> (labels: [Labels], cells: LogCells) {
        let blocks = scan.blocks(overlapping: scan.times)
        try scan.selection.scan(
            blocks,
            isWanted: { _ in true },
            { (index, block) throws(QueryError) in
                try self.take(
                    LogBlockView(
                        block,
                        index: index,
                        streams: self.scan.streams,
                        context: self.scan.context
                    )
                )
            }
        )
        try scan.pipeline.failure.check()
        return state.withLock { ($0.labels, $0.cells) }
    }

    private func take(_ view: LogBlockView) throws(QueryError) {
        for part in try scan.parts(view) {
            var groups = LogBlockGroups(grouping, view)
            if part.rest.isEmpty, let sample = try columnSample(part.rows, view) {
                let numbers = try groups.groups(of: sample.rows)
                try add(view, sample.rows, numbers, sample.values, groups.labels)
            } else {
                let sample = try rowSample(part, view, &groups)
                try add(view, sample.rows, sample.groups, sample.values, groups.labels)
            }
        }
    }

    // MARK: Values

    /// Rows and what each counts for, from columns alone; nil when rows must be looked at.
    private func columnSample(
        _ rows: [UInt32],
        _ view: LogBlockView
    ) throws(QueryError) -> (rows: [UInt32], values: [Double]?)? {
        guard let unwrap else {
            guard operation == .bytes || operation == .bytesRate else { return (rows, nil) }
            guard let body = try view.body(), body.presentCount == view.rowCount else {
                return nil
            }
            return (rows, body.doubles(at: rows) { Double($0.count) })
        }
        guard unwrapFilters.isEmpty || unwrapSkipsErrors,
            scan.streams.column(unwrap.label).isAbsent
        else { return nil }
        let columns = try view.columns(meaning: unwrap.label)
        guard let column = columns.first else { return ([], []) }
        guard columns.count == 1, let numbers = LogScan.numbers(column, rows, unit) else {
            return nil
        }
        let scale = unit == .duration ? 1e-9 : 1
        var kept: [UInt32] = []
        var values: [Double] = []
        kept.reserveCapacity(rows.count)
        values.reserveCapacity(rows.count)
        for (index, number) in numbers.enumerated() where !number.isNaN {
            kept.append(rows[index])
            values.append(unit == .number ? number : number * scale)
        }
        return (kept, values)
    }

    private struct RowSample {
        var rows: [UInt32] = []
        var groups: [Int32] = []
        var values: [Double]?
    }

    private func rowSample(
        _ part: LogScan.Part,
        _ view: LogBlockView,
        _ groups: inout LogBlockGroups
    ) throws(QueryError) -> RowSample {
        let row = LogRowState(view)
        var sample = RowSample()
        let hasValues = unwrap != nil || operation == .bytes || operation == .bytesRate
        if hasValues { sample.values = [] }
        for (count, number) in part.rows.enumerated() {
            if count & 1023 == 0 { try scan.context.check() }
            row.start(Int(number))
            guard try row.run(part.rest) else { continue }
            if hasValues {
                guard let value = try value(of: row) else { continue }
                sample.values?.append(value)
            }
            let group = try groups.group(of: row)
            guard row.error.isEmpty else {
                throw .invalid(
                    reason: "pipeline error: '\(row.error)' for series: "
                        + "'\(groups.labels[Int(group)])'. Use a label filter to intentionally "
                        + "skip this error. (e.g | __error__!=\"\(row.error)\"). To skip all "
                        + "potential errors you can match empty errors.(e.g __error__=\"\")"
                )
            }
            sample.rows.append(number)
            sample.groups.append(group)
        }
        return sample
    }

    /// What the row counts for; nil when it does not.
    private func value(of row: LogRowState) throws(QueryError) -> Double? {
        guard let unwrap else { return Double(try row.line().count) }
        guard let text = try row.value(unwrap.label) else { return nil }
        var number = 0.0
        if let parsed = unit.parse(text.span) {
            number = unit == .duration ? parsed * 1e-9 : parsed
        } else {
            row.fail("SampleExtractionErr", "cannot unwrap \(unwrap.label)")
        }
        for condition in unwrapFilters where try !row.holds(condition) { return nil }
        return number
    }

    // MARK: Cells

    private func add(
        _ view: LogBlockView,
        _ rows: [UInt32],
        _ groups: [Int32],
        _ values: [Double]?,
        _ labels: [Labels]
    ) throws(QueryError) {
        guard !rows.isEmpty else { return }
        let kind = LogCells.Kind(operation)
        let needsTimes = windows.cells > 1 || kind == .first || kind == .last || kind == .values
        let times = needsTimes ? try view.times() : []
        // Only the cells this block reaches.
        var first = 0
        var last = windows.cells - 1
        if windows.cells > 1 {
            let range = scan.selection.blocks[view.index].times.clamped(to: scan.times)
            first = min(windows.cells(of: range.lowerBound).lowerBound, last)
            last = max(first, min(last, windows.cells(of: range.upperBound).upperBound))
        }
        var cells = LogCells(kind, width: last - first + 1)
        try scan.context.reserve(bytes: labels.count * cells.bytesPerGroup)
        defer { scan.context.release(bytes: labels.count * cells.bytesPerGroup) }
        if kind == .values { try scan.context.reserve(bytes: rows.count * 32) }
        cells.grow(toGroups: labels.count)
        let base = UInt64(view.index) << 32
        if windows.cells == 1, kind == .sum {
            Self.addWhole(groups, values, to: &cells)
        } else if kind == .sum {
            if values == nil, labels.count <= 256 {
                addCounts(rows, groups, times, first, to: &cells)
            } else {
                addSums(rows, groups, values, times, first, to: &cells)
            }
        } else {
            for index in 0..<rows.count {
                let time = needsTimes ? times[Int(rows[index])] : 0
                let value = values?[index] ?? 1
                let group = Int(groups[index])
                if kind == .values {
                    cells.add(
                        group: group,
                        cell: 0,
                        value: value,
                        time: time,
                        order: base | UInt64(rows[index])
                    )
                    continue
                }
                for cell in windows.cells(of: time) {
                    cells.add(
                        group: group,
                        cell: cell - first,
                        value: value,
                        time: time,
                        order: base | UInt64(rows[index])
                    )
                }
            }
        }
        try merge(cells, labels, first)
    }

    /// One window, and every row lies in it.
    private static func addWhole(_ groups: [Int32], _ values: [Double]?, to cells: inout LogCells) {
        let groupCount = cells.groups
        if groupCount == 1 {
            let count = Double(groups.count)
            cells.addSum(group: 0, cell: 0, count: count, total: values?.reduce(0, +) ?? count)
            return
        }
        var counts = [Int32](repeating: 0, count: groupCount)
        for group in groups { counts[Int(group)] &+= 1 }
        var totals = [Double](repeating: 0, count: values == nil ? 0 : groupCount)
        if let values {
            for (index, group) in groups.enumerated() { totals[Int(group)] += values[index] }
        }
        for group in 0..<groupCount where counts[group] > 0 {
            let count = Double(counts[group])
            cells.addSum(
                group: group,
                cell: 0,
                count: count,
                total: values == nil ? count : totals[group]
            )
        }
    }

    /// Counts rows of few groups: neighbours mostly share a cell, and are counted by group alone
    /// for as long as they do.
    private func addCounts(
        _ rows: [UInt32],
        _ groups: [Int32],
        _ times: [Int64],
        _ first: Int,
        to cells: inout LogCells
    ) {
        var run = [Int32](repeating: 0, count: cells.groups)
        var cell = 0
        func flush() {
            for group in run.indices where run[group] > 0 {
                let count = Double(run[group])
                cells.addSum(group: group, cell: cell - first, count: count, total: count)
                run[group] = 0
            }
        }
        // All rows of the block, as is common: the row is its place.
        let isWhole = rows.count == times.count
        var index = 0
        while index < rows.count {
            let time = times[isWhole ? index : Int(rows[index])]
            flush()
            let held = windows.cells(of: time)
            guard held.count == 1, let span = windows.times(ofCell: held.lowerBound) else {
                for cell in held {
                    let group = Int(groups[index])
                    cells.addSum(group: group, cell: cell - first, count: 1, total: 1)
                }
                index += 1
                continue
            }
            cell = held.lowerBound
            let (earliest, latest) = (span.lowerBound, span.upperBound)
            if isWhole {
                while index < rows.count, times[index] >= earliest, times[index] <= latest {
                    run[Int(groups[index])] &+= 1
                    index &+= 1
                }
            } else {
                while index < rows.count {
                    let time = times[Int(rows[index])]
                    guard time >= earliest, time <= latest else { break }
                    run[Int(groups[index])] &+= 1
                    index &+= 1
                }
            }
        }
        flush()
    }

    /// Rows into the cells of their times; neighbours mostly share one.
    private func addSums(
        _ rows: [UInt32],
        _ groups: [Int32],
        _ values: [Double]?,
        _ times: [Int64],
        _ first: Int,
        to cells: inout LogCells
    ) {
        var held = 0..<0
        // The times for which `held` holds.
        var span: ClosedRange<Int64>?
        for index in 0..<rows.count {
            let time = times[Int(rows[index])]
            if let span, span.contains(time) {
            } else {
                held = windows.cells(of: time)
                span = held.count == 1 ? windows.times(ofCell: held.lowerBound) : nil
            }
            let value = values?[index] ?? 1
            for cell in held {
                cells.addSum(
                    group: Int(groups[index]),
                    cell: cell &- first,
                    count: 1,
                    total: value
                )
            }
        }
    }

    private func merge(
        _ cells: LogCells,
        _ labels: [Labels],
        _ shift: Int
    ) throws(QueryError) {
        let failure = state.withLock { state -> QueryError? in
            let context = scan.context
            var map: [Int] = []
            map.reserveCapacity(labels.count)
            let before = state.labels.count
            for one in labels {
                if let known = state.groups[one] {
                    map.append(known)
                } else {
                    state.groups[one] = state.labels.count
                    map.append(state.labels.count)
                    state.labels.append(one)
                }
            }
            guard state.labels.count <= context.seriesMax else {
                return .limit(name: "query series", limit: context.seriesMax)
            }
            do throws(QueryError) {
                let added = state.labels.count - before
                try context.reserve(bytes: added * (state.cells.bytesPerGroup + 64))
            } catch {
                return error
            }
            state.cells.grow(toGroups: state.labels.count)
            state.cells.merge(cells, map: map, shift: shift)
            return nil
        }
        if let failure { throw failure }
    }
}
