/// Reads the text of a line template.
struct LineTemplateParser {
    private static let depthMax = 32
    private let bytes: [UInt8]
    private var offset = 0
    private var trimsNext = false
    private(set) var labels: Set<String> = []

    init(_ text: String) { bytes = Array(text.utf8) }

    mutating func parse() throws(LineTemplateError) -> [LineTemplate.Node] {
        let (nodes, end) = try parseList(depth: 0)
        guard end == nil else { throw LineTemplateError(reason: "unexpected {{\(end ?? "")}}") }
        return nodes
    }

    private func isAt(_ text: StaticString, _ index: Int) -> Bool {
        index >= 0 && index <= bytes.count && bytes[index...].starts(with: text.description.utf8)
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }

    private mutating func takeText() -> [UInt8] {
        let start = offset
        while offset < bytes.count, !isAt("{{", offset) { offset += 1 }
        var text = bytes[start..<offset]
        if trimsNext { text = text.drop(while: Self.isSpace) }
        trimsNext = false
        if offset < bytes.count {
            offset += 2
            if isAt("- ", offset) {
                offset += 1
                while let last = text.last, Self.isSpace(last) { text = text.dropLast() }
            }
        }
        return Array(text)
    }

    private mutating func skipSpace() {
        while offset < bytes.count, Self.isSpace(bytes[offset]) { offset += 1 }
    }

    private mutating func takeWord() -> String {
        let start = offset
        while offset < bytes.count,
            PromQLLexer.isNameStart(bytes[offset]) || PromQLLexer.isDigit(bytes[offset])
        {
            offset += 1
        }
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }

    private mutating func closeAction() throws(LineTemplateError) {
        skipSpace()
        if isAt("-}}", offset) {
            trimsNext = true
            offset += 1
        }
        guard isAt("}}", offset) else { throw LineTemplateError(reason: "unclosed action") }
        offset += 2
    }

    private mutating func parseList(
        depth: Int
    ) throws(LineTemplateError) -> (nodes: [LineTemplate.Node], end: String?) {
        guard depth <= Self.depthMax else { throw LineTemplateError(reason: "nested too deep") }
        var nodes: [LineTemplate.Node] = []
        while offset < bytes.count {
            let text = takeText()
            if !text.isEmpty { nodes.append(.text(text)) }
            guard offset < bytes.count || isAt("{{", offset - 2) else { break }
            skipSpace()
            if isAt("/*", offset) {
                while offset < bytes.count, !isAt("*/", offset) { offset += 1 }
                offset = min(offset + 2, bytes.count)
                try closeAction()
                continue
            }
            let start = offset
            let word = takeWord()
            switch word {
            case "end":
                try closeAction()
                return (nodes, word)
            case "else": return (nodes, word)
            case "if", "with":
                nodes.append(try parseBranch(isWith: word == "with", depth: depth))
            case "range", "define", "template", "block", "break", "continue":
                throw LineTemplateError(reason: "{{\(word)}} is not supported")
            default:
                offset = start
                nodes.append(.action(try parsePipeline(depth: depth)))
                try closeAction()
            }
        }
        return (nodes, nil)
    }

    private mutating func parseBranch(
        isWith: Bool,
        depth: Int
    ) throws(LineTemplateError) -> LineTemplate.Node {
        guard depth <= Self.depthMax else { throw LineTemplateError(reason: "nested too deep") }
        let condition = try parsePipeline(depth: depth)
        try closeAction()
        let (then, end) = try parseList(depth: depth + 1)
        guard let end else { throw LineTemplateError(reason: "missing {{end}}") }
        var otherwise: [LineTemplate.Node] = []
        if end == "else" {
            skipSpace()
            let start = offset
            let word = takeWord()
            if word == "if" || word == "with" {
                otherwise = [try parseBranch(isWith: word == "with", depth: depth + 1)]
            } else {
                offset = start
                try closeAction()
                let (nodes, last) = try parseList(depth: depth + 1)
                guard last == "end" else { throw LineTemplateError(reason: "missing {{end}}") }
                otherwise = nodes
            }
        }
        return .branch(condition, then: then, otherwise: otherwise, isWith: isWith)
    }

    private mutating func parsePipeline(
        depth: Int
    ) throws(LineTemplateError) -> LineTemplate.Pipeline {
        guard depth <= Self.depthMax else { throw LineTemplateError(reason: "nested too deep") }
        var pipeline: LineTemplate.Pipeline = []
        var command: [LineTemplate.Operand] = []
        while true {
            skipSpace()
            guard offset < bytes.count else { throw LineTemplateError(reason: "unclosed action") }
            if isAt("}}", offset) || isAt("-}}", offset) || bytes[offset] == UInt8(ascii: ")") {
                break
            }
            if bytes[offset] == UInt8(ascii: "|") {
                guard !command.isEmpty else {
                    throw LineTemplateError(reason: "missing value for command")
                }
                pipeline.append(command)
                command = []
                offset += 1
                continue
            }
            command.append(try parseOperand(depth: depth))
        }
        guard !command.isEmpty else { throw LineTemplateError(reason: "missing value for command") }
        pipeline.append(command)
        return pipeline
    }

    private mutating func parseOperand(
        depth: Int
    ) throws(LineTemplateError) -> LineTemplate.Operand {
        let byte = bytes[offset]
        switch byte {
        case UInt8(ascii: "("):
            offset += 1
            let inner = try parsePipeline(depth: depth + 1)
            guard offset < bytes.count, bytes[offset] == UInt8(ascii: ")") else {
                throw LineTemplateError(reason: "unclosed left paren")
            }
            offset += 1
            return .pipeline(inner)
        case UInt8(ascii: "\""), UInt8(ascii: "`"):
            do throws(QueryError) {
                let text = try PromQLStringLiteral.parse(bytes, at: &offset)
                return .literal(.string(Array(text.utf8)))
            } catch {
                throw LineTemplateError(reason: "bad string in template")
            }
        case UInt8(ascii: "."):
            offset += 1
            let name = takeWord()
            if name.isEmpty { return .dot }
            labels.insert(name)
            return .label(name)
        case UInt8(ascii: "$"):
            throw LineTemplateError(reason: "variables are not supported")
        case _ where PromQLLexer.isDigit(byte) || byte == UInt8(ascii: "-"):
            let start = offset
            offset += 1
            while offset < bytes.count,
                PromQLLexer.isDigit(bytes[offset]) || bytes[offset] == UInt8(ascii: ".")
                    || bytes[offset] | 0x20 == UInt8(ascii: "e")
            {
                offset += 1
            }
            let text = String(decoding: bytes[start..<offset], as: UTF8.self)
            if let number = Int(text) { return .literal(.int(number)) }
            guard let number = Double(text) else {
                throw LineTemplateError(reason: "bad number syntax: \"\(text)\"")
            }
            return .literal(.float(number))
        default:
            let word = takeWord()
            switch word {
            case "":
                throw LineTemplateError(
                    reason: "unexpected \"\(Character(Unicode.Scalar(byte)))\" in action"
                )
            case "true": return .literal(.bool(true))
            case "false": return .literal(.bool(false))
            default:
                guard LineTemplateFunctions.names.contains(word) else {
                    throw LineTemplateError(reason: "function \"\(word)\" not defined")
                }
                return .function(word)
            }
        }
    }
}
