internal import WeirCore
internal import WeirPattern

/// Writes expressions as canonical LogQL: reading the text back gives the same expression.
package struct LogQLPrinter {
    private var text = ""

    package static func print(_ expression: LogQLExpression) -> String {
        var printer = Self()
        printer.write(expression)
        return printer.text
    }

    package static func print(_ query: LogQLQuery) -> String { print(.logs(query)) }

    private static func quote(_ text: String) -> String {
        // Backquotes keep regular expressions and templates readable.
        let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "`") && $0 != 0x7F }
        if isPlain, text.utf8.contains(UInt8(ascii: "\\")) || text.utf8.contains(0x22) {
            return "`\(text)`"
        }
        return PromQLStringLiteral.quote(text)
    }

    private mutating func write(_ expression: LogQLExpression) {
        switch expression {
        case .logs(let query): write(query)
        case .number(let number): text += Self.literal(number)
        case .vector(let number): text += "vector(\(Self.literal(number)))"
        case .range(let range): write(range)
        case .aggregation(let aggregation):
            text += aggregation.operation.rawValue
            write(aggregation.grouping)
            text += "("
            if let parameter = aggregation.parameter { text += Self.literal(parameter) + ", " }
            write(aggregation.expression)
            text += ")"
        case .sorted(let inner, let isDescending):
            text += isDescending ? "sort_desc(" : "sort("
            write(inner)
            text += ")"
        case .labelReplace(let replace):
            text += "label_replace("
            write(replace.expression)
            for part in [replace.target, replace.replacement, replace.source, replace.pattern] {
                text += ", " + Self.quote(part)
            }
            text += ")"
        case .binary(let binary): write(binary)
        case .parenthesized(let inner):
            text += "("
            write(inner)
            text += ")"
        }
    }

    private static func literal(_ number: PromQLNumber) -> String {
        NumberText.literal(number.value)
    }

    private mutating func write(_ grouping: Grouping?) {
        guard let grouping, grouping.isWithout || !grouping.labels.isEmpty else { return }
        text += grouping.isWithout ? " without " : " by "
        text += "(" + grouping.labels.joined(separator: ", ") + ") "
    }

    private mutating func write(_ binary: LogQLBinary) {
        write(binary.left)
        text += " \(binary.operation.rawValue)"
        if binary.returnsBool { text += " bool" }
        if let matching = binary.matching {
            let isGrouped =
                matching.cardinality == .manyToOne || matching.cardinality == .oneToMany
            if matching.isOn || !matching.labels.isEmpty || isGrouped {
                text += matching.isOn ? " on " : " ignoring "
                text += "(" + matching.labels.joined(separator: ", ") + ")"
            }
            if isGrouped {
                text += matching.cardinality == .manyToOne ? " group_left " : " group_right "
                text += "(" + matching.included.joined(separator: ", ") + ")"
            }
        }
        text += " "
        write(binary.right)
    }

    private mutating func write(_ range: LogQLRangeAggregation) {
        text += range.operation.rawValue + "("
        if let parameter = range.parameter { text += Self.literal(parameter) + ", " }
        write(range.query)
        if let unwrap = range.unwrap {
            text += " | unwrap "
            text +=
                unwrap.conversion == .none
                ? unwrap.label : "\(unwrap.conversion.rawValue)(\(unwrap.label))"
            for filter in unwrap.filters {
                text += " | "
                write(filter, inside: false)
            }
        }
        text += " [\(LogQLUnits.text(nanoseconds: range.rangeNanoseconds))]"
        if range.offsetNanoseconds != 0 {
            text += " offset \(LogQLUnits.text(nanoseconds: range.offsetNanoseconds))"
        }
        text += ")"
        if let grouping = range.grouping {
            text += grouping.isWithout ? " without " : " by "
            text += "(" + grouping.labels.joined(separator: ", ") + ")"
        }
    }

    private mutating func write(_ query: LogQLQuery) {
        text += "{" + query.matchers.map(Self.matcher).joined(separator: ", ") + "}"
        for stage in query.stages {
            text += " "
            write(stage)
        }
    }

    private static func matcher(_ matcher: LabelMatcher) -> String {
        matcher.name + matcher.operation.rawValue + quote(matcher.value)
    }

    private static func extractions(_ list: [LogQLExtraction]) -> String {
        list.map { " \($0.label)=\(quote($0.path))" }.joined(separator: ",")
    }

    private mutating func write(_ stage: LogQLStage) {
        switch stage {
        case .line(let filter):
            text += filter.operation.rawValue + " "
            text += filter.operands.map { operand in
                switch operand {
                case .text(let text): Self.quote(text)
                case .ip(let text): "ip(\(Self.quote(text)))"
                }
            }.joined(separator: " or ")
        case .json(let list): text += "| json" + Self.extractions(list)
        case .logfmt(let list, let flags):
            text += "| logfmt" + flags.sorted().map { " --" + $0 }.joined()
            text += Self.extractions(list)
        case .pattern(let pattern): text += "| pattern " + Self.quote(pattern)
        case .regexp(let pattern): text += "| regexp " + Self.quote(pattern)
        case .unpack: text += "| unpack"
        case .decolorize: text += "| decolorize"
        case .label(let filter):
            text += "| "
            write(filter, inside: false)
        case .lineFormat(let template): text += "| line_format " + Self.quote(template)
        case .labelFormat(let formats):
            text += "| label_format "
            text += formats.map { format in
                switch format.value {
                case .label(let name): "\(format.target)=\(name)"
                case .template(let template): "\(format.target)=\(Self.quote(template))"
                }
            }.joined(separator: ", ")
        case .drop(let picks): text += "| drop " + Self.picks(picks)
        case .keep(let picks): text += "| keep " + Self.picks(picks)
        }
    }

    private static func picks(_ picks: [LogQLLabelPick]) -> String {
        picks.map { $0.matcher.map(matcher) ?? $0.label }.joined(separator: ", ")
    }

    private mutating func write(_ filter: LogQLLabelFilter, inside: Bool) {
        switch filter {
        case .matcher(let matcher): text += Self.matcher(matcher)
        case .compare(let label, let operation, let quantity):
            text += "\(label) \(operation.rawValue) "
            switch quantity {
            case .number(let number): text += Self.literal(number)
            case .duration(let nanoseconds): text += LogQLUnits.text(nanoseconds: nanoseconds)
            case .bytes(let number): text += NumberText.plain(number.value) + "B"
            }
        case .ip(let label, let isNegated, let range):
            text += "\(label) \(isNegated ? "!=" : "=") ip(\(Self.quote(range)))"
        case .and(let left, let right): write(left, " and ", right, inside: inside)
        case .or(let left, let right): write(left, " or ", right, inside: inside)
        }
    }

    private mutating func write(
        _ left: LogQLLabelFilter,
        _ word: String,
        _ right: LogQLLabelFilter,
        inside: Bool
    ) {
        if inside { text += "(" }
        write(left, inside: true)
        text += word
        write(right, inside: true)
        if inside { text += ")" }
    }
}
