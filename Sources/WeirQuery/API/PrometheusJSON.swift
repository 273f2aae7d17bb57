internal import Synchronization
internal import WeirCore

/// Writes answers in Prometheus's JSON, straight into bytes.
struct PrometheusJSON {
    private(set) var bytes: [UInt8] = []

    private mutating func put(_ text: StaticString) {
        // SAFETY: a literal's bytes live as long as the program, and are not kept.
        text.withUTF8Buffer { unsafe bytes.append(contentsOf: $0) }
    }

    private mutating func separate(_ index: Int) {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
    }

    // MARK: Envelopes

    static func failure(_ error: PrometheusError) -> PrometheusAnswer {
        var json = Self()
        json.put("{\"status\":\"error\",\"errorType\":")
        JSONWriter.appendString(error.kind.rawValue, to: &json.bytes)
        json.put(",\"error\":")
        JSONWriter.appendString(error.message, to: &json.bytes)
        json.put("}")
        return PrometheusAnswer(status: error.kind.status, body: json.bytes)
    }

    /// `{"status":"success","data":{"resultType":…,"result":…,"stats":{…}}}`.
    static func success(
        _ value: QueryValue,
        stats: QueryStats,
        warnings: [String],
        infos: [String]
    ) -> PrometheusAnswer {
        var json = Self()
        json.put("{\"status\":\"success\",\"data\":{\"resultType\":")
        json.put(value)
        json.put(",\"stats\":")
        json.put(stats)
        json.put("}")
        json.finish(warnings, infos)
        return PrometheusAnswer(status: 200, body: json.bytes)
    }

    /// `{"status":"success","data":["…"],"stats":{…}}`.
    static func success(
        _ names: [String],
        stats: QueryStats,
        warnings: [String]
    ) -> PrometheusAnswer {
        var json = Self()
        json.put("{\"status\":\"success\",\"data\":")
        json.put(names)
        json.put(",\"stats\":")
        json.put(stats)
        json.finish(warnings)
        return PrometheusAnswer(status: 200, body: json.bytes)
    }

    /// `{"status":"success","data":[{"__name__":…},…],"stats":{…}}`.
    static func success(
        _ series: [Labels],
        stats: QueryStats,
        warnings: [String]
    ) -> PrometheusAnswer {
        var json = Self()
        json.put("{\"status\":\"success\",\"data\":[")
        for (index, labels) in series.enumerated() {
            json.separate(index)
            json.put(labels)
        }
        json.put("],\"stats\":")
        json.put(stats)
        json.finish(warnings)
        return PrometheusAnswer(status: 200, body: json.bytes)
    }

    /// `{"status":"success","data":{…}}`.
    static func success(tree: [UInt8], warnings: [String] = []) -> PrometheusAnswer {
        var json = Self()
        json.put("{\"status\":\"success\",\"data\":")
        json.bytes.append(contentsOf: tree)
        json.finish(warnings)
        return PrometheusAnswer(status: 200, body: json.bytes)
    }

    /// `{"status":"success","data":"…"}`.
    static func success(text: String) -> PrometheusAnswer {
        var json = Self()
        json.put("{\"status\":\"success\",\"data\":")
        JSONWriter.appendString(text, to: &json.bytes)
        json.put("}")
        return PrometheusAnswer(status: 200, body: json.bytes)
    }

    private mutating func finish(_ warnings: [String], _ infos: [String] = []) {
        if !warnings.isEmpty {
            put(",\"warnings\":")
            put(warnings)
        }
        if !infos.isEmpty {
            put(",\"infos\":")
            put(infos)
        }
        put("}")
    }

    // MARK: Parts

    private mutating func put(_ names: [String]) {
        put("[")
        for (index, name) in names.enumerated() {
            separate(index)
            JSONWriter.appendString(name, to: &bytes)
        }
        put("]")
    }

    private mutating func put(_ stats: QueryStats) {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("segments", stats.segments)
        writer.member("blocks", stats.blocks)
        writer.member("rows", stats.rows)
        writer.member("bytes", stats.bytes)
        writer.member("milliseconds", stats.milliseconds)
        writer.endObject()
        bytes.append(contentsOf: writer.bytes)
    }

    private mutating func put(_ labels: Labels) {
        put("{")
        for (index, pair) in LabelOrder.pairs(labels).enumerated() {
            separate(index)
            JSONWriter.appendString(pair.name, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            JSONWriter.appendString(pair.value, to: &bytes)
        }
        put("}")
    }

    private mutating func put(_ time: Int64, _ value: Double) {
        put("[")
        PrometheusTime.append(milliseconds: time, to: &bytes)
        put(",\"")
        NumberText.appendSample(value, to: &bytes)
        put("\"]")
    }

    private mutating func put(_ time: Int64, _ histogram: FloatHistogram) {
        put("[")
        PrometheusTime.append(milliseconds: time, to: &bytes)
        put(",")
        histogram.appendJSON(to: &bytes)
        put("]")
    }

    private mutating func put(_ value: QueryValue) {
        switch value {
        case .scalar(let time, let number):
            // Scalars and strings are written another way than the samples of series: times
            // without trailing zeros, values never in scientific notation.
            put("\"scalar\",\"result\":[")
            NumberText.appendPlain(Double(time) / 1000, to: &bytes)
            put(",\"")
            NumberText.appendPlain(number, to: &bytes)
            put("\"]")
        case .string(let time, let text):
            put("\"string\",\"result\":[")
            NumberText.appendPlain(Double(time) / 1000, to: &bytes)
            put(",")
            JSONWriter.appendString(text, to: &bytes)
            put("]")
        case .vector(let time, let samples):
            put("\"vector\",\"result\":[")
            for (index, sample) in samples.enumerated() {
                separate(index)
                put("{\"metric\":")
                put(sample.labels)
                if let histogram = sample.histogram {
                    put(",\"histogram\":")
                    put(time, histogram)
                } else {
                    put(",\"value\":")
                    put(time, sample.value)
                }
                put("}")
            }
            put("]")
        case .matrix(let series):
            put("\"matrix\",\"result\":[")
            var points = PrometheusPoints()
            for (index, one) in series.enumerated() {
                separate(index)
                put("{\"metric\":")
                put(one.labels)
                if !one.times.isEmpty || one.histograms.isEmpty {
                    put(",\"values\":[")
                    points.append(one, to: &bytes)
                    put("]")
                }
                if !one.histograms.isEmpty {
                    put(",\"histograms\":[")
                    for (place, point) in one.histograms.enumerated() {
                        separate(place)
                        put(point.time, point.histogram)
                    }
                    put("]")
                }
                put("}")
            }
            put("]")
        }
    }
}

/// What a query cost, as answers tell it.
struct QueryStats {
    let segments: Int
    let blocks: Int
    let rows: Int
    let bytes: Int
    let milliseconds: Double

    init(_ context: QueryContext, since start: ContinuousClock.Instant) {
        segments = context.segmentsRead.load(ordering: .relaxed)
        blocks = context.blocksRead.load(ordering: .relaxed)
        rows = context.rowsRead.load(ordering: .relaxed)
        bytes = context.bytesRead.load(ordering: .relaxed)
        let elapsed = (ContinuousClock.now - start).components
        let microseconds =
            elapsed.seconds * 1_000_000 + elapsed.attoseconds / 1_000_000_000_000
        milliseconds = Double(microseconds) / 1000
    }
}
