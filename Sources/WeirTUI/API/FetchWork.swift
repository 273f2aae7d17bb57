/// Something to ask the server, away from the thread that draws.
package struct FetchRequest: Sendable {
    /// Answers to questions that are no longer the present ones are dropped by this.
    package let generation: Int
    package let work: FetchWork
}

/// What to ask.
package enum FetchWork: Sendable {
    case panel(index: Int, PanelJob)
    case variables([DashboardVariable], QueryScope)
    case alerts
    case explore(ExploreJob)
    case metricNames(from: Int64, to: Int64)
    case logs(LogsJob)
    case traces(TracesJob)

    /// Asks and waits.
    package func run(_ api: any QueryAPI, clock: @Sendable () -> Int64) -> FetchAnswer {
        switch self {
        case .panel(let index, let job):
            return .panel(
                index: index,
                Self.result { () throws(APIError) in try job.run(api, clock: clock) }
            )
        case .variables(let variables, let scope):
            return .variables(
                Self.result { () throws(APIError) in
                    try VariableChoices.fetch(variables, scope, api)
                }
            )
        case .alerts:
            return .alerts(Self.result { () throws(APIError) in try ActiveAlert.fetch(api) })
        case .explore(let job):
            return .explore(
                job,
                Self.result { () throws(APIError) in try job.run(api, clock: clock) }
            )
        case .logs(let job):
            return .logs(job, Self.result { () throws(APIError) in try job.run(api) })
        case .traces(let job):
            return .traces(job, Self.result { () throws(APIError) in try job.run(api) })
        case .metricNames(let from, let to):
            return .metricNames(
                Self.result { () throws(APIError) in
                    try api.labelValues("__name__", match: nil, from: from, to: to)
                }
            )
        }
    }

    private static func result<Value>(
        _ body: () throws(APIError) -> Value
    ) -> Result<Value, APIError> {
        do throws(APIError) {
            return .success(try body())
        } catch {
            return .failure(error)
        }
    }
}

/// What came of a question.
package enum FetchAnswer: Sendable {
    case panel(index: Int, Result<PanelData, APIError>)
    case variables(Result<VariableChoices, APIError>)
    case alerts(Result<[ActiveAlert], APIError>)
    case explore(ExploreJob, Result<PanelData, APIError>)
    case metricNames(Result<[String], APIError>)
    case logs(LogsJob, Result<LogsAnswer, APIError>)
    case traces(TracesJob, Result<TracesAnswer, APIError>)
}

/// An answer with the generation of its question.
package struct FetchResult: Sendable {
    package let generation: Int
    package let answer: FetchAnswer

    package init(generation: Int, answer: FetchAnswer) {
        self.generation = generation
        self.answer = answer
    }
}

/// A query typed by hand.
package struct ExploreJob: Sendable, Hashable {
    package let expression: String
    package let isTable: Bool
    package let scope: QueryScope
    package let cells: Int

    /// Asks and waits.
    ///
    /// At most so many series are kept.
    package func run(
        _ api: any QueryAPI,
        clock: @Sendable () -> Int64
    ) throws(APIError) -> PanelData {
        var panel = Panel(title: expression, kind: isTable ? .table : .timeseries)
        panel.queries = [PanelQuery(expression: expression)]
        panel.limit = 200
        return try PanelJob(panel: panel, scope: scope, cells: cells).run(api, clock: clock)
    }
}

/// The values that each variable may take, *all* first where there is one.
package struct VariableChoices: Hashable, Sendable {
    package let values: [String: [String]]
    package let chosen: [String: String]

    /// Asks for label values in the order of the variables, so that one may narrow the next.
    static func fetch(
        _ variables: [DashboardVariable],
        _ scope: QueryScope,
        _ api: any QueryAPI
    ) throws(APIError) -> VariableChoices {
        var values: [String: [String]] = [:]
        var chosen = Dictionary(
            scope.variables.map { ($0.name, $0.value) },
            uniquingKeysWith: { first, _ in first }
        )
        for variable in variables {
            var choices: [String]
            switch variable.source {
            case .list(let list): choices = list
            case .labelValues(let label, let match):
                let known = variables.compactMap { other in
                    chosen[other.name].map {
                        QueryScope.VariableValue(
                            name: other.name,
                            value: $0,
                            isPattern: other.hasAll
                        )
                    }
                }
                let narrowed = QueryScope(
                    from: scope.from,
                    to: scope.to,
                    now: scope.now,
                    intervalMilliseconds: scope.intervalMilliseconds,
                    variables: known
                )
                choices = try api.labelValues(
                    label,
                    match: match.map { narrowed.expand($0, stepMilliseconds: 60_000) },
                    from: scope.from,
                    to: scope.to
                )
            }
            if variable.hasAll { choices.insert(DashboardVariable.all, at: 0) }
            values[variable.name] = choices
            if chosen[variable.name] == nil {
                chosen[variable.name] = variable.defaultValue ?? choices.first
            }
        }
        return VariableChoices(values: values, chosen: chosen)
    }
}
