internal import Glibc
internal import WeirCore

/// Reads Prometheus's text format and OpenMetrics into samples, exemplars and metadata.
///
/// A bad line is refused, with its number and reason; its neighbours are kept. The table of cases is in
/// `Tests/WeirWireTests`; formats and limits: docs/metrics-in.md. A series is looked up as the raw bytes
/// before its value, in the interner that its producer's earlier texts filled.
package struct ExpositionParser {
    /// Prometheus's one NaN that is no stale marker.
    static let normalNaN = Double(bitPattern: 0x7FF8_0000_0000_0001)

    private let body: [UInt8]
    let options: ExpositionOptions
    private var interner: SeriesInterner
    var result = ExpositionResult()
    var builder: LabelBuilder
    var scratch: [UInt8] = []
    /// The metadata's places in the result, by family.
    private var families: [String: Int] = [:]
    private var exemplarStreams: [Labels: UInt32] = [:]
    private var histogramStreams: [Labels: UInt32] = [:]
    private var lineNumber: Int
    /// As the last `# TYPE` says.
    private(set) var familyType = MetricType.unknown

    /// Parses a whole text.
    ///
    /// `interner` must only ever see texts with the same `extraLabels` and escapes. `firstLine`: the number
    /// of the first line, where the text is a piece of a longer one.
    package static func parse(
        _ body: [UInt8],
        options: ExpositionOptions,
        interner: inout SeriesInterner,
        firstLine: Int = 1
    ) -> ExpositionResult {
        var parser = ExpositionParser(
            body: body,
            options: options,
            interner: interner,
            firstLine: firstLine
        )
        // The only reference is the parser's, so that nothing is copied when it changes.
        interner = SeriesInterner()
        parser.interner.beginBatch()
        parser.parseLines()
        parser.interner.streams.finish(&parser.result.batches.samples)
        interner = parser.interner
        return parser.result
    }

    private init(
        body: [UInt8],
        options: ExpositionOptions,
        interner: SeriesInterner,
        firstLine: Int
    ) {
        self.body = body
        self.options = options
        self.interner = interner
        builder = LabelBuilder(options: options.limits)
        lineNumber = firstLine - 1
    }

    private mutating func parseLines() {
        let body = self.body
        let bytes = body.span
        var start = 0
        while start < bytes.count {
            lineNumber += 1
            var end = Self.find(0x0A, in: bytes, start..<bytes.count)
            let next = end + 1
            if end > start, bytes[end - 1] == 0x0D { end -= 1 }
            start = Self.skipBlanks(bytes, start..<end)
            if start < end { parseLine(bytes, start..<end) }
            start = next
        }
    }

    /// The first `byte` in `range`, or its end.
    static func find(_ byte: UInt8, in bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        guard !range.isEmpty else { return range.upperBound }
        return unsafe bytes.withUnsafeBytes { buffer in
            // SAFETY: memchr reads `range`, which lies inside the buffer.
            guard let start = buffer.baseAddress,
                let found = unsafe memchr(start + range.lowerBound, CInt(byte), range.count)
            else { return range.upperBound }
            return unsafe UnsafeRawPointer(found) - start
        }
    }

    static func skipBlanks(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        var index = range.lowerBound
        while index < range.upperBound, bytes[index] == 0x20 || bytes[index] == 0x09 { index += 1 }
        return index
    }

    /// The end of what stands at the start of `range` without a blank.
    static func skipWord(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        var index = range.lowerBound
        while index < range.upperBound {
            // SAFETY: index < range.upperBound <= bytes.count.
            let byte = unsafe bytes[unchecked: index]
            if byte == 0x20 || byte == 0x09 { break }
            index &+= 1
        }
        return index
    }

    private mutating func parseLine(_ bytes: Span<UInt8>, _ line: Range<Int>) {
        let isComment = bytes[line.lowerBound] == UInt8(ascii: "#")
        do throws(ExpositionError) {
            guard !result.hasEnd else { throw .afterEnd }
            if isComment {
                try parseComment(bytes, line)
            } else {
                result.sampleLineCount += 1
                try parseSample(bytes, line)
            }
        } catch {
            result.batches.refuse(line: lineNumber, error.description)
        }
    }

    // MARK: Samples

    private mutating func parseSample(
        _ bytes: Span<UInt8>,
        _ line: Range<Int>
    ) throws(ExpositionError) {
        let prefixEnd = try Self.endOfSeries(bytes, line)
        let prefix = line.lowerBound..<prefixEnd
        guard !prefix.isEmpty else { throw .noName }
        var cursor = Self.skipBlanks(bytes, prefixEnd..<line.upperBound)
        let valueEnd = Self.skipWord(bytes, cursor..<line.upperBound)
        guard valueEnd > cursor else { throw .noValue }
        let value = try readValue(bytes, cursor..<valueEnd)
        cursor = Self.skipBlanks(bytes, valueEnd..<line.upperBound)
        var time: Int64?
        if cursor < line.upperBound, bytes[cursor] != UInt8(ascii: "#") {
            let timeEnd = Self.skipWord(bytes, cursor..<line.upperBound)
            time = try self.time(bytes, cursor..<timeEnd)
            cursor = Self.skipBlanks(bytes, timeEnd..<line.upperBound)
        }
        let exemplar = cursor..<line.upperBound
        guard exemplar.isEmpty || bytes[exemplar.lowerBound] == UInt8(ascii: "#") else {
            throw .trailing(shown(bytes, exemplar))
        }
        let own = options.honorsTimes ? time : nil
        let at = own ?? options.defaultTime
        guard at <= options.limits.now || at - options.limits.now <= options.limits.futureMax
        else { throw .series(.tooFarInFuture(limit: options.limits.futureMax)) }
        // Whatever is wrong with the exemplar is found before anything of the line is kept.
        let read = exemplar.isEmpty ? nil : try readExemplar(bytes, exemplar, sampleTime: at)
        let labels = try keep(value, bytes, prefix, time: at, isOwnTime: own != nil)
        if let read {
            let place =
                exemplarStreams[labels]
                ?? result.batches.exemplars.addStream(labels, line: lineNumber)
            exemplarStreams[labels] = place
            result.batches.exemplars.appendExemplar(
                read.value,
                labels: read.labels,
                stream: place,
                time: read.time
            )
        }
    }

    private enum Value {
        case number(Double)
        case histogram(NativeHistogram)
    }

    private func readValue(
        _ bytes: Span<UInt8>,
        _ word: Range<Int>
    ) throws(ExpositionError) -> Value {
        guard bytes[word.lowerBound] == UInt8(ascii: "{") else {
            return .number(try number(bytes, word))
        }
        // A dump's histograms have blanks, and bounds that are rounded.
        guard bytes[word.upperBound - 1] == UInt8(ascii: "}") else { throw .nativeHistogram }
        do throws(NativeHistogramText.Failure) {
            return .histogram(try NativeHistogramText.parse(bytes, word))
        } catch {
            throw .badHistogram(error.reason)
        }
    }

    /// Keeps a sample of either kind, and tells its series' labels.
    private mutating func keep(
        _ value: Value,
        _ bytes: Span<UInt8>,
        _ prefix: Range<Int>,
        time: Int64,
        isOwnTime: Bool
    ) throws(ExpositionError) -> Labels {
        switch value {
        case .number(let number):
            let (stream, labels) = try stream(bytes, prefix)
            result.batches.samples.append(number, stream: stream, time: time)
            result.hasOwnTime.append(isOwnTime)
            return labels
        case .histogram(let histogram):
            let labels = try labels(bytes, prefix)
            let stream =
                histogramStreams[labels]
                ?? result.batches.histograms.addStream(labels, line: lineNumber)
            histogramStreams[labels] = stream
            result.batches.histograms.append(histogram, stream: stream, time: time)
            return labels
        }
    }

    /// Where name and labels end.
    private static func endOfSeries(
        _ bytes: Span<UInt8>,
        _ line: Range<Int>
    ) throws(ExpositionError) -> Int {
        var index = line.lowerBound
        while index < line.upperBound {
            // SAFETY: index < line.upperBound <= bytes.count.
            let byte = unsafe bytes[unchecked: index]
            if byte == UInt8(ascii: "{") { break }
            if byte == 0x20 || byte == 0x09 {
                // A blank may stand between the name and its labels.
                let next = skipBlanks(bytes, index..<line.upperBound)
                guard next < line.upperBound, bytes[next] == UInt8(ascii: "{") else { return index }
                index = next
                break
            }
            index &+= 1
        }
        guard index < line.upperBound else { return index }
        return try endOfBraces(bytes, index..<line.upperBound)
    }

    /// Where the braces that open at the start of `range` have closed.
    static func endOfBraces(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(ExpositionError) -> Int {
        var index = range.lowerBound + 1
        var isQuoted = false
        while index < range.upperBound {
            // SAFETY: index < range.upperBound <= bytes.count.
            let byte = unsafe bytes[unchecked: index]
            if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if isQuoted {
                if byte == UInt8(ascii: "\\") { index &+= 1 }
            } else if byte == UInt8(ascii: "}") {
                return index + 1
            }
            index &+= 1
        }
        throw isQuoted ? .unterminatedString : .unterminatedLabels
    }

    /// The batch's number for the series, and its labels.
    private mutating func stream(
        _ bytes: Span<UInt8>,
        _ prefix: Range<Int>
    ) throws(ExpositionError) -> (UInt32, Labels) {
        let hash = ByteHash.hash(prefix, in: bytes)
        var entry = interner.find(prefix, hash: hash, in: bytes)
        if entry == nil {
            let labels = try labels(bytes, prefix)
            entry = interner.insert(prefix, hash: hash, labels: labels, in: bytes)
            if entry == nil {
                let stream = interner.streams.add(
                    labels,
                    StreamHandle(),
                    number: -1,
                    line: lineNumber
                )
                return (stream, labels)
            }
        }
        guard let entry else { throw .noName }
        let labels = interner.entries[entry].labels
        return (interner.stream(of: entry, line: lineNumber), labels)
    }

    // MARK: Numbers

    private func number(
        _ bytes: Span<UInt8>,
        _ text: Range<Int>
    ) throws(ExpositionError) -> Double {
        if let value = NumberText.float(bytes, text) { return value.isNaN ? Self.normalNaN : value }
        throw .badValue(shown(bytes, text))
    }

    /// A time in nanoseconds: whole milliseconds, or seconds under OpenMetrics.
    private func time(
        _ bytes: Span<UInt8>,
        _ text: Range<Int>
    ) throws(ExpositionError) -> Int64 {
        guard options.format == .openMetrics else {
            guard case .number(let milliseconds) = NumberText.integer(bytes, text) else {
                throw .badTime(shown(bytes, text))
            }
            let (time, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
            guard !overflow else { throw .badTime(shown(bytes, text)) }
            return time
        }
        guard let time = NumberText.seconds(bytes, text) else {
            throw .badTime(shown(bytes, text))
        }
        return time
    }

    // MARK: Exemplars

    /// `# {labels} value [seconds]`.
    private mutating func readExemplar(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        sampleTime: Int64
    ) throws(ExpositionError) -> (
        value: Double, labels: [(name: String, value: String)], time: Int64
    ) {
        var cursor = Self.skipBlanks(bytes, (range.lowerBound + 1)..<range.upperBound)
        guard cursor < range.upperBound, bytes[cursor] == UInt8(ascii: "{") else {
            throw .badExemplar(shown(bytes, range))
        }
        let end = try Self.endOfBraces(bytes, cursor..<range.upperBound)
        scratch.removeAll(keepingCapacity: true)
        builder.pairs.removeAll(keepingCapacity: true)
        try readBraces(bytes, (cursor + 1)..<(end - 1), hasName: false)
        let texts = scratch
        var labels: [(name: String, value: String)] = []
        guard builder.pairs.count <= options.limits.labelsMax else {
            throw .series(
                .tooManyLabels(count: builder.pairs.count, limit: options.limits.labelsMax)
            )
        }
        for pair in builder.pairs {
            labels.append(
                (
                    LabelBuilder.text(pair.name, texts.span),
                    LabelBuilder.text(pair.value, texts.span)
                )
            )
        }
        cursor = Self.skipBlanks(bytes, end..<range.upperBound)
        let valueEnd = Self.skipWord(bytes, cursor..<range.upperBound)
        guard valueEnd > cursor else { throw .badExemplar(shown(bytes, range)) }
        let value = try number(bytes, cursor..<valueEnd)
        cursor = Self.skipBlanks(bytes, valueEnd..<range.upperBound)
        guard cursor < range.upperBound else { return (value, labels, sampleTime) }
        let timeEnd = Self.skipWord(bytes, cursor..<range.upperBound)
        guard Self.skipBlanks(bytes, timeEnd..<range.upperBound) == range.upperBound else {
            throw .trailing(shown(bytes, timeEnd..<range.upperBound))
        }
        guard let time = NumberText.seconds(bytes, cursor..<timeEnd),
            time <= options.limits.now || time - options.limits.now <= options.limits.futureMax
        else { throw .badTime(shown(bytes, cursor..<timeEnd)) }
        return (value, labels, time)
    }

    // MARK: Comments

    /// `# TYPE`, `# HELP`, `# UNIT`, `# EOF`; anything else is a comment.
    private mutating func parseComment(
        _ bytes: Span<UInt8>,
        _ line: Range<Int>
    ) throws(ExpositionError) {
        var cursor = Self.skipBlanks(bytes, (line.lowerBound + 1)..<line.upperBound)
        let wordEnd = Self.skipWord(bytes, cursor..<line.upperBound)
        let word = shown(bytes, cursor..<wordEnd)
        if word == "EOF", options.format == .openMetrics, wordEnd == line.upperBound {
            result.hasEnd = true
            return
        }
        guard ["TYPE", "HELP", "UNIT"].contains(word), wordEnd < line.upperBound else { return }
        cursor = Self.skipBlanks(bytes, wordEnd..<line.upperBound)
        guard cursor < line.upperBound else { throw .noName }
        let name: String
        if bytes[cursor] == UInt8(ascii: "\"") {
            scratch.removeAll(keepingCapacity: true)
            let range = try readString(bytes, &cursor, line.upperBound)
            let texts = scratch
            name = LabelBuilder.text(range, texts.span)
        } else {
            let end = Self.skipWord(bytes, cursor..<line.upperBound)
            guard Self.isMetricName(bytes, cursor..<end) else {
                throw .badName(shown(bytes, cursor..<end))
            }
            name = shown(bytes, cursor..<end, cut: .max)
            cursor = end
        }
        cursor = Self.skipBlanks(bytes, cursor..<line.upperBound)
        let rest = cursor..<line.upperBound
        var metadata =
            families[name].map { result.batches.metadata[$0].metadata }
            ?? MetricMetadata(type: .unknown)
        switch word {
        case "TYPE":
            let text = shown(bytes, rest).filter { $0 != " " && $0 != "\t" }
            guard let type = MetricType(rawValue: text == "untyped" ? "unknown" : text) else {
                throw .badType(text)
            }
            metadata.type = type
            familyType = type
        case "HELP": metadata.help = help(bytes, rest)
        default: metadata.unit = shown(bytes, rest, cut: .max)
        }
        if let place = families[name] {
            result.batches.metadata[place].metadata = metadata
        } else {
            families[name] = result.batches.metadata.count
            result.batches.metadata.append(FamilyMetadata(name: name, metadata))
        }
    }

    /// Help, in which `\\`, `\n` and, under OpenMetrics, `\"` are escapes.
    private func help(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        var plain: [UInt8] = []
        plain.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            var byte = bytes[index]
            if byte == UInt8(ascii: "\\"), index + 1 < range.upperBound {
                switch bytes[index + 1] {
                case UInt8(ascii: "\\"): index += 1
                case UInt8(ascii: "n"):
                    byte = 0x0A
                    index += 1
                case UInt8(ascii: "\"") where options.format == .openMetrics:
                    byte = UInt8(ascii: "\"")
                    index += 1
                default: break
                }
            }
            plain.append(byte)
            index += 1
        }
        return String(decoding: plain, as: UTF8.self)
    }

    /// A piece of the text for a message, cut to what a person reads.
    func shown(_ bytes: Span<UInt8>, _ range: Range<Int>, cut: Int = 64) -> String {
        guard range.count > cut else { return LabelBuilder.text(range, bytes) }
        return LabelBuilder.text(range.lowerBound..<(range.lowerBound + cut), bytes) + "…"
    }
}
