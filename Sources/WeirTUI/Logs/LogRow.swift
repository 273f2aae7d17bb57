package import WeirCore

/// How bad a log line is, as its sender said in one of many words.
package enum LogLevel: String, CaseIterable, Hashable, Sendable {
    case fatal
    case error
    case warn
    case info
    case debug
    case trace
    case unknown

    /// `WARNING`, `err`, `E`, `critical`, `3`….
    package init(_ text: String) {
        switch text.lowercased() {
        case "fatal", "panic", "critical", "crit", "alert", "emerg", "emergency": self = .fatal
        case "error", "err", "eror", "e", "severe": self = .error
        case "warn", "warning", "w": self = .warn
        case "info", "information", "i", "notice", "informational": self = .info
        case "debug", "dbg", "d", "verbose": self = .debug
        case "trace", "t", "finest": self = .trace
        default: self = .unknown
        }
    }

    /// Whether it is worth waking somebody.
    package var isError: Bool { self == .error || self == .fatal }
}

/// One log row as Weir's own log paths send it: a JSON line.
package struct LogRow: Hashable, Sendable {
    /// Milliseconds since 1970.
    package let time: Int64
    /// As it was sent, with every digit.
    package let timeText: String
    package let stream: [QueryResult.LabelPair]
    /// The line itself; the fields as `name=value` where there is none.
    package let line: String
    package let fields: [JSONMember]

    package static let levelNames = [
        "level", "severity", "severity_text", "lvl", "loglevel", "log.level", "detected_level",
    ]

    /// Reads a line; nil when it is no row, such as a note about dropped lines.
    package init?(json bytes: [UInt8]) {
        let parsed: JSONValue?
        do throws(JSONError) {
            parsed = try JSONParser.parse(bytes)
        } catch {
            parsed = nil
        }
        guard let members = parsed?.members, let time = parsed?["_time"]?.string else { return nil }
        timeText = time
        self.time = MomentText.milliseconds(time) ?? 0
        stream = (parsed?["_stream"]?.members ?? []).map {
            QueryResult.LabelPair($0.key, $0.value.string ?? "")
        }
        fields = members.filter { !["_time", "_stream", "_msg", "_line"].contains($0.key) }
        line =
            parsed?["_msg"]?.string ?? parsed?["_line"]?.string
            ?? fields.map { "\($0.key)=\(Self.text($0.value))" }.joined(separator: " ")
    }

    package subscript(name: String) -> String? {
        if let field = fields.first(where: { $0.key == name }) { return Self.text(field.value) }
        return stream.first { $0.name == name }?.value
    }

    package var level: LogLevel {
        for name in Self.levelNames {
            if let text = self[name] { return LogLevel(text) }
        }
        return Self.level(in: line)
    }

    /// What the beginning of a plain line says of itself: `level=warn`, ` ERROR `.
    private static func level(in line: String) -> LogLevel {
        let bytes = Array(line.utf8.prefix(64))
        for (word, level) in words where contains(bytes, word) { return level }
        return .unknown
    }

    private static let words: [([UInt8], LogLevel)] = [
        (Array("level=error".utf8), .error), (Array("level=warn".utf8), .warn),
        (Array("level=info".utf8), .info), (Array("level=debug".utf8), .debug),
        (Array(" FATAL ".utf8), .fatal), (Array(" ERROR ".utf8), .error),
        (Array(" WARN".utf8), .warn), (Array(" INFO ".utf8), .info),
        (Array(" DEBUG ".utf8), .debug),
    ]

    private static func contains(_ bytes: [UInt8], _ word: [UInt8]) -> Bool {
        guard bytes.count >= word.count else { return false }
        for start in 0...(bytes.count - word.count)
        where bytes[start..<start + word.count].elementsEqual(word) { return true }
        return false
    }

    /// The values of the stream's labels: who wrote it.
    package var origin: String {
        let named = ["service", "service_name", "service.name", "app"].lazy.compactMap { name in
            self.stream.first { $0.name == name }?.value
        }.first
        return named ?? stream.first?.value ?? ""
    }

    /// A value as people read it: texts without quotes, the rest as JSON.
    package static func text(_ value: JSONValue) -> String {
        if let text = value.string { return text }
        var writer = JSONWriter()
        writer.value(value)
        return writer.text
    }
}
