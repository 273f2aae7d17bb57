import WeirCore

/// The arguments behind a command's name, told apart: flags with values, switches, and the rest.
struct CommandArguments {
    enum Failure: Error {
        case unknownFlag(String, nearest: String?)
        case missingValue(String)
        case unexpected(String)

        var text: String {
            switch self {
            case .unknownFlag(let flag, let nearest):
                "unknown flag \(flag)" + (nearest.map { "; did you mean \($0)?" } ?? "")
            case .missingValue(let flag): "\(flag) needs a value"
            case .unexpected(let text): text
            }
        }
    }

    private(set) var values: [String: String] = [:]
    private(set) var switches: Set<String> = []
    private(set) var positional: [String] = []

    /// What is given.
    ///
    /// - `flags`: Those that take a value, as `--name value` or `--name=value`.
    /// - `switches`: Those that do not.
    init(
        _ arguments: [String],
        flags: [String] = [],
        switches known: [String] = []
    ) throws(Failure) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("--"), argument.count > 2 else {
                positional.append(argument)
                continue
            }
            let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
            if known.contains(argument) {
                switches.insert(argument)
            } else if flags.contains(parts[0]) {
                guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
                    throw .missingValue(parts[0])
                }
                values[parts[0]] = value
            } else {
                throw .unknownFlag(
                    parts[0],
                    nearest: EditDistance.nearest(to: parts[0], among: flags + known)
                )
            }
        }
    }

    subscript(flag: String) -> String? { values[flag] }
    func has(_ name: String) -> Bool { switches.contains(name) }
}
