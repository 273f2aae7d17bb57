internal import Synchronization
internal import WeirColumns
internal import WeirPattern

/// Makes the questions to texts that filters come down to.
///
/// A pattern that runs away cannot throw from inside a test: it is noted in `failure`, and whoever
/// ran the test asks there afterwards.
struct LogTests {
    /// The first pattern that took too many steps.
    final class Failure: Sendable {
        private let hasFailed = Atomic<Bool>(false)
        private let limit = Mutex<Int>(0)

        func note(_ error: PatternError) {
            if case .tooExpensive(_, let steps) = error { limit.withLock { $0 = steps } }
            hasFailed.store(true, ordering: .releasing)
        }

        /// - Throws: `.limit` when a pattern was stopped.
        func check() throws(QueryError) {
            guard hasFailed.load(ordering: .acquiring) else { return }
            throw .limit(name: "regular expression steps", limit: limit.withLock { $0 })
        }
    }

    let failure = Failure()

    private func compile(_ text: String) throws(QueryError) -> TextPattern {
        do throws(PatternError) {
            return try TextPattern(text)
        } catch {
            throw .invalid(reason: error.reason)
        }
    }

    /// A test of the whole line.
    func test(_ filter: LogQLLineFilter) throws(QueryError) -> TextTest {
        var tests: [TextTest] = []
        for operand in filter.operands { tests.append(try test(operand, filter.operation)) }
        let isNegated = filter.operation.isNegated
        if tests.count == 1 {
            tests[0].isNegated = isNegated
            return tests[0]
        }
        let alternatives = tests
        return TextTest(isNegated: isNegated) { line in
            for test in alternatives where test.passes(line) { return true }
            return false
        }
    }

    private func test(
        _ operand: LogQLLineFilter.Operand,
        _ operation: LogQLLineFilter.Operation
    ) throws(QueryError) -> TextTest {
        switch operand {
        case .ip(let text):
            guard let range = IPRange(text) else { throw .invalid(reason: "no address: \(text)") }
            return TextTest { range.occurs(in: $0) }
        case .text(let text):
            switch operation {
            case .contains, .notContains: return .contains(Array(text.utf8))
            case .matches, .notMatches: return try pattern(text)
            case .pattern, .notPattern:
                let pattern = try LinePattern(text, isFilter: true)
                return TextTest(required: pattern.literals) { pattern.matches($0) }
            }
        }
    }

    /// A regular expression anywhere in a text.
    private func pattern(_ text: String) throws(QueryError) -> TextTest {
        switch RegexLiterals.form(of: text) {
        case .literals(let literals):
            if literals.count == 1 { return .contains(literals[0]) }
            return TextTest { line in
                for literal in literals
                where ByteSearch.firstIndex(of: literal.span, in: line) != nil { return true }
                return false
            }
        case .required(let required):
            let pattern = try compile(text)
            let failure = failure
            return TextTest(required: required) { line in
                // Cheaper than starting the matcher on lines that cannot match.
                for literal in required
                where ByteSearch.firstIndex(of: literal.span, in: line) == nil { return false }
                do throws(PatternError) {
                    return try pattern.occurs(in: line)
                } catch {
                    failure.note(error)
                    return false
                }
            }
        }
    }

    /// A matcher of a label's whole value.
    func test(_ matcher: LabelMatcher) throws(QueryError) -> TextTest {
        let value = Array(matcher.value.utf8)
        let isNegated = matcher.operation == .notEqual || matcher.operation == .notMatches
        if matcher.operation == .equal || matcher.operation == .notEqual {
            return .equals(value, isNegated: isNegated)
        }
        if case .literals(let literals) = RegexLiterals.form(of: matcher.value) {
            if literals.count == 1 { return .equals(literals[0], isNegated: isNegated) }
            return TextTest(isNegated: isNegated) { text in
                for literal in literals where LogTests.areEqual(text, literal) { return true }
                return false
            }
        }
        let pattern = try compile("^(?s:" + matcher.value + ")$")
        var required: [[UInt8]] = []
        if case .required(let found) = RegexLiterals.form(of: matcher.value) { required = found }
        let failure = failure
        return TextTest(required: required, isNegated: isNegated) { text in
            do throws(PatternError) {
                return try pattern.occurs(in: text)
            } catch {
                failure.note(error)
                return false
            }
        }
    }

    private static func areEqual(_ text: Span<UInt8>, _ other: [UInt8]) -> Bool {
        guard text.count == other.count else { return false }
        for index in 0..<text.count where text[index] != other[index] { return false }
        return true
    }
}
