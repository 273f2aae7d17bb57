package import WeirCore

/// How rules are run.
///
/// Times are in milliseconds.
package struct RuleEngineConfiguration: Sendable {
    /// For groups that name no interval.
    package var intervalMilliseconds: Int64 = 60_000
    /// After downtime recording rules make up for this many missed ticks at most, ….
    package var catchUpTicksMax = 60
    /// … and this far back at most.
    package var catchUpMillisecondsMax: Int64 = 3_600_000
    /// After a longer downtime pending alerts begin anew.
    package var outageToleranceMilliseconds: Int64 = 3_600_000
    /// Added to alerts that are sent, and `$externalLabels` in templates.
    package var externalLabels = ExternalLabels()
    /// The address people reach this server at; `http://host:4040`.
    package var externalURL = ""

    package init() {}
}
