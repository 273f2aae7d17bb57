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
            visit(expression, at: Place(look: .step(ahead: 0)))
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

    /// Where an expression stands.
    private struct Place {
        var look: Look
        var isInSubquery = false
        /// Series with equal labels are taken together there.
        var mayRepeat = false

        func repeating(_ mayRepeat: Bool) -> Place {
            var place = self
            place.mayRepeat = mayRepeat
            return place
        }
    }

    /// Whether the value at a step depends on samples alone.
    private mutating func visit(_ expression: PromQLExpression, at place: Place) -> Bool {
        switch expression {
        case .number, .string: return true
        case .selector(let selector): return add(selector, at: place.look)
        case .range(let range): return add(range.selector, at: place.look)
        case .subquery(let subquery):
            guard let moved = place.look.moved(subquery.shift) else { return false }
            return visit(subquery.expression, at: Place(look: moved, isInSubquery: true))
        case .parenthesized(let inner), .affirmed(let inner): return visit(inner, at: place)
        case .negated(let inner):
            return (place.mayRepeat || RowShape(inner).names != .mixed) && visit(inner, at: place)
        case .binary(let binary):
            let alone = place.repeating(false)
            return visit(binary.left, at: alone) && visit(binary.right, at: alone)
        case .aggregation(let aggregation):
            guard isSteady(aggregation, at: place) else { return false }
            let inner = place.repeating(!aggregation.operation.keepsSeries)
            return visit(aggregation.expression, at: inner)
        case .call(let call):
            guard isSteady(call, at: place) else { return false }
            let inner = place.repeating(place.mayRepeat && call.function.isElementwise)
            for argument in call.arguments {
                guard visit(argument, at: inner) else { return false }
            }
            return true
        }
    }

    /// Notes on parameters tell the greatest and the least of all steps, and a single step's series
    /// come in order of value.
    private func isSteady(_ aggregation: PromQLAggregation, at place: Place) -> Bool {
        if place.isInSubquery, aggregation.operation.keepsSeries { return false }
        guard let parameter = aggregation.parameter else { return true }
        switch parameter {
        case .number, .string: return true
        case .negated(.number): return true
        default: return false
        }
    }

    /// Series that only dropping the name makes equal are refused even if they never meet at a step, but
    /// where they are taken together anyway.
    private func isSteady(_ call: PromQLCall, at place: Place) -> Bool {
        switch call.function {
        case .info: return false
        case .sort, .sort_desc, .sort_by_label, .sort_by_label_desc: return !place.isInSubquery
        case .absent_over_time, .last_over_time, .first_over_time: return true
        default: break
        }
        guard let range = call.arguments.first(where: { $0.type == .matrix }) else { return true }
        return place.mayRepeat || RowShape(range).names != .mixed
    }
}
