internal import WeirCore
internal import WeirPattern

/// What can be said of an expression's rows before any are read.
struct RowShape {
    enum Names: Equatable {
        case none
        /// All rows have this metric name.
        case one(String)
        case mixed
    }

    private(set) var names: Names
    /// Of any two rows the same one comes first, whatever other rows there are.
    private(set) var isOrdered: Bool

    private init(_ names: Names, isOrdered: Bool) {
        self.names = names
        self.isOrdered = isOrdered
    }

    private static let single = Self(.none, isOrdered: true)

    init(_ expression: PromQLExpression) {
        switch expression {
        case .number, .string: self = .single
        case .selector(let selector): self.init(selector)
        case .range(let range): self.init(range.selector)
        case .subquery(let subquery): self.init(subquery.expression)
        case .parenthesized(let inner), .affirmed(let inner): self.init(inner)
        case .negated(let inner): self = Self(inner).withoutNames
        case .binary(let binary): self.init(binary)
        case .aggregation(let aggregation): self.init(aggregation)
        case .call(let call): self.init(call)
        }
    }

    /// Without metric names; rows that this makes equal may be joined, and where depends on which
    /// there are.
    private var withoutNames: Self { Self(.none, isOrdered: isOrdered && names != .mixed) }

    private init(_ selector: PromQLSelector) {
        let name = selector.matchers.first {
            $0.name == Labels.metricNameLabel && $0.operation == .equal
        }
        // Selected series come in order of labels.
        self.init(name.map { .one($0.value) } ?? .mixed, isOrdered: true)
    }

    private init(_ binary: PromQLBinary) {
        let left = Self(binary.left)
        let right = Self(binary.right)
        let dropsNames = binary.operation.isArithmetic || binary.returnsBool
        guard let matching = binary.matching else {
            let vector = binary.left.type == .vector ? left : right
            self = dropsNames ? vector.withoutNames : vector
            return
        }
        if binary.operation.isSet {
            if binary.operation == .or {
                self.init(left.names == right.names ? left.names : .mixed, isOrdered: false)
            } else {
                self = left
            }
            return
        }
        let isPlain =
            matching.cardinality == .oneToOne && !matching.isOn && matching.labels.isEmpty
        let isEachAlone = left.names != .mixed && right.names != .mixed
        let many = matching.cardinality == .oneToMany ? right : left
        var names = dropsNames ? Names.none : many.names
        if matching.isOn, matching.cardinality == .oneToOne { names = .none }
        if (matching.included + matching.labels).contains(Labels.metricNameLabel) {
            names = .mixed
        }
        self.init(names, isOrdered: isPlain && isEachAlone && left.isOrdered)
    }

    private init(_ aggregation: PromQLAggregation) {
        let input = Self(aggregation.expression)
        if aggregation.operation.keepsSeries {
            self = input
            return
        }
        let grouping = aggregation.grouping
        var names = Names.none
        if !grouping.isWithout, grouping.labels.contains(Labels.metricNameLabel) {
            names = input.names
        }
        guard aggregation.operation != .countValues else {
            self.init(.mixed, isOrdered: false)
            return
        }
        // Groups come as their first series do.
        self.init(names, isOrdered: !grouping.isWithout && grouping.labels.isEmpty)
    }

    private init(_ call: PromQLCall) {
        let vector = call.arguments.first { $0.type == .vector || $0.type == .matrix }
        guard let vector else {
            self = .single
            return
        }
        let input = Self(vector)
        switch call.function {
        case .absent, .absent_over_time, .scalar: self = .single
        case .sort, .sort_desc, .sort_by_label, .sort_by_label_desc: self = input
        case .label_replace, .label_join:
            let names =
                call.arguments[1].unwrapped == .string(Labels.metricNameLabel)
                ? Names.mixed : input.names
            self.init(names, isOrdered: false)
        case .histogram_quantile, .histogram_fraction, .info:
            self.init(.none, isOrdered: false)
        case .last_over_time, .first_over_time: self = input
        default: self = input.withoutNames
        }
    }
}
