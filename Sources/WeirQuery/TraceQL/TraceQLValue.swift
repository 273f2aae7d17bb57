internal import Glibc

/// What an expression over a span comes to.
enum TraceQLValue: Hashable, Sendable {
    case missing
    case text([UInt8])
    /// Nanoseconds for a duration.
    case number(Double)
    case boolean(Bool)
    case status(TraceQLStatus)
    case kind(TraceQLKind)
    /// One for each event or link that has it: any of them may make a comparison true.
    case list([TraceQLValue])
    /// An array, a map or bytes: there, and equal to nothing.
    case opaque

    init(_ literal: TraceQLLiteral) {
        switch literal {
        case .null: self = .missing
        case .string(let text): self = .text(Array(text.utf8))
        case .integer(let number), .duration(let number): self = .number(Double(number))
        case .double(let number): self = .number(number)
        case .boolean(let flag): self = .boolean(flag)
        case .status(let status): self = .status(status)
        case .kind(let kind): self = .kind(kind)
        }
    }

    /// Whether a comparison holds; values of different types are never equal, less nor unequal.
    static func compare(
        _ operation: TraceQLOperator,
        _ left: TraceQLValue,
        _ right: TraceQLValue
    ) -> Bool {
        switch (left, right) {
        case (.list(let values), _): return values.contains { compare(operation, $0, right) }
        case (_, .list(let values)): return values.contains { compare(operation, left, $0) }
        case (.number(let a), .number(let b)): return operation.holds(a, b)
        case (.text(let a), .text(let b)):
            switch operation {
            case .equal: return a == b
            case .notEqual: return a != b
            case .less: return a.lexicographicallyPrecedes(b)
            case .lessOrEqual: return !b.lexicographicallyPrecedes(a)
            case .greater: return b.lexicographicallyPrecedes(a)
            case .greaterOrEqual: return !a.lexicographicallyPrecedes(b)
            default: return false
            }
        case (.boolean(let a), .boolean(let b)): return equality(operation, a == b)
        case (.status(let a), .status(let b)): return equality(operation, a == b)
        case (.kind(let a), .kind(let b)): return equality(operation, a == b)
        default: return false
        }
    }

    private static func equality(_ operation: TraceQLOperator, _ areEqual: Bool) -> Bool {
        operation == .equal ? areEqual : operation == .notEqual ? !areEqual : false
    }

    static func arithmetic(
        _ operation: TraceQLOperator,
        _ left: TraceQLValue,
        _ right: TraceQLValue
    ) -> TraceQLValue {
        guard case .number(let a) = left, case .number(let b) = right else { return .missing }
        return .number(arithmetic(operation, a, b))
    }

    static func arithmetic(_ operation: TraceQLOperator, _ a: Double, _ b: Double) -> Double {
        switch operation {
        case .add: a + b
        case .subtract: a - b
        case .multiply: a * b
        case .divide: a / b
        case .modulo: fmod(a, b)
        case .power: pow(a, b)
        default: .nan
        }
    }
}
