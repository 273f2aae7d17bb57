internal import Glibc
internal import Synchronization
internal import WeirPattern

/// The functions of line templates, as Loki documents them.
enum LineTemplateFunctions {
    static let names: Set<String> = [
        "ToLower", "ToUpper", "lower", "upper", "title", "trim", "TrimSpace", "Trim", "TrimLeft",
        "TrimRight", "TrimPrefix", "TrimSuffix", "trimAll", "trimPrefix", "trimSuffix", "Replace",
        "replace", "trunc", "substr", "contains", "hasPrefix", "hasSuffix", "repeat", "printf",
        "print", "default", "regexReplaceAll", "regexReplaceAllLiteral", "count", "indent",
        "nindent", "alignLeft", "alignRight", "add", "sub", "mul", "div", "mod", "addf", "subf",
        "mulf", "divf", "max", "min", "maxf", "minf", "float64", "int", "round", "ceil", "floor",
        "bytes", "duration", "duration_seconds", "unixEpoch", "unixEpochMillis", "unixEpochNanos",
        "__line__", "__timestamp__", "eq", "ne", "lt", "le", "gt", "ge", "and", "or", "not", "len",
    ]

    private static let patterns = Mutex<[String: SearchPattern]>([:])

    static func call(
        _ name: String,
        _ arguments: [LineTemplateValue],
        _ environment: LineTemplate.Environment
    ) throws(LineTemplateError) -> LineTemplateValue {
        let call = Call(name: name, arguments: arguments)
        switch name {
        case "__line__": return .string(environment.line())
        case "__timestamp__": return .string(LogTime.rfc3339(environment.time))
        case "unixEpoch", "unixEpochMillis", "unixEpochNanos":
            let divisor = ["unixEpoch": 1_000_000_000, "unixEpochMillis": 1_000_000][name] ?? 1
            return .string(Array((Int(environment.time) / divisor).description.utf8))
        case "and", "or":
            _ = try call.argument(0)
            for argument in arguments where argument.isTrue == (name == "or") { return argument }
            return arguments[arguments.count - 1]
        case "not": return .bool(try !call.argument(0).isTrue)
        case "len": return .int(try call.argument(0).bytes.count)
        case "eq", "ne", "lt", "le", "gt", "ge": return .bool(try call.compare())
        case "print": return .string(arguments.flatMap(\.bytes))
        case "printf": return .string(try call.formatted())
        case "default":
            return try call.argument(1).isTrue ? arguments[1] : arguments[0]
        case "float64": return .float(try call.argument(0).double)
        case "int": return .int(try call.argument(0).integer)
        default:
            if let number = try call.arithmetic() { return number }
            return try call.text()
        }
    }

    /// One call, with checked access to its arguments.
    private struct Call {
        let name: String
        let arguments: [LineTemplateValue]

        func argument(_ index: Int) throws(LineTemplateError) -> LineTemplateValue {
            guard index < arguments.count else {
                throw LineTemplateError(
                    reason: "wrong number of args for \(name): want at least \(index + 1) got "
                        + "\(arguments.count)"
                )
            }
            return arguments[index]
        }

        func string(_ index: Int) throws(LineTemplateError) -> String { try argument(index).text }

        func compare() throws(LineTemplateError) -> Bool {
            let left = try argument(0)
            let right = try argument(1)
            let order: Int
            if case .string(let left) = left, case .string(let right) = right {
                order =
                    left == right ? 0 : left.lexicographicallyPrecedes(right) ? -1 : 1
            } else {
                let (left, right) = (left.double, right.double)
                order = left == right ? 0 : left < right ? -1 : 1
            }
            return switch name {
            case "eq": order == 0
            case "ne": order != 0
            case "lt": order < 0
            case "le": order <= 0
            case "gt": order > 0
            default: order >= 0
            }
        }

