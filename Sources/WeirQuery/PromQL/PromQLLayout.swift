internal import WeirCore

/// Lays expressions out over several lines where one would be longer than a hundred characters, as
/// Prometheus's formatter does.
package enum PromQLLayout {
    private static let lineMax = 100

    package static func format(_ expression: PromQLExpression) -> String {
        format(expression, level: 0)
    }

    private static func indent(_ level: Int) -> String {
        String(repeating: "  ", count: level)
    }

    private static func format(_ expression: PromQLExpression, level: Int) -> String {
        let line = PromQLPrinter.print(expression)
        let margin = indent(level)
        guard line.utf8.count > lineMax else {
            if case .subquery = expression { return line }
            return margin + line
        }
        switch expression {
        case .number, .string, .selector, .range: return margin + line
        case .subquery(let subquery):
            return format(subquery.expression, level: level) + PromQLPrinter.window(of: subquery)
        case .parenthesized(let inner):
            return "\(margin)(\n\(format(inner, level: level + 1))\n\(margin))"
        case .negated(let inner): return margin + "-" + trimmed(format(inner, level: level))
        case .affirmed(let inner): return margin + "+" + trimmed(format(inner, level: level))
        case .binary(let binary):
            return format(binary.left, level: level + 1) + "\n\(margin)"
                + PromQLPrinter.operation(of: binary) + "\n"
                + format(binary.right, level: level + 1)
        case .aggregation(let aggregation):
            let parts = (aggregation.parameter.map { [$0] } ?? []) + [aggregation.expression]
            return margin + PromQLPrinter.head(of: aggregation) + list(parts, level)
        case .call(let call):
            return margin + call.function.rawValue + list(call.arguments, level)
        }
    }

    private static func list(_ parts: [PromQLExpression], _ level: Int) -> String {
        let lines = parts.map { format($0, level: level + 1) }
        return "(\n\(lines.joined(separator: ",\n"))\n\(indent(level)))"
    }

    private static func trimmed(_ text: String) -> Substring {
        text.drop { $0 == " " || $0 == "\n" }
    }
}
