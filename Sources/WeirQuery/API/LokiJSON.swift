internal import WeirCore

/// Writes answers in Loki's JSON.
struct LokiJSON {
    private(set) var writer = JSONWriter()

    static func labels(_ labels: Labels, to writer: inout JSONWriter) {
        writer.beginObject()
        for pair in LabelOrder.pairs(labels) { writer.member(pair.name, pair.value) }
        writer.endObject()
    }

    /// `{"status":"success","data":["…"]}`.
    static func names(_ names: some Sequence<String>) -> LokiAnswer {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("status", "success")
        writer.key("data")
        writer.beginArray()
        for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            writer.value(name)
        }
        writer.endArray()
        writer.endObject()
        return LokiAnswer(json: writer.bytes)
    }

    private mutating func begin(_ type: String) {
        writer.beginObject()
        writer.member("status", "success")
        writer.key("data")
        writer.beginObject()
        writer.member("resultType", type)
        writer.key("result")
    }

    private mutating func end(_ stats: QueryStats, entries: Int, _ warnings: [String]) {
        writer.key("stats")
        Self.stats(stats, entries: entries, to: &writer)
        writer.endObject()
        if !warnings.isEmpty {
            writer.key("warnings")
            writer.beginArray()
            for warning in warnings { writer.value(warning) }
            writer.endArray()
        }
        writer.endObject()
    }

    /// Loki's summary, and Weir's own bill beside it.
    static func stats(_ stats: QueryStats, entries: Int, to writer: inout JSONWriter) {
        let seconds = stats.milliseconds / 1000
        func perSecond(_ count: Int) -> Int {
            seconds > 0 ? Int(Double(count) / seconds) : 0
        }
        writer.beginObject()
        writer.key("summary")
        writer.beginObject()
        writer.member("bytesProcessedPerSecond", perSecond(stats.bytes))
        writer.member("linesProcessedPerSecond", perSecond(stats.rows))
        writer.member("totalBytesProcessed", stats.bytes)
        writer.member("totalLinesProcessed", stats.rows)
        writer.member("execTime", seconds)
        writer.member("queueTime", 0.0)
        writer.member("subqueries", 0)
        writer.member("totalEntriesReturned", entries)
        writer.endObject()
        writer.member("segments", stats.segments)
        writer.member("blocks", stats.blocks)
        writer.member("rows", stats.rows)
        writer.member("bytes", stats.bytes)
        writer.member("milliseconds", stats.milliseconds)
        writer.endObject()
    }

    /// Entries gathered by their labels, streams in order of labels.
    static func streams(
        _ entries: [LogEntry],
        stats: QueryStats,
        warnings: [String]
    ) -> LokiAnswer {
        var json = Self()
        json.begin("streams")
        var placeOf: [Labels: Int] = [:]
        var labels: [Labels] = []
        var members: [[Int]] = []
        for (index, entry) in entries.enumerated() {
            let own = entry.labels
            if let place = placeOf[own] {
                members[place].append(index)
            } else {
                placeOf[own] = labels.count
                labels.append(own)
                members.append([index])
            }
        }
        json.writer.beginArray()
        for place in LabelOrder.sortedIndices(labels) {
            json.writer.beginObject()
            json.writer.key("stream")
            Self.labels(labels[place], to: &json.writer)
            json.writer.key("values")
            json.writer.beginArray()
            for index in members[place] {
                json.writer.beginArray()
                json.writer.value(entries[index].time.description)
                json.writer.value(String(decoding: entries[index].line, as: UTF8.self))
                json.writer.endArray()
            }
            json.writer.endArray()
            json.writer.endObject()
        }
        json.writer.endArray()
        json.end(stats, entries: entries.count, warnings)
        return LokiAnswer(json: json.writer.bytes)
    }

    static func metrics(
        _ value: QueryValue,
        stats: QueryStats,
        warnings: [String]
    ) -> LokiAnswer {
        var json = Self()
        switch value {
        case .scalar(let time, let number):
            json.begin("scalar")
            json.point(time, number)
        case .string(_, let text):
            json.begin("string")
            json.writer.value(text)
        case .vector(let time, let samples):
            json.begin("vector")
            json.writer.beginArray()
            for sample in samples {
                json.writer.beginObject()
                json.writer.key("metric")
                Self.labels(sample.labels, to: &json.writer)
                json.writer.key("value")
                json.point(time, sample.value)
                json.writer.endObject()
            }
            json.writer.endArray()
        case .matrix(let series):
            json.begin("matrix")
            json.writer.beginArray()
            for one in series {
                json.writer.beginObject()
                json.writer.key("metric")
                Self.labels(one.labels, to: &json.writer)
                json.writer.key("values")
                json.writer.beginArray()
                for index in one.times.indices { json.point(one.times[index], one.values[index]) }
                json.writer.endArray()
                json.writer.endObject()
            }
            json.writer.endArray()
        }
        json.end(stats, entries: 0, warnings)
        return LokiAnswer(json: json.writer.bytes)
    }

    private mutating func point(_ time: Int64, _ value: Double) {
        var bytes: [UInt8] = [UInt8(ascii: "[")]
        PrometheusTime.append(milliseconds: time, to: &bytes)
        bytes += Array(",\"".utf8)
        NumberText.appendSample(value, to: &bytes)
        bytes += Array("\"]".utf8)
        writer.raw(bytes)
    }
}