        /// The result of a function of numbers; nil for the others.
        func arithmetic() throws(LineTemplateError) -> LineTemplateValue? {
            func whole(
                _ body: (Int, Int) throws(LineTemplateError) -> Int
            ) throws(LineTemplateError) -> LineTemplateValue {
                var result = try argument(0).integer
                for one in arguments.dropFirst() { result = try body(result, one.integer) }
                return .int(result)
            }
            func real(
                _ body: (Double, Double) -> Double
            ) throws(LineTemplateError)
                -> LineTemplateValue
            {
                var result = try argument(0).double
                for one in arguments.dropFirst() { result = body(result, one.double) }
                return .float(result)
            }
            func divided(
                _ left: Int,
                _ right: Int,
                _ isRemainder: Bool
            ) throws(LineTemplateError) -> Int {
                guard right != 0, !(left == .min && right == -1) else {
                    throw LineTemplateError(reason: "\(name): division by zero")
                }
                return isRemainder ? left % right : left / right
            }
            switch name {
            case "add": return try whole { (a, b) throws(LineTemplateError) in a &+ b }
            case "sub": return try whole { (a, b) throws(LineTemplateError) in a &- b }
            case "mul": return try whole { (a, b) throws(LineTemplateError) in a &* b }
            case "div":
                return try whole { (a, b) throws(LineTemplateError) in try divided(a, b, false) }
            case "mod":
                return try whole { (a, b) throws(LineTemplateError) in try divided(a, b, true) }
            case "max": return try whole { (a, b) throws(LineTemplateError) in Swift.max(a, b) }
            case "min": return try whole { (a, b) throws(LineTemplateError) in Swift.min(a, b) }
            case "addf": return try real(+)
            case "subf": return try real(-)
            case "mulf": return try real(*)
            case "divf": return try real(/)
            case "maxf": return try real { Swift.max($0, $1) }
            case "minf": return try real { Swift.min($0, $1) }
            case "ceil": return .float(try argument(0).double.rounded(.up))
            case "floor": return .float(try argument(0).double.rounded(.down))
            case "round":
                let digits = arguments.count > 1 ? Swift.min(15, arguments[1].integer) : 0
                let scale = pow(10, Double(digits))
                let number = try argument(0).double
                return .float((number * scale).rounded() / scale)
            case "bytes":
                let text = try argument(0).bytes
                return .float(LogQLUnits.bytes(text.span) ?? 0)
            case "duration", "duration_seconds":
                let text = try argument(0).bytes
                return .float((LogQLUnits.nanoseconds(text.span) ?? 0) / 1e9)
            case "count":
                let text = try string(1)
                let pattern = try pattern(try string(0))
                return .int(try occurrences(of: pattern, in: text))
            default: return nil
            }
        }

        private func occurrences(
            of pattern: SearchPattern,
            in text: String
        ) throws(LineTemplateError) -> Int {
            // Marks that occur in no text otherwise are counted.
            let marked = try replaced(text.filter { $0 != "\u{1}" }, pattern, "\u{1}")
            return marked.utf8.count { $0 == 1 }
        }

        private func pattern(_ text: String) throws(LineTemplateError) -> SearchPattern {
            if let known = patterns.withLock({ $0[text] }) { return known }
            do throws(PatternError) {
                let pattern = try SearchPattern(text)
                patterns.withLock { patterns in
                    if patterns.count >= 64 { patterns = [:] }
                    patterns[text] = pattern
                }
                return pattern
            } catch {
                throw LineTemplateError(reason: error.reason)
            }
        }

        private func replaced(
            _ text: String,
            _ pattern: SearchPattern,
            _ replacement: String
        ) throws(LineTemplateError) -> String {
            do throws(PatternError) {
                return try pattern.replacingAll(in: text, with: replacement)
            } catch {
                throw LineTemplateError(reason: error.reason)
            }
        }

