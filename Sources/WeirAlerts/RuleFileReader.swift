internal import WeirCore
internal import WeirYAML

extension RuleFile {
    /// Reads a rule file strictly: unknown keys, wrong types and templates that do not parse are
    /// refused, each with its line.
    ///
    /// Expressions are not looked into; see `RuleLinter`.
    package init(text: String, path: String) throws(RuleFileError) {
        var reader = RuleFileReader(path: path)
        let groups = reader.read(text)
        guard reader.problems.isEmpty else {
            throw RuleFileError(problems: reader.problems.sorted { $0.line < $1.line })
        }
        self.init(path: path, groups: groups)
    }
}

/// Turns YAML nodes into rules and gathers what is wrong.
struct RuleFileReader {
    private let path: String
    private(set) var problems: [RuleProblem] = []

    init(path: String) { self.path = path }

    private mutating func note(_ line: Int, _ reason: String) {
        problems.append(RuleProblem(path: path, line: line, reason: reason))
    }

    mutating func read(_ text: String) -> [RuleGroup] {
        let root: YAMLNode
        do throws(YAMLError) {
            root = try YAMLParser.parse(text)
        } catch {
            note(Self.line(of: error), Self.reason(of: error))
            return []
        }
        if root.entries == nil, root.string == nil, root.items == nil { return [] }
        guard let fields = fields(of: root, "the file", ["groups"]) else { return [] }
        guard let node = fields["groups"] else { return [] }
        guard let items = node.items else {
            if node.string != nil || node.entries != nil { note(node.line, "groups is no list") }
            return []
        }
        var names: Set<String> = []
        var groups: [RuleGroup] = []
        for item in items {
            guard let group = readGroup(item) else { continue }
            if !names.insert(group.name).inserted {
                note(item.line, "a group called \"\(group.name)\" is already in this file")
            }
            groups.append(group)
        }
        return groups
    }

    /// The values of a mapping by key; notes keys that do not belong.
    private mutating func fields(
        of node: YAMLNode,
        _ what: String,
        _ known: [String]
    ) -> [String: YAMLNode]? {
        guard let entries = node.entries else {
            note(node.line, "\(what) is no mapping")
            return nil
        }
        var fields: [String: YAMLNode] = [:]
        for entry in entries {
            guard known.contains(entry.key) else {
                let nearest = EditDistance.nearest(to: entry.key, among: known)
                let hint =
                    nearest.map { "did you mean \"\($0)\"?" }
                    ?? "known are \(known.joined(separator: ", "))"
                note(entry.line, "unknown key \"\(entry.key)\" in \(what); \(hint)")
                continue
            }
            fields[entry.key] = entry.value
        }
        return fields
    }

    private mutating func readGroup(_ node: YAMLNode) -> RuleGroup? {
        let known = [
            "name", "interval", "schedule", "query_offset", "limit", "labels", "language", "rules",
        ]
        guard let fields = fields(of: node, "a group", known) else { return nil }
        guard let name = fields["name"]?.string, !name.isEmpty else {
            note(node.line, "a group needs a name")
            return nil
        }
        var interval = duration(fields["interval"], "interval")
        if interval == 0 { interval = nil }
        var schedule: CronSchedule?
        if let node = fields["schedule"] {
            do throws(CronError) {
                schedule = try CronSchedule(parsing: node.string ?? "")
            } catch {
                self.note(node.line, "bad schedule \"\(node.string ?? "")\": \(error.reason)")
            }
            if fields["interval"] != nil {
                note(node.line, "a group has an interval or a schedule, not both")
            }
        }
        var limit = 0
        if let node = fields["limit"] {
            if let number = node.int, number >= 0 {
                limit = number
            } else {
                note(node.line, "limit is no whole number of 0 or more")
            }
        }
        var language = RuleLanguage.automatic
        if let node = fields["language"] {
            if let named = RuleLanguage(rawValue: node.string ?? ""), named != .automatic {
                language = named
            } else {
                note(node.line, "language \"\(node.string ?? "")\" is neither promql nor logql")
            }
        }
        let labels = texts(fields["labels"], "labels")
        var rules: [Rule] = []
        if let list = fields["rules"] {
            if let items = list.items {
                for item in items {
                    if let rule = readRule(item, groupLabels: labels) { rules.append(rule) }
                }
            } else if list.string != nil || list.entries != nil {
                note(list.line, "rules is no list")
            }
        }
        return RuleGroup(
            name: name,
            file: path,
            line: node.line,
            intervalMilliseconds: interval,
            schedule: schedule,
            limit: limit,
            queryOffsetMilliseconds: duration(fields["query_offset"], "query_offset") ?? 0,
            language: language,
            rules: rules
        )
    }

