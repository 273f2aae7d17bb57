/// The formats that `weir import` reads, and where each is posted.
enum ImportFormat: String, CaseIterable {
    case prometheus
    case openmetrics
    /// What `promtool tsdb dump` prints.
    case dump
    /// InfluxDB line protocol.
    case line

    /// The format that the first lines look like; nil when they say nothing.
    ///
    /// Times of at most ten digits before the point are seconds, and so OpenMetrics.
    static func recognise(_ text: [UInt8]) -> ImportFormat? {
        for line in text.split(separator: 0x0A).prefix(1000) {
            let line = String(decoding: line.prefix(65_536), as: UTF8.self)
            if line == "# EOF" || line.hasPrefix("# UNIT ") { return .openmetrics }
            guard !line.hasPrefix("#"), !line.isEmpty else { continue }
            if line.hasPrefix("{__name__=") { return .dump }
            if isLineProtocol(line) { return .line }
            let words = line.split(separator: " ")
            guard let last = words.last, words.count >= 3 else { return .prometheus }
            let isSeconds =
                last.contains(".") || last.contains("e") || last.drop { $0 == "-" }.count <= 10
            return isSeconds || line.contains(" # {") ? .openmetrics : .prometheus
        }
        return nil
    }

    /// `measurement,tag=value field=value time`: no braces, and an equals sign in the second word.
    private static func isLineProtocol(_ line: String) -> Bool {
        var isEscaped = false
        var words = 1
        for character in line.utf8 {
            if isEscaped {
                isEscaped = false
            } else if character == UInt8(ascii: "\\") {
                isEscaped = true
            } else if character == UInt8(ascii: " ") {
                words += 1
                if words > 2 { return false }
            } else if character == UInt8(ascii: "{") {
                return false
            } else if character == UInt8(ascii: "="), words == 2 {
                return true
            }
        }
        return false
    }
}
