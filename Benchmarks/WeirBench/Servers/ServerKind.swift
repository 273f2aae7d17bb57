/// The programs that can be measured: Weir, and its peer.
enum ServerKind: Hashable, Sendable {
    case weir
    case victoriaMetrics

    var name: String {
        switch self {
        case .weir: "weir"
        case .victoriaMetrics: "victoria-metrics"
        }
    }

    func arguments(folder: String, port: Int) -> [String] {
        switch self {
        case .weir:
            // Its own telemetry would count among the samples, so it is off.
            [
                "serve", "--data", folder, "--listen", "127.0.0.1:\(port)", "--sync", "always",
                "--self-interval", "0",
            ]
        case .victoriaMetrics:
            [
                "-storageDataPath=\(folder)", "-httpListenAddr=127.0.0.1:\(port)",
                "-retentionPeriod=100y", "-search.maxUniqueTimeseries=2000000",
            ]
        }
    }

    var readyPath: String {
        switch self {
        case .weir: "/-/ready"
        case .victoriaMetrics: "/health"
        }
    }

    /// Appended to a query's URL, so that every answer is worked out anew.
    var queryExtra: String { "&nocache=1" }
}
