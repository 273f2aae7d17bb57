internal import WeirCore

/// What a template computes with.
package enum TemplateValue: Hashable, Sendable {
    case none
    case bool(Bool)
    case int(Int)
    case float(Double)
    case string(String)
    /// A map of texts: labels. A name that is not there is the empty text.
    case labels([String: String])
    case map([String: TemplateValue])
    case list([TemplateValue])
    /// A query's sample: `.Labels` and `.Value`.
    case sample(labels: [String: String], value: Double)
    /// What `.` is at the start.
    case alert(labels: [String: String], external: [String: String], url: String, value: Double)

    static func labels(_ labels: Labels) -> TemplateValue {
        .labels(Self.dictionary(labels))
    }

    static func dictionary(_ labels: Labels) -> [String: String] {
        Dictionary(labels.pairs.map { ($0.name, $0.value) }) { _, last in last }
    }

    /// Says whether `if` takes the value for true: whatever is neither zero nor empty.
    var isTrue: Bool {
        switch self {
        case .none: false
        case .bool(let flag): flag
        case .int(let number): number != 0
        case .float(let number): number != 0
        case .string(let text): !text.isEmpty
        case .labels(let labels): !labels.isEmpty
        case .map(let map): !map.isEmpty
        case .list(let items): !items.isEmpty
        case .sample, .alert: true
        }
    }

    /// The name of the kind, for errors.
    var kind: String {
        switch self {
        case .none: "nil"
        case .bool: "bool"
        case .int: "int"
        case .float: "float64"
        case .string: "string"
        case .labels: "map[string]string"
        case .map: "map[string]interface {}"
        case .list: "list"
        case .sample: "sample"
        case .alert: "alert"
        }
    }

    /// The value as Go prints it with `%v`.
    var text: String {
        switch self {
        case .none: return "<no value>"
        case .bool(let flag): return flag ? "true" : "false"
        case .int(let number): return String(number)
        case .float(let number): return GoFormat.shortest(number)
        case .string(let text): return text
        case .labels(let labels): return Self.mapText(labels.mapValues(TemplateValue.string))
        case .map(let map): return Self.mapText(map)
        case .list(let items): return "[" + items.map(\.text).joined(separator: " ") + "]"
        case .sample(let labels, let value):
            return "{\(TemplateValue.labels(labels).text) \(GoFormat.shortest(value))}"
        case .alert(let labels, let external, let url, let value):
            return "{\(TemplateValue.labels(labels).text) \(TemplateValue.labels(external).text)"
                + " \(url) \(GoFormat.shortest(value))}"
        }
    }

    private static func mapText(_ map: [String: TemplateValue]) -> String {
        let pairs = map.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value.text)" }
        return "map[" + pairs.joined(separator: " ") + "]"
    }

    /// The value of `.name`.
    func field(_ name: String) throws(TemplateError) -> TemplateValue {
        switch self {
        case .labels(let labels): return .string(labels[name] ?? "")
        case .map(let map): return map[name] ?? .none
        case .sample(let labels, let value):
            switch name {
            case "Labels": return .labels(labels)
            case "Value": return .float(value)
            default: break
            }
        case .alert(let labels, let external, let url, let value):
            switch name {
            case "Labels": return .labels(labels)
            case "ExternalLabels": return .labels(external)
            case "ExternalURL": return .string(url)
            case "Value": return .float(value)
            default: break
            }
        case .none: throw TemplateError(reason: "nil has no field \(name)")
        default: break
        }
        throw TemplateError(reason: "can't evaluate field \(name) in type \(kind)")
    }
}