        func text() throws(LineTemplateError) -> LineTemplateValue {
            func result(_ text: some StringProtocol) -> LineTemplateValue {
                .string(Array(text.utf8))
            }
            switch name {
            case "ToLower", "lower": return result(try string(0).lowercased())
            case "ToUpper", "upper": return result(try string(0).uppercased())
            case "title":
                var isStart = true
                var output = ""
                for character in try string(0) {
                    output += isStart ? character.uppercased() : String(character)
                    isStart = !character.isLetter && !character.isNumber
                }
                return result(output)
            case "trim", "TrimSpace": return result(trimmed(try string(0), nil))
            case "Trim": return result(trimmed(try string(0), try string(1)))
            case "trimAll": return result(trimmed(try string(1), try string(0)))
            case "TrimLeft":
                return result(trimmed(try string(0), try string(1), right: false))
            case "TrimRight":
                return result(trimmed(try string(0), try string(1), left: false))
            case "TrimPrefix", "trimPrefix":
                let isFirst = name == "trimPrefix"
                let (part, text) = (try string(isFirst ? 0 : 1), try string(isFirst ? 1 : 0))
                return result(text.hasPrefix(part) ? text.dropFirst(part.count) : text[...])
            case "TrimSuffix", "trimSuffix":
                let isFirst = name == "trimSuffix"
                let (part, text) = (try string(isFirst ? 0 : 1), try string(isFirst ? 1 : 0))
                return result(text.hasSuffix(part) ? text.dropLast(part.count) : text[...])
            case "replace":
                return result(replacing(try string(2), try string(0), try string(1), -1))
            case "Replace":
                return result(
                    replacing(
                        try string(0),
                        try string(1),
                        try string(2),
                        try argument(3).integer
                    )
                )
            case "contains": return .bool(try find(try string(0), in: try string(1)))
            case "hasPrefix": return .bool(try string(1).hasPrefix(try string(0)))
            case "hasSuffix": return .bool(try string(1).hasSuffix(try string(0)))
            case "trunc":
                let count = try argument(0).integer
                let text = try string(1)
                return result(
                    count >= 0 ? text.prefix(count) : text.suffix(-Swift.max(count, -(1 << 40)))
                )
            case "substr":
                let text = try string(2)
                let start = Swift.max(0, try argument(0).integer)
                let end = try argument(1).integer
                if end >= 0, end < start { return .string([]) }
                let tail = text.dropFirst(start)
                return result(end < 0 ? tail : tail.prefix(end - start))
            case "repeat":
                let count = Swift.max(0, try argument(0).integer)
                let text = try string(1)
                let (total, overflow) = count.multipliedReportingOverflow(by: text.utf8.count)
                guard !overflow, total <= LineTemplate.outputBytesMax else {
                    throw LineTemplateError(reason: "repeat: too long")
                }
                return result(String(repeating: text, count: count))
            case "indent", "nindent":
                let count = try argument(0).integer
                guard (0...1000).contains(count) else {
                    throw LineTemplateError(reason: "\(name): not within 0 and 1000")
                }
                let pad = String(repeating: " ", count: count)
                let lines = try string(1).split(separator: "\n", omittingEmptySubsequences: false)
                let text = lines.map { pad + $0 }.joined(separator: "\n")
                return result((name == "nindent" ? "\n" : "") + text)
            case "alignLeft", "alignRight":
                let count = try argument(0).integer
                let text = try string(1)
                guard (0...10000).contains(count) else {
                    throw LineTemplateError(reason: "\(name): not within 0 and 10000")
                }
                let pad = String(repeating: " ", count: Swift.max(0, count - text.count))
                return result(
                    name == "alignLeft"
                        ? String(text.prefix(count)) + pad : pad + String(text.suffix(count))
                )
            case "regexReplaceAll", "regexReplaceAllLiteral":
                let pattern = try pattern(try string(0))
                var replacement = try string(2)
                if name == "regexReplaceAllLiteral" {
                    replacement = replacing(replacement, "$", "$$", -1)
                }
                return result(try replaced(try string(1), pattern, replacement))
            default: throw LineTemplateError(reason: "function \"\(name)\" not defined")
            }
        }

        private func find(_ part: String, in text: String) throws(LineTemplateError) -> Bool {
            part.isEmpty || text.contains(part)
        }

        private func trimmed(
            _ text: String,
            _ set: String?,
            left: Bool = true,
            right: Bool = true
        ) -> Substring {
            var rest = text[...]
            func isTrimmed(_ character: Character) -> Bool {
                set.map { $0.contains(character) } ?? character.isWhitespace
            }
            if left { rest = rest.drop(while: isTrimmed) }
            while right, let last = rest.last, isTrimmed(last) { rest = rest.dropLast() }
            return rest
        }

        private func replacing(
            _ text: String,
            _ old: String,
            _ new: String,
            _ count: Int
        ) -> String {
            guard !old.isEmpty else { return text }
            let (bytes, old) = (Array(text.utf8), Array(old.utf8))
            var output: [UInt8] = []
            var index = 0
            var left = count
            while index < bytes.count {
                if left != 0, bytes[index...].starts(with: old) {
                    output += Array(new.utf8)
                    index += old.count
                    left -= 1
                    if output.count > LineTemplate.outputBytesMax { break }
                } else {
                    output.append(bytes[index])
                    index += 1
                }
            }
            return String(decoding: output, as: UTF8.self)
        }

