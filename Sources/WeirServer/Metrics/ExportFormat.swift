internal import WeirCore
internal import WeirQuery
internal import WeirWire

/// The texts in which series are given out whole.
enum ExportFormat: String, CaseIterable, Sendable {
    /// A JSON object a line, as VictoriaMetrics' `/api/v1/export` has it.
    case json
    /// Prometheus's text, times in milliseconds.
    case prometheus
    /// OpenMetrics, times in seconds, `# EOF` at the end.
    case openmetrics
    /// InfluxDB line protocol, times in nanoseconds.
    case line

    var contentType: String {
        switch self {
        case .json: "application/x-ndjson"
        case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
        case .openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        case .line: "text/plain; charset=utf-8"
        }
    }

    /// Whether native histograms have a place in it.
    ///
    /// What reads the others does not know them.
    var hasHistograms: Bool { self == .prometheus }

    /// Nanoseconds that the times given to `append` count.
    var timeUnit: Int64 { self == .line ? 1 : 1_000_000 }

    /// What stands after all series.
    var end: [UInt8] { self == .openmetrics ? Array("# EOF\n".utf8) : [] }

    /// Appends the samples of one series.
    ///
    /// Stale markers have no place but in JSON, where they are null.
    ///
    /// - Returns: Whether the client still reads.
    func append(
        _ labels: Labels,
        _ times: [Int64],
        _ values: [Double],
        to pieces: inout ExportPieces
    ) -> Bool {
        switch self {
        case .json: return Self.appendJSON(labels, times, values, to: &pieces)
        case .prometheus, .openmetrics:
            let head = Self.exposition(labels)
            for (time, value) in zip(times, values) where !Self.isStale(value) {
                append(head, time, value, to: &pieces.bytes)
                guard pieces.writeWhole() else { return false }
            }
            return true
        case .line: return Self.appendLines(labels, times, values, to: &pieces)
        }
    }

    /// Appends the native histograms of one series, as `NativeHistogramText`; stale ones have no place.
    ///
    /// Times in milliseconds.
    ///
    /// - Returns: Whether the client still reads.
    static func append(
        _ labels: Labels,
        _ histograms: GatheredHistograms.Samples,
        to pieces: inout ExportPieces
    ) -> Bool {
        var head = exposition(labels)
        // Braces after a bare name would be read as its labels.
        if head.last != UInt8(ascii: "}") { head += "{}".utf8 }
        head.append(0x20)
        for (time, histogram) in histograms where !histogram.isStale {
            pieces.bytes += head
            NativeHistogramText.append(histogram, to: &pieces.bytes)
            pieces.bytes.append(0x20)
            pieces.bytes += String(time).utf8
            pieces.bytes.append(0x0A)
            guard pieces.writeWhole() else { return false }
        }
        return true
    }

    /// Appends one sample of Prometheus's texts; `head` is its name and labels.
    func append(_ head: [UInt8], _ time: Int64, _ value: Double, to bytes: inout [UInt8]) {
        bytes += head
        bytes.append(0x20)
        NumberText.appendSample(value, to: &bytes)
        bytes.append(0x20)
        if self == .prometheus {
            bytes += String(time).utf8
        } else {
            PrometheusTime.append(milliseconds: time, to: &bytes)
        }
        bytes.append(0x0A)
    }

    private static func isStale(_ value: Double) -> Bool {
        value.bitPattern == Double.staleMarker.bitPattern
    }

