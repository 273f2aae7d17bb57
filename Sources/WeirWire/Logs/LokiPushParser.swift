internal import WeirCore

/// Reads Loki's push requests: streams of entries, as JSON or as protobuf in a snappy block.
///
/// Structured metadata become fields, the line the body. Members that are not known are skipped.
package struct LokiPushParser {
    private var rows: LogRows

    private init(_ options: LogOptions) { rows = LogRows(options) }

    // MARK: JSON

    /// Parses `{"streams":[{"stream":{…},"values":[["ns","line",{…}],…]}]}`.
    ///
    /// - Throws: `LogError` when the body is no such JSON as a whole; a bad entry is only refused.
    package static func parseJSON(
        _ body: [UInt8],
        options: LogOptions
    ) throws(LogError) -> LogResult {
        var parser = LokiPushParser(options)
        let bytes = body.span
        var scanner = JSONScanner(0..<bytes.count, depthMax: options.limits.depthMax)
        scanner.skipSpace(bytes)
        var hasStreams = false
        try scanner.members(bytes, depth: 0) { (scanner, key) throws(LogError) in
            guard JSONText.string(bytes, key) == "streams" else {
                _ = try scanner.value(bytes, depth: 1)
                return
            }
            hasStreams = true
            try scanner.items(bytes, depth: 1) { (scanner) throws(LogError) in
                try parser.readStream(bytes, &scanner)
            }
        }
        scanner.skipSpace(bytes)
        guard scanner.offset == bytes.count else { throw scanner.unexpected(bytes, "the end") }
        guard hasStreams else { throw .missing("\"streams\"") }
        return parser.rows.finished()
    }

    private mutating func readStream(
        _ bytes: Span<UInt8>,
        _ scanner: inout JSONScanner
    ) throws(LogError) {
        var labels: Range<Int>?
        var values: Range<Int>?
        try scanner.members(bytes, depth: 2) { (scanner, key) throws(LogError) in
            let range: Range<Int>
            switch JSONText.string(bytes, key) {
            case "stream":
                range = try scanner.value(bytes, depth: 3)
                labels = range
            case "values":
                range = try scanner.value(bytes, depth: 3)
                values = range
            default: _ = try scanner.value(bytes, depth: 3)
            }
        }
        guard let values else { return }
        let pairs = try labels.map { (range) throws(LogError) in try strings(bytes, range) } ?? []
        var walker = JSONScanner(values, depthMax: scanner.depthMax)
        walker.origin = scanner.origin
        try walker.items(bytes, depth: 3) { (walker) throws(LogError) in
            let entry = try walker.value(bytes, depth: 4)
            guard rows.hasRoom() else { return }
            rows.begin()
            do throws(LogError) {
                try readEntry(bytes, entry, labels: pairs)
            } catch {
                rows.result.refuse(line: 0, error)
            }
        }
    }

    private func strings(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(LogError) -> [(name: String, value: String)] {
        var pairs: [(name: String, value: String)] = []
        var scanner = JSONScanner(range, depthMax: 8)
        try scanner.members(bytes, depth: 0) { (scanner, key) throws(LogError) in
            let name = JSONText.string(bytes, key)
            if scanner.peek(bytes) == UInt8(ascii: "\"") {
                pairs.append((name, JSONText.string(bytes, try scanner.string(bytes))))
            } else {
                let value = try scanner.value(bytes, depth: 1)
                let text = JSONScanner.Text(range: value, isEscaped: false)
                pairs.append((name, JSONText.string(bytes, text)))
            }
        }
        return pairs
    }

    private mutating func readEntry(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        labels: [(name: String, value: String)]
    ) throws(LogError) {
        var scanner = JSONScanner(range, depthMax: 8)
        var place = 0
        var time: Int64?
        try scanner.items(bytes, depth: 0) { (scanner) throws(LogError) in
            defer { place += 1 }
            switch place {
            case 0: time = try readTime(bytes, &scanner)
            case 1:
                guard scanner.peek(bytes) == UInt8(ascii: "\"") else {
                    throw scanner.unexpected(bytes, "a line")
                }
                try set(FieldTable.bodyName, bytes, try scanner.string(bytes))
            case 2:
                try scanner.members(bytes, depth: 1) { (scanner, key) throws(LogError) in
                    let name = JSONText.string(bytes, key)
                    if scanner.peek(bytes) == UInt8(ascii: "\"") {
                        try set(name, bytes, try scanner.string(bytes))
                    } else {
                        let kind = Self.kind(scanner.peek(bytes))
                        let value = try scanner.value(bytes, depth: 2)
                        try rows.set(name, kind, bytes.extracting(value))
                    }
                }
            default: _ = try scanner.value(bytes, depth: 1)
            }
        }
        guard let time, place >= 2 else { throw .missing("a time or a line of an entry") }
        let stream = try rows.stream(labels, line: 0)
        rows.commit(time: time, stream: stream)
    }

    private static func kind(_ byte: UInt8) -> FieldKind {
        switch byte {
        case UInt8(ascii: "t"), UInt8(ascii: "f"): .boolean
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "n"): .json
        default: .number
        }
    }

    private mutating func set(
        _ name: String,
        _ bytes: Span<UInt8>,
        _ text: JSONScanner.Text
    ) throws(LogError) {
        guard text.isEscaped else {
            try rows.set(name, .text, bytes.extracting(text.range))
            return
        }
        var value: [UInt8] = []
        JSONText.appendUnescaped(bytes, text.range, to: &value)
        try rows.set(name, .text, value.span)
    }

    private func readTime(
        _ bytes: Span<UInt8>,
        _ scanner: inout JSONScanner
    ) throws(LogError) -> Int64 {
        let range: Range<Int>
        if scanner.peek(bytes) == UInt8(ascii: "\"") {
            range = try scanner.string(bytes).range
        } else {
            range = try scanner.value(bytes, depth: 1)
        }
        let text = JSONText.string(bytes, JSONScanner.Text(range: range, isEscaped: false))
        // Nanoseconds, whatever the magnitude; what is not an integer may still be a time.
        if let nanoseconds = Int64(text) {
            try rows.check(time: nanoseconds, text: text)
            return nanoseconds
        }
        switch LogTime.read(bytes, range) {
        case .time(let moment):
            try rows.check(time: moment, text: text)
            return moment
        case .outOfRange: throw .timeOutOfRange(field: "time", text: text)
        case .notATime: throw .badTime(field: "time", text: String(text.prefix(64)))
        }
    }

    // MARK: Protobuf

    /// Parses a `logproto.PushRequest` in a snappy block, which may unpack to `bytesMax` bytes.
    ///
    /// Throws when the block or the message is damaged; then nothing is taken.
    package static func parseProtobuf(
        _ body: [UInt8],
        bytesMax: Int,
        options: LogOptions
    ) throws(LogError) -> LogResult {
        let message: [UInt8]
        do throws(SnappyBlock.Failure) {
            message = try SnappyBlock.unpack(body, bytesMax: bytesMax)
        } catch {
            switch error {
            case .damaged: throw .damaged(.snappy)
            case .tooLarge(let bytes, let limit):
                throw .damaged(.snappyTooLarge(bytes: bytes, limit: limit))
            }
        }
        var parser = LokiPushParser(options)
        do throws(DecodeError) {
            try parser.readRequest(message.span)
        } catch {
            throw .damaged(.protobuf(offset: error.offset))
        }
        return parser.rows.finished()
    }

    private mutating func readRequest(_ bytes: Span<UInt8>) throws(DecodeError) {
        var reader = ProtobufReader(0..<bytes.count)
        while let field = try reader.next(bytes) {
            if field.number == 1, field.wire == .bytes { try readStream(bytes, field.range) }
        }
    }

    private mutating func readStream(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) {
        var labels = range.lowerBound..<range.lowerBound
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            if field.number == 1, field.wire == .bytes { labels = field.range }
        }
        var pairs: [(name: String, value: String)] = []
        var refusal: LogError?
        do throws(LogError) {
            pairs = try LabelsText.read(bytes, labels)
        } catch {
            refusal = error
        }
        reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            guard field.number == 2, field.wire == .bytes else { continue }
            guard rows.hasRoom() else { return }
            rows.begin()
            if let refusal {
                rows.result.refuse(line: 0, refusal)
            } else {
                try readMessage(bytes, field.range, labels: pairs)
            }
        }
    }

    private mutating func readMessage(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        labels: [(name: String, value: String)]
    ) throws(DecodeError) {
        var time: Int64?
        var refusal: LogError?
        var line = range.lowerBound..<range.lowerBound
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            switch (field.number, field.wire) {
            case (1, .bytes): time = try timestamp(bytes, field.range)
            case (2, .bytes): line = field.range
            case (3, .bytes):
                let pair = try pair(bytes, field.range)
                do throws(LogError) {
                    try rows.set(bytes.extracting(pair.name), .text, bytes.extracting(pair.value))
                } catch {
                    refusal = error
                }
            default: break
            }
        }
        do throws(LogError) {
            if let refusal { throw refusal }
            guard let time else {
                throw .timeOutOfRange(field: "timestamp", text: "the timestamp")
            }
            try rows.check(time: time, text: String(time))
            try rows.set(FieldTable.bodyName, .text, bytes.extracting(line))
            let stream = try rows.stream(labels, line: 0)
            rows.commit(time: time, stream: stream)
        } catch {
            rows.result.refuse(line: 0, error)
        }
    }

    private func timestamp(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(DecodeError) -> Int64?
    {
        var seconds: Int64 = 0
        var nanoseconds: Int64 = 0
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            if field.number == 1 { seconds = field.int64 }
            if field.number == 2 { nanoseconds = field.int64 }
        }
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = product.addingReportingOverflow(nanoseconds)
        return overflow || carry ? nil : sum
    }

    private func pair(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) -> (name: Range<Int>, value: Range<Int>) {
        var name = range.lowerBound..<range.lowerBound
        var value = name
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            guard field.wire == .bytes else { continue }
            if field.number == 1 { name = field.range }
            if field.number == 2 { value = field.range }
        }
        return (name, value)
    }
}
