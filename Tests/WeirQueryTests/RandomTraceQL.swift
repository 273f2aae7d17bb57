import WeirTestSupport

/// Queries made up at random over the attributes of random traces.
enum RandomTraceQL {
    static func pick<Element>(_ items: [Element], _ random: inout SplitMix64) -> Element {
        items[Int(random.next() % UInt64(items.count))]
    }

    static func condition(_ random: inout SplitMix64, depth: Int = 2) -> String {
        if depth > 0 {
            switch random.next() % 6 {
            case 0:
                return
                    "(\(condition(&random, depth: depth - 1))) && (\(condition(&random, depth: depth - 1)))"
            case 1:
                return
                    "(\(condition(&random, depth: depth - 1))) || (\(condition(&random, depth: depth - 1)))"
            case 2: return "!(\(condition(&random, depth: depth - 1)))"
            default: break
            }
        }
        let order = pick(["=", "!=", "<", "<=", ">", ">="], &random)
        let equality = pick(["=", "!="], &random)
        switch random.next() % 12 {
        case 0: return "resource.service.name \(equality) \"\(pick(["a", "b", "zz"], &random))\""
        case 1: return "span.n \(order) \(random.next() % 5)"
        case 2: return ".n \(order) \(random.next() % 5)"
        case 3:
            return
                ".s \(pick(["=~", "!~"], &random)) \"\(pick(["x|y", "x.*", ".*", "y?"], &random))\""
        case 4: return "duration \(order) \(random.next() % 40)ms"
        case 5: return "kind \(equality) \(pick(["server", "client", "unspecified"], &random))"
        case 6: return "status \(equality) \(pick(["ok", "error", "unset"], &random))"
        case 7: return "span.n \(equality) nil"
        case 8: return "span.b \(equality) \(pick(["true", "false"], &random))"
        case 9: return "name \(order) \"\(pick(["op1", "op2", "op"], &random))\""
        case 10: return "span.n * 2 \(order) 1 + \(random.next() % 6)"
        default: return ".s \(equality) span.t"
        }
    }

    static func spanset(_ random: inout SplitMix64, depth: Int = 2) -> String {
        guard depth > 0, random.next() % 2 == 0 else { return "{ \(condition(&random)) }" }
        let operation = pick(
            [
                "&&", "||", ">", "<", ">>", "<<", "~", "!>", "!<", "!>>", "!<<", "!~", "&>", "&<",
                "&>>",
                "&<<", "&~",
            ],
            &random
        )
        return
            "(\(spanset(&random, depth: depth - 1))) \(operation) (\(spanset(&random, depth: depth - 1)))"
    }

    static func query(_ random: inout SplitMix64) -> String {
        var text = spanset(&random)
        switch random.next() % 6 {
        case 0: text += " | count() > \(random.next() % 3)"
        case 1: text += " | by(name) | avg(duration) >= \(random.next() % 30)ms"
        case 2: text += " | select(span.n, .s)"
        case 3: text += " | max(span.n) - min(span.n) < \(random.next() % 4)"
        default: break
        }
        return text
    }
}
