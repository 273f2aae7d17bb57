internal import WeirCore

/// Times as Prometheus's and Alertmanager's Go code prints them.
enum Timestamps {
    /// The zero time of Go, which stands for "not yet".
    static let zero = "0001-01-01T00:00:00Z"

    /// Such as `2015-06-23 13:19:44.128 +0000 UTC`.
    static func goText(nanoseconds: Int64) -> String {
        TimeText.plain(nanoseconds: nanoseconds) + " +0000 UTC"
    }
}
