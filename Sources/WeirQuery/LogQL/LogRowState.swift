internal import WeirColumns
internal import WeirCore
internal import WeirPattern

/// One row on its way through the stages that must be done row by row.
///
/// Reused from row to row; used by one thread.
final class LogRowState {
    let view: LogBlockView
    private(set) var row = 0
    private var heldLine: [UInt8]?
    /// Labels that stages made; of equal names there is one.
    private(set) var made: [(name: String, value: [UInt8])] = []
    private var removed: Set<String> = []
    private var keptOnly: Set<String>?
    private(set) var error = ""
    private var errorDetails = ""

    init(_ view: LogBlockView) { self.view = view }

    func start(_ row: Int) {
        self.row = row
        heldLine = nil
        made.removeAll(keepingCapacity: true)
        if !removed.isEmpty { removed = [] }
        keptOnly = nil
        error = ""
        errorDetails = ""
    }

    func line() throws(QueryError) -> [UInt8] {
        if let heldLine { return heldLine }
        let line = try view.line(row: row)
        heldLine = line
        return line
    }

    func setLine(_ line: [UInt8]) { heldLine = line }

    func isVisible(_ name: String) -> Bool {
        !removed.contains(name) && (keptOnly?.contains(name) ?? true)
    }

    func value(_ name: String) throws(QueryError) -> [UInt8]? {
        if name == LogNames.error { return error.isEmpty ? nil : Array(error.utf8) }
        if name == LogNames.errorDetails {
            return errorDetails.isEmpty ? nil : Array(errorDetails.utf8)
        }
        for one in made where one.name == name { return one.value }
        guard isVisible(name) else { return nil }
        return try view.value(name, row: row)
    }

    func set(_ name: String, _ value: [UInt8]) {
        if let index = made.firstIndex(where: { $0.name == name }) {
            made[index].value = value
        } else {
            made.append((name, value))
        }
    }

    func remove(_ name: String) {
        switch name {
        case LogNames.error: error = ""
        case LogNames.errorDetails: errorDetails = ""
        default:
            made.removeAll { $0.name == name }
            removed.insert(name)
        }
    }

    func fail(_ name: String, _ details: String) {
        error = name
        errorDetails = details
    }

    private func isStreamLabel(_ name: String) throws(QueryError) -> Bool {
        let column = view.streams.column(name)
        guard !column.isAbsent else { return false }
        let number = Int(try view.streamNumbers()[row])
        return number >= 0 && column.values[number] != nil
    }

    /// Sets what a parser found; a name that a stream label has gets `_extracted`.
    func extract(_ name: String, _ value: [UInt8], wanted: Set<String>?) throws(QueryError) {
        let name = LogNames.sanitized(name)
        let full = try isStreamLabel(name) ? name + "_extracted" : name
        if let wanted, !wanted.contains(full) { return }
        set(full, value)
    }

    // MARK: Stages

    /// Runs the stages.
    ///
    /// - Returns: False when a filter refuses the row.
    func run(_ steps: [LogStep]) throws(QueryError) -> Bool {
        for step in steps where try !run(step) { return false }
        return true
    }

    private func run(_ step: LogStep) throws(QueryError) -> Bool {
        switch step {
        case .line(let test): return test.passes(try line())
        case .filter(let condition): return try holds(condition)
        case .json(let extractions, let wanted): try parseJSON(extractions, wanted)
        case .logfmt(let extractions, let isStrict, let keepsEmpty, let wanted):
            try parseLogfmt(extractions, isStrict, keepsEmpty, wanted)
        case .pattern(let pattern):
            for (name, value) in pattern.captures(in: try line()) {
                try extract(name, Array(value), wanted: nil)
            }
        case .regexp(let pattern, let groups):
            let line = try line()
            do throws(PatternError) {
                guard let ranges = try pattern.groups(in: line) else { return true }
                for group in groups where group.number < ranges.count {
                    guard let range = ranges[group.number] else { continue }
                    let name = try isMarked(group.name)
                    set(name, Array(line[range]))
                }
            } catch {
                throw .limit(name: "regular expression steps", limit: Pattern.matchStepsMax)
            }
        case .unpack: try unpack()
        case .lineFormat(let template):
            if let text = try expand(template) { setLine(text) }
        case .labelFormat(let formats): try format(formats)
        case .drop(let picks):
            for pick in picks where try isPicked(pick) { remove(pick.label) }
        case .keep(let picks):
            var names: Set<String> = []
            for pick in picks where try isPicked(pick) { names.insert(pick.label) }
            made.removeAll { !names.contains($0.name) }
            keptOnly = keptOnly.map { $0.intersection(names) } ?? names
        case .decolorize: setLine(Self.decolorized(try line()))
        }
        return true
    }

    private func isMarked(_ name: String) throws(PatternError) -> String {
        do throws(QueryError) {
            return try isStreamLabel(name) ? name + "_extracted" : name
        } catch {
            return name
        }
    }

    private func isPicked(_ pick: (label: String, test: TextTest?)) throws(QueryError) -> Bool {
        guard let test = pick.test else { return true }
        return test.passes(try value(pick.label) ?? [])
    }

    private func expand(_ template: LineTemplate) throws(QueryError) -> [UInt8]? {
        let environment = LineTemplate.Environment(
            label: { name in
                do throws(QueryError) { return try self.value(name) } catch { return nil }
            },
            line: {
                do throws(QueryError) { return try self.line() } catch { return [] }
            },
            time: try view.times()[row]
        )
        do throws(LineTemplateError) {
            return try template.expand(environment)
        } catch {
            fail("TemplateFormatErr", error.reason)
            return nil
        }
    }

    private func format(_ formats: [(target: String, value: LogStep.Format)]) throws(QueryError) {
        for format in formats {
            switch format.value {
            case .label(let source):
                guard let value = try value(source) else { continue }
                if source != format.target { remove(source) }
                set(format.target, value)
            case .template(let template):
                if let text = try expand(template) { set(format.target, text) }
            }
        }
    }

    func holds(_ condition: LogCondition) throws(QueryError) -> Bool {
        switch condition {
        case .and(let left, let right):
            guard try holds(left) else { return false }
            return try holds(right)
        case .or(let left, let right):
            if try holds(left) { return true }
            return try holds(right)
        case .test(let name, let test): return test.passes(try value(name) ?? [])
        case .compare(let name, let operation, let threshold, let unit):
            // Once there is an error only string matchers can filter the row out.
            if !error.isEmpty { return true }
            guard let text = try value(name) else { return false }
            guard let number = unit.parse(text.span) else {
                let shown = String(decoding: text.prefix(64), as: UTF8.self)
                fail("LabelFilterErr", "cannot compare \(PromQLStringLiteral.quote(shown))")
                return true
            }
            return operation.holds(number, threshold)
        case .ip(let name, let isNegated, let range):
            if !error.isEmpty { return true }
            guard let text = try value(name) else { return false }
            return range.occurs(in: text.span) != isNegated
        }
    }

    /// Without ANSI colour sequences.
    private static func decolorized(_ line: [UInt8]) -> [UInt8] {
        guard line.contains(0x1B) else { return line }
        var output: [UInt8] = []
        var index = 0
        while index < line.count {
            if line[index] == 0x1B, index + 1 < line.count, line[index + 1] == UInt8(ascii: "[") {
                var end = index + 2
                while end < line.count, !(0x40...0x7E).contains(line[end]) { end += 1 }
                index = end + 1
            } else {
                output.append(line[index])
                index += 1
            }
        }
        return output
    }
}
