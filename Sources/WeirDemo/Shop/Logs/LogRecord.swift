internal import WeirCore

/// Writes one log line as JSON, as an agent ships it.
struct LogRecord {
    private(set) var bytes: [UInt8] = []

    /// Begins a record.
    ///
    /// `time`: Nanoseconds since 1970.
    mutating func begin(time: Int64, service: String, host: String) {
        bytes.append(contentsOf: #"{"time":""#.utf8)
        LogStamp.append(time, separator: UInt8(ascii: "T"), digits: 9, to: &bytes)
        bytes.append(contentsOf: #"Z","service":""#.utf8)
        bytes.append(contentsOf: service.utf8)
        bytes.append(contentsOf: #"","host":""#.utf8)
        bytes.append(contentsOf: host.utf8)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Names are of this module and need no escapes.
    mutating func text(_ name: String, _ value: some Collection<UInt8>) {
        key(name)
        bytes.append(UInt8(ascii: "\""))
        for byte in value {
            switch byte {
            case UInt8(ascii: "\n"): bytes.append(contentsOf: "\\n".utf8)
            case UInt8(ascii: "\t"): bytes.append(contentsOf: "\\t".utf8)
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func text(_ name: String, _ value: String) { text(name, value.utf8) }

    mutating func number(_ name: String, _ value: Int) {
        key(name)
        LogStamp.append(value, to: &bytes)
    }

    /// With three digits after the point.
    mutating func decimal(_ name: String, _ value: Double) {
        key(name)
        LogStamp.append(value, to: &bytes)
    }

    mutating func boolean(_ name: String, _ value: Bool) {
        key(name)
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    /// Ends the record and its line, and hands them over.
    mutating func end(to output: inout [UInt8]) {
        output.append(contentsOf: bytes)
        output.append(UInt8(ascii: "}"))
        output.append(0x0A)
        bytes.removeAll(keepingCapacity: true)
    }

    private mutating func key(_ name: String) {
        bytes.append(contentsOf: ",\"".utf8)
        bytes.append(contentsOf: name.utf8)
        bytes.append(contentsOf: "\":".utf8)
    }
}

/// Numbers and moments in digits.
enum LogStamp {
    private static let hexDigits = Array("0123456789abcdef".utf8)

    static func append(_ number: Int, to bytes: inout [UInt8]) {
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        appendPadded(Int(clamping: number.magnitude), width: 1, to: &bytes)
    }

    /// With three digits after the point.
    static func append(_ value: Double, to bytes: inout [UInt8]) {
        let thousandths = Int(max(0, value) * 1000)
        append(thousandths / 1000, to: &bytes)
        bytes.append(UInt8(ascii: "."))
        appendPadded(thousandths % 1000, width: 3, to: &bytes)
    }

    static func appendHex(_ value: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: 60, through: 0, by: -4) {
            bytes.append(hexDigits[Int(truncatingIfNeeded: value >> UInt64(shift)) & 15])
        }
    }

    /// `2026-01-02T03:04:05.123`, in UTC, with `digits` of a second, at most nine.
    static func append(_ time: Int64, separator: UInt8, digits: Int, to bytes: inout [UInt8]) {
        let seconds = Int(time / 1_000_000_000)
        let date = CivilDate(daysSinceEpoch: seconds / 86_400)
        appendPadded(date.year, width: 4, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        appendPadded(date.month, width: 2, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        appendPadded(date.day, width: 2, to: &bytes)
        bytes.append(separator)
        let clock = seconds % 86_400
        for (place, part) in [clock / 3600, clock / 60 % 60, clock % 60].enumerated() {
            if place > 0 { bytes.append(UInt8(ascii: ":")) }
            appendPadded(part, width: 2, to: &bytes)
        }
        bytes.append(UInt8(ascii: "."))
        var rest = Int(time % 1_000_000_000)
        for _ in digits..<9 { rest /= 10 }
        appendPadded(rest, width: digits, to: &bytes)
    }

    private static func appendPadded(_ number: Int, width: Int, to bytes: inout [UInt8]) {
        var divisor = 1
        for _ in 1..<max(1, width) { divisor *= 10 }
        while number / divisor >= 10 { divisor *= 10 }
        var rest = number
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / divisor))
            rest %= divisor
            divisor /= 10
        }
    }
}
