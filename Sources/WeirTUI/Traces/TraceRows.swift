/// One line of a waterfall.
package struct TraceRow: Hashable, Sendable {
    package enum Content: Hashable, Sendable {
        case span(Int)
        /// So many siblings of one service and name, one after the other.
        case repeats(first: Int, count: Int)
        /// A parent that is not here.
        case missing(parentID: String, count: Int)
        /// Time of a span, between its children, that no span tells of; nanoseconds since 1970.
        case gap(parent: Int, from: Int64, to: Int64)
    }

    package let content: Content
    package let depth: Int
    /// Bit n: the ancestor at depth n + 1 has siblings below it.
    package let guides: UInt64
    package let isLast: Bool
    package let hasChildren: Bool
    package let isOpen: Bool

    /// The span it stands for, or begins with.
    package var span: Int? {
        switch content {
        case .span(let index): index
        case .repeats(let first, _): first
        case .gap(let parent, _, _): parent
        case .missing: nil
        }
    }
}

/// What of a trace is folded.
package struct TraceFolds: Hashable, Sendable {
    /// Spans whose children are not shown.
    package var closed: Set<Int> = []
    /// First spans of runs of repeats that are shown one by one.
    package var openRepeats: Set<Int> = []
    /// From how many on siblings of one service and name are shown as one line.
    package var repeatsMin = 4
    package var showsGaps = true

    package init() {}
}

extension TraceTree {
    /// The lines to show, from top to bottom.
    package func rows(_ folds: TraceFolds) -> [TraceRow] {
        var rows: [TraceRow] = []
        rows.reserveCapacity(trace.spans.count)
        /// What is still to be written, the next one last.
        var open: [TraceRow] = []
        var tops: [TraceRow] = []
        let count = roots.count + orphans.count
        // In the order of time, whether the topmost span is here or not.
        var merged: [(time: Int64, orphan: Int?, root: Int)] = roots.map {
            (trace.spans[$0].start, nil, $0)
        }
        for (place, orphan) in orphans.enumerated() {
            merged.append((trace.spans[orphan.children[0]].start, place, 0))
        }
        merged.sort { $0.time < $1.time }
        for (place, top) in merged.enumerated() {
            if let orphan = top.orphan {
                tops.append(
                    TraceRow(
                        content: .missing(
                            parentID: orphans[orphan].parentID,
                            count: orphans[orphan].children.count
                        ),
                        depth: 0,
                        guides: 0,
                        isLast: place == count - 1,
                        hasChildren: true,
                        isOpen: true
                    )
                )
                missingPlaces(orphan, folds, into: &tops)
            } else {
                tops.append(row(top.root, depth: 0, guides: 0, isLast: place == count - 1, folds))
            }
        }
        open = tops.reversed()
        while let next = open.popLast() {
            rows.append(next)
            guard next.isOpen else { continue }
            switch next.content {
            case .missing, .gap: break
            case .repeats(let first, let count):
                // The siblings themselves, one level below.
                let siblings = Array(repeated(first, count))
                let guides = below(next)
                for (place, sibling) in siblings.enumerated().reversed() {
                    open.append(
                        row(
                            sibling,
                            depth: next.depth + 1,
                            guides: guides,
                            isLast: place == siblings.count - 1,
                            folds
                        )
                    )
                }
            case .span(let index):
                let lines = lines(
                    children[index],
                    parent: index,
                    depth: next.depth + 1,
                    guides: below(next),
                    folds
                )
                open.append(contentsOf: lines.reversed())
            }
        }
        return rows
    }

    /// The guides of the rows below one.
    private func below(_ row: TraceRow) -> UInt64 {
        guard !row.isLast, (1...63).contains(row.depth) else { return row.guides }
        return row.guides | 1 << UInt64(row.depth - 1)
    }

    private func missingPlaces(
        _ orphan: Int,
        _ folds: TraceFolds,
        into rows: inout [TraceRow]
    ) {
        rows += lines(
            orphans[orphan].children,
            parent: nil,
            depth: 1,
            guides: 0,
            folds
        )
    }

    private func row(
        _ index: Int,
        depth: Int,
        guides: UInt64,
        isLast: Bool,
        _ folds: TraceFolds
    ) -> TraceRow {
        TraceRow(
            content: .span(index),
            depth: depth,
            guides: guides,
            isLast: isLast,
            hasChildren: !children[index].isEmpty,
            isOpen: !children[index].isEmpty && !folds.closed.contains(index)
        )
    }

    private func isAlike(_ left: Int, _ right: Int) -> Bool {
        trace.spans[left].name == trace.spans[right].name
            && trace.spans[left].service == trace.spans[right].service
    }

    /// The lines of siblings: runs of repeats as one, and gaps between them.
    private func lines(
        _ siblings: [Int],
        parent: Int?,
        depth: Int,
        guides: UInt64,
        _ folds: TraceFolds
    ) -> [TraceRow] {
        var contents: [TraceRow.Content] = []
        // What is shorter is seen in the bars, and in the self time.
        let gapMin = max(trace.duration / 8, 1_000_000)
        var reached = parent.map { trace.spans[$0].start }
        func addGap(until end: Int64) {
            guard folds.showsGaps, let parent, let from = reached else { return }
            // What goes on after the parent has ended is not its time.
            let end = min(end, trace.spans[parent].end)
            guard end - from >= gapMin else { return }
            contents.append(.gap(parent: parent, from: from, to: end))
        }
        var place = 0
        while place < siblings.count {
            var end = place + 1
            while end < siblings.count, isAlike(siblings[place], siblings[end]) { end += 1 }
            let isRun = end - place >= folds.repeatsMin
            if !isRun { end = place + 1 }
            addGap(until: trace.spans[siblings[place]].start)
            contents.append(
                isRun
                    ? .repeats(first: siblings[place], count: end - place)
                    : .span(siblings[place])
            )
            for sibling in siblings[place..<end] {
                reached = max(reached ?? 0, trace.spans[sibling].end)
            }
            place = end
        }
        if let parent { addGap(until: trace.spans[parent].end) }
        return contents.enumerated().map { place, content in
            let isLast = place == contents.count - 1
            switch content {
            case .span(let index):
                return row(index, depth: depth, guides: guides, isLast: isLast, folds)
            case .repeats(let first, _):
                return TraceRow(
                    content: content,
                    depth: depth,
                    guides: guides,
                    isLast: isLast,
                    hasChildren: true,
                    isOpen: folds.openRepeats.contains(first)
                )
            case .missing, .gap:
                return TraceRow(
                    content: content,
                    depth: depth,
                    guides: guides,
                    isLast: isLast,
                    hasChildren: false,
                    isOpen: false
                )
            }
        }
    }
}