    private static func appendJSON(
        _ labels: Labels,
        _ times: [Int64],
        _ values: [Double],
        to pieces: inout ExportPieces
    ) -> Bool {
        pieces.bytes += #"{"metric":{"#.utf8
        for (place, pair) in labels.pairs.enumerated() {
            if place > 0 { pieces.bytes.append(UInt8(ascii: ",")) }
            JSONWriter.appendString(pair.name, to: &pieces.bytes)
            pieces.bytes.append(UInt8(ascii: ":"))
            JSONWriter.appendString(pair.value, to: &pieces.bytes)
        }
        pieces.bytes += #"},"values":["#.utf8
        for (place, value) in values.enumerated() {
            if place > 0 { pieces.bytes.append(UInt8(ascii: ",")) }
            if value.isNaN {
                pieces.bytes += "null".utf8
            } else if value.isInfinite {
                pieces.bytes += (value < 0 ? #""-Infinity""# : #""Infinity""#).utf8
            } else {
                NumberText.appendSample(value, to: &pieces.bytes)
            }
            guard pieces.writeWhole() else { return false }
        }
        pieces.bytes += #"],"timestamps":["#.utf8
        for (place, time) in times.enumerated() {
            if place > 0 { pieces.bytes.append(UInt8(ascii: ",")) }
            pieces.bytes += String(time).utf8
            guard pieces.writeWhole() else { return false }
        }
        pieces.bytes += "]}\n".utf8
        return pieces.writeWhole()
    }

    /// `name{label="value"}`; names that need it are quoted, within the braces.
    static func exposition(_ labels: Labels) -> [UInt8] {
        exposition(labels.pairs.map { (name: $0.name, value: $0.value) })
    }

    /// The same of labels in any order, the name first.
    static func exposition(_ labels: [(name: String, value: String)]) -> [UInt8] {
        var bytes: [UInt8] = []
        var pairs = labels
        var isFirst = true
        if let name = pairs.first, name.name == Labels.metricNameLabel {
            pairs.removeFirst()
            if isPlain(name.value, allowing: UInt8(ascii: ":")) {
                bytes += name.value.utf8
                guard !pairs.isEmpty else { return bytes }
                bytes.append(UInt8(ascii: "{"))
            } else {
                bytes.append(UInt8(ascii: "{"))
                appendQuoted(name.value, to: &bytes)
                isFirst = false
            }
        } else {
            bytes.append(UInt8(ascii: "{"))
        }
        for pair in pairs {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            if isPlain(pair.name) {
                bytes += pair.name.utf8
            } else {
                appendQuoted(pair.name, to: &bytes)
            }
            bytes.append(UInt8(ascii: "="))
            appendQuoted(pair.value, to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    private static func isPlain(_ name: String, allowing other: UInt8? = nil) -> Bool {
        guard let first = name.utf8.first, first &- 0x30 >= 10 else { return false }
        return name.utf8.allSatisfy { byte in
            let letter = byte | 0x20
            return (letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "z"))
                || byte &- 0x30 < 10 || byte == UInt8(ascii: "_") || byte == other
        }
    }

    private static func appendQuoted(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x0A: bytes += #"\n"#.utf8
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// The metric's name is cut at its first underscore into measurement and field; a name without one
    /// gets the field `value`.
    private static func appendLines(
        _ labels: Labels,
        _ times: [Int64],
        _ values: [Double],
        to pieces: inout ExportPieces
    ) -> Bool {
        let name = labels.metricName ?? ""
        let parts = name.split(separator: "_", maxSplits: 1, omittingEmptySubsequences: false)
        let isCut = parts.count == 2 && !parts[0].isEmpty && !parts[1].isEmpty
        var head: [UInt8] = []
        appendEscaped(isCut ? String(parts[0]) : name, to: &head)
        for pair in labels.pairs where pair.name != Labels.metricNameLabel {
            head.append(UInt8(ascii: ","))
            appendEscaped(pair.name, to: &head)
            head.append(UInt8(ascii: "="))
            appendEscaped(pair.value, to: &head)
        }
        head.append(0x20)
        appendEscaped(isCut ? String(parts[1]) : "value", to: &head)
        head.append(UInt8(ascii: "="))
        for (time, value) in zip(times, values) where value.isFinite {
            pieces.bytes += head
            NumberText.appendSample(value, to: &pieces.bytes)
            pieces.bytes.append(0x20)
            pieces.bytes += String(time).utf8
            pieces.bytes.append(0x0A)
            guard pieces.writeWhole() else { return false }
        }
        return true
    }

    private static func appendEscaped(_ text: String, to bytes: inout [UInt8]) {
        for byte in text.utf8 {
            if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "=") || byte == 0x20 {
                bytes.append(UInt8(ascii: "\\"))
            }
            // A line feed has no place in a tag.
            bytes.append(byte == 0x0A ? 0x20 : byte)
        }
    }
}
