/// One line of the table.
struct Figure {
    enum Unit: String {
        case seconds = "s"
        case gz
        case megabytes = "MB"
        case bytesPerSample = "B/sample"
        case bytesPerRow = "B/row"
        case bytesPerValue = "B/value"
        case milliseconds = "ms"
        case microsecondsPerSample = "us/sample"
        case samplesPerSecond = "samples/s"
        case linesPerSecond = "lines/s"
        case spansPerSecond = "spans/s"
        case fsyncs
        case syncs
        case count = ""
        case times = "x"
    }

    let what: String
    let value: Double
    let unit: Unit
    /// The most that the project wants to reach; nil where nothing was set.
    var reach: Double?
    /// The same of the peer, measured in the same run.
    var peer: Double?

    var isWithinReach: Bool? { reach.map { value <= $0 } }

    /// Weir's part of the peer's figure.
    var ratio: Double? {
        guard let peer, peer > 0 else { return nil }
        return value / peer
    }

    static func text(_ value: Double, _ unit: Unit) -> String {
        let digits =
            switch unit {
            case .bytesPerSample, .bytesPerRow, .bytesPerValue, .seconds, .microsecondsPerSample: 3
            case .gz, .times, .syncs: 2
            case .milliseconds, .fsyncs: value < 100 ? 2 : 0
            case .megabytes: value < 1 ? 3 : 1
            case .samplesPerSecond, .linesPerSecond, .spansPerSecond, .count: 0
            }
        let number = decimal(value, digits)
        return unit == .count ? number : "\(number) \(unit.rawValue)"
    }

    /// `1234.50`, rounded to a fixed number of decimals.
    static func decimal(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
        var scale = 1
        for _ in 0..<digits { scale *= 10 }
        let scaled = Int((abs(value) * Double(scale)).rounded())
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(scaled)" }
        let part = String(scaled % scale)
        return "\(sign)\(scaled / scale)."
            + String(repeating: "0", count: digits - part.utf8.count) + part
    }
}
