/// Why a template does not parse, or could not be expanded.
package struct LineTemplateError: Error, Hashable {
    package let reason: String
}

/// The part of Go's text/template that `line_format` and `label_format` use.
///
/// Taken: text, `{{pipeline}}` with trim marks, `if`/`else if`/`else`/`end`, `with`, functions.
/// `range`, variables and `define` are refused by name.
package struct LineTemplate: Sendable {
    /// The longest text a template may make, in bytes.
    package static let outputBytesMax = 1 << 20

    indirect enum Node: Sendable {
        case text([UInt8])
        case action(Pipeline)
        case branch(Pipeline, then: [Node], otherwise: [Node], isWith: Bool)
    }

    /// Commands whose result is each the last argument of the next.
    typealias Pipeline = [[Operand]]

    indirect enum Operand: Sendable {
        case dot
        case label(String)
        case literal(LineTemplateValue)
        case function(String)
        case pipeline(Pipeline)
    }

    private let nodes: [Node]
    /// The labels it names.
    package let labels: Set<String>

    package init(parsing text: String) throws(LineTemplateError) {
        var parser = LineTemplateParser(text)
        nodes = try parser.parse()
        labels = parser.labels
    }

    /// What a template may refer to.
    package struct Environment {
        package let label: (String) -> [UInt8]?
        package let line: () -> [UInt8]
        /// Nanoseconds.
        package let time: Int64

        package init(
            label: @escaping (String) -> [UInt8]?,
            line: @escaping () -> [UInt8],
            time: Int64
        ) {
            self.label = label
            self.line = line
            self.time = time
        }
    }

    package func expand(_ environment: Environment) throws(LineTemplateError) -> [UInt8] {
        var output: [UInt8] = []
        try run(nodes, environment, dot: nil, into: &output)
        return output
    }

    private func run(
        _ nodes: [Node],
        _ environment: Environment,
        dot: LineTemplateValue?,
        into output: inout [UInt8]
    ) throws(LineTemplateError) {
        for node in nodes {
            switch node {
            case .text(let text): output += text
            case .action(let pipeline):
                output += try value(pipeline, environment, dot).bytes
            case .branch(let pipeline, let then, let otherwise, let isWith):
                let condition = try value(pipeline, environment, dot)
                let isTrue = condition.isTrue
                try run(
                    isTrue ? then : otherwise,
                    environment,
                    dot: isTrue && isWith ? condition : dot,
                    into: &output
                )
            }
            guard output.count <= Self.outputBytesMax else {
                throw LineTemplateError(reason: "more than \(Self.outputBytesMax) bytes of output")
            }
        }
    }

    private func value(
        _ pipeline: Pipeline,
        _ environment: Environment,
        _ dot: LineTemplateValue?
    ) throws(LineTemplateError) -> LineTemplateValue {
        var carried: LineTemplateValue?
        for command in pipeline {
            guard let first = command.first else { continue }
            guard case .function(let name) = first else {
                carried = try operand(first, environment, dot)
                continue
            }
            var arguments: [LineTemplateValue] = []
            for one in command.dropFirst() {
                arguments.append(try operand(one, environment, dot))
            }
            if let carried { arguments.append(carried) }
            carried = try LineTemplateFunctions.call(name, arguments, environment)
        }
        return carried ?? .string([])
    }

    private func operand(
        _ operand: Operand,
        _ environment: Environment,
        _ dot: LineTemplateValue?
    ) throws(LineTemplateError) -> LineTemplateValue {
        switch operand {
        case .dot: dot ?? .string([])
        case .label(let name): .string(environment.label(name) ?? [])
        case .literal(let value): value
        case .function(let name): try LineTemplateFunctions.call(name, [], environment)
        case .pipeline(let inner): try value(inner, environment, dot)
        }
    }
}

/// A value inside of a template.
enum LineTemplateValue: Sendable {
    case string([UInt8])
    case int(Int)
    case float(Double)
    case bool(Bool)

    var isTrue: Bool {
        switch self {
        case .string(let text): !text.isEmpty
        case .int(let number): number != 0
        case .float(let number): number != 0
        case .bool(let flag): flag
        }
    }

    var bytes: [UInt8] {
        switch self {
        case .string(let text): text
        case .int(let number): Array(number.description.utf8)
        case .float(let number): Array(NumberText.literal(number).utf8)
        case .bool(let flag): Array((flag ? "true" : "false").utf8)
        }
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The number it is or reads as, else 0, as Go's `cast` does.
    var double: Double {
        switch self {
        case .string(let text): Double(String(decoding: text, as: UTF8.self)) ?? 0
        case .int(let number): Double(number)
        case .float(let number): number
        case .bool(let flag): flag ? 1 : 0
        }
    }

    var integer: Int {
        if case .int(let number) = self { return number }
        let number = double
        return number.isFinite && number.magnitude < 0x1p62 ? Int(number) : 0
    }
}
