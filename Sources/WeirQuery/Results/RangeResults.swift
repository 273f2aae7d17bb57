internal import WeirCore

/// Answers range queries with what a cache holds of them, and evaluates the rest.
///
/// The answer is the one that evaluating all steps would give (docs/decisions/012-results-cache.md), and so
/// are the limits that refuse it: each evaluation has those of the query to itself.
package struct RangeResults: Sendable {
    package let cache: ResultsCache
    package let changes: any SampleChanges

    package init(cache: ResultsCache, changes: any SampleChanges) {
        self.cache = cache
        self.changes = changes
    }

    /// A range query: the steps from `start` to `end`, whose times have been checked.
    struct Request {
        /// As it was asked.
        let query: String
        let expression: PromQLExpression
        let start: Int64
        let end: Int64
        let interval: Int64
        let source: any SampleSource
        let context: QueryContext
        let options: PromQLOptions

        var phase: Int64 {
            let rest = start % interval
            return rest < 0 ? rest + interval : rest
        }

        /// The numbers of the steps.
        var steps: Range<Int64> {
            let first = (start - phase) / interval
            return first..<(first + (end - start) / interval + 1)
        }

        func time(_ step: Int64) -> Int64 { phase + step * interval }
    }

    /// - Returns: Nil when the query is none whose answer can be kept.
    func answer(_ request: Request) throws(QueryError) -> [QuerySeries]? {
        guard let dependence = StepDependence(request.expression), request.steps.count > 1 else {
            cache.count(.bypass)
            return nil
        }
        // Before anything is read: what comes later than this counts as not seen.
        let version = changes.version
        let key = ResultsCache.Key(
            tenant: changes.tenant,
            query: request.query,
            intervalMilliseconds: request.interval,
            phaseMilliseconds: request.phase,
            options: request.options
        )
        if let held = cache.range(key, at: version) {
            let use = request.context.use
            let kept = try answer(request, from: held, dependence, version)
            if let kept {
                cache.count(kept.isNew ? .partial : .hit)
                changes.noteUse(of: kept.range.metrics)
                request.context.keep(kept.notes)
                if kept.isNew { cache.keep(kept.range, for: key) }
                return kept.series
            }
            request.context.giveBack(since: use)
        }
        return try evaluated(request, key, version)
    }

    /// An answer for which only what is missing was evaluated.
    private struct KeptAnswer {
        let series: [QuerySeries]
        let range: CachedRange
        let notes: QueryNotes
        /// Whether `range` has steps that were not kept before.
        let isNew: Bool
    }

    /// - Returns: Nil when what is kept is of too little use, or does not fit.
    private func answer(
        _ request: Request,
        from held: CachedRange,
        _ dependence: StepDependence,
        _ version: SampleVersion
    ) throws(QueryError) -> KeptAnswer? {
        let valid = validSteps(of: held, dependence, request)
        guard let (whole, isNew) = try extended(held, valid, request, version),
            let notes = CachedRange.notes(of: whole.parts, in: request.steps),
            let series = try unlessTooLarge({ () throws(QueryError) in
                try whole.table.series(
                    request.steps,
                    time: request.time,
                    context: request.context
                )
            })
        else { return nil }
        return KeptAnswer(series: series, range: whole, notes: notes, isNew: isNew)
    }

    /// What `body` gives, or nil when there is no room for it: more is kept than is asked for.
    private func unlessTooLarge<Result>(
        _ body: () throws(QueryError) -> Result
    ) throws(QueryError) -> Result? {
        do throws(QueryError) {
            return try body()
        } catch {
            guard case .limit = error else { throw error }
            return nil
        }
    }

    /// The steps of a kept answer that no change has touched.
    private func validSteps(
        of held: CachedRange,
        _ dependence: StepDependence,
        _ request: Request
    ) -> Range<Int64> {
        let steps = held.table.steps
        switch changes.change(since: held.version) {
        case .nothing: return steps
        case .removal: return steps.lowerBound..<steps.lowerBound
        case .samples(let earliest):
            var low = steps.lowerBound
            var high = steps.upperBound
            while low < high {
                let middle = low + (high - low) / 2
                if dependence.isUntouched(at: request.time(middle), bySamplesFrom: earliest) {
                    low = middle + 1
                } else {
                    high = middle
                }
            }
            return steps.lowerBound..<low
        }
    }

    /// A kept answer with the steps that are missing.
    ///
    /// - Returns: Nil when it is of too little use, or the steps cannot be told to fit together.
    private func extended(
        _ held: CachedRange,
        _ valid: Range<Int64>,
        _ request: Request,
        _ version: SampleVersion
    ) throws(QueryError) -> (range: CachedRange, isNew: Bool)? {
        let asked = request.steps
        let usable = valid.clamped(to: asked)
        guard !usable.isEmpty, usable.count * 2 >= asked.count else { return nil }
        if usable == asked { return (held, false) }
        // A step at the edge is evaluated again, so that the samples that are looked at leave no gap
        // and no step stands alone.
        var before: CachedRange?
        var after: CachedRange?
        if usable.lowerBound > asked.lowerBound {
            let use = request.context.use
            defer { request.context.giveBack(since: use) }
            before = try part(asked.lowerBound..<(usable.lowerBound + 1), request, version)
            guard before?.orderHash == held.orderHash else { return nil }
        }
        if usable.upperBound < asked.upperBound {
            let use = request.context.use
            defer { request.context.giveBack(since: use) }
            after = try part((usable.upperBound - 1)..<asked.upperBound, request, version)
            guard after?.orderHash == held.orderHash else { return nil }
        }
        // As much is kept on either side as was asked for.
        let margin = Int64(asked.count)
        let kept = valid.clamped(
            to: (asked.lowerBound - margin)..<(asked.upperBound + margin)
        )
        let lower = before?.table.steps.upperBound ?? kept.lowerBound
        let middle = lower..<max(lower, after?.table.steps.lowerBound ?? kept.upperBound)
        var tables: [(table: RangeTable, steps: Range<Int64>)] = []
        var parts: [CachedRange.Part] = []
        var metrics = held.metrics
        func add(_ piece: CachedRange, _ steps: Range<Int64>) {
            guard !steps.isEmpty else { return }
            tables.append((piece.table, steps))
            parts += piece.parts.compactMap { $0.clamped(to: steps) }
            metrics.formUnion(piece.metrics)
        }
        if let before { add(before, before.table.steps) }
        add(held, middle)
        if let after { add(after, after.table.steps) }
        let rows = tables.reduce(0) { $0 + $1.table.labels.count }
        let width = tables.reduce(0) { $0 + $1.steps.count }
        let isPaid: Void? = try unlessTooLarge { () throws(QueryError) in
            try request.context.reserve(bytes: rows * width * 8)
        }
        guard isPaid != nil else { return nil }
        let whole = CachedRange(
            table: RangeTable(joining: tables),
            parts: CachedRange.joined(parts),
            version: version,
            orderHash: held.orderHash,
            metrics: metrics
        )
        return (whole, true)
    }

    /// Evaluates some steps; nil when that fails, so that all are evaluated and fail as they should.
    ///
    /// - Throws: Also `.limit`: all steps take no less than some of them.
    private func part(
        _ steps: Range<Int64>,
        _ request: Request,
        _ version: SampleVersion
    ) throws(QueryError) -> CachedRange? {
        do throws(QueryError) {
            let (grid, marks, notes) = try evaluate(steps, request)
            return range(grid, steps, marks, notes, version)
        } catch {
            switch error {
            case .cancelled, .timedOut, .limit: throw error
            default: return nil
            }
        }
    }

    /// Evaluates all steps that are asked for, and keeps the answer if it can be kept.
    private func evaluated(
        _ request: Request,
        _ key: ResultsCache.Key,
        _ version: SampleVersion
    ) throws(QueryError) -> [QuerySeries] {
        cache.count(.miss)
        let (grid, marks, notes) = try evaluate(request.steps, request)
        request.context.keep(notes)
        if let whole = range(grid, request.steps, marks, notes, version) {
            cache.keep(whole, for: key)
        }
        return try PromQL.series(
            of: grid,
            on: stepGrid(request.steps, request),
            context: request.context
        )
    }

    private func stepGrid(_ steps: Range<Int64>, _ request: Request) -> StepGrid {
        StepGrid(
            start: request.time(steps.lowerBound),
            interval: request.interval,
            count: steps.count
        )
    }

    private func evaluate(
        _ steps: Range<Int64>,
        _ request: Request
    ) throws(QueryError) -> (SeriesGrid, QueryMarks, QueryNotes) {
        let grid = stepGrid(steps, request)
        let evaluator = PromQLEvaluator(
            source: request.source,
            context: request.context,
            options: request.options,
            queryStart: grid.start,
            queryEnd: grid.end
        )
        _ = request.context.takeNotes()
        request.context.beginMarks()
        let vector = try evaluator.vector(request.expression, on: grid)
        return (vector, request.context.endMarks(), request.context.takeNotes())
    }

    /// An evaluated grid as it is kept; nil when it cannot be.
    private func range(
        _ grid: SeriesGrid,
        _ steps: Range<Int64>,
        _ marks: QueryMarks,
        _ notes: QueryNotes,
        _ version: SampleVersion
    ) -> CachedRange? {
        guard !marks.isPartial, !marks.dependsOnRange, marks.hasAllMetrics,
            notes.count < QueryNotes.keptMax,
            let table = RangeTable(grid, first: steps.lowerBound)
        else { return nil }
        return CachedRange(
            table: table,
            parts: [CachedRange.Part(steps: steps, notes: notes, isWhole: true)],
            version: version,
            orderHash: marks.orderHash,
            metrics: marks.metrics
        )
    }
}
