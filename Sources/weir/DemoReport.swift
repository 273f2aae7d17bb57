import WeirCore
import WeirDemo
import WeirSystem
import WeirTUI
import WeirTerminal

/// What the demo prints where there is no terminal.
struct DemoReport {
    /// The dashboard of the server itself, which has no past to show but since its start.
    static let ownDashboard = "weir"
    static let width = 120
    /// The order in which they tell a story; others follow.
    private static let order = ["shop", "latency", "traces", "queues-and-caches", "hosts", "logs"]

    let base: String
    let api: HTTPQueryAPI
    private let dashboardsFolder: String
    /// How far back that dashboard looks, in milliseconds.
    var ownRange: Int64 = 60_000
    /// What should have been there and was not.
    var missing: [String] = []

    init(base: String, dashboardsFolder: String) {
        self.base = base
        self.dashboardsFolder = dashboardsFolder
        api = HTTPQueryAPI(base: base)
    }

    func get(_ path: String) throws(DemoError) -> JSONValue {
        do throws(APIError) {
            return try api.get(path: path, parameters: [])
        } catch {
            throw .request(path: path, reason: error.text)
        }
    }

    private func alerts() throws(DemoError) -> [JSONValue] {
        try get("/api/v1/alerts")["data"]?["alerts"]?.array ?? []
    }

    func isAnyFiring() throws(DemoError) -> Bool {
        try alerts().contains { $0["state"]?.string == "firing" }
    }

    /// Prints those dashboards of the folder that are chosen by name.
    mutating func printDashboards(where isChosen: (String) -> Bool) {
        let library: DashboardLibrary
        do throws(DashboardError) {
            library = try DashboardLibrary(folder: dashboardsFolder)
        } catch {
            missing.append("\(dashboardsFolder): \(error.text)")
            return
        }
        let chosen = library.entries.filter { isChosen($0.name) }
        if chosen.isEmpty { missing.append("\(dashboardsFolder): a dashboard is missing") }
        let ranked = chosen.sorted { left, right in
            let ranks = [left, right].map { Self.order.firstIndex(of: $0.name) ?? .max }
            return (ranks[0], left.name) < (ranks[1], right.name)
        }
        for entry in ranked {
            switch entry.result {
            case .success(let dashboard): print(dashboard, path: entry.path)
            case .failure(let error):
                missing.append("\(entry.path):\(error.line ?? 1): \(error.text)")
            }
        }
    }

    private mutating func print(_ dashboard: Dashboard, path: String) {
        let frame = DashboardRenderer.render(
            dashboard,
            api: api,
            size: ScreenSize(width: Self.width, height: 40),
            at: HostClock().nowMilliseconds(),
            range: dashboard.name == Self.ownDashboard ? ownRange : nil,
            style: .plain,
            isWhole: true
        )
        Self.printTitle("\(dashboard.title) (\(path))")
        Console.print(frame)
        for sign in ["no data", "error:"] where frame.contains(sign) {
            missing.append("\(path): a panel says \"\(sign)\"")
        }
    }

    /// The firing and the pending alerts as a table, firing first.
    mutating func printAlerts() throws(DemoError) {
        let all = try alerts()
        let firing = all.filter { $0["state"]?.string == "firing" }
        let pending = all.filter { $0["state"]?.string == "pending" }
        Self.printTitle("Alerts: \(firing.count) firing, \(pending.count) pending")
        if firing.isEmpty { missing.append("no alert fires") }
        var table = TextTable(["state", "severity", "alert", "since", "summary"])
        for alert in firing + pending {
            // 2026-01-02T03:04:05.678Z
            let since = alert["activeAt"]?.string ?? ""
            table.append([
                alert["state"]?.string ?? "", alert["labels"]?["severity"]?.string ?? "",
                alert["labels"]?["alertname"]?.string ?? "",
                String(since.dropFirst(11).prefix(8)),
                alert["annotations"]?["summary"]?.string ?? "",
            ])
        }
        Console.print(table.text)
    }

    /// What it all takes on disk.
    mutating func printSummary(_ backfill: ShopPusher.Backfill) throws(DemoError) {
        let status = try get("/api/v1/status")
        let signals = (status["signals"]?.array ?? []).filter {
            $0["signal"]?.string == "metrics"
        }
        func total(_ name: String) -> Int {
            signals.reduce(0) { $0 + Int($1[name]?.double ?? 0) }
        }
        let rows = total("segment_rows")
        let bytes = total("segment_bytes")
        guard rows > 0, bytes > 0 else {
            missing.append("/api/v1/status tells of no rows on disk")
            return
        }
        Self.printTitle("Summary")
        let lines = [
            ("samples on disk", Self.grouped(rows)),
            ("in memory", Self.grouped(total("memory_rows"))),
            ("active series", Self.grouped(total("active_series"))),
            ("segments", Self.grouped(total("segments"))),
            ("bytes on disk", Self.grouped(bytes)),
            ("bytes per sample", Self.decimal(Double(bytes) / Double(rows), 2)),
            (
                "back-fill",
                "\(Self.grouped(backfill.samples)) samples,"
                    + " \(Self.decimal(Double(backfill.bytes) / 1e6, 1)) MB of line protocol,"
                    + " \(Self.decimal(backfill.seconds, 1)) s"
            ),
        ]
        for (name, value) in lines {
            Console.print(name + String(repeating: " ", count: 18 - name.count) + value)
        }
    }

    static func printTitle(_ title: String) {
        let rest = max(0, width - title.count - 4)
        Console.print("\n== \(title) " + String(repeating: "=", count: rest))
    }

    /// What to do with a server that stays up.
    static func keptText(base: String, dataFolder: String) -> String {
        """

        Weir runs at \(base), with its data in \(dataFolder). Ctrl-C ends it.

          weir tui --base \(base)
          weir alerts --base \(base)
          weir query --base \(base) --range 1h --graph 'sum by (service) (rate(http_requests_total[1m]))'

          weir logs --base \(base) -f '{service="checkout"} | level="error"'
          weir traces --base \(base) '{resource.service.name="payment" && status=error}' --sort duration
          weir exemplars --base \(base) 'traces_spanmetrics_latency_bucket{service="payment"}'

          curl '\(base)/api/v1/query' --data-urlencode 'query=sum(rate(shop_orders_total[5m])) * 60'
          curl '\(base)/api/v1/alerts'
          curl '\(base)/api/v1/label/service/values'
          curl '\(base)/metrics'
          curl '\(base)/api/v1/logs/query' --data-urlencode 'query={service="payment"} |= "504"' -d limit=5
          curl -N '\(base)/api/v1/logs/tail?query=timed+out'
          curl '\(base)/write' --data-binary 'greenhouse,bed=north temperature=21.5,humidity=64'
          curl '\(base)/api/v1/query?query=greenhouse_temperature'

        """
    }

    /// As in `1,234,567`.
    static func grouped(_ number: Int) -> String {
        var text = ""
        for (index, digit) in String(number).reversed().enumerated() {
            if index > 0, index % 3 == 0, digit != "-" { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }

    /// With that many digits after the point.
    static func decimal(_ value: Double, _ digits: Int) -> String {
        let scale = (0..<digits).reduce(1) { scale, _ in scale * 10 }
        let whole = Int((value * Double(scale)).rounded())
        let rest = String(whole % scale)
        let padding = String(repeating: "0", count: max(0, digits - rest.count))
        return "\(whole / scale).\(padding)\(rest)"
    }

    static func duration(seconds: Int64) -> String {
        Units.text(nanoseconds: seconds * 1_000_000_000)
    }
}
