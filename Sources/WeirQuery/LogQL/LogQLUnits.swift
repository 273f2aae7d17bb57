internal import WeirCore

/// Durations and sizes as log lines and LogQL write them.
package enum LogQLUnits {
    private static let durations: [String: Double] = [
        "ns": 1, "us": 1e3, "\u{B5}s": 1e3, "\u{3BC}s": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9,
        "h": 3600e9, "d": 86400e9, "w": 604_800e9, "y": 31_536_000e9,
    ]

    private static let sizes: [String: Double] = [
        "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "pb": 1e15, "eb": 1e18, "k": 1e3,
        "m": 1e6, "g": 1e9, "t": 1e12, "p": 1e15, "e": 1e18, "kib": 1024, "mib": 1_048_576,
        "gib": 1_073_741_824, "tib": 1_099_511_627_776, "pib": 0x1p50, "eib": 0x1p60, "ki": 1024,
        "mi": 1_048_576, "gi": 1_073_741_824, "ti": 1_099_511_627_776,
    ]

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    /// Reads `1h30m`, `1.5s`, `250µs`, `-3ms`, `0`: Go's durations, with days, weeks and years.
    ///
    /// - Returns: Nanoseconds; nil when the text is no duration.
    package static func nanoseconds(_ text: Span<UInt8>) -> Double? {
        guard text.count > 0, text.count <= 64 else { return nil }
        var index = 0
        let isNegative = text[0] == UInt8(ascii: "-")
        if isNegative || text[0] == UInt8(ascii: "+") { index = 1 }
        if index == text.count - 1, text[index] == UInt8(ascii: "0") { return 0 }
        guard index < text.count else { return nil }
        var total = 0.0
        while index < text.count {
            let start = index
            while index < text.count, isDigit(text[index]) || text[index] == UInt8(ascii: ".") {
                index += 1
            }
            guard index > start, let count = number(text, start..<index) else { return nil }
            let unitStart = index
            while index < text.count, !isDigit(text[index]), text[index] != UInt8(ascii: ".") {
                index += 1
            }
            guard let size = durations[string(text, unitStart..<index)] else { return nil }
            total += count * size
        }
        return isNegative ? -total : total
    }

    /// Reads `20MB`, `1.5 KiB`, `512`.
    ///
    /// - Returns: Bytes; nil when the text is no size.
    package static func bytes(_ text: Span<UInt8>) -> Double? {
        guard text.count > 0, text.count <= 64 else { return nil }
        var index = 0
        while index < text.count, isDigit(text[index]) || text[index] == UInt8(ascii: ".") {
            index += 1
        }
        guard index > 0, let count = number(text, 0..<index) else { return nil }
        while index < text.count, text[index] == 0x20 { index += 1 }
        guard index < text.count else { return count }
        guard let size = sizes[string(text, index..<text.count).lowercased()] else { return nil }
        return count * size
    }

    private static func number(_ text: Span<UInt8>, _ range: Range<Int>) -> Double? {
        Double(string(text, range).hasSuffix(".") ? string(text, range) + "0" : string(text, range))
    }

    private static func string(_ text: Span<UInt8>, _ range: Range<Int>) -> String {
        unsafe text.extracting(range).withUnsafeBufferPointer {
            unsafe String(decoding: $0, as: UTF8.self)
        }
    }

    /// Writes nanoseconds so that LogQL reads them back: `1h30m`, `0s`.
    package static func text(nanoseconds: Int64) -> String { Units.text(nanoseconds: nanoseconds) }
}
