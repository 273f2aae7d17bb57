internal import WeirCore
internal import WeirPattern

/// One entry of `relabel_configs` or `metric_relabel_configs`.
///
/// Meaning and defaults: docs/scraping.md.
struct RelabelRule: Sendable {
    enum Action: String, CaseIterable, Sendable {
        case replace, keep, drop, keepequal, dropequal, hashmod, labelmap, labeldrop, labelkeep
        case lowercase, uppercase
    }

    /// The longest label value that a rule may make, in bytes.
    static let valueBytesMax = 64 << 10
    static let defaultRegex = "(.*)"
    static let defaultReplacement = "$1"
    static let defaultSeparator = ";"

    let action: Action
    let sourceLabels: [String]
    let separator: String
    let targetLabel: String
    let modulus: UInt64
    let replacement: String
    private let regex: String
    private let pattern: Pattern
    private let capture: CapturePattern

    /// `regex` is anchored at both ends.
    init(
        action: Action = .replace,
        sourceLabels: [String] = [],
        separator: String = defaultSeparator,
        regex: String = defaultRegex,
        modulus: UInt64 = 0,
        targetLabel: String = "",
        replacement: String = defaultReplacement
    ) throws(PatternError) {
        self.action = action
        self.sourceLabels = sourceLabels
        self.separator = separator
        self.targetLabel = targetLabel
        self.modulus = modulus
        self.replacement = replacement
        self.regex = regex
        pattern = try Pattern(regex)
        capture = try CapturePattern(regex)
    }

    /// Why the rule cannot be used; nil when it can.
    var problem: String? {
        switch action {
        case .replace, .hashmod, .lowercase, .uppercase, .keepequal, .dropequal:
            if targetLabel.isEmpty { return "action \(action.rawValue) needs a target_label" }
        case .keep, .drop, .labelmap, .labeldrop, .labelkeep: break
        }
        switch action {
        case .hashmod where modulus == 0: return "action hashmod needs a modulus above 0"
        case .lowercase, .uppercase:
            if replacement != Self.defaultReplacement {
                return "action \(action.rawValue) takes no replacement"
            }
        case .keepequal, .dropequal:
            if regex != Self.defaultRegex || modulus != 0 || separator != Self.defaultSeparator
                || replacement != Self.defaultReplacement
            {
                return "action \(action.rawValue) takes source_labels and target_label alone"
            }
        case .labeldrop, .labelkeep:
            if !sourceLabels.isEmpty || !targetLabel.isEmpty || modulus != 0
                || separator != Self.defaultSeparator || replacement != Self.defaultReplacement
            {
                return "action \(action.rawValue) takes a regex alone"
            }
        default: break
        }
        return nil
    }

    /// Applies the rule.
    ///
    /// - Returns: False when what has these labels is to be dropped.
    /// - Throws: When the pattern takes too many steps, or the result is too long.
    func apply(to labels: inout LabelTable) throws(PatternError) -> Bool {
        let value = sourceLabels.map { labels[$0] }.joined(separator: separator)
        switch action {
        case .keep: return try pattern.matches(value)
        case .drop: return try !pattern.matches(value)
        case .keepequal: return labels[targetLabel] == value
        case .dropequal: return labels[targetLabel] != value
        case .replace:
            guard let target = try rewrite(value, as: targetLabel), !target.isEmpty,
                let text = try rewrite(value, as: replacement)
            else { break }
            labels[target] = text
        case .lowercase: labels[targetLabel] = Self.mapped(value, \.lowercaseMapping)
        case .uppercase: labels[targetLabel] = Self.mapped(value, \.uppercaseMapping)
        case .hashmod:
            // The last eight bytes, as Prometheus has it.
            let hash = MD5.hash(Array(value.utf8))[8...].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            labels[targetLabel] = String(hash % max(1, modulus))
        case .labelmap:
            for (name, value) in labels.pairs {
                guard let target = try rewrite(name, as: replacement) else { continue }
                if !target.isEmpty { labels[target] = value }
            }
        case .labeldrop:
            for (name, _) in labels.pairs where try pattern.matches(name) { labels[name] = "" }
        case .labelkeep:
            for (name, _) in labels.pairs where try !pattern.matches(name) { labels[name] = "" }
        }
        return true
    }

    private func rewrite(
        _ value: String,
        as template: String
    ) throws(PatternError) -> String? {
        try capture.rewrite(value, as: template, lengthMax: Self.valueBytesMax)
    }

    /// Scalar by scalar, as Go does: a mapping to several scalars is none.
    private static func mapped(
        _ text: String,
        _ mapping: KeyPath<Unicode.Scalar.Properties, String>
    ) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let mapped = scalar.properties[keyPath: mapping].unicodeScalars
            result.append(mapped.count == 1 ? mapped.first ?? scalar : scalar)
        }
        return String(result)
    }
}

extension [RelabelRule] {
    /// Applies all rules in order.
    ///
    /// - Returns: False when one dropped.
    func apply(to labels: inout LabelTable) throws(PatternError) -> Bool {
        for rule in self where try !rule.apply(to: &labels) { return false }
        return true
    }
}

/// Labels while they are being changed: a name without a value is not there.
struct LabelTable: Hashable, Sendable {
    private var values: [String: String] = [:]

    init() {}

    init(_ pairs: some Sequence<(String, String)>) {
        for (name, value) in pairs { self[name] = value }
    }

    init(_ labels: Labels) { self.init(labels.pairs.map { ($0.name, $0.value) }) }

    var isEmpty: Bool { values.isEmpty }
    var count: Int { values.count }
    var labels: Labels { Labels(pairs) }

    /// In order of name.
    var pairs: [(String, String)] {
        values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            .map { ($0.key, $0.value) }
    }

    subscript(name: String) -> String {
        get { values[name] ?? "" }
        set { values[name] = newValue.isEmpty ? nil : newValue }
    }
}
