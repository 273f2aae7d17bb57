internal import WeirColumns
internal import WeirPattern

/// A stage made ready to run.
enum LogStep: Sendable {
    case line(TextTest)
    case filter(LogCondition)
    /// `wanted`: The only names that are needed; nil: all.
    case json([Extraction], wanted: Set<String>?)
    case logfmt([(label: String, key: [UInt8])], isStrict: Bool, keepsEmpty: Bool, Set<String>?)
    case pattern(LinePattern)
    case regexp(TextPattern, groups: [(name: String, number: Int)])
    case unpack
    case lineFormat(LineTemplate)
    case labelFormat([(target: String, value: Format)])
    case drop([(label: String, test: TextTest?)])
    case keep([(label: String, test: TextTest?)])
    case decolorize

    struct Extraction: Sendable {
        let label: String
        let path: JSONPath
    }

    enum Format: Sendable {
        case label(String)
        case template(LineTemplate)
    }
}

/// A label filter made ready to run.
indirect enum LogCondition: Sendable {
    enum Unit: Sendable {
        case number
        case duration
        case bytes

        /// What a text is in this unit; nil when it is not.
        func parse(_ text: Span<UInt8>) -> Double? {
            switch self {
            case .number:
                if let number = DecimalParser.double(text) { return number }
                guard text.count > 0, text.count <= 64 else { return nil }
                let string = unsafe text.withUnsafeBufferPointer {
                    unsafe String(decoding: $0, as: UTF8.self)
                }
                return Double(string)
            case .duration: return LogQLUnits.nanoseconds(text)
            case .bytes: return LogQLUnits.bytes(text)
            }
        }
    }

    case test(String, TextTest)
    case compare(String, BinaryOperator, Double, Unit)
    case ip(String, isNegated: Bool, IPRange)
    case and(LogCondition, LogCondition)
    case or(LogCondition, LogCondition)

    func collect(into names: inout Set<String>) {
        switch self {
        case .test(let name, _), .compare(let name, _, _, _), .ip(let name, _, _):
            names.insert(name)
        case .and(let left, let right), .or(let left, let right):
            left.collect(into: &names)
            right.collect(into: &names)
        }
    }

    var names: Set<String> {
        var names: Set<String> = []
        collect(into: &names)
        return names
    }

    /// The conditions that must all hold.
    var conjuncts: [LogCondition] {
        if case .and(let left, let right) = self { return left.conjuncts + right.conjuncts }
        return [self]
    }
}
