import WeirCore
import WeirPattern
import WeirQuery
import WeirTestSupport

/// TraceQL's filters and relations as plainly as they can be written, to hold the executor against.
struct NaiveTraceQL {
    struct Span {
        let trace: UInt64
        let id: UInt64
        let parent: UInt64?
        let duration: Int64
        var texts: [String: String] = [:]
        var numbers: [String: Double] = [:]
        var booleans: [String: Bool] = [:]
        let name: String
        let kind: TraceQLKind
        let status: TraceQLStatus
    }

    enum Value: Equatable {
        case missing
        case text(String)
        case number(Double)
        case boolean(Bool)
        case kind(TraceQLKind)
        case status(TraceQLStatus)
    }

    let spans: [Span]

    /// Spans as `trace:span`, in order, that a query of one stage finds.
    func found(_ query: TraceQLQuery) -> [String] {
        guard case .spanset(let spanset)? = query.stages.first else { return [] }
        var found: [String] = []
        for trace in Set(spans.map(\.trace)) {
            let own = spans.filter { $0.trace == trace }
            let ids = rows(spanset, own)
            for span in own where ids.contains(span.id) { found.append("\(trace):\(span.id)") }
        }
        return found.sorted()
    }

    private func rows(_ spanset: TraceQLSpanset, _ own: [Span]) -> Set<UInt64> {
        switch spanset {
        case .pipeline: return []
        case .filter(let field):
            return Set(own.filter { value(field, $0) == .boolean(true) }.map(\.id))
        case .operation(let operation, let left, let right):
            let (a, b) = (rows(left, own), rows(right, own))
            switch operation {
            case .and: return a.isEmpty || b.isEmpty ? [] : a.union(b)
            case .or: return a.union(b)
            default: break
            }
            let text = operation.rawValue
            let relation =
                text.hasPrefix("!") || text.hasPrefix("&") ? String(text.dropFirst()) : text
            let parents = Dictionary(uniqueKeysWithValues: own.map { ($0.id, $0.parent) })
            /// Whether `two` stands in the relation to `one`.
            func holds(_ one: UInt64, _ two: UInt64) -> Bool {
                switch relation {
                case ">": return parents[two] == .some(.some(one))
                case "<": return parents[one] == .some(.some(two))
                case ">>": return isAbove(one, two, parents)
                case "<<": return isAbove(two, one, parents)
                default:
                    guard one != two, let mine = parents[one], let its = parents[two],
                        let parent = mine, parents[parent] != nil
                    else { return false }
                    return its == parent
                }
            }
            let related = b.filter { two in a.contains { holds($0, two) } }
            if text.hasPrefix("!") { return b.subtracting(related) }
            guard text.hasPrefix("&") else { return related }
            return related.union(a.filter { one in b.contains { holds(one, $0) } })
        }
    }

    private func isAbove(_ one: UInt64, _ two: UInt64, _ parents: [UInt64: UInt64?]) -> Bool {
        var here = two
        while let next = parents[here], let parent = next {
            guard parents[parent] != nil else { return false }
            if parent == one { return true }
            here = parent
        }
        return false
    }

    private func attribute(_ name: String, _ span: Span) -> Value {
        if let text = span.texts[name] { return .text(text) }
        if let number = span.numbers[name] { return .number(number) }
        if let flag = span.booleans[name] { return .boolean(flag) }
        return .missing
    }

    private func value(_ field: TraceQLField, _ span: Span) -> Value {
        switch field {
        case .literal(let literal):
            switch literal {
            case .null: return .missing
            case .string(let text): return .text(text)
            case .integer(let number), .duration(let number): return .number(Double(number))
            case .double(let number): return .number(number)
            case .boolean(let flag): return .boolean(flag)
            case .status(let status): return .status(status)
            case .kind(let kind): return .kind(kind)
            }
        case .attribute(.attribute(.any, let name)):
            let own = attribute("span." + name, span)
            return own == .missing ? attribute("resource." + name, span) : own
        case .attribute(.attribute(let scope, let name)):
            return attribute(scope.rawValue + "." + name, span)
        case .attribute(.intrinsic(.name)): return .text(span.name)
        case .attribute(.intrinsic(.kind)): return .kind(span.kind)
        case .attribute(.intrinsic(.status)): return .status(span.status)
        case .attribute(.intrinsic(.duration)): return .number(Double(span.duration))
        case .attribute: return .missing
        case .not(let inner): return .boolean(value(inner, span) != .boolean(true))
        case .negated(let inner):
            if case .number(let number) = value(inner, span) { return .number(-number) }
            return .missing
        case .binary(let operation, let left, let right):
            return binary(operation, value(left, span), value(right, span), right)
        }
    }

