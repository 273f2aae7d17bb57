internal import WeirCore
package import WeirTerminal

/// What `weir tui` was asked for.
package struct TUIOptions: Sendable {
    /// The server's address.
    package var base = "http://127.0.0.1:4040"
    package var token: String?
    package var dashboardsFolder = "dashboards"
    /// The dashboard to open; the first when nil.
    package var dashboard: String?
    /// The time range in milliseconds; the dashboard's own when nil.
    package var range: Int64?
    /// Chosen values of variables.
    package var variables: [String: String] = [:]
    /// A file of keys to play instead of reading a terminal.
    package var script: String?
    package var size = ScreenSize(width: 120, height: 40)
    /// The time the script plays at, in milliseconds since 1970; the system's when nil.
    package var clock: Int64?
    /// Prints the last screen of a script.
    package var isDumped = false
    package var environment: [String: String] = [:]

    package init() {}

    /// What is wrong with the flags.
    package enum FlagError: Error, Hashable, Sendable {
        case unknown(String, nearest: String?)
        case needsValue(String)
        case badValue(flag: String, value: String, expected: String)

        /// One line for people.
        package var text: String {
            switch self {
            case .unknown(let flag, let nearest):
                "unknown flag \(flag)" + (nearest.map { "; did you mean \($0)?" } ?? "")
            case .needsValue(let flag): "\(flag) needs a value"
            case .badValue(let flag, let value, let expected):
                "\(flag) \(value): must be \(expected)"
            }
        }
    }

    /// The flags and their values, for help.
    package static let usage = """
        weir tui [flags] [DASHBOARD]
          --base URL           the server (default http://127.0.0.1:4040)
          --token TOKEN        sent as a bearer token
          --dashboards DIR     the folder of dashboards (default dashboards)
          --range 1h           the time shown (default: the dashboard's)
          --var NAME=VALUE     a variable's value; may be given more than once
          --script FILE        plays keys from a file, without a terminal
          --size 120x40        the screen of a script
          --clock T            the time of a script: seconds since 1970, or RFC 3339
          --dump               prints the last screen of a script

        """

    private static let flags = [
        "--base", "--token", "--dashboards", "--dashboard", "--range", "--var", "--script",
        "--size", "--clock", "--dump",
    ]

    /// Reads the arguments after `tui`.
    package init(
        arguments: [String],
        environment: [String: String]
    ) throws(FlagError) {
        self.environment = environment
        if let base = environment["WEIR_URL"], !base.isEmpty { self.base = base }
        token = environment["WEIR_TOKEN"]
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("--") else {
                dashboard = argument
                continue
            }
            var flag = argument
            var attached: String?
            if let equals = argument.firstIndex(of: "=") {
                flag = String(argument[..<equals])
                attached = String(argument[argument.index(after: equals)...])
            }
            guard Self.flags.contains(flag) else {
                throw .unknown(flag, nearest: EditDistance.nearest(to: flag, among: Self.flags))
            }
            if flag == "--dump" {
                isDumped = true
                continue
            }
            guard let value = attached ?? rest.popFirst() else { throw .needsValue(flag) }
            try set(flag, value)
        }
    }

    private mutating func set(_ flag: String, _ value: String) throws(FlagError) {
        func bad(_ expected: String) -> FlagError {
            .badValue(flag: flag, value: value, expected: expected)
        }
        switch flag {
        case "--base": base = value
        case "--token": token = value
        case "--dashboards": dashboardsFolder = value
        case "--dashboard": dashboard = value
        case "--script": script = value
        case "--range":
            guard let range = DurationText.milliseconds(value), range >= TimeSpan.spanMin,
                range <= TimeSpan.spanMax
            else { throw bad("a duration of 10s at least") }
            self.range = range
        case "--var":
            guard let equals = value.firstIndex(of: "=") else { throw bad("NAME=VALUE") }
            variables[String(value[..<equals])] = String(value[value.index(after: equals)...])
        case "--size":
            guard let size = ScreenSize(value) else { throw bad("such as 120x40") }
            self.size = size
        case "--clock":
            guard let clock = MomentText.milliseconds(value) else {
                throw bad("seconds since 1970, or RFC 3339")
            }
            self.clock = clock
        default: throw .unknown(flag, nearest: nil)
        }
    }
}
