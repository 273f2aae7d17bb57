import Testing
import WeirQuery
import WeirTestSupport

/// Random expressions survive being printed and read back.
@Suite struct PromQLRoundTripTests {
    @Test(arguments: 0..<40)
    func printedExpressionsParseToThemselves(_ seed: Int) throws {
        var generator = ExpressionGenerator(seed: UInt64(seed))
        for _ in 0..<100 {
            let text = generator.vector(depth: 4)
            let expression: PromQLExpression
            do throws(QueryError) {
                expression = try PromQLParser.parse(text)
            } catch {
                Issue.record("seed \(seed): \(text): \(error)")
                continue
            }
            let printed = PromQLPrinter.print(expression)
            do throws(QueryError) {
                let again = try PromQLParser.parse(printed)
                #expect(again == expression, "seed \(seed): \(text) became \(printed)")
                #expect(PromQLPrinter.print(again) == printed)
            } catch {
                Issue.record("seed \(seed): \(text) became \(printed): \(error)")
            }
        }
    }

    /// Any bytes parse or are refused; nothing traps.
    @Test(arguments: 0..<20)
    func mutatedTextNeverTraps(_ seed: Int) {
        var random = SplitMix64(seed: UInt64(seed) &+ 1000)
        var generator = ExpressionGenerator(seed: UInt64(seed))
        let alphabet = Array("(){}[]\"'`\\,:=!~<>+-*/%^@#0.1ex_ms\u{e9}\n ".utf8)
        for _ in 0..<200 {
            var bytes = Array(generator.vector(depth: 3).utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes.remove(at: index)
                case 1: bytes.insert(alphabet.randomElement(using: &random) ?? 0, at: index)
                default: bytes[index] = alphabet.randomElement(using: &random) ?? 0
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            guard let expression = try? PromQLParser.parse(text) else { continue }
            let again = try? PromQLParser.parse(PromQLPrinter.print(expression))
            #expect(again == expression, "seed \(seed): \(text)")
        }
    }
}

/// Writes random, valid PromQL with random spelling.
struct ExpressionGenerator {
    private var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    private mutating func pick(_ choices: [String]) -> String {
        choices.randomElement(using: &random) ?? ""
    }

    private mutating func chance(_ percent: Int) -> Bool {
        Int.random(in: 0..<100, using: &random) < percent
    }

    private mutating func label() -> String {
        pick(["a", "job", "by", "on", "_x9", "inf", "\"b.c\"", "\"\u{e9}\"", "sum", "offset"])
    }

    private mutating func labels() -> String {
        let count = Int.random(in: 0...3, using: &random)
        return "(" + (0..<count).map { _ in label() }.joined(separator: " ,") + ")"
    }

    private mutating func duration() -> String {
        pick(["5m", "1h30m", "90s", "1w", "250ms", "300", "0.5", "2d4h", "1y1ms", "0x10"])
    }

    private mutating func string() -> String {
        pick(["\"x\"", "'y\\'\"'", "`raw\\d`", "\"\\u00e9\\n\\t\\x07\"", "\"\"", "'a.b'"])
    }

    private mutating func selector() -> String {
        let name = pick(["up", "a:b:c", "sum", "by", "_m", "start", "bottomk", "Offset"])
        if chance(20) { return "{\"\(name).q\" , \(label())=\(string())}" }
        if chance(50) { return name }
        let operation = pick(["=", "!="])
        return "\(name){\(label()) \(operation) \(string()), \(label())=~\"a.*|b\" ,}"
    }

    private mutating func shift() -> String {
        var text = ""
        if chance(20) { text += pick([" @ start()", " @end()", " @ 1.5e3", "@-7.25", " @ +3"]) }
        if chance(20) { text += pick([" offset ", " OFFSET -"]) + duration() }
        return text
    }

    mutating func scalar(depth: Int) -> String {
        switch depth > 0 ? Int.random(in: 0..<8, using: &random) : 0 {
        case 0, 1, 2:
            return pick([
                "1", "-0", "1_000", ".5", "5.", "1e-7", "0xFF", "Inf", "-inf", "nan", "5m", "1e21",
            ])
        case 3: return pick(["time()", "pi()"])
        case 4: return "scalar(\(vector(depth: depth - 1)))"
        case 5: return "(\(scalar(depth: depth - 1)))"
        case 6: return pick(["-", "+", "- "]) + scalar(depth: depth - 1)
        default:
            return scalar(depth: depth - 1) + pick([" + ", "-", " * ", "/", "%", " ^ ", " atan2 "])
                + scalar(depth: depth - 1)
        }
    }

    mutating func matrix(depth: Int) -> String {
        if depth <= 0 || chance(60) { return "\(selector())[\(duration())]\(shift())" }
        let step = chance(50) ? duration() : ""
        return "(\(vector(depth: depth - 1)))[\(duration()):\(step)]\(shift())"
    }

    mutating func vector(depth: Int) -> String {
        switch depth > 0 ? Int.random(in: 0..<9, using: &random) : 0 {
        case 0, 1: return selector() + shift()
        case 2:
            let operation = pick(["sum", "AVG", "count", "group", "stddev"])
            let grouping = pick(["by", "without", "BY"]) + labels()
            let inner = "(\(vector(depth: depth - 1)))"
            return chance(50) ? "\(operation) \(grouping) \(inner)" : operation + inner + grouping
        case 3:
            return "topk(\(scalar(depth: depth - 1)), \(vector(depth: depth - 1)))"
        case 4:
            let function = pick(["rate", "avg_over_time", "absent_over_time", "deriv", "changes"])
            return "\(function)(\(matrix(depth: depth - 1)))"
        case 5: return "abs(\(vector(depth: depth - 1)))"
        case 6:
            return pick(["-", "+"]) + vector(depth: depth - 1)
        case 7:
            var operation = pick(["+", "-", "*", "/", "%", "^", "==", ">", "<=", "and", "or"])
            let isComparison = ["==", ">", "<="].contains(operation)
            let isSet = operation == "and" || operation == "or"
            if isComparison, chance(30) { operation += " bool" }
            if chance(40) {
                // In parentheses: a tighter operator could leave a scalar on one side.
                // Labels after `on` and in `group_left` must differ.
                operation += pick([" on (l1, l2)", " ignoring(l1)", " on()"])
                if !isSet, chance(40) {
                    operation += pick([" group_left ()", " group_right (g1)"])
                }
                return "(\(vector(depth: depth - 1))) \(operation) (\(vector(depth: depth - 1)))"
            }
            return "\(vector(depth: depth - 1)) \(operation) \(vector(depth: depth - 1))"
        default:
            return "(\(vector(depth: depth - 1))) * \(scalar(depth: depth - 1)) # note\n"
        }
    }
}
