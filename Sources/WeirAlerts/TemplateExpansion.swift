/// One run of a template.
struct TemplateExpansion {
    /// The longest text a template may make, in bytes.
    static let outputBytesMax = 256 * 1024
    /// The most nodes and commands one run may take.
    static let stepsMax = 200_000

    let context: TemplateContext
    private(set) var output = ""
    private var dot: TemplateValue
    private let root: TemplateValue
    private var variables: [(name: String, value: TemplateValue)]
    private var steps = 0

    init(_ context: TemplateContext) {
        self.context = context
        root = .alert(
            labels: context.labels,
            external: context.externalLabels,
            url: context.externalURL,
            value: context.value
        )
        dot = root
        variables = [
            ("", root), ("labels", .labels(context.labels)),
            ("externalLabels", .labels(context.externalLabels)),
            ("externalURL", .string(context.externalURL)), ("value", .float(context.value)),
        ]
    }

    private enum Flow {
        case on
        case leave
        case next
    }

    mutating func run(_ nodes: [TemplateNode]) throws(TemplateError) { _ = try runList(nodes) }

    private mutating func count() throws(TemplateError) {
        steps += 1
        guard steps <= Self.stepsMax else {
            throw TemplateError(reason: "more than \(Self.stepsMax) steps")
        }
    }

    private mutating func write(_ text: String) throws(TemplateError) {
        guard output.utf8.count + text.utf8.count <= Self.outputBytesMax else {
            throw TemplateError(reason: "more than \(Self.outputBytesMax) bytes of output")
        }
        output += text
    }

    private mutating func runList(_ nodes: [TemplateNode]) throws(TemplateError) -> Flow {
        for node in nodes {
            try count()
            switch node {
            case .text(let text): try write(text)
            case .action(let pipeline):
                let value = try evaluate(pipeline)
                if pipeline.variables.isEmpty { try write(value.text) }
            case .branch(let pipeline, let then, let otherwise):
                let scope = variables.count
                let isTrue = try evaluate(pipeline).isTrue
                let flow = try runList(isTrue ? then : otherwise)
                variables.removeSubrange(scope...)
                if flow != .on { return flow }
            case .with(let pipeline, let then, let otherwise):
                let scope = variables.count
                let value = try evaluate(pipeline)
                let outer = dot
                if value.isTrue { dot = value }
                let flow = try runList(value.isTrue ? then : otherwise)
                dot = outer
                variables.removeSubrange(scope...)
                if flow != .on { return flow }
            case .range(let pipeline, let body, let otherwise):
                let flow = try runRange(pipeline, body, otherwise)
                if flow != .on { return flow }
            case .leave: return .leave
            case .next: return .next
            }
        }
        return .on
    }

    private mutating func runRange(
        _ pipeline: TemplatePipeline,
        _ body: [TemplateNode],
        _ otherwise: [TemplateNode]
    ) throws(TemplateError) -> Flow {
        let scope = variables.count
        defer { variables.removeSubrange(scope...) }
        var bare = pipeline
        bare.variables = []
        let value = try evaluate(bare)
        let items: [(key: TemplateValue, value: TemplateValue)]
        switch value {
        case .list(let list): items = list.enumerated().map { (.int($0.offset), $0.element) }
        case .labels(let labels):
            items = labels.sorted { $0.key < $1.key }
                .map { (.string($0.key), .string($0.value)) }
        case .map(let map):
            items = map.sorted { $0.key < $1.key }.map { (.string($0.key), $0.value) }
        case .int(let number) where number >= 0 && number <= Self.stepsMax:
            items = (0..<number).map { (.int($0), .int($0)) }
        case .none: items = []
        default: throw TemplateError(reason: "range can't iterate over \(value.kind)")
        }
        if items.isEmpty { return try runList(otherwise) }
        let outer = dot
        defer { dot = outer }
        for item in items {
            try count()
            let inner = variables.count
            let values = pipeline.variables.count == 2 ? [item.key, item.value] : [item.value]
            for (name, value) in zip(pipeline.variables, values) {
                try set(name, value, isDeclaration: pipeline.isDeclaration)
            }
            dot = item.value
            let flow = try runList(body)
            variables.removeSubrange(inner...)
            if flow == .leave { break }
        }
        return .on
    }

    private mutating func set(
        _ name: String,
        _ value: TemplateValue,
        isDeclaration: Bool
    ) throws(TemplateError) {
        if isDeclaration {
            variables.append((name, value))
        } else if let index = variables.lastIndex(where: { $0.name == name }) {
            variables[index].value = value
        } else {
            throw TemplateError(reason: "undefined variable: $\(name)")
        }
    }

    private mutating func evaluate(
        _ pipeline: TemplatePipeline
    ) throws(TemplateError) -> TemplateValue {
        var value: TemplateValue?
        for command in pipeline.commands { value = try evaluate(command, piped: value) }
        let result = value ?? .none
        for name in pipeline.variables {
            try set(name, result, isDeclaration: pipeline.isDeclaration)
        }
        return result
    }

    private mutating func evaluate(
        _ command: TemplateCommand,
        piped: TemplateValue?
    ) throws(TemplateError) -> TemplateValue {
        try count()
        guard let first = command.operands.first else { return .none }
        guard case .function(let name) = first.base else {
            guard command.operands.count == 1, piped == nil else {
                throw TemplateError(reason: "can't give argument to non-function")
            }
            return try evaluate(first)
        }
        let arguments = command.operands.dropFirst()
        if name == "and" || name == "or" {
            // Only as many as it takes are looked at.
            var last: TemplateValue = .none
            for (index, operand) in arguments.enumerated() {
                last = try evaluate(operand)
                let isLast = index == arguments.count - 1 && piped == nil
                if last.isTrue == (name == "or") || isLast { return try fields(first, of: last) }
            }
            guard let piped else {
                throw TemplateError(reason: "wrong number of args for \(name): want at least 1")
            }
            return piped
        }
        var values: [TemplateValue] = []
        for operand in arguments { values.append(try evaluate(operand)) }
        if let piped { values.append(piped) }
        return try fields(first, of: TemplateFunctions.call(name, values, context))
    }

    private mutating func evaluate(
        _ operand: TemplateOperand
    ) throws(TemplateError) -> TemplateValue {
        let base: TemplateValue
        switch operand.base {
        case .dot: base = dot
        case .literal(let value): base = value
        case .variable(let name):
            guard let variable = variables.last(where: { $0.name == name }) else {
                throw TemplateError(reason: "undefined variable: $\(name)")
            }
            base = variable.value
        case .function(let name): base = try TemplateFunctions.call(name, [], context)
        case .pipeline(let pipeline): base = try evaluate(pipeline)
        }
        return try fields(operand, of: base)
    }

    private func fields(
        _ operand: TemplateOperand,
        of base: TemplateValue
    ) throws(TemplateError) -> TemplateValue {
        var value = base
        for name in operand.fields { value = try value.field(name) }
        return value
    }
}
