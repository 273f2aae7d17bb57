internal import WeirColumns
internal import WeirPattern

/// A log query's pipeline made ready to run over blocks: what can be asked of whole columns comes
/// first, then what must be done row by row, and of that only what the result depends on.
final class LogPipeline: Sendable {
    /// What the result needs of each row that passes.
    struct Need {
        /// Nil: all labels.
        var labels: Set<String>?
        var line: Bool
    }

    /// The stages in order of work.
    struct Plan: Sendable {
        /// Asked of whole columns.
        var lead: [LogStep] = []
        /// Done row by row.
        var rest: [LogStep] = []
    }

    let plan: Plan
    /// For rows whose line `json` and `logfmt` would take nothing from.
    let planWithoutParsers: Plan
    let hasParsers: Bool
    /// Whether some parser is `json`; else all are `logfmt`.
    let takesJSON: Bool
    let failure: LogTests.Failure

    init(_ stages: [LogQLStage], need: Need) throws(QueryError) {
        let tests = LogTests()
        var steps: [LogStep] = []
        for stage in stages { steps += try Self.steps(stage, tests) }
        var others: [LogStep] = []
        var takesJSON = false
        for step in steps {
            switch step {
            case .json(let extractions, _) where extractions.isEmpty: takesJSON = true
            case .logfmt(let extractions, let isStrict, _, _)
            where extractions.isEmpty && !isStrict:
                break
            default: others.append(step)
            }
        }
        plan = Self.plan(steps, need)
        hasParsers = others.count < steps.count
        self.takesJSON = takesJSON
        planWithoutParsers = hasParsers ? Self.plan(others, need) : plan
        failure = tests.failure
    }

    // MARK: Compiling

    private static func steps(
        _ stage: LogQLStage,
        _ tests: LogTests
    ) throws(QueryError) -> [LogStep] {
        switch stage {
        case .line(let filter): return [.line(try tests.test(filter))]
        case .label(let filter):
            return try condition(filter, tests).conjuncts.map { .filter($0) }
        case .json(let extractions):
            var ready: [LogStep.Extraction] = []
            for one in extractions {
                guard let path = JSONPath(one.path) else {
                    throw .invalid(reason: "cannot parse the path of \(one.label)")
                }
                ready.append(LogStep.Extraction(label: one.label, path: path))
            }
            return [.json(ready, wanted: nil)]
        case .logfmt(let extractions, let flags):
            let ready = extractions.map { (label: $0.label, key: Array($0.path.utf8)) }
            return [
                .logfmt(
                    ready,
                    isStrict: flags.contains("strict"),
                    keepsEmpty: flags.contains("keep-empty"),
                    nil
                )
            ]
        case .pattern(let text): return [.pattern(try LinePattern(text, isFilter: false))]
        case .regexp(let text):
            do throws(PatternError) {
                let pattern = try TextPattern(text)
                let groups = RegexLiterals.groupNames(in: text).compactMap { name in
                    pattern.groupNumber(of: name).map { (name: name, number: $0) }
                }
                return [.regexp(pattern, groups: groups)]
            } catch {
                throw .invalid(reason: error.reason)
            }
        case .unpack: return [.unpack]
        case .decolorize: return [.decolorize]
        case .lineFormat(let text): return [.lineFormat(try template(text))]
        case .labelFormat(let formats):
            var ready: [(target: String, value: LogStep.Format)] = []
            for format in formats {
                switch format.value {
                case .label(let name): ready.append((format.target, .label(name)))
                case .template(let text):
                    ready.append((format.target, .template(try template(text))))
                }
            }
            return [.labelFormat(ready)]
        case .drop(let picks): return [.drop(try Self.picks(picks, tests))]
        case .keep(let picks): return [.keep(try Self.picks(picks, tests))]
        }
    }

    private static func template(_ text: String) throws(QueryError) -> LineTemplate {
        do throws(LineTemplateError) {
            return try LineTemplate(parsing: text)
        } catch {
            throw .invalid(reason: "invalid template: \(error.reason)")
        }
    }

    private static func picks(
        _ picks: [LogQLLabelPick],
        _ tests: LogTests
    ) throws(QueryError) -> [(label: String, test: TextTest?)] {
        var ready: [(label: String, test: TextTest?)] = []
        for pick in picks {
            if let matcher = pick.matcher {
                ready.append((pick.label, try tests.test(matcher)))
            } else {
                ready.append((pick.label, nil))
            }
        }
        return ready
    }