    private mutating func readRule(_ node: YAMLNode, groupLabels: [LinedText]) -> Rule? {
        let known = [
            "record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations",
        ]
        guard let fields = fields(of: node, "a rule", known) else { return nil }
        let record = fields["record"]?.string ?? ""
        let alert = fields["alert"]?.string ?? ""
        guard record.isEmpty != alert.isEmpty else {
            note(
                node.line,
                record.isEmpty
                    ? "a rule needs \"record\" or \"alert\""
                    : "a rule is a recording or an alert, not both"
            )
            return nil
        }
        guard let expression = fields["expr"]?.string,
            expression.contains(where: { !$0.isWhitespace })
        else {
            note(fields["expr"]?.line ?? node.line, "rule \(record)\(alert) has no expr")
            return nil
        }
        let hold = duration(fields["for"], "for")
        let keep = duration(fields["keep_firing_for"], "keep_firing_for")
        let labels = merged(groupLabels, texts(fields["labels"], "labels"))
        let annotations = texts(fields["annotations"], "annotations")
        if alert.isEmpty {
            for key in ["for", "keep_firing_for", "annotations"] {
                if let node = fields[key] {
                    note(node.line, "\"\(key)\" belongs to alerts, not to recording rules")
                }
            }
            if !Self.isMetricName(record) {
                note(fields["record"]?.line ?? node.line, "\"\(record)\" is no metric name")
            }
        }
        for label in labels where !Self.isLabelName(label.name) || label.name == "__name__" {
            note(label.line, "\"\(label.name)\" may not be a label's name")
        }
        for annotation in annotations where !Self.isLabelName(annotation.name) {
            note(annotation.line, "\"\(annotation.name)\" may not be an annotation's name")
        }
        return Rule(
            kind: alert.isEmpty
                ? .recording
                : .alerting(forMilliseconds: hold ?? 0, keepFiringForMilliseconds: keep ?? 0),
            name: record + alert,
            expression: expression,
            line: fields["expr"]?.line ?? node.line,
            labels: templates(labels, isPlain: alert.isEmpty),
            annotations: templates(annotations, isPlain: false)
        )
    }

    /// A label or annotation and where it stands.
    private struct LinedText {
        let name: String
        let value: String
        let line: Int
    }

    private mutating func texts(_ node: YAMLNode?, _ what: String) -> [LinedText] {
        guard let node else { return [] }
        guard let entries = node.entries else {
            if node.string != nil || node.items != nil { note(node.line, "\(what) is no mapping") }
            return []
        }
        var texts: [LinedText] = []
        for entry in entries {
            guard case .scalar = entry.value.content else {
                note(entry.line, "\"\(entry.key)\" in \(what) is no text")
                continue
            }
            texts.append(
                LinedText(name: entry.key, value: entry.value.string ?? "", line: entry.line)
            )
        }
        return texts
    }

    /// The group's labels with the rule's over them, by name.
    private func merged(_ group: [LinedText], _ rule: [LinedText]) -> [LinedText] {
        let own = Set(rule.map(\.name))
        return (group.filter { !own.contains($0.name) } + rule).sorted { $0.name < $1.name }
    }

    private mutating func templates(
        _ texts: [LinedText],
        isPlain: Bool
    ) -> [Rule.NamedTemplate] {
        var templates: [Rule.NamedTemplate] = []
        for text in texts.sorted(by: { $0.name < $1.name }) {
            if isPlain {
                // Labels of recording rules are no templates.
                templates.append(.init(name: text.name, template: Template(plain: text.value)))
                continue
            }
            do throws(TemplateError) {
                templates.append(
                    .init(name: text.name, template: try Template(parsing: text.value))
                )
            } catch {
                note(text.line, "the template of \"\(text.name)\": \(error.reason)")
            }
        }
        return templates
    }

    /// Milliseconds; nil when absent or bad.
    private mutating func duration(_ node: YAMLNode?, _ what: String) -> Int64? {
        guard let node else { return nil }
        guard let text = node.string, let nanoseconds = Units.nanoseconds(text) else {
            note(node.line, "\(what) \"\(node.string ?? "")\" is no duration such as 30s or 5m")
            return nil
        }
        return nanoseconds / 1_000_000
    }

    private static func isLabelName(_ name: String) -> Bool {
        isName(name, allowingColon: false)
    }

    private static func isMetricName(_ name: String) -> Bool { isName(name, allowingColon: true) }

    private static func isName(_ name: String, allowingColon: Bool) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            case UInt8(ascii: ":"): allowingColon
            default: false
            }
        }
    }

    private static func line(of error: YAMLError) -> Int {
        switch error {
        case .syntax(let line, _), .duplicateKey(let line, _), .keyNotScalar(let line),
            .aliasRefused(let line), .tooDeep(let line, _), .manyDocuments(let line):
            line
        case .tooLarge: 1
        }
    }

    private static func reason(of error: YAMLError) -> String {
        switch error {
        case .syntax(_, let reason): "no YAML: \(reason)"
        case .duplicateKey(_, let key): "the key \"\(key)\" is there twice"
        case .keyNotScalar: "a key must be a plain text"
        case .aliasRefused: "YAML aliases are not taken; write it out"
        case .tooDeep(_, let limit): "nested more than \(limit) deep"
        case .tooLarge(let bytes, let limit): "\(bytes) bytes are more than \(limit)"
        case .manyDocuments: "more than one YAML document"
        }
    }
}
