internal import WeirCore

/// The symbols of a request of version 2.
struct SymbolTable {
    /// Where each symbol lies in the body.
    var ranges: [Range<Int>] = []
    /// What the interner calls each; `none` where it has no room.
    var numbers: [UInt32] = []
    static let none = UInt32.max
    /// The references of the series that is being read, and the same as bytes of the interner's numbers.
    var references: [UInt64] = []
    var key: [UInt8] = []
}

/// Version 2: labels, help and units are numbers of symbols.
extension RemoteWriteParser {
    mutating func readRequest(_ bytes: Span<UInt8>) throws(DecodeError) {
        // All symbols come first, as nothing says that they stand there first.
        var reader = ProtobufReader(0..<bytes.count)
        while let field = try reader.next(bytes) {
            guard field.number == 4, field.wire == .bytes else {
                try Self.stepOverSeries(bytes, &reader)
                continue
            }
            symbols.ranges.append(field.range)
            symbols.numbers.append(
                interner.symbol(field.range, in: bytes).map(UInt32.init) ?? SymbolTable.none
            )
        }
        // Bound once: what is bound for each series is counted for each series.
        let numbers = symbols.numbers
        reader = ProtobufReader(0..<bytes.count)
        while let field = try reader.next(bytes), hasRoom {
            guard field.number == 5, field.wire == .bytes else { continue }
            try readSeriesOfTwo(bytes, field.range, numbers: numbers.span)
            var cursor = reader.offset
            while let range = try Self.nextSeries(0x2A, bytes, &cursor), hasRoom {
                try readSeriesOfTwo(bytes, range, numbers: numbers.span)
            }
            reader = ProtobufReader(cursor..<bytes.count)
        }
    }

    private static func stepOverSeries(
        _ bytes: Span<UInt8>,
        _ reader: inout ProtobufReader
    ) throws(DecodeError) {
        var cursor = reader.offset
        while try nextSeries(0x2A, bytes, &cursor) != nil {}
        reader = ProtobufReader(cursor..<bytes.count)
    }

    private mutating func readSeriesOfTwo(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        numbers: Span<UInt32>
    ) throws(DecodeError) {
        seriesNumber += 1
        symbols.references.removeAll(keepingCapacity: true)
        var rest = range
        if let first = range.first, bytes[first] == 0x0A {
            let (packed, end) = try Self.message(bytes, first + 1, range.upperBound)
            rest = end..<range.upperBound
            if let entry = interner.predicted(by: packed, in: bytes, numbers: numbers),
                try !hasField(1, bytes, rest)
            {
                interner.found(entry)
                var series = Series(entry: entry)
                return try readRows(bytes, rest, &series, version: .two)
            }
            var reader = ProtobufReader(packed)
            while let bits = try reader.nextVarint(bytes) { symbols.references.append(bits) }
        }
        if try hasField(1, bytes, rest) {
            // Not packed, or not first: allowed by protobuf, done by nobody.
            var reader = ProtobufReader(rest)
            while let field = try reader.next(bytes) {
                guard field.number == 1 else { continue }
                try Self.readReferences(bytes, field, &symbols.references)
            }
        }
        var series = findReferences(bytes)
        try readRows(bytes, rest, &series, version: .two)
    }

    static func readReferences(
        _ bytes: Span<UInt8>,
        _ field: ProtobufField,
        _ references: inout [UInt64]
    ) throws(DecodeError) {
        if field.wire == .varint { references.append(field.bits) }
        guard field.wire == .bytes else { return }
        var reader = ProtobufReader(field.range)
        while let bits = try reader.nextVarint(bytes) { references.append(bits) }
    }

    /// The series that `symbols.references` name.
    private mutating func findReferences(_ bytes: Span<UInt8>) -> Series {
        symbols.key.removeAll(keepingCapacity: true)
        var isCacheable = true
        for reference in symbols.references {
            guard reference < UInt64(symbols.numbers.count) else {
                return refused(.badSymbol(reference))
            }
            let number = symbols.numbers[Int(reference)]
            if number == SymbolTable.none { isCacheable = false }
            symbols.key.appendLittleEndian(number)
        }
        let key = symbols.key
        let hash = ByteHash.hash(0..<key.count, in: key.span)
        if isCacheable, let known = interner.find(0..<key.count, hash: hash, in: key.span) {
            interner.found(known)
            return Series(entry: known)
        }
        do throws(SeriesError) {
            builder.pairs = try pairs(of: symbols.references)
            let labels = try builder.finish(bytes)
            guard isCacheable else { return made(nil, labels) }
            let entry = interner.insert(0..<key.count, hash: hash, labels: labels, in: key.span)
            return made(entry, labels)
        } catch {
            return refused(error)
        }
    }

    /// The names and values that references stand for, by turns.
    func pairs(of references: [UInt64]) throws(SeriesError) -> [LabelBuilder.Pair] {
        guard references.count.isMultiple(of: 2) else { throw .oddReferences }
        var pairs: [LabelBuilder.Pair] = []
        for place in stride(from: 0, to: references.count, by: 2) {
            pairs.append(
                LabelBuilder.Pair(
                    name: try symbol(references[place]),
                    value: try symbol(references[place + 1])
                )
            )
        }
        return pairs
    }

    private func symbol(_ reference: UInt64) throws(SeriesError) -> Range<Int> {
        guard reference < UInt64(symbols.ranges.count) else { throw .badSymbol(reference) }
        return symbols.ranges[Int(reference)]
    }

    /// Type, help and unit, which come with every series again, and are looked at once.
    mutating func readInlineMetadata(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        _ series: Series
    ) throws(DecodeError) {
        var (type, help, unit) = (UInt64(0), UInt64(0), UInt64(0))
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            guard field.wire == .varint else { continue }
            switch field.number {
            case 1: type = field.bits
            case 3: help = field.bits
            case 4: unit = field.bits
            default: break
            }
        }
        guard let entry = series.entry, help < UInt64(symbols.ranges.count),
            unit < UInt64(symbols.ranges.count), type < 16,
            symbols.numbers[Int(help)] != SymbolTable.none,
            symbols.numbers[Int(unit)] != SymbolTable.none
        else { return }
        let mark =
            (type + 1) << 56 ^ UInt64(symbols.numbers[Int(help)]) << 28
            ^ UInt64(symbols.numbers[Int(unit)])
        guard interner.entries[entry].metadata != mark else { return }
        interner.entries[entry].metadata = mark
        let metadata = MetricMetadata(
            type: Self.metricType(type),
            unit: LabelBuilder.text(symbols.ranges[Int(unit)], bytes),
            help: LabelBuilder.text(symbols.ranges[Int(help)], bytes)
        )
        guard metadata.type != .unknown || !metadata.help.isEmpty || !metadata.unit.isEmpty,
            let name = interner.entries[entry].labels.metricName
        else { return }
        result.metadata.append(
            FamilyMetadata(
                name: FamilyMetadata.name(ofSeries: name, type: metadata.type),
                metadata
            )
        )
    }
}
