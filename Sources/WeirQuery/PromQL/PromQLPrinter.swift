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
            writeWindow(of: subquery)
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

    /// What follows the expression of a subquery.
    static func window(of subquery: PromQLSubquery) -> String {
        var printer = Self()
        printer.writeWindow(of: subquery)
        return printer.text
    }

    private mutating func writeWindow(of subquery: PromQLSubquery) {
        let step = subquery.stepMilliseconds.map(PromQLDuration.text(milliseconds:)) ?? ""
        text += "[\(PromQLDuration.text(milliseconds: subquery.rangeMilliseconds)):\(step)]"
        write(subquery.shift)
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
            text += NumberText.plain(number.value)
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
        var matchers = selector.matchers
        if let name = selector.name {
            matchers.removeLast()
            text += name
        }
        let parts = matchers.map { matcher in
            Self.label(matcher.name) + matcher.operation.rawValue
                + PromQLStringLiteral.quote(matcher.value)
        }
        if parts.isEmpty, selector.name != nil { return }
        text += "{\(parts.sorted(by: Self.bytesPrecede).joined(separator: ","))}"
    }

    private static func bytesPrecede(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    /// A label name, quoted when it is no plain word.
    package static func label(_ name: String) -> String {
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
        if binary.operation == .power, case .number(let number) = binary.left,
            number.value == .infinity
        {
            // A sign would be read as one of the whole power.
            text += "Inf"
        } else {
            write(binary.left)
        }
        text += " \(Self.operation(of: binary)) "
        write(binary.right)
    }

    /// The operator with all that stands between the operands.
    static func operation(of binary: PromQLBinary) -> String {
        var text = binary.operation.rawValue
        if binary.returnsBool { text += " bool" }
        guard let matching = binary.matching else { return text }
        let isGrouped = matching.cardinality == .manyToOne || matching.cardinality == .oneToMany
        if matching.isOn || !matching.labels.isEmpty || isGrouped {
            text += (matching.isOn ? " on " : " ignoring ") + list(matching.labels)
        }
        if isGrouped {
            text += matching.cardinality == .manyToOne ? " group_left " : " group_right "
            text += list(matching.included)
        }
        return text
    }

    private mutating func write(_ aggregation: PromQLAggregation) {
        text += Self.head(of: aggregation)
        writeArguments((aggregation.parameter.map { [$0] } ?? []) + [aggregation.expression])
    }

    /// What stands before the arguments of an aggregation.
    static func head(of aggregation: PromQLAggregation) -> String {
        let name = aggregation.operation.rawValue
        let grouping = aggregation.grouping
        if grouping.isWithout { return "\(name) without \(list(grouping.labels)) " }
        return grouping.labels.isEmpty ? name : "\(name) by \(list(grouping.labels)) "
    }
}
