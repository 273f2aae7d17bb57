internal import WeirCore

/// Which selector's histograms an answer needs only counts and sums of.
///
/// Prometheus 3.5 leaves such buckets unread, which shows where layouts do not fit: without buckets
/// any histograms can be added. It looks at the first selector of a query alone, and at the calls
/// around it but for the outermost part; so does this, as the answers depend on it.
extension PromQLExpression {
    /// With that selector marked, if there is one.
    var markingUnreadBuckets: PromQLExpression {
        var rest = Marking()
        return marked(.outermost, &rest)
    }

    /// What the calls around a part say of buckets, the innermost last.
    private enum Need {
        case outermost
        case none
        case counts
        case buckets
    }

    private struct Marking {
        var isDone = false
    }

    private func marked(_ need: Need, _ state: inout Marking) -> PromQLExpression {
        if state.isDone { return self }
        let inner: Need = need == .outermost ? .none : need
        func mark(_ selector: PromQLSelector) -> PromQLSelector {
            state.isDone = true
            var marked = selector
            marked.needsBuckets = need != .counts
            return marked
        }
        switch self {
        case .number, .string: return self
        case .selector(let selector): return .selector(mark(selector))
        case .range(var range):
            range.selector = mark(range.selector)
            return .range(range)
        case .subquery(var subquery):
            subquery.expression = subquery.expression.marked(inner, &state)
            return .subquery(subquery)
        case .parenthesized(let part): return .parenthesized(part.marked(inner, &state))
        case .negated(let part): return .negated(part.marked(inner, &state))
        case .affirmed(let part): return .affirmed(part.marked(inner, &state))
        case .binary(var binary):
            binary.left = binary.left.marked(inner, &state)
            binary.right = binary.right.marked(inner, &state)
            return .binary(binary)
        case .aggregation(var aggregation):
            aggregation.expression = aggregation.expression.marked(inner, &state)
            aggregation.parameter = aggregation.parameter?.marked(inner, &state)
            return .aggregation(aggregation)
        case .call(var call):
            var own = inner
            if need != .outermost {
                switch call.function {
                case .histogram_count, .histogram_sum, .histogram_avg: own = .counts
                case .histogram_quantile, .histogram_fraction: own = .buckets
                default: break
                }
            }
            for index in call.arguments.indices {
                call.arguments[index] = call.arguments[index].marked(own, &state)
            }
            return .call(call)
        }
    }
}

extension FloatHistogram {
    /// Count and sum alone.
    var withoutBuckets: FloatHistogram {
        var result = FloatHistogram()
        (result.count, result.sum, result.resetHint) = (count, sum, resetHint)
        return result
    }
}

extension HistogramSamples {
    var withoutBuckets: HistogramSamples {
        var result = HistogramSamples()
        for (time, box) in zip(times, boxes) { result.append(time, box.histogram.withoutBuckets) }
        return result
    }
}
