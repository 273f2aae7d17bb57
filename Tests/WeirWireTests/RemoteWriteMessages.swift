import WeirCore

/// Makes remote write requests, as senders do.
enum RemoteWriteMessages {
    static func label(_ name: String, _ value: String) -> [UInt8] {
        var writer = ProtobufWriter()
        if !name.isEmpty { writer.bytes(1, Array(name.utf8)) }
        if !value.isEmpty { writer.bytes(2, Array(value.utf8)) }
        return writer.bytes
    }

    /// A sample; like all of proto3, zeros are left out.
    static func sample(_ value: Double, _ milliseconds: Int64) -> [UInt8] {
        var writer = ProtobufWriter()
        if value.bitPattern != 0 { writer.fixed64(1, value.bitPattern) }
        if milliseconds != 0 { writer.varint(2, UInt64(bitPattern: milliseconds)) }
        return writer.bytes
    }

    static func series(
        _ labels: [(String, String)],
        _ samples: [(Double, Int64)],
        more: (inout ProtobufWriter) -> Void = { _ in }
    ) -> [UInt8] {
        var writer = ProtobufWriter()
        for (name, value) in labels { writer.bytes(1, label(name, value)) }
        for (value, time) in samples { writer.bytes(2, sample(value, time)) }
        more(&writer)
        return writer.bytes
    }

    static func request(_ series: [[UInt8]], metadata: [[UInt8]] = []) -> [UInt8] {
        var writer = ProtobufWriter()
        for one in series { writer.bytes(1, one) }
        for one in metadata { writer.bytes(3, one) }
        return writer.bytes
    }

    static func metadata(_ type: UInt64, _ name: String, help: String, unit: String) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.varint(1, type)
        writer.bytes(2, Array(name.utf8))
        writer.bytes(4, Array(help.utf8))
        writer.bytes(5, Array(unit.utf8))
        return writer.bytes
    }

    static func packed(_ values: [UInt64]) -> [UInt8] {
        var bytes: [UInt8] = []
        for value in values { value.appendVarint(to: &bytes) }
        return bytes
    }

    static func span(_ offset: Int64, _ length: UInt64) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.varint(1, UInt64(zigZag: offset))
        writer.varint(2, length)
        return writer.bytes
    }

    /// Counts as whole numbers: 3 observations in the buckets 1 and 4, one of zero.
    static func histogram(
        count: UInt64 = 4,
        sum: Double = 9.5,
        schema: Int64 = 3,
        deltas: [Int64] = [2, -1],
        milliseconds: Int64 = 1_790_000_000_000
    ) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.varint(1, count)
        writer.fixed64(3, sum.bitPattern)
        writer.varint(4, UInt64(zigZag: schema))
        writer.fixed64(5, (0.001).bitPattern)
        writer.varint(6, 1)
        writer.bytes(11, span(1, 1))
        writer.bytes(11, span(2, 1))
        writer.bytes(12, packed(deltas.map { UInt64(zigZag: $0) }))
        writer.varint(14, 2)
        writer.varint(15, UInt64(milliseconds))
        return writer.bytes
    }
}

/// A request of version 2 in the making.
struct SymbolRequest {
    private(set) var symbols = [""]
    private var series: [[UInt8]] = []

    mutating func reference(_ text: String) -> UInt64 {
        if let known = symbols.firstIndex(of: text) { return UInt64(known) }
        symbols.append(text)
        return UInt64(symbols.count - 1)
    }

    /// Puts symbols that nothing refers to before those that come.
    mutating func reserveReferences(_ count: Int) {
        symbols += [String](repeating: "unused", count: count)
    }

    mutating func references(_ labels: [(String, String)]) -> [UInt8] {
        RemoteWriteMessages.packed(labels.flatMap { [reference($0.0), reference($0.1)] })
    }

    mutating func add(
        _ labels: [(String, String)],
        _ samples: [(Double, Int64)],
        more: (inout ProtobufWriter, inout SymbolRequest) -> Void = { _, _ in }
    ) {
        var writer = ProtobufWriter()
        writer.bytes(1, references(labels))
        for (value, time) in samples { writer.bytes(2, RemoteWriteMessages.sample(value, time)) }
        more(&writer, &self)
        series.append(writer.bytes)
    }

    var bytes: [UInt8] {
        var writer = ProtobufWriter()
        for symbol in symbols { writer.bytes(4, Array(symbol.utf8)) }
        for one in series { writer.bytes(5, one) }
        return writer.bytes
    }
}
