internal import WeirCore
internal import WeirPattern

/// The functions that templates may call: Go's own and Prometheus's.
enum TemplateFunctions {
    static let names: Set<String> = [
        "and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "len", "index", "slice", "print",
        "printf", "println", "html", "js", "urlquery", "query", "first", "label", "value",
        "strvalue", "args", "reReplaceAll", "safeHtml", "match", "title", "toUpper", "toLower",
        "graphLink", "tableLink", "sortByLabel", "humanize", "humanize1024", "humanizeDuration",
        "humanizePercentage", "humanizeTimestamp", "pathPrefix", "externalURL", "parseDuration",
        "stripPort", "stripDomain", "toTime",
    ]

    static func call(
        _ name: String,
        _ arguments: [TemplateValue],
        _ context: TemplateContext
    ) throws(TemplateError) -> TemplateValue {
        let call = Call(name: name, arguments: arguments)
        switch name {
        case "not":
            try call.expect(1)
            return .bool(!arguments[0].isTrue)
        case "eq", "ne", "lt", "le", "gt", "ge": return .bool(try call.compare())
        case "len":
            try call.expect(1)
            return .int(try call.length())
        case "index": return try call.index()
        case "slice": return .string(try call.slice())
        case "print": return .string(call.printed(spaces: false))
        case "println": return .string(call.printed(spaces: true) + "\n")
        case "printf":
            return .string(GoFormat.printf(try call.string(0), Array(arguments.dropFirst())))
        case "html": return .string(Self.html(call.printed(spaces: false)))
        case "js": return .string(Self.script(call.printed(spaces: false)))
        case "urlquery": return .string(Self.queryEscaped(call.printed(spaces: false)))
        case "query":
            try call.expect(1)
            return try Self.query(try call.string(0), context)
        case "first":
            try call.expect(1)
            guard let first = try call.list(0).first else {
                throw TemplateError(reason: "first() called on vector with no elements")
            }
            return first
        case "label":
            try call.expect(2)
            return .string(try call.sample(1).labels[try call.string(0)] ?? "")
        case "value":
            try call.expect(1)
            return .float(try call.sample(0).value)
        case "strvalue":
            try call.expect(1)
            return .string(try call.sample(0).labels["__value__"] ?? "")
        case "args":
            let pairs = arguments.enumerated().map { ("arg\($0.offset)", $0.element) }
            return .map(Dictionary(pairs) { _, last in last })
        case "sortByLabel":
            try call.expect(2)
            return .list(try call.sorted(by: try call.string(0)))
        case "humanize": return .string(Humanize.number(try call.number()))
        case "humanize1024": return .string(Humanize.binary(try call.number()))
        case "humanizeDuration": return .string(Humanize.duration(try call.number()))
        case "humanizePercentage": return .string(Humanize.percentage(try call.number()))
        case "humanizeTimestamp", "toTime":
            return .string(try Humanize.timestamp(try call.number()))
        case "pathPrefix":
            try call.expect(0)
            return .string(Self.path(of: context.externalURL))
        case "externalURL":
            try call.expect(0)
            return .string(context.externalURL)
        default: return try Self.text(call)
        }
    }

    /// Functions of texts only.
    private static func text(_ call: Call) throws(TemplateError) -> TemplateValue {
        switch call.name {
        case "safeHtml":
            try call.expect(1)
            return .string(try call.string(0))
        case "match":
            try call.expect(2)
            let pattern = try Self.pattern(try call.string(0))
            do throws(PatternError) {
                return .bool(try pattern.occurs(in: call.checkedString(1)))
            } catch {
                throw TemplateError(reason: "error calling match: the pattern is too expensive")
            }
        case "reReplaceAll":
            try call.expect(3)
            let pattern = try Self.pattern(try call.string(0))
            let (replacement, text) = (try call.string(1), try call.string(2))
            do throws(PatternError) {
                return .string(try pattern.replacingAll(in: text, with: replacement))
            } catch {
                throw TemplateError(
                    reason: "error calling reReplaceAll: the pattern is too expensive"
                )
            }
        case "title":
            try call.expect(1)
            return .string(titled(try call.string(0)))
        case "toUpper":
            try call.expect(1)
            return .string(try call.string(0).uppercased())
        case "toLower":
            try call.expect(1)
            return .string(try call.string(0).lowercased())
        case "graphLink":
            try call.expect(1)
            return .string("/graph?g0.expr=\(queryEscaped(try call.string(0)))&g0.tab=0")
        case "tableLink":
            try call.expect(1)
            return .string("/graph?g0.expr=\(queryEscaped(try call.string(0)))&g0.tab=1")
        case "parseDuration":
            try call.expect(1)
            guard let nanoseconds = Units.nanoseconds(try call.string(0)) else {
                throw TemplateError(reason: "error calling parseDuration: not a valid duration")
            }
            return .float(Double(nanoseconds) / 1e9)
        case "stripPort":
            try call.expect(1)
            return .string(Self.withoutPort(try call.string(0)))
        case "stripDomain":
            try call.expect(1)
            return .string(Self.withoutDomain(try call.string(0)))
        default:
            throw TemplateError(reason: "function \(GoFormat.quoted(call.name)) not defined")
        }
    }