    private func binary(
        _ operation: TraceQLOperator,
        _ a: Value,
        _ b: Value,
        _ right: TraceQLField
    ) -> Value {
        let isTrue = Value.boolean(true)
        switch (operation, a, b) {
        case (.and, _, _): return .boolean(a == isTrue && b == isTrue)
        case (.or, _, _): return .boolean(a == isTrue || b == isTrue)
        case (.add, .number(let x), .number(let y)): return .number(x + y)
        case (.multiply, .number(let x), .number(let y)): return .number(x * y)
        case (.matches, .text(let x), .text(let y)):
            return .boolean((try? Pattern(y).matches(x)) ?? false)
        case (.notMatches, .text(let x), .text(let y)):
            return .boolean(!((try? Pattern(y).matches(x)) ?? false))
        default: break
        }
        if right == .literal(.null) { return .boolean((a == .missing) == (operation == .equal)) }
        let order: Int
        switch (a, b) {
        case (.number(let x), .number(let y)): order = x < y ? -1 : x > y ? 1 : 0
        case (.text(let x), .text(let y)): order = x < y ? -1 : x > y ? 1 : 0
        case (.boolean(let x), .boolean(let y)): order = x == y ? 0 : 2
        case (.kind(let x), .kind(let y)): order = x == y ? 0 : 2
        case (.status(let x), .status(let y)): order = x == y ? 0 : 2
        default: return .boolean(false)
        }
        switch operation {
        case .equal: return .boolean(order == 0)
        case .notEqual: return .boolean(order != 0)
        case .less: return .boolean(order == -1)
        case .lessOrEqual: return .boolean(order == -1 || order == 0)
        case .greater: return .boolean(order == 1)
        case .greaterOrEqual: return .boolean(order == 1 || order == 0)
        default: return .missing
        }
    }
}

extension NaiveTraceQL {
    /// Random traces, as the naive form and as a table over several blocks.
    static func random(_ random: inout SplitMix64) -> (naive: NaiveTraceQL, table: SpanTable) {
        var spans: [Span] = []
        var table = SpanTable(blocks: 3)
        for trace in 1...6 as ClosedRange<UInt64> {
            let count = 1 + random.next() % 9
            for index in 1...count {
                let id = trace * 100 + index
                // Some parents are not there, and some spans have none.
                let parent: UInt64? =
                    index == 1 || random.next() % 8 == 0
                    ? nil
                    : random.next() % 8 == 0 ? 7777 : trace * 100 + 1 + random.next() % (index - 1)
                let kind = RandomTraceQL.pick([TraceQLKind.server, .client, .unspecified], &random)
                let status = RandomTraceQL.pick([TraceQLStatus.ok, .error, .unset], &random)
                let name = RandomTraceQL.pick(["op1", "op2"], &random)
                let service = RandomTraceQL.pick(["a", "b", nil], &random)
                let duration = Int64(random.next() % 40)
                var span = Span(
                    trace: trace,
                    id: id,
                    parent: parent,
                    duration: duration * 1_000_000,
                    name: name,
                    kind: kind,
                    status: status
                )
                span.texts["resource.service.name"] = service
                let block = Int(random.next() % 3)
                table.add(
                    trace,
                    id,
                    parent: parent,
                    service,
                    name,
                    at: Int64(trace * 1000 + index),
                    for: duration,
                    kind: kind == .unspecified ? nil : kind.rawValue,
                    status: status == .unset ? nil : status.rawValue,
                    block: block
                )
                let row = table.batches[block].rowCount - 1
                func put(_ field: String, _ kind: FieldKind, _ text: String) {
                    table.batches[block].fields.set(field, row: row, kind: kind, value: text)
                }
                switch random.next() % 4 {
                case 0: break
                case 1:
                    // A number that was sent as a text is none.
                    span.texts["span.n"] = "2"
                    put("span.n", .text, "2")
                case 2:
                    let number = Double(random.next() % 5)
                    span.numbers["span.n"] = number
                    put("span.n", .number, number.description)
                default:
                    let number = random.next() % 5
                    span.numbers["span.n"] = Double(number)
                    put("span.n", .number, number.description)
                }
                if random.next() % 3 == 0 {
                    let number = random.next() % 5
                    span.numbers["resource.n"] = Double(number)
                    put("resource.n", .number, number.description)
                }
                for field in ["span.s", "resource.s", "span.t"] where random.next() % 2 == 0 {
                    let text = RandomTraceQL.pick(["x", "y", "xy"], &random)
                    span.texts[field] = text
                    put(field, .text, text)
                }
                if random.next() % 2 == 0 {
                    let flag = random.next() % 2 == 0
                    span.booleans["span.b"] = flag
                    put("span.b", .boolean, flag ? "true" : "false")
                }
                spans.append(span)
            }
        }
        return (NaiveTraceQL(spans: spans), table)
    }
}
