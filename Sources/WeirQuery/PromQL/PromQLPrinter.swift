internal import WeirCore
internal import WeirPattern

/// Writes expressions as canonical PromQL: reading the text back gives the same expression.
package struct PromQLPrinter {
    private var text = ""

    package static func print(_ expression: PromQLExpression) -> String {
        var printer = Self()
        printer.write(expression)
        return printer.text
    }

    private mutating func write(_ expression: PromQLExpression) {
        switch expression {
        case .number(let number): write(number)
        case .string(let string): text += PromQLStringLiteral.quote(string)
        case .selector(let selector):
            write(selector)
            write(selector.shift)
        case .range(let range):
            write(range.selector)
            text += "[\(PromQLDuration.text(milliseconds: range.rangeMilliseconds))]"
            write(range.selector.shift)
        case .subquery(let subquery):
            write(subquery.expression)
            let step = subquery.stepMilliseconds.map(PromQLDuration.text(milliseconds:)) ?? ""
            text += "[\(PromQLDuration.text(milliseconds: subquery.rangeMilliseconds)):\(step)]"
            write(subquery.shift)
        case .parenthesized(let inner):
            text += "("
            write(inner)
            text += ")"
        case .negated(let inner):
            text += "-"
            write(inner)
        case .affirmed(let inner):
            text += "+"
            write(inner)
        case .binary(let binary): write(binary)
        case .aggregation(let aggregation): write(aggregation)
        case .call(let call):
            text += call.function.rawValue
            writeArguments(call.arguments)
        }
    }

    private mutating func writeArguments(_ arguments: [PromQLExpression]) {
        text += "("
        for (index, argument) in arguments.enumerated() {
            if index > 0 { text += ", " }
            write(argument)
        }
        text += ")"
    }

    private mutating func write(_ number: PromQLNumber) {
        guard number.isDuration else {
            text += NumberText.literal(number.value)
            return
        }
        text += number.value.sign == .minus ? "-" : ""
        let milliseconds = Int64((number.value.magnitude * 1000).rounded())
        text += PromQLDuration.text(milliseconds: milliseconds)
    }

    private mutating func write(_ shift: PromQLTimeShift) {
        switch shift.anchor {
        case .start: text += " @ start()"
        case .end: text += " @ end()"
        case .milliseconds(let milliseconds):
            let fraction = String(milliseconds.magnitude % 1000 + 1000).dropFirst()
            text +=
                " @ \(milliseconds < 0 ? "-" : "")\(milliseconds.magnitude / 1000).\(fraction)"
        case nil: break
        }
        if shift.offsetMilliseconds != 0 {
            text += " offset \(PromQLDuration.text(milliseconds: shift.offsetMilliseconds))"
        }
    }

    private mutating func write(_ selector: PromQLSelector) {
        var parts: [String] = []
        var matchers = selector.matchers
        if let name = selector.name {
            matchers.removeLast()
            if Self.isPlainMetricName(name) {
                text += name
            } else {
                parts.append(PromQLStringLiteral.quote(name))
            }
        }
        for matcher in matchers {
            parts.append(
                Self.label(matcher.name) + matcher.operation.rawValue
                    + PromQLStringLiteral.quote(matcher.value)
            )
        }
        if !parts.isEmpty || selector.name == nil { text += "{\(parts.joined(separator: ","))}" }
    }

    /// Whether `name` may stand alone as a metric.
    private static func isPlainMetricName(_ name: String) -> Bool {
        let isWord = name.utf8.allSatisfy {
            PromQLLexer.isNameStart($0) || PromQLLexer.isDigit($0) || $0 == UInt8(ascii: ":")
        }
        guard isWord, let first = name.utf8.first, !PromQLLexer.isDigit(first) else { return false }
        let reserved: Set<String> = [
            "on", "ignoring", "group_left", "group_right", "bool", "atan2", "inf", "nan",
        ]
        return !reserved.contains(name.lowercased())
    }

    /// A label name, quoted when it is no plain word.
    private static func label(_ name: String) -> String {
        let isWord = name.utf8.allSatisfy {
            PromQLLexer.isNameStart($0) || PromQLLexer.isDigit($0)
        }
        guard isWord, let first = name.utf8.first, !PromQLLexer.isDigit(first) else {
            return PromQLStringLiteral.quote(name)
        }
        return name
    }

    private static func list(_ labels: [String]) -> String {
        "(" + labels.map(label).joined(separator: ", ") + ")"
    }

    private mutating func write(_ binary: PromQLBinary) {
        write(binary.left)
        text += " \(binary.operation.rawValue)"
        if binary.returnsBool { text += " bool" }
        if let matching = binary.matching {
            let isGrouped =
                matching.cardinality == .manyToOne || matching.cardinality == .oneToMany
            if matching.isOn || !matching.labels.isEmpty || isGrouped {
                text += matching.isOn ? " on " : " ignoring "
                text += Self.list(matching.labels)
            }
            if isGrouped {
                text += matching.cardinality == .manyToOne ? " group_left " : " group_right "
                text += Self.list(matching.included)
            }
        }
        text += " "
        write(binary.right)
    }

    private mutating func write(_ aggregation: PromQLAggregation) {
        text += aggregation.operation.rawValue
        let grouping = aggregation.grouping
        if grouping.isWithout {
            text += " without \(Self.list(grouping.labels)) "
        } else if !grouping.labels.isEmpty {
            text += " by \(Self.list(grouping.labels)) "
        }
        writeArguments((aggregation.parameter.map { [$0] } ?? []) + [aggregation.expression])
    }
}