        /// Go's `printf`: `%s %v %q %d %f %.2f %e %g %t %x %%`, with width and `-` and `0`.
        func formatted() throws(LineTemplateError) -> [UInt8] {
            let format = Array(try argument(0).bytes)
            var output: [UInt8] = []
            var next = 1
            var index = 0
            while index < format.count {
                guard format[index] == UInt8(ascii: "%") else {
                    output.append(format[index])
                    index += 1
                    continue
                }
                index += 1
                var flags: Set<UInt8> = []
                while index < format.count, "-+ 0#".utf8.contains(format[index]) {
                    flags.insert(format[index])
                    index += 1
                }
                func number() -> Int? {
                    let start = index
                    var value = 0
                    while index < format.count, PromQLLexer.isDigit(format[index]) {
                        value = Swift.min(value * 10 + Int(format[index] - 0x30), 10000)
                        index += 1
                    }
                    return index > start ? value : nil
                }
                let width = number() ?? 0
                var precision: Int?
                if index < format.count, format[index] == UInt8(ascii: ".") {
                    index += 1
                    precision = Swift.min(number() ?? 0, 100)
                }
                guard index < format.count else { break }
                let verb = format[index]
                index += 1
                if verb == UInt8(ascii: "%") {
                    output.append(verb)
                    continue
                }
                let value = try argument(next)
                next += 1
                var text = try shown(value, verb, precision)
                if flags.contains(UInt8(ascii: "+")), case .string = value {
                } else if flags.contains(UInt8(ascii: "+")), text.first != UInt8(ascii: "-") {
                    text = [UInt8(ascii: "+")] + text
                }
                let pad = Swift.max(0, width - String(decoding: text, as: UTF8.self).count)
                if flags.contains(UInt8(ascii: "-")) {
                    output += text + [UInt8](repeating: 0x20, count: pad)
                } else if flags.contains(UInt8(ascii: "0")) {
                    let sign = text.first == UInt8(ascii: "-") ? 1 : 0
                    output += text.prefix(sign)
                    output += [UInt8](repeating: 0x30, count: pad)
                    output += text.dropFirst(sign)
                } else {
                    output += [UInt8](repeating: 0x20, count: pad) + text
                }
                guard output.count <= LineTemplate.outputBytesMax else {
                    throw LineTemplateError(reason: "printf: too long")
                }
            }
            return output
        }

        private func shown(
            _ value: LineTemplateValue,
            _ verb: UInt8,
            _ precision: Int?
        ) throws(LineTemplateError) -> [UInt8] {
            switch verb {
            case UInt8(ascii: "s"), UInt8(ascii: "v"):
                guard let precision else { return value.bytes }
                return Array(value.text.prefix(precision).utf8)
            case UInt8(ascii: "q"): return Array(PromQLStringLiteral.quote(value.text).utf8)
            case UInt8(ascii: "d"): return Array(value.integer.description.utf8)
            case UInt8(ascii: "t"): return value.bytes
            case UInt8(ascii: "x"): return Array(String(value.integer, radix: 16).utf8)
            case UInt8(ascii: "f"), UInt8(ascii: "F"): return fixed(value.double, precision ?? 6)
            case UInt8(ascii: "e"):
                var bytes: [UInt8] = []
                NumberText.appendScientific(value.double, to: &bytes)
                return bytes
            case UInt8(ascii: "g"): return Array(NumberText.literal(value.double).utf8)
            default:
                throw LineTemplateError(
                    reason: "printf: unknown verb %\(Character(Unicode.Scalar(verb)))"
                )
            }
        }

        /// With `digits` digits behind the point.
        private func fixed(_ number: Double, _ digits: Int) -> [UInt8] {
            guard number.isFinite, number.magnitude < 1e15, digits <= 15 else {
                var bytes: [UInt8] = []
                NumberText.appendPlain(number, to: &bytes)
                return bytes
            }
            let scale = pow(10, Double(digits))
            let scaled = (number.magnitude * scale).rounded(.toNearestOrEven)
            guard scaled < 0x1p63 else { return Array(number.description.utf8) }
            var text = UInt64(scaled).description
            while text.utf8.count <= digits { text = "0" + text }
            if digits > 0 {
                text.insert(".", at: text.index(text.endIndex, offsetBy: -digits))
            }
            return Array(((number < 0 ? "-" : "") + text).utf8)
        }
    }
}
