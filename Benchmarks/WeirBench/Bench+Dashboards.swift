/// One panel as both servers refreshed it.
struct DashboardPair {
    let name: String
    let weir: DashboardMeasure
    let peer: DashboardMeasure?
}

extension Bench {
    /// Panels over the gauges, each moved by one step from refresh to refresh.
    func refresh(
        _ set: DataSet,
        _ weir: Server,
        _ peer: Server?
    ) throws(BenchError) -> [DashboardPair] {
        let hours = max(1, (set.end - set.start) / DataSet.hour * 3 / 4)
        let panels: [(name: String, expression: String, step: Int64)] = [
            ("max by host", "max by (hostname) (cpu_usage_user)", 60),
            ("quantile(0.9, rate(x[5m]))", "quantile(0.9, rate(cpu_usage_user[5m]))", 60),
            (
                "mean per host of 10 gauges",
                "avg by (hostname) (avg_over_time({__name__=~\"cpu_usage_.*\"}[1h]))", 600
            ),
        ]
        var pairs: [DashboardPair] = []
        for panel in panels {
            func measure(_ server: Server) throws(BenchError) -> DashboardMeasure {
                try DashboardMeasure.measure(
                    panel.expression,
                    on: server,
                    set,
                    hours: hours,
                    stepSeconds: panel.step,
                    repeats: options.queryRepeats
                )
            }
            var other: DashboardMeasure?
            if let peer { other = try measure(peer) }
            pairs.append(
                DashboardPair(
                    name: "\(panel.name), \(hours) h at \(panel.step) s",
                    weir: try measure(weir),
                    peer: other
                )
            )
        }
        return pairs
    }

    mutating func addDashboards(_ pairs: [DashboardPair]) {
        report.begin("range queries moved by one step, median at the client")
        for pair in pairs {
            report.add(
                "\(pair.name), nothing kept",
                pair.weir.cold.median,
                .milliseconds,
                peer: pair.peer?.cold.median
            )
            report.add(
                "  with what was kept",
                pair.weir.warm.median,
                .milliseconds,
                peer: pair.peer?.warm.median
            )
            report.add(
                "  kept over not kept",
                pair.weir.warm.median / max(pair.weir.cold.median, 1e-9),
                .times
            )
        }
    }
}
