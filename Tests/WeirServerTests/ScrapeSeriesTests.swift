import Testing
import WeirCore
import WeirWire

@testable import WeirServer

/// What a target exposes becomes rows as it does in Prometheus.
@Suite struct ScrapeSeriesTests {
    private static let second: Int64 = 1_000_000_000
    private static let labels = Labels(["job": "j", "instance": "i", "host": "h"])

    private static func job(_ text: String = "") throws -> ScrapeJob {
        let text = "scrape_configs:\n  - job_name: j\n" + text
        return try #require(
            try ScrapeConfigurationReader.parse(text, path: "prometheus.yml").jobs.first
        )
    }

    private static func parse(_ text: String, _ time: Int64) -> MetricBatches {
        var interner = SeriesInterner()
        return ExpositionParser.parse(
            Array(text.utf8),
            options: ExpositionOptions(format: .prometheus, now: time),
            interner: &interner
        ).batches
    }

    private static func show(_ batches: MetricBatches) -> [String] {
        (0..<batches.samples.rowCount).map { row in
            let value = batches.samples.columns[0].floats[row]
            let isStale = value.bitPattern == Double.staleMarker.bitPattern
            let labels = batches.samples.streams[Int(batches.samples.streamIndexes[row])]
            return "\(labels) \(isStale ? "stale" : "\(value)") "
                + "\(batches.samples.times[row] / second)"
        }.sorted()
    }

    @Test func conflictingLabelsAreKeptUnderAnotherName() throws {
        var series = ScrapeSeries(labels: Self.labels, job: try Self.job())
        let parsed = Self.parse("a{job=\"x\",exported_job=\"y\"} 1\n", Self.second)
        #expect(
            try Self.show(series.take(parsed, time: Self.second).batches) == [
                "a{exported_exported_job=\"x\", exported_job=\"y\", host=\"h\", instance=\"i\", "
                    + "job=\"j\"} 1.0 1"
            ]
        )
    }

    @Test func honouredLabelsWin() throws {
        var series = ScrapeSeries(
            labels: Self.labels,
            job: try Self.job("    honor_labels: true\n")
        )
        let parsed = Self.parse("a{job=\"x\"} 1\n", Self.second)
        #expect(
            try Self.show(series.take(parsed, time: Self.second).batches) == [
                "a{host=\"h\", instance=\"i\", job=\"x\"} 1.0 1"
            ]
        )
    }

    @Test func seriesEndWhenTheyAreMissing() throws {
        let target = Labels(["job": "j"])
        var series = ScrapeSeries(labels: target, job: try Self.job())
        func take(_ text: String, _ second: Int64) throws -> (rows: [String], added: Int) {
            let time = second * Self.second
            let result = try series.take(Self.parse(text, time), time: time)
            return (Self.show(result.batches), result.counts.added)
        }
        #expect(try take("a 1\nb 2\nc 3 500\n", 1).added == 3)
        let second = try take("a 1\n", 2)
        #expect(second.rows == ["a{job=\"j\"} 1.0 2", "b{job=\"j\"} stale 2"])
        #expect(second.added == 0)
        let third = try take("a 1\nb 2\n", 3)
        #expect(third.rows == ["a{job=\"j\"} 1.0 3", "b{job=\"j\"} 2.0 3"])
        #expect(third.added == 1)
        #expect(
            Self.show(series.fail(time: 4 * Self.second)) == [
                "a{job=\"j\"} stale 4", "b{job=\"j\"} stale 4",
            ]
        )
        #expect(Self.show(series.fail(time: 5 * Self.second)).isEmpty)
        #expect(try take("a 1\nb 2\n", 6).added == 0)
        #expect(Self.show(series.end(time: 7 * Self.second)).count == 7)
    }

    @Test func theFirstOfTwoSamplesOfASeriesWins() throws {
        var series = ScrapeSeries(
            labels: Labels(["job": "j"]),
            job: try Self.job("    metric_relabel_configs: [{regex: x, action: labeldrop}]\n")
        )
        let result = try series.take(
            Self.parse("a{x=\"1\"} 1\na{x=\"2\"} 2\n", Self.second),
            time: Self.second
        )
        #expect(Self.show(result.batches) == ["a{job=\"j\"} 1.0 1"])
        #expect(result.counts == ScrapeCounts(scraped: 2, kept: 2, added: 2))
    }

    @Test(arguments: [
        ("    sample_limit: 1\n", "sample limit exceeded"),
        ("    label_limit: 4\n", "label_limit exceeded"),
        ("    label_value_length_limit: 3\n", "label_value_length_limit exceeded"),
        ("    label_name_length_limit: 7\n", "label_name_length_limit exceeded"),
        (
            "    metric_relabel_configs: [{regex: __name__, action: labeldrop}]\n",
            "missing metric name"
        ),
    ])
    func limitsFailTheWholeScrape(_ settings: String, _ reason: String) throws {
        var series = ScrapeSeries(labels: Self.labels, job: try Self.job(settings))
        let parsed = Self.parse("a 1\nb{x=\"long\"} 2\n", Self.second)
        let error = try #require(throws: ScrapeFailure.self) {
            try series.take(parsed, time: Self.second)
        }
        #expect(error.description.hasPrefix(reason))
        #expect(Self.show(series.fail(time: Self.second)).isEmpty)
    }
}
