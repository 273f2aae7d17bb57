import Testing

@testable import WeirWire

/// The rules of OpenTelemetry's "Prometheus and OpenMetrics Compatibility", as Prometheus keeps them.
@Suite struct PrometheusNameTests {
    enum Kind { case counter, gauge, other }

    @Test(
        arguments: [
            ("http.server.request.duration", "s", .other, "http_server_request_duration_seconds"),
            ("http.server.duration", "ms", .other, "http_server_duration_milliseconds"),
            ("system.filesystem.usage", "By", .gauge, "system_filesystem_usage_bytes"),
            ("system.io", "By", .counter, "system_io_bytes_total"),
            ("system.network.dropped", "{packets}", .counter, "system_network_dropped_total"),
            ("system.network.dropped", "packets", .counter, "system_network_dropped_packets_total"),
            ("requests", "1", .counter, "requests_total"),
            ("system.memory.utilization", "1", .gauge, "system_memory_utilization_ratio"),
            ("queue.depth", "1", .other, "queue_depth"),
            ("requests_total", "", .counter, "requests_total"),
            ("total.requests", "", .counter, "requests_total"),
            ("requests_total", "", .gauge, "requests_total"),
            ("ratio.of.things", "1", .gauge, "of_things_ratio"),
            ("duration_seconds", "s", .other, "duration_seconds"),
            ("seconds.before.my.birthday", "s", .gauge, "seconds_before_my_birthday"),
            ("astro.light.speed_limit", "m/s", .gauge, "astro_light_speed_limit_meters_per_second"),
            ("throughput", "By/s", .gauge, "throughput_bytes_per_second"),
            ("rate", "{request}/s", .gauge, "rate_per_second"),
            ("items.per.second", "{item}/s", .gauge, "items_per_second"),
            ("speed", "km/h", .gauge, "speed_km_per_hour"),
            ("speed", "m/{lap}", .gauge, "speed_meters"),
            ("temperature", "Cel", .gauge, "temperature_celsius"),
            ("load", "%", .gauge, "load_percent"),
            ("frequency", "Hz", .gauge, "frequency_hertz"), ("x", "parsec", .gauge, "x_parsec"),
            ("x", "foo bar", .gauge, "x_foo_bar"), ("x", "°", .gauge, "x"),
            ("x", " s ", .other, "x_seconds"),
            ("x", "/s", .other, "x_per_second"), ("x", "s/", .other, "x_seconds"),
            ("(lambda).function.executions(#)", "", .other, "lambda_function_executions"),
            ("a__b...c", "", .other, "a_b_c"), ("job:rate:sum", "", .other, "job:rate:sum"),
            ("5xx.errors", "", .counter, "_5xx_errors_total"), ("größe", "", .gauge, "gr_e"),
            ("total", "", .counter, "total"), ("...", "By", .counter, ""), ("", "", .other, ""),
        ] as [(String, String, Kind, String)]
    )
    func metricsNames(_ name: String, _ unit: String, _ kind: Kind, _ expected: String) {
        let found = PrometheusName.metric(
            name,
            unit: unit,
            isCounter: kind == .counter,
            isGauge: kind == .gauge
        )
        #expect(found == expected)
    }

    @Test(arguments: [
        ("http.route", "http_route"), ("a", "a"), ("A-b.c/d", "A_b_c_d"), ("1st", "key_1st"),
        ("_private", "key_private"), ("__reserved__", "__reserved__"), ("a__b", "a__b"),
        ("a..b", "a__b"), ("ü", ""), ("ünit", "key_nit"), ("", ""), ("___", ""), ("le", "le"),
        ("a:b", "a_b"),
    ])
    func labelsNames(_ name: String, _ expected: String) {
        #expect(PrometheusName.label(name) == expected)
    }
}
