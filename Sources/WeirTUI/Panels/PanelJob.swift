package import WeirTerminal

/// What a panel has to show.
package struct PanelData: Sendable {
    package struct Line: Hashable, Sendable {
        package let name: String
        package let series: QueryResult.Series

        package init(name: String, series: QueryResult.Series) {
            self.name = name
            self.series = series
        }
    }

    /// In order of name, so that colours stay with their series.
    package let lines: [Line]
    /// Of a range.
    package let axis: TimeAxis?
    /// Values after this time are not complete.
    package let complete: Int64
    /// How many series there were before the panel's limit.
    package let total: Int
    package let fetchedAt: Int64
    package let milliseconds: Int64
    package let queryCount: Int
    /// Of a logs panel, oldest first.
    package var logs: [LogRow] = []
    /// Of a traces panel.
    package var traces: [TraceSummary] = []

    package init(
        lines: [Line],
        axis: TimeAxis?,
        complete: Int64,
        total: Int,
        fetchedAt: Int64,
        milliseconds: Int64 = 0,
        queryCount: Int = 1
    ) {
        self.lines = lines
        self.axis = axis
        self.complete = complete
        self.total = total
        self.fetchedAt = fetchedAt
        self.milliseconds = milliseconds
        self.queryCount = queryCount
    }
}