    static func condition(
        _ filter: LogQLLabelFilter,
        _ tests: LogTests
    ) throws(QueryError) -> LogCondition {
        switch filter {
        case .matcher(let matcher): return .test(matcher.name, try tests.test(matcher))
        case .compare(let label, let operation, let quantity):
            switch quantity {
            case .number(let number): return .compare(label, operation, number.value, .number)
            case .duration(let number):
                return .compare(label, operation, Double(number), .duration)
            case .bytes(let number): return .compare(label, operation, number.value, .bytes)
            }
        case .ip(let label, let isNegated, let text):
            guard let range = IPRange(text) else { throw .invalid(reason: "no address: \(text)") }
            return .ip(label, isNegated: isNegated, range)
        case .and(let left, let right):
            return .and(try condition(left, tests), try condition(right, tests))
        case .or(let left, let right):
            return .or(try condition(left, tests), try condition(right, tests))
        }
    }

    // MARK: Planning

    private static func plan(_ steps: [LogStep], _ need: Need) -> Plan {
        var plan = Plan()
        var isLineChanged = false
        var areLabelsChanged = false
        for step in steps {
            switch step {
            case .line where !isLineChanged: plan.lead.append(step)
            case .filter(let condition)
            where !areLabelsChanged
                && condition.names.isDisjoint(with: [
                    LogNames.error, LogNames.errorDetails,
                ]):
                plan.lead.append(step)
            default:
                plan.rest.append(step)
                switch step {
                case .line, .filter: break
                case .lineFormat, .decolorize: isLineChanged = true
                case .unpack:
                    isLineChanged = true
                    areLabelsChanged = true
                default: areLabelsChanged = true
                }
            }
        }
        plan.rest = alive(plan.rest, need)
        return plan
    }

    /// The steps that the result depends on, each knowing what it must find.
    private static func alive(_ steps: [LogStep], _ need: Need) -> [LogStep] {
        var labels = need.labels
        var line = need.line
        var kept: [LogStep] = []
        func isNeeded(_ names: some Sequence<String>) -> Bool {
            guard let labels else { return true }
            return names.contains { labels.contains($0) || labels.contains($0 + "_extracted") }
        }
        for step in steps.reversed() {
            switch step {
            case .line: line = true
            case .filter(let condition): labels?.formUnion(condition.names)
            case .json(let extractions, _):
                let isAsked = labels.map { !$0.isEmpty } ?? true
                guard
                    extractions.isEmpty
                        ? isAsked
                        : isNeeded(extractions.map(\.label) + [LogNames.error])
                else { continue }
                kept.append(.json(extractions, wanted: labels))
                line = true
                continue
            case .logfmt(let extractions, let isStrict, let keepsEmpty, _):
                let isAsked = labels.map { !$0.isEmpty } ?? true
                guard
                    extractions.isEmpty
                        ? isAsked
                        : isNeeded(extractions.map(\.label) + [LogNames.error])
                else { continue }
                kept.append(
                    .logfmt(extractions, isStrict: isStrict, keepsEmpty: keepsEmpty, labels)
                )
                line = true
                continue
            case .pattern(let pattern):
                guard isNeeded(pattern.captureNames) else { continue }
                line = true
            case .regexp(_, let groups):
                guard isNeeded(groups.map(\.name)) else { continue }
                line = true
            case .unpack:
                guard line || labels.map({ !$0.isEmpty }) ?? true else { continue }
                line = true
            case .lineFormat(let template):
                guard line else { continue }
                labels?.formUnion(template.labels)
            case .decolorize:
                guard line else { continue }
            case .labelFormat(let formats):
                var sources: Set<String> = []
                for format in formats {
                    switch format.value {
                    case .label(let name): sources.insert(name)
                    case .template(let template): sources.formUnion(template.labels)
                    }
                }
                guard isNeeded(formats.map(\.target)) || isNeeded(sources) else { continue }
                labels?.formUnion(sources)
                line = true
            case .drop(let picks):
                guard isNeeded(picks.map(\.label)) else { continue }
            case .keep(let picks):
                labels?.formUnion(picks.filter { $0.test != nil }.map(\.label))
            }
            kept.append(step)
        }
        return kept.reversed()
    }
}
