internal import WeirCore

/// Reads requests of Prometheus's remote write, versions 1.0 and 2.0.
///
/// Field numbers: prometheus/prompb/remote.proto and types.proto, io/prometheus/write/v2/types.proto.
/// What is refused, and how: docs/metrics-in.md. A series is found by the bytes of its labels in
/// `SeriesInterner`; samples, which are nearly everything, are read without a general reader.
package struct RemoteWriteParser {
    /// Rows that one request may hold.
    package static let rowsMax = 2_000_000

    let options: MetricOptions
    var interner: SeriesInterner
    var result = MetricBatches()
    /// The samples so far: one append each, and columns at the end.
    private var rows: [Row] = []
    var builder: LabelBuilder
    /// The streams of histograms and exemplars, which are seldom, by their labels.
    private var histogramStreams: [Labels: UInt32] = [:]
    private var exemplarStreams: [Labels: UInt32] = [:]
    var seriesNumber = 0
    /// The labels of the series that is being read, where it has no entry.
    var labelsWithoutEntry = Labels.empty
    /// Why the series that is being read is refused.
    var refusal: SeriesError?
    var symbols = SymbolTable()

    /// Parses an unpacked body.
    ///
    /// - Throws: `RemoteWriteError`; then nothing is taken.
    package static func parse(
        _ body: [UInt8],
        version: RemoteWriteVersion,
        options: MetricOptions,
        interner: inout SeriesInterner
    ) throws(RemoteWriteError) -> MetricBatches {
        var parser = RemoteWriteParser(options: options, interner: interner)
        // The only reference is the parser's, so that nothing is copied when it changes.
        interner = SeriesInterner()
        defer { interner = parser.interner }
        parser.interner.beginBatch()
        parser.rows.reserveCapacity(parser.interner.rowCountBefore)
        do throws(DecodeError) {
            switch version {
            case .one: try parser.readWriteRequest(body.span)
            case .two: try parser.readRequest(body.span)
            }
        } catch {
            throw .damagedProtobuf(offset: error.offset)
        }
        guard parser.rows.count + parser.result.rowCount <= rowsMax else {
            throw .tooManyRows(limit: rowsMax)
        }
        parser.interner.rowCountBefore = parser.rows.count
        parser.result.samples.streamIndexes = parser.rows.map { $0.stream }
        parser.result.samples.times = parser.rows.map { $0.time }
        parser.result.samples.columns[0].floats = parser.rows.map { $0.value }
        parser.interner.streams.finish(&parser.result.samples)
        return parser.result
    }

    private init(options: MetricOptions, interner: SeriesInterner) {
        self.options = options
        self.interner = interner
        builder = LabelBuilder(options: options)
    }

    /// Whether the rows so far are no more than may be.
    var hasRoom: Bool {
        rows.count <= Self.rowsMax && result.histograms.times.count <= Self.rowsMax
            && result.exemplars.times.count <= Self.rowsMax
    }

    // MARK: Version 1

    private mutating func readWriteRequest(_ bytes: Span<UInt8>) throws(DecodeError) {
        var cursor = 0
        while let range = try Self.nextSeries(0x0A, bytes, &cursor), hasRoom {
            try readSeries(bytes, range)
        }
        var reader = ProtobufReader(cursor..<bytes.count)
        while let field = try reader.next(bytes), hasRoom {
            guard field.wire == .bytes else { continue }
            switch field.number {
            case 1: try readSeries(bytes, field.range)
            case 3: try readMetadata(bytes, field.range)
            default: break
            }
        }
    }

    /// The series that stands at `cursor` with `key` before it, which is stepped over; nil where there is
    /// none.
    ///
    /// Series stand in a row, and so are read without a general reader.
    static func nextSeries(
        _ key: UInt8,
        _ bytes: Span<UInt8>,
        _ cursor: inout Int
    ) throws(DecodeError) -> Range<Int>? {
        guard cursor < bytes.count, bytes[cursor] == key else { return nil }
        let (range, end) = try message(bytes, cursor + 1, bytes.count)
        cursor = end
        return range
    }

    private mutating func readSeries(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) {
        seriesNumber += 1
        if let entry = interner.predicted(
            at: range.lowerBound,
            before: range.upperBound,
            in: bytes
        ) {
            let rest = (range.lowerBound + interner.keyLength(of: entry))..<range.upperBound
            if try takesOneSample(bytes, rest, entry) { return }
            if try !hasField(1, bytes, rest) {
                interner.found(entry)
                var series = Series(entry: entry)
                return try readRows(bytes, rest, &series, version: .one)
            }
        }
        var cursor = range.lowerBound
        while cursor < range.upperBound, bytes[cursor] == 0x0A {
            cursor = try Self.message(bytes, cursor + 1, range.upperBound).end
        }
        let rest = cursor..<range.upperBound
        var series: Series
        if try hasField(1, bytes, rest) {
            // Labels behind samples: allowed by protobuf, done by nobody.
            let whole = try Self.gatherLabels(bytes, range)
            series = find(0..<whole.count, in: whole.span)
        } else {
            series = find(range.lowerBound..<cursor, in: bytes)
        }
        try readRows(bytes, rest, &series, version: .one)
    }

    private static func gatherLabels(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) -> [UInt8] {
        var labels: [UInt8] = []
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            guard field.number == 1, field.wire == .bytes else { continue }
            labels.append(0x0A)
            UInt64(field.range.count).appendVarint(to: &labels)
            labels += LabelBuilder.copy(field.range, bytes)
        }
        return labels
    }

    /// The series whose label messages lie at `key`.
    private mutating func find(_ key: Range<Int>, in bytes: Span<UInt8>) -> Series {
        let hash = ByteHash.hash(key, in: bytes)
        if let known = interner.find(key, hash: hash, in: bytes) {
            interner.found(known)
            return Series(entry: known)
        }
        do throws(SeriesError) {
            builder.pairs.removeAll(keepingCapacity: true)
            try readLabels(bytes, key)
            let labels = try builder.finish(bytes)
            return made(interner.insert(key, hash: hash, labels: labels, in: bytes), labels)
        } catch {
            return refused(error)
        }
    }

    /// A series that was not known before.
    mutating func made(_ entry: Int?, _ labels: Labels) -> Series {
        refusal = nil
        guard let entry else {
            labelsWithoutEntry = labels
            return Series()
        }
        interner.found(entry)
        return Series(entry: entry)
    }

    /// A series of which nothing is taken.
    mutating func refused(_ error: SeriesError) -> Series {
        refusal = error
        labelsWithoutEntry = .empty
        return Series(isRefused: true)
    }

    private mutating func readLabels(
        _ bytes: Span<UInt8>,
        _ key: Range<Int>
    ) throws(SeriesError) {
        do throws(DecodeError) {
            var reader = ProtobufReader(key)
            while let field = try reader.next(bytes) {
                builder.pairs.append(try Self.label(bytes, field.range))
            }
        } catch {
            throw .damagedLabel(offset: error.offset)
        }
    }

    /// Whether a message has a field of that number; samples, of number 2, are stepped over quickly.
    func hasField(
        _ number: Int,
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) -> Bool {
        var cursor = range.lowerBound
        while cursor < range.upperBound, bytes[cursor] == 0x12 {
            cursor = try Self.message(bytes, cursor + 1, range.upperBound).end
        }
        guard cursor < range.upperBound else { return false }
        var reader = ProtobufReader(cursor..<range.upperBound)
        while let field = try reader.next(bytes) {
            if field.number == number { return true }
        }
        return false
    }

    private mutating func readMetadata(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) {
        var type = MetricType.unknown
        var (name, help, unit) = (range.lowerBound..<range.lowerBound, "", "")
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            switch (field.number, field.wire) {
            case (1, .varint): type = Self.metricType(field.bits)
            case (2, .bytes): name = field.range
            case (4, .bytes): help = LabelBuilder.text(field.range, bytes)
            case (5, .bytes): unit = LabelBuilder.text(field.range, bytes)
            default: break
            }
        }
        guard !name.isEmpty else { return }
        result.metadata.append(
            FamilyMetadata(
                name: LabelBuilder.text(name, bytes),
                MetricMetadata(type: type, unit: unit, help: help)
            )
        )
    }

    /// Both versions number their types alike.
    static func metricType(_ bits: UInt64) -> MetricType {
        switch bits {
        case 1: .counter
        case 2: .gauge
        case 3: .histogram
        case 4: .gaugehistogram
        case 5: .summary
        case 6: .info
        case 7: .stateset
        default: .unknown
        }
    }

    // MARK: Series

    private struct Row {
        let value: Double
        let time: Int64
        let stream: UInt32
    }

    /// Where the series that is being read has its place.
    ///
    /// Nothing in it is counted by references: one is made for every sample.
    struct Series {
        /// Its place in the interner, where there was room for it.
        var entry: Int?
        var isRefused = false
        /// Its place among the samples' streams, once it has one.
        var stream: UInt32?
    }

    func labels(of series: Series) -> Labels {
        series.entry.map { interner.entries[$0].labels } ?? labelsWithoutEntry
    }

    /// Reads what a series has besides its labels.
    mutating func readRows(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        _ series: inout Series,
        version: RemoteWriteVersion
    ) throws(DecodeError) {
        var cursor = range.lowerBound
        while cursor < range.upperBound, rows.count <= Self.rowsMax {
            // Both versions' samples are field 2.
            guard bytes[cursor] == 0x12 else {
                try readRest(bytes, cursor..<range.upperBound, &series, version: version)
                return
            }
            let (message, end) = try Self.message(bytes, cursor + 1, range.upperBound)
            cursor = end
            try readSample(bytes, message, &series)
        }
    }

    /// Reads what nearly every series has besides its labels, one sample of 16 bytes; false where there is
    /// something else, or a time that is refused.
    @inline(__always)
    mutating func takesOneSample(
        _ bytes: Span<UInt8>,
        _ rest: Range<Int>,
        _ entry: Int
    ) throws(DecodeError) -> Bool {
        let start = rest.lowerBound
        guard rest.count == 18, bytes[start] == 0x12, bytes[start &+ 1] == 16 else { return false }
        let (value, milliseconds) = try Self.sample(bytes, (start &+ 2)..<rest.upperBound)
        guard let time = try? time(milliseconds) else { return false }
        interner.found(entry)
        let stream = interner.stream(of: entry, line: seriesNumber)
        rows.append(Row(value: value, time: time, stream: stream))
        return true
    }

    @inline(__always)
    private mutating func readSample(
        _ bytes: Span<UInt8>,
        _ message: Range<Int>,
        _ series: inout Series
    ) throws(DecodeError) {
        let (value, milliseconds) = try Self.sample(bytes, message)
        if series.isRefused { return refuseAll(series) }
        let time: Int64
        do throws(SeriesError) {
            time = try self.time(milliseconds)
        } catch {
            return refuse(error, series)
        }
        let stream = series.stream ?? sampleStream(series)
        series.stream = stream
        rows.append(Row(value: value, time: time, stream: stream))
    }

    /// The series' place among the samples' streams of this batch.
    private mutating func sampleStream(_ series: Series) -> UInt32 {
        guard let entry = series.entry else {
            return interner.streams.add(
                labelsWithoutEntry,
                StreamHandle(),
                number: -1,
                line: seriesNumber
            )
        }
        return interner.stream(of: entry, line: seriesNumber)
    }

    mutating func refuse(_ error: SeriesError, _ series: Series) {
        let labels = labels(of: series)
        let name = labels.bytes.isEmpty ? "" : "\(labels): "
        result.refuse(line: seriesNumber, name + error.description)
    }

    /// Refuses one more row of a series of which nothing is taken.
    private mutating func refuseAll(_ series: Series) {
        if let refusal { refuse(refusal, series) }
    }

    /// Histograms, exemplars and metadata, and samples that come after any of them.
    private mutating func readRest(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        _ series: inout Series,
        version: RemoteWriteVersion
    ) throws(DecodeError) {
        let (exemplarField, histogramField) = version == .one ? (3, 4) : (4, 3)
        var reader = ProtobufReader(range)
        while hasRoom, let field = try reader.next(bytes) {
            guard field.wire == .bytes else { continue }
            switch field.number {
            case 2: try readSample(bytes, field.range, &series)
            case histogramField:
                let reading = try HistogramMessage.read(bytes, field.range)
                if series.isRefused {
                    refuseAll(series)
                } else {
                    put(reading, series)
                }
            case exemplarField:
                if series.isRefused {
                    refuseAll(series)
                } else {
                    try readExemplar(bytes, field.range, series, version: version)
                }
            case 5 where version == .two && !series.isRefused:
                try readInlineMetadata(bytes, field.range, series)
            default: break
            }
        }
    }

    private mutating func put(_ reading: HistogramMessage.Reading, _ series: Series) {
        do throws(SeriesError) {
            let histogram = try HistogramMessage.checked(reading)
            let time = try time(reading.milliseconds)
            let labels = labels(of: series)
            let stream =
                histogramStreams[labels]
                ?? result.histograms.addStream(labels, line: seriesNumber)
            histogramStreams[labels] = stream
            result.histograms.append(histogram, stream: stream, time: time)
        } catch {
            refuse(error, series)
        }
    }

    /// A sample's time in nanoseconds, if it may be taken.
    @inline(__always)
    private func time(_ milliseconds: Int64) throws(SeriesError) -> Int64 {
        let (time, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        guard !overflow else { throw .badTime }
        guard time <= options.now || time - options.now <= options.futureMax else {
            throw .tooFarInFuture(limit: options.futureMax)
        }
        return time
    }

    private mutating func readExemplar(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        _ series: Series,
        version: RemoteWriteVersion
    ) throws(DecodeError) {
        var value = 0.0
        var milliseconds: Int64 = 0
        var own: [LabelBuilder.Pair] = []
        var references: [UInt64] = []
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            switch (field.number, field.wire) {
            case (1, .bytes) where version == .one: own.append(try Self.label(bytes, field.range))
            case (1, _): try Self.readReferences(bytes, field, &references)
            case (2, .fixed64): value = field.double
            case (3, .varint): milliseconds = field.int64
            default: break
            }
        }
        do throws(SeriesError) {
            if version == .two { own = try pairs(of: references) }
            let time = try time(milliseconds)
            guard own.count <= options.labelsMax else {
                throw .tooManyLabels(count: own.count, limit: options.labelsMax)
            }
            let labels = labels(of: series)
            let pairs = try own.map { pair throws(SeriesError) in try text(of: pair, bytes) }
            let stream =
                exemplarStreams[labels] ?? result.exemplars.addStream(labels, line: seriesNumber)
            exemplarStreams[labels] = stream
            result.exemplars.appendExemplar(value, labels: pairs, stream: stream, time: time)
        } catch {
            refuse(error, series)
        }
    }

    /// A label of an exemplar.
    private func text(
        of pair: LabelBuilder.Pair,
        _ bytes: Span<UInt8>
    ) throws(SeriesError) -> (name: String, value: String) {
        guard pair.name.count <= options.labelNameBytesMax else {
            throw .nameTooLong(bytes: pair.name.count, limit: options.labelNameBytesMax)
        }
        let name = LabelBuilder.text(pair.name, bytes)
        guard pair.value.count <= options.labelValueBytesMax else {
            throw .valueTooLong(
                label: name,
                bytes: pair.value.count,
                limit: options.labelValueBytesMax
            )
        }
        return (name, LabelBuilder.text(pair.value, bytes))
    }

    // MARK: Parts

    private static func label(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) -> LabelBuilder.Pair {
        let none = range.lowerBound..<range.lowerBound
        var pair = LabelBuilder.Pair(name: none, value: none)
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            if field.number == 1 { pair.name = field.range }
            if field.number == 2 { pair.value = field.range }
        }
        return pair
    }

    /// The range of a message whose length stands at `start`, and where it ends.
    @inline(__always)
    static func message(
        _ bytes: Span<UInt8>,
        _ start: Int,
        _ end: Int
    ) throws(DecodeError) -> (range: Range<Int>, end: Int) {
        guard start < end else { throw .truncated(offset: start, needed: 1) }
        let byte = bytes[start]
        var length = Int(byte)
        var cursor = start &+ 1
        if byte >= 0x80 {
            guard cursor < end, bytes[cursor] < 0x80 else {
                // Longer than 16 KiB: seldom, and checked by the general reader.
                var reader = ProtobufReader((start - 1)..<end)
                guard let field = try reader.next(bytes), field.wire == .bytes else {
                    throw .truncated(offset: start, needed: 1)
                }
                return (field.range, field.range.upperBound)
            }
            length = Int(byte & 0x7F) | Int(bytes[cursor]) << 7
            cursor &+= 1
        }
        guard length <= end &- cursor else {
            throw .truncated(offset: cursor, needed: length &- (end &- cursor))
        }
        return (cursor..<(cursor &+ length), cursor &+ length)
    }

    /// A sample's value and its time in milliseconds: `09 value 10 time`, as all senders write it.
    @inline(__always)
    private static func sample(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) -> (value: Double, milliseconds: Int64) {
        let start = range.lowerBound
        // A time since 1987 and before 2527 takes six bytes, seven bits in each.
        guard range.count == 16, bytes[start] == 0x09, bytes[start &+ 9] == 0x10 else {
            return try anySample(bytes, range)
        }
        let (bits, end) = unsafe bytes.withUnsafeBytes {
            // SAFETY: the message has 16 bytes.
            (
                unsafe $0.loadUnaligned(fromByteOffset: start &+ 1, as: UInt64.self),
                unsafe $0.loadUnaligned(fromByteOffset: start &+ 8, as: UInt64.self)
            )
        }
        let time = UInt64(littleEndian: end) &>> 16
        guard time & 0x8080_8080_8080 == 0x0080_8080_8080 else {
            return try anySample(bytes, range)
        }
        var milliseconds = time & 0x7F
        milliseconds |= time &>> 1 & 0x7F << 7
        milliseconds |= time &>> 2 & 0x7F << 14
        milliseconds |= time &>> 3 & 0x7F << 21
        milliseconds |= time &>> 4 & 0x7F << 28
        milliseconds |= time &>> 5 & 0x7F << 35
        return (Double(bitPattern: UInt64(littleEndian: bits)), Int64(milliseconds))
    }

    private static func anySample(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>
    ) throws(DecodeError) -> (value: Double, milliseconds: Int64) {
        var (value, milliseconds) = (0.0, Int64(0))
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            if field.number == 1, field.wire == .fixed64 { value = field.double }
            if field.number == 2, field.wire == .varint { milliseconds = field.int64 }
        }
        return (value, milliseconds)
    }
}
