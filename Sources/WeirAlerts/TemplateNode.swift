/// One piece of a template.
indirect enum TemplateNode: Sendable {
    case text(String)
    case action(TemplatePipeline)
    case branch(TemplatePipeline, then: [TemplateNode], otherwise: [TemplateNode])
    case with(TemplatePipeline, then: [TemplateNode], otherwise: [TemplateNode])
    case range(TemplatePipeline, body: [TemplateNode], otherwise: [TemplateNode])
    case leave
    case next
}

/// `$x := a b | c d`.
struct TemplatePipeline: Sendable {
    /// Variables that are set, without the dollar; two only in `range`.
    var variables: [String] = []
    /// Whether they are new (`:=`) or set anew (`=`).
    var isDeclaration = true
    var commands: [TemplateCommand] = []
}

/// A value, or a function and its arguments.
struct TemplateCommand: Sendable {
    var operands: [TemplateOperand]
}

/// One word of a command; `fields` are the `.A.B` that follow it.
struct TemplateOperand: Sendable {
    indirect enum Base: Sendable {
        case dot
        /// Without the dollar; empty for `$` itself.
        case variable(String)
        case function(String)
        case literal(TemplateValue)
        case pipeline(TemplatePipeline)
    }

    var base: Base
    var fields: [String] = []
}
