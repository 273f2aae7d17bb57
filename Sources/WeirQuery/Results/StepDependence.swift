internal import WeirPattern

/// How late the samples can be that an expression's value at a step depends on.
///
/// Nil of an expression whose value at a step depends on the other steps of the query.
struct StepDependence {
    /// Samples up to the step's time and this much later, milliseconds; nil: none.
    private(set) var ahead: Int64?
    /// Samples up to this time, whatever the step; nil: none.
    private(set) var fixed: Int64?

    /// The latest time at which an expression is looked at.
    private enum Look {
        case step(ahead: Int64)
        case fixed(Int64)

        func moved(_ shift: PromQLTimeShift) -> Look? {
            var base = self
            switch shift.anchor {
            case .start, .end: return nil
            case .milliseconds(let time): base = .fixed(time)
            case nil: break
            }
            func earlier(_ time: Int64) -> Int64? {
                let (moved, overflow) = time.subtractingReportingOverflow(shift.offsetMilliseconds)
                return overflow ? nil : moved
            }
            switch base {
            case .step(let ahead): return earlier(ahead).map { .step(ahead: $0) }
            case .fixed(let time): return earlier(time).map { .fixed($0) }
            }
        }
    }

    init?(_ expression: PromQLExpression) {
        guard expression.type == .vector,
            visit(expression, at: .step(ahead: 0), isInSubquery: false)
        else { return nil }
    }

    /// Whether the value at step `time` is the same as before samples came of which the earliest is
    /// at `earliest`, milliseconds.
    func isUntouched(at time: Int64, bySamplesFrom earliest: Int64) -> Bool {
        if let fixed, fixed >= earliest { return false }
        guard let ahead else { return true }
        let (latest, overflow) = time.addingReportingOverflow(ahead)
        return !overflow && latest < earliest
    }

    private mutating func add(_ selector: PromQLSelector, at look: Look) -> Bool {
        switch look.moved(selector.shift) {
        case .step(let ahead): self.ahead = max(self.ahead ?? .min, ahead)
        case .fixed(let time): fixed = max(fixed ?? .min, time)
        case nil: return false
        }
        return true
    }

    /// Whether the value at a step depends on samples alone.
    private mutating func visit(
        _ expression: PromQLExpression,
        at look: Look,
        isInSubquery: Bool
    ) -> Bool {
        switch expression {
        case .number, .string: return true
        case .selector(let selector): return add(selector, at: look)
        case .range(let range): return add(range.selector, at: look)
        case .subquery(let subquery):
            guard let moved = look.moved(subquery.shift) else { return false }
            return visit(subquery.expression, at: moved, isInSubquery: true)
        case .parenthesized(let inner), .affirmed(let inner):
            return visit(inner, at: look, isInSubquery: isInSubquery)
        case .negated(let inner):
            return RowShape(inner).names != .mixed
                && visit(inner, at: look, isInSubquery: isInSubquery)
        case .binary(let binary):
            return visit(binary.left, at: look, isInSubquery: isInSubquery)
                && visit(binary.right, at: look, isInSubquery: isInSubquery)
        case .aggregation(let aggregation):
            guard isSteady(aggregation, isInSubquery: isInSubquery) else { return false }
            return visit(aggregation.expression, at: look, isInSubquery: isInSubquery)
        case .call(let call):
            guard isSteady(call, isInSubquery: isInSubquery) else { return false }
            for argument in call.arguments {
                guard visit(argument, at: look, isInSubquery: isInSubquery) else { return false }
            }
            return true
        }
    }

    /// Notes on parameters tell the greatest and the least of all steps, and a single step's series
    /// come in order of value.
    private func isSteady(_ aggregation: PromQLAggregation, isInSubquery: Bool) -> Bool {
        if isInSubquery, aggregation.operation.keepsSeries { return false }
        guard let parameter = aggregation.parameter else { return true }
        switch parameter {
        case .number, .string: return true
        case .negated(.number): return true
        default: return false
        }
    }

    /// Series that only dropping the name makes equal are refused even if they never meet at a step.
    private func isSteady(_ call: PromQLCall, isInSubquery: Bool) -> Bool {
        switch call.function {
        case .info: return false
        case .sort, .sort_desc, .sort_by_label, .sort_by_label_desc: return !isInSubquery
        case .absent_over_time, .last_over_time, .first_over_time: return true
        default: break
        }
        guard let range = call.arguments.first(where: { $0.type == .matrix }) else { return true }
        return RowShape(range).names != .mixed
    }
}
