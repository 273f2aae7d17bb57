package import WeirYAML

/// What is wrong with a dashboard file.
///
/// Lines count from 1.
package enum DashboardError: Error, Hashable, Sendable {
    case yaml(YAMLError)
    case unknownKey(line: Int, key: String, place: String, nearest: String?)
    case missingKey(line: Int, key: String, place: String)
    /// `expected` says what would do.
    case wrongValue(line: Int, key: String, expected: String)
    case unknownChoice(line: Int, key: String, value: String, nearest: String?, choices: [String])
    /// A kind or language that is reserved for later.
    case notYet(line: Int, key: String, value: String)
    case unknownVariable(line: Int, name: String, nearest: String?)
    case unreadable(path: String, errno: Int32)
    case noSuchDashboard(name: String, nearest: String?)

    /// The line, where there is one.
    package var line: Int? {
        switch self {
        case .yaml(let error):
            switch error {
            case .syntax(let line, _), .duplicateKey(let line, _), .keyNotScalar(let line),
                .aliasRefused(let line), .tooDeep(let line, _), .manyDocuments(let line):
                line
            case .tooLarge: nil
            }
        case .unknownKey(let line, _, _, _), .missingKey(let line, _, _),
            .wrongValue(let line, _, _), .unknownChoice(let line, _, _, _, _),
            .notYet(let line, _, _), .unknownVariable(let line, _, _):
            line
        case .unreadable, .noSuchDashboard: nil
        }
    }

    /// One line for people, without the line number.
    package var text: String {
        func hint(_ nearest: String?) -> String { nearest.map { "; did you mean `\($0)`?" } ?? "" }
        switch self {
        case .yaml(let error): return Self.text(error)
        case .unknownKey(_, let key, let place, let nearest):
            return "unknown key `\(key)` in \(place)" + hint(nearest)
        case .missingKey(_, let key, let place): return "\(place) needs `\(key)`"
        case .wrongValue(_, let key, let expected): return "`\(key)` must be \(expected)"
        case .unknownChoice(_, let key, let value, let nearest, let choices):
            return "`\(key): \(value)` is none of \(choices.joined(separator: ", "))"
                + hint(nearest)
        case .notYet(_, let key, let value):
            return "`\(key): \(value)` is reserved for a later version: not yet"
        case .unknownVariable(_, let name, let nearest):
            return "`$\(name)` is no variable of this dashboard" + hint(nearest)
        case .unreadable(let path, let number): return "cannot read \(path): errno \(number)"
        case .noSuchDashboard(let name, let nearest):
            return "no dashboard `\(name)`" + hint(nearest)
        }
    }

    private static func text(_ error: YAMLError) -> String {
        switch error {
        case .syntax(_, let reason): "not YAML: \(reason)"
        case .duplicateKey(_, let key): "`\(key)` twice"
        case .keyNotScalar: "a key must be plain text"
        case .aliasRefused: "aliases (`*name`) are not taken"
        case .tooDeep(_, let limit): "nested deeper than \(limit)"
        case .tooLarge(let bytes, let limit): "\(bytes) bytes; \(limit) at most"
        case .manyDocuments: "more than one document"
        }
    }
}
