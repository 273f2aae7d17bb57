internal import WeirCore
internal import WeirTerminal

/// The time that every panel of a screen shows.
package enum TimeSpan: Hashable, Sendable {
    /// Up to now, moving with it.
    case last(milliseconds: Int64)
    case fixed(from: Int64, to: Int64)

    package static let spanMin: Int64 = 10_000
    package static let spanMax: Int64 = 20 * 365 * 86_400_000

    /// First and last moment.
    package func bounds(now: Int64) -> (from: Int64, to: Int64) {
        switch self {
        case .last(let span): (now - span, now)
        case .fixed(let from, let to): (from, to)
        }
    }

    package var isLive: Bool {
        if case .last = self { return true }
        return false
    }

    package var milliseconds: Int64 {
        switch self {
        case .last(let span): span
        case .fixed(let from, let to): to - from
        }
    }

    /// `last 1h`, or the dates.
    package func title(now: Int64) -> String {
        switch self {
        case .last(let span): return "last \(Units.text(nanoseconds: span * 1_000_000))"
        case .fixed:
            let (from, to) = bounds(now: now)
            return "\(Units.text(nanoseconds: (to - from) / 1000 * 1_000_000_000)) fixed"
        }
    }

    /// `10:04-11:04 UTC`, with dates when it is not one day.
    package func clockText(now: Int64) -> String {
        let (from, to) = bounds(now: now)
        let first = CivilTime(milliseconds: from)
        let last = CivilTime(milliseconds: to)
        if to - from < 300_000 { return "\(first.clockSeconds)-\(last.clockSeconds) UTC" }
        if first.dayAndMonth == last.dayAndMonth, first.year == last.year {
            return "\(first.clock)-\(last.clock) UTC"
        }
        return "\(first.dayAndMonth) \(first.clock)-\(last.dayAndMonth) \(last.clock) UTC"
    }

    /// The span scaled around a moment: half of it zooms in.
    package func zoomed(by factor: Double, around center: Int64?, now: Int64) -> TimeSpan {
        let (from, to) = bounds(now: now)
        let wanted = Int64((Double(to - from) * factor).rounded())
        let span = min(max(wanted, Self.spanMin), Self.spanMax)
        guard let center else {
            return isLive ? .last(milliseconds: span) : .fixed(from: to - span, to: to)
        }
        let share = Double(center - from) / Double(max(1, to - from))
        let start = center - Int64(Double(span) * share)
        return Self.settled(from: start, to: start + span, now: now)
    }

    /// Moved by a share of its own length; at the present it follows the clock again.
    package func panned(by share: Double, now: Int64) -> TimeSpan {
        let (from, to) = bounds(now: now)
        let distance = Int64(Double(to - from) * share)
        return Self.settled(from: from + distance, to: to + distance, now: now)
    }

    private static func settled(from: Int64, to: Int64, now: Int64) -> TimeSpan {
        to >= now ? .last(milliseconds: to - from) : .fixed(from: from, to: to)
    }
}

/// All that a query needs besides itself.
package struct QueryScope: Hashable, Sendable {
    package let from: Int64
    package let to: Int64
    /// Values after this are not complete.
    package let now: Int64
    package let intervalMilliseconds: Int64
    package let variables: [VariableValue]

    package init(
        from: Int64,
        to: Int64,
        now: Int64,
        intervalMilliseconds: Int64,
        variables: [VariableValue] = []
    ) {
        self.from = from
        self.to = to
        self.now = now
        self.intervalMilliseconds = intervalMilliseconds
        self.variables = variables
    }

    /// A chosen value.
    package struct VariableValue: Hashable, Sendable {
        package let name: String
        package let value: String
        /// Whether it goes into a pattern, because the variable has *all* among its choices.
        package let isPattern: Bool

        package init(name: String, value: String, isPattern: Bool) {
            self.name = name
            self.value = value
            self.isPattern = isPattern
        }
    }

    /// The expression with every name's value in its place.
    package func expand(_ expression: String, stepMilliseconds: Int64) -> String {
        TemplateText.substitute(expression) { name in
            switch name {
            case "__interval": return Self.duration(max(1, stepMilliseconds))
            case "__rate_interval":
                return Self.duration(
                    max(4 * intervalMilliseconds, stepMilliseconds + intervalMilliseconds)
                )
            case "__range": return Self.duration(max(1, to - from))
            default:
                guard let variable = variables.first(where: { $0.name == name }) else { return nil }
                guard variable.isPattern, variable.value != DashboardVariable.all else {
                    return TemplateText.escapedForString(variable.value)
                }
                return TemplateText.escapedForString(
                    TemplateText.escapedForPattern(variable.value)
                )
            }
        }
    }

    /// A legend with the chosen values in it, as people read them.
    package func expandText(_ text: String) -> String {
        TemplateText.substitute(text) { name in
            guard let variable = variables.first(where: { $0.name == name }) else { return nil }
            let isAll = variable.isPattern && variable.value == DashboardVariable.all
            return isAll ? "all" : variable.value
        }
    }

    private static func duration(_ milliseconds: Int64) -> String {
        Units.text(nanoseconds: milliseconds * 1_000_000)
    }
}
