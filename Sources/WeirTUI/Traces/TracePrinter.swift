internal import WeirCore
package import WeirTerminal

/// Prints a trace as a person sees it in the terminal: for `weir trace`, and for the demo.
package enum TracePrinter {
    /// Lines that are drawn at a time, so that a trace of any length takes little memory.
    private static let rowsAtOnce = 400

    /// The waterfall, its head before it.
    ///
    /// - `tree`: The trace.
    /// - `span`: The only span to show with what is below it; all when nil.
    /// - `width`: Columns; 40 at least.
    /// - `isWhole`: Repeats one by one.
    /// - `write`: Takes pieces of the text, and says whether there is any sense in more.
    package static func print(
        _ tree: TraceTree,
        span: Int? = nil,
        width: Int,
        style: RenderStyle,
        isWhole: Bool = false,
        capabilities: TerminalCapabilities = TerminalCapabilities(),
        write: (String) -> Bool
    ) {
        let theme = Theme(capabilities: capabilities)
        var folds = TraceFolds()
        if isWhole { folds.repeatsMin = .max }
        var rows = tree.rows(folds)
        var waterfall = Waterfall(
            tree,
            width: max(40, width),
            theme: theme,
            colors: Waterfall.colors(tree, theme)
        )
        if let span {
            rows = part(rows, of: span, tree)
            waterfall.from = tree.trace.spans[span].start
            waterfall.to = max(waterfall.from + 1, tree.trace.spans[span].end)
        }
        guard write(head(tree.trace)) else { return }
        func text(_ buffer: CellBuffer) -> String {
            switch style {
            case .plain: FrameText.plain(buffer, glyphs: capabilities.glyphs)
            case .ansi: FrameText.ansi(buffer, capabilities: capabilities)
            }
        }
        var heading = CellBuffer(size: ScreenSize(width: max(40, width), height: 1))
        waterfall.drawHeading(into: &heading, x: 0, y: 0)
        guard write(text(heading)) else { return }
        var next = 0
        while next < rows.count {
            let count = min(rowsAtOnce, rows.count - next)
            var buffer = CellBuffer(size: ScreenSize(width: max(40, width), height: count))
            for line in 0..<count {
                waterfall.draw(rows[next + line], into: &buffer, x: 0, y: line)
            }
            guard write(text(buffer)) else { return }
            next += count
        }
    }

    /// What stands over the waterfall.
    package static func head(_ trace: TraceModel) -> String {
        var text = "trace \(trace.traceID)  \(TraceText.moment(trace.start)) UTC\n"
        text += TraceText.summary(trace) + "\n"
        if trace.isPartial {
            let notice = trace.notice.isEmpty ? "only a part of it is here" : trace.notice
            text += "partial: \(notice)\n"
        }
        return text
    }

    /// The line of a span and those below it, moved to the left.
    private static func part(_ rows: [TraceRow], of span: Int, _ tree: TraceTree) -> [TraceRow] {
        var folds = TraceFolds()
        folds.repeatsMin = rows.contains { $0.content == .span(span) } ? 4 : .max
        let all = folds.repeatsMin == 4 ? rows : tree.rows(folds)
        guard let first = all.firstIndex(where: { $0.content == .span(span) }) else { return rows }
        let depth = all[first].depth
        let rest = all[(first + 1)...].prefix { $0.depth > depth }
        return ([all[first]] + rest).map { row in
            TraceRow(
                content: row.content,
                depth: row.depth - depth,
                guides: depth > 63 ? 0 : row.guides >> UInt64(depth),
                isLast: row.isLast,
                hasChildren: row.hasChildren,
                isOpen: row.isOpen
            )
        }
    }
}