    private static func pattern(_ text: String) throws(TemplateError) -> SearchPattern {
        do throws(PatternError) {
            return try SearchPattern(text)
        } catch {
            throw TemplateError(reason: "\(GoFormat.quoted(text)) is no regular expression")
        }
    }

    private static func query(
        _ expression: String,
        _ context: TemplateContext
    ) throws(TemplateError) -> TemplateValue {
        do throws(RuleEvaluationError) {
            let samples = try context.query(expression)
            return .list(
                samples.map {
                    .sample(labels: TemplateValue.dictionary($0.labels), value: $0.value)
                }
            )
        } catch {
            throw TemplateError(reason: "error calling query: \(error.reason)")
        }
    }

    private static func titled(_ text: String) -> String {
        var isStart = true
        var titled = ""
        for character in text {
            titled += isStart ? character.uppercased() : String(character)
            isStart =
                !(character.isLetter || character.isNumber || character == "_" || character == "'")
        }
        return titled
    }

    /// `%20` is written `+`, as Go's url.QueryEscape does it.
    static func queryEscaped(_ text: String) -> String {
        let hex = Array("0123456789ABCDEF".utf8)
        var escaped: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."), UInt8(ascii: "~"):
                escaped.append(byte)
            case UInt8(ascii: " "): escaped.append(UInt8(ascii: "+"))
            default:
                escaped += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }

    private static func html(_ text: String) -> String {
        text.map { character -> String in
            switch character {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            case "\"": "&#34;"
            case "'": "&#39;"
            default: String(character)
            }
        }
        .joined()
    }

    private static func script(_ text: String) -> String {
        text.map { character -> String in
            switch character {
            case "\\": "\\\\"
            case "'": "\\'"
            case "\"": "\\\""
            case "<": "\\u003C"
            case ">": "\\u003E"
            case "&": "\\u0026"
            case "=": "\\u003D"
            case "\n": "\\u000A"
            default: String(character)
            }
        }
        .joined()
    }

    private static func path(of url: String) -> String {
        guard let scheme = url.range(of: "://") else { return url }
        let rest = url[scheme.upperBound...]
        guard let slash = rest.firstIndex(of: "/") else { return "" }
        return String(rest[slash...].prefix { $0 != "?" && $0 != "#" })
    }

    private static func withoutPort(_ text: String) -> String {
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            let rest = text[text.index(after: end)...]
            guard rest.hasPrefix(":") else { return text }
            return String(text[text.index(after: text.startIndex)..<end])
        }
        guard text.filter({ $0 == ":" }).count == 1, let colon = text.firstIndex(of: ":") else {
            return text
        }
        return String(text[..<colon])
    }

    private static func withoutDomain(_ text: String) -> String {
        let host = withoutPort(text)
        let port = text.hasPrefix(host) ? String(text.dropFirst(host.count)) : ""
        // An address has no domain.
        let isAddress = host.contains(":") || host.allSatisfy { $0.isNumber || $0 == "." }
        return isAddress ? text : String(host.prefix { $0 != "." }) + port
    }
}

extension String {
    /// The first occurrence of `text`.
    fileprivate func range(of text: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) {
                return start..<index(start, offsetBy: text.count)
            }
            start = index(after: start)
        }
        return nil
    }
}