/// The asking of one panel's queries.
package struct PanelJob: Sendable {
    package let panel: Panel
    package let scope: QueryScope
    /// The width of the plot.
    package let cells: Int

    package init(panel: Panel, scope: QueryScope, cells: Int) {
        self.panel = panel
        self.scope = scope
        self.cells = cells
    }

    /// Asks and waits.
    ///
    /// The first query that fails fails the panel.
    package func run(
        _ api: any QueryAPI,
        clock: @Sendable () -> Int64
    ) throws(APIError) -> PanelData {
        let started = clock()
        let axis = TimeAxis(from: scope.from, to: scope.to, cells: cells)
        var lines: [PanelData.Line] = []
        if panel.kind == .traces { return try traces(api, started: started, clock: clock) }
        if panel.kind == .logs { return try logs(api, started: started, clock: clock) }
        for query in panel.queries {
            let expression = scope.expand(query.expression, stepMilliseconds: axis.step)
            let result: QueryResult
            if panel.asksForRange {
                result = try Self.range(
                    api,
                    expression,
                    axis,
                    notAfter: scope.to,
                    language: query.language
                )
            } else {
                result = try Self.instant(
                    api,
                    expression,
                    at: scope.to,
                    language: query.language
                )
            }
            lines.append(contentsOf: name(result.series, of: query))
        }
        lines.sort { $0.name < $1.name }
        let total = lines.count
        if lines.count > panel.limit { lines = Self.greatest(lines, panel.limit) }
        return PanelData(
            lines: lines,
            axis: panel.asksForRange ? axis : nil,
            complete: scope.now,
            total: total,
            fetchedAt: scope.now,
            milliseconds: clock() - started,
            queryCount: panel.queries.count
        )
    }

    /// The newest rows of all queries together.
    private func logs(
        _ api: any QueryAPI,
        started: Int64,
        clock: @Sendable () -> Int64
    ) throws(APIError) -> PanelData {
        var rows: [LogRow] = []
        for query in panel.queries {
            let lines = try api.lines(
                path: "/api/v1/logs/query",
                parameters: [
                    ("query", scope.expand(query.expression, stepMilliseconds: 60_000)),
                    ("start", TimeText.nanoseconds(scope.from)),
                    ("end", TimeText.nanoseconds(scope.to)), ("limit", String(panel.limit)),
                    ("direction", "backward"),
                ]
            )
            rows += lines.reversed().compactMap { LogRow(json: $0) }
        }
        if panel.queries.count > 1 { rows.sort { $0.time < $1.time } }
        var data = PanelData(
            lines: [],
            axis: nil,
            complete: scope.now,
            total: 0,
            fetchedAt: scope.now,
            milliseconds: clock() - started,
            queryCount: panel.queries.count
        )
        data.logs = rows.suffix(panel.limit)
        return data
    }

    /// The traces of all queries together.
    private func traces(
        _ api: any QueryAPI,
        started: Int64,
        clock: @Sendable () -> Int64
    ) throws(APIError) -> PanelData {
        var found: [TraceSummary] = []
        for query in panel.queries {
            let job = TracesJob(
                part: .search(
                    query: scope.expand(query.expression, stepMilliseconds: 60_000),
                    limit: panel.limit,
                    isByDuration: panel.isByDuration
                ),
                from: scope.from,
                to: scope.to
            )
            if case .found(let items) = try job.run(api) { found += items }
        }
        var seen: Set<String> = []
        found = found.filter { seen.insert($0.traceID).inserted }
        if panel.queries.count > 1 {
            found.sort {
                panel.isByDuration ? $0.duration > $1.duration : $0.start > $1.start
            }
        }
        var data = PanelData(
            lines: [],
            axis: nil,
            complete: scope.now,
            total: 0,
            fetchedAt: scope.now,
            milliseconds: clock() - started,
            queryCount: panel.queries.count
        )
        data.traces = Array(found.prefix(panel.limit))
        return data
    }

    /// One point for each dot column of the axis that has ended by `notAfter`: a rate asked for at
    /// a time that is still to come would seem to fall.
    static func range(
        _ api: any QueryAPI,
        _ expression: String,
        _ axis: TimeAxis,
        notAfter: Int64,
        language: QueryLanguage = .promql
    ) throws(APIError) -> QueryResult {
        let end = axis.end > notAfter ? max(axis.start, axis.end - axis.step) : axis.end
        return try QueryResult(
            try api.data(
                language == .promql ? "/api/v1/query_range" : "/loki/api/v1/query_range",
                [
                    ("query", expression), ("start", TimeText.seconds(axis.start)),
                    ("end", TimeText.seconds(end)), ("step", TimeText.seconds(axis.step)),
                ]
            )
        )
    }

    static func instant(
        _ api: any QueryAPI,
        _ expression: String,
        at time: Int64,
        language: QueryLanguage = .promql
    ) throws(APIError) -> QueryResult {
        try QueryResult(
            try api.data(
                language == .promql ? "/api/v1/query" : "/loki/api/v1/query",
                [("query", expression), ("time", TimeText.seconds(time))]
            )
        )
    }

    private func name(
        _ series: [QueryResult.Series],
        of query: PanelQuery
    ) -> [PanelData.Line] {
        if let template = query.legend {
            let legend = scope.expandText(template)
            return series.map {
                PanelData.Line(name: TemplateText.legend(legend, $0), series: $0)
            }
        }
        return SeriesNaming.names(series, fallback: panel.title).enumerated().map {
            PanelData.Line(name: $0.element, series: series[$0.offset])
        }
    }

    /// The series with the greatest last values, still in order of name.
    private static func greatest(_ lines: [PanelData.Line], _ count: Int) -> [PanelData.Line] {
        func last(_ line: PanelData.Line) -> Double {
            line.series.points.last { !$0.value.isNaN }?.value ?? -.infinity
        }
        let ranked = lines.enumerated().sorted { left, right in
            let (a, b) = (last(left.element), last(right.element))
            return a == b ? left.offset < right.offset : a > b
        }
        return ranked.prefix(count).sorted { $0.offset < $1.offset }.map { $0.element }
    }
}

/// Names for series that nobody named.
package enum SeriesNaming {
    /// The labels in which they differ, as Prometheus writes them.
    package static func names(_ series: [QueryResult.Series], fallback: String) -> [String] {
        guard series.count > 1, let first = series.first else {
            return series.map { only in
                let text = text(only.labels)
                return text.isEmpty ? fallback : text
            }
        }
        var common = first.labels
        for other in series.dropFirst() {
            common.removeAll { pair in other[pair.name] != pair.value }
        }
        return series.map { one in
            let kept = one.labels.filter { !common.contains($0) }
            let text = text(kept)
            return text.isEmpty ? fallback : text
        }
    }

    /// `name{a="b", c="d"}`; the braces are left out around a single label's value.
    static func text(_ labels: [QueryResult.LabelPair]) -> String {
        let name = labels.first { $0.name == "__name__" }?.value ?? ""
        let rest = labels.filter { $0.name != "__name__" }
        if rest.isEmpty { return name }
        if rest.count == 1, name.isEmpty { return "\(rest[0].name)=\(rest[0].value)" }
        let pairs = rest.map { "\($0.name)=\"\($0.value)\"" }.joined(separator: ", ")
        return "\(name){\(pairs)}"
    }
}
