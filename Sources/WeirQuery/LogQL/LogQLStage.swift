package import WeirPattern

/// One stage of a log pipeline.
package enum LogQLStage: Hashable, Sendable {
    case line(LogQLLineFilter)
    /// Without expressions: everything in the line.
    case json([LogQLExtraction])
    case logfmt([LogQLExtraction], flags: Set<String>)
    case pattern(String)
    case regexp(String)
    case unpack
    case label(LogQLLabelFilter)
    case lineFormat(String)
    case labelFormat([LogQLLabelFormat])
    case drop([LogQLLabelPick])
    case keep([LogQLLabelPick])
    case decolorize
}

/// `|= "a" or "b"`.
package struct LogQLLineFilter: Hashable, Sendable {
    package enum Operation: String, Hashable, Sendable {
        case contains = "|="
        case notContains = "!="
        case matches = "|~"
        case notMatches = "!~"
        case pattern = "|>"
        case notPattern = "!>"

        var isNegated: Bool { self == .notContains || self == .notMatches || self == .notPattern }
    }

    package enum Operand: Hashable, Sendable {
        case text(String)
        /// `ip("10.0.0.0/8")`.
        case ip(String)
    }

    package var operation: Operation
    /// One or more; the filter asks for any of them.
    package var operands: [Operand]

    package init(operation: Operation, operands: [Operand]) {
        self.operation = operation
        self.operands = operands
    }
}

/// `label="path"` of `json` and `logfmt`.
package struct LogQLExtraction: Hashable, Sendable {
    package var label: String
    package var path: String
}

/// A condition on labels.
package indirect enum LogQLLabelFilter: Hashable, Sendable {
    package enum Quantity: Hashable, Sendable {
        case number(PromQLNumber)
        /// Nanoseconds.
        case duration(Int64)
        case bytes(PromQLNumber)
    }

    case matcher(LabelMatcher)
    case compare(label: String, BinaryOperator, Quantity)
    case ip(label: String, isNegated: Bool, range: String)
    case and(LogQLLabelFilter, LogQLLabelFilter)
    case or(LogQLLabelFilter, LogQLLabelFilter)
}

/// `target=source` or `target="template"`.
package struct LogQLLabelFormat: Hashable, Sendable {
    package enum Value: Hashable, Sendable {
        case label(String)
        case template(String)
    }

    package var target: String
    package var value: Value
}

/// What `drop` and `keep` name: a label, perhaps only where it has a value.
package struct LogQLLabelPick: Hashable, Sendable {
    package var label: String
    package var matcher: LabelMatcher?
}
