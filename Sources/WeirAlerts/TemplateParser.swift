/// Builds nodes of chunks.
///
/// Variables and functions are looked up here already, as Go does.
struct TemplateParser {
    /// Deeper nesting is refused.
    private static let depthMax = 64

    private let chunks: [TemplateChunk]
    private var index = 0
    /// Variables that may be named, innermost last.
    private var variables = ["", "labels", "externalLabels", "externalURL", "value"]

    static func parse(_ text: String) throws(TemplateError) -> [TemplateNode] {
        guard text.utf8.count <= 1 << 20 else { throw TemplateError(reason: "over 1 MiB long") }
        var parser = TemplateParser(chunks: try TemplateLexer.chunks(text))
        let (nodes, end) = try parser.parseList(depth: 0, loops: 0)
        if let end { throw TemplateError(reason: "unexpected {{\(end.word)}}") }
        return nodes
    }

    private init(chunks: [TemplateChunk]) { self.chunks = chunks }

    /// What ended a list: `end`, or `else` with what follows it.
    private struct End {
        let word: String
        let rest: [TemplateToken]
    }

    private mutating func parseList(
        depth: Int,
        loops: Int
    ) throws(TemplateError) -> ([TemplateNode], End?) {
        guard depth <= Self.depthMax else { throw TemplateError(reason: "nested too deep") }
        var nodes: [TemplateNode] = []
        while index < chunks.count {
            let chunk = chunks[index]
            index += 1
            guard case .action(let tokens) = chunk else {
                if case .text(let text) = chunk { nodes.append(.text(text)) }
                continue
            }
            guard let first = tokens.first else {
                throw TemplateError(reason: "missing value for command")
            }
            let rest = Array(tokens.dropFirst())
            guard case .name(let word) = first else {
                nodes.append(.action(try parsePipeline(tokens, in: "command")))
                continue
            }
            switch word {
            case "end", "else": return (nodes, End(word: word, rest: rest))
            case "if", "with", "range":
                nodes.append(try parseBlock(word, rest, depth: depth, loops: loops))
            case "break", "continue":
                guard loops > 0, rest.isEmpty else {
                    throw TemplateError(reason: "{{\(word)}} outside {{range}}")
                }
                nodes.append(word == "break" ? .leave : .next)
            case "define", "template", "block":
                throw TemplateError(reason: "{{\(word)}} is not supported in rules")
            default: nodes.append(.action(try parsePipeline(tokens, in: "command")))
            }
        }
        return (nodes, nil)
    }

    private mutating func parseBlock(
        _ word: String,
        _ tokens: [TemplateToken],
        depth: Int,
        loops: Int
    ) throws(TemplateError) -> TemplateNode {
        let scope = variables.count
        defer { variables.removeSubrange(scope...) }
        let pipeline = try parsePipeline(tokens, in: word)
        let innerLoops = loops + (word == "range" ? 1 : 0)
        let (body, end) = try parseList(depth: depth + 1, loops: innerLoops)
        guard let end else { throw TemplateError(reason: "unclosed {{\(word)}}") }
        var otherwise: [TemplateNode] = []
        if end.word == "else" {
            if case .name(let inner)? = end.rest.first, inner == "if" || inner == "with" {
                // `else if` is an `if` inside of `else`, closed by the same `end`.
                let rest = Array(end.rest.dropFirst())
                otherwise = [try parseBlock(inner, rest, depth: depth + 1, loops: loops)]
            } else {
                guard end.rest.isEmpty else {
                    throw TemplateError(reason: "unexpected text in else")
                }
                let (nodes, last) = try parseList(depth: depth + 1, loops: loops)
                guard last?.word == "end" else {
                    throw TemplateError(reason: "unclosed {{\(word)}}")
                }
                otherwise = nodes
            }
        }
        switch word {
        case "if": return .branch(pipeline, then: body, otherwise: otherwise)
        case "with": return .with(pipeline, then: body, otherwise: otherwise)
        default: return .range(pipeline, body: body, otherwise: otherwise)
        }
    }

    private mutating func parsePipeline(
        _ tokens: [TemplateToken],
        in context: String
    ) throws(TemplateError) -> TemplatePipeline {
        var pipeline = TemplatePipeline()
        var position = 0
        if case .variable(let name)? = tokens.first, tokens.count > 1 {
            switch tokens[1] {
            case .declare, .assign:
                pipeline.variables = [name]
                pipeline.isDeclaration = tokens[1] == .declare
                position = 2
            case .comma where context == "range" && tokens.count > 3:
                if case .variable(let second) = tokens[2],
                    tokens[3] == .declare || tokens[3] == .assign
                {
                    pipeline.variables = [name, second]
                    pipeline.isDeclaration = tokens[3] == .declare
                    position = 4
                }
            default: break
            }
        }
        try parseCommands(tokens, &position, into: &pipeline, depth: 0)
        guard position == tokens.count else {
            throw TemplateError(reason: "unexpected right paren in \(context)")
        }
        for name in pipeline.variables {
            if pipeline.isDeclaration {
                variables.append(name)
            } else {
                try checkVariable(name)
            }
        }
        return pipeline
    }

    private func checkVariable(_ name: String) throws(TemplateError) {
        guard variables.contains(name) else {
            throw TemplateError(reason: "undefined variable \(GoFormat.quoted("$" + name))")
        }
    }

    private func parseCommands(
        _ tokens: [TemplateToken],
        _ position: inout Int,
        into pipeline: inout TemplatePipeline,
        depth: Int
    ) throws(TemplateError) {
        guard depth <= Self.depthMax else { throw TemplateError(reason: "nested too deep") }
        var operands: [TemplateOperand] = []
        func finishCommand() throws(TemplateError) {
            guard let first = operands.first else {
                throw TemplateError(reason: "missing value for command")
            }
            if !pipeline.commands.isEmpty, case .literal = first.base {
                throw TemplateError(reason: "non executable command in pipeline")
            }
            pipeline.commands.append(TemplateCommand(operands: operands))
            operands = []
        }
        while position < tokens.count {
            let token = tokens[position]
            switch token {
            case .rightParenthesis:
                try finishCommand()
                return
            case .pipe:
                try finishCommand()
                position += 1
                guard position < tokens.count else {
                    throw TemplateError(reason: "missing value for command")
                }
                continue
            case .leftParenthesis:
                position += 1
                var inner = TemplatePipeline()
                try parseCommands(tokens, &position, into: &inner, depth: depth + 1)
                guard position < tokens.count, tokens[position] == .rightParenthesis else {
                    throw TemplateError(reason: "unclosed left paren")
                }
                operands.append(TemplateOperand(base: .pipeline(inner)))
            case .name(let name):
                guard TemplateFunctions.names.contains(name) else {
                    throw TemplateError(
                        reason: "function \(GoFormat.quoted(name)) not defined"
                    )
                }
                operands.append(TemplateOperand(base: .function(name)))
            case .variable(let name):
                try checkVariable(name)
                operands.append(TemplateOperand(base: .variable(name)))
            case .literal(let value): operands.append(TemplateOperand(base: .literal(value)))
            case .dot: operands.append(TemplateOperand(base: .dot))
            case .field(let name, let isAttached):
                if isAttached, !operands.isEmpty {
                    operands[operands.count - 1].fields.append(name)
                } else {
                    operands.append(TemplateOperand(base: .dot, fields: [name]))
                }
            case .declare, .assign, .comma:
                throw TemplateError(reason: "unexpected assignment or comma in command")
            }
            position += 1
        }
        try finishCommand()
    }
}
