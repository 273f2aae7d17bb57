/// The lines of line protocol that one moment of the shop is told in.
///
/// What does not change is spelt once; a moment only adds its values and its time.
struct LineLayout: Sendable {
    /// How a value is written.
    enum Format: Sendable {
        /// A whole number, rounded down: counters stay monotonic.
        case whole
        /// Three digits after the point.
        case decimal
    }

    private struct Field: Sendable {
        /// The name with its `=`.
        let name: [UInt8]
        let format: Format
    }

    private struct Line: Sendable {
        /// Measurement and tags with the space after them.
        let prefix: [UInt8]
        let firstValue: Int
        let fields: [Field]
    }

    private var lines: [Line] = []
    /// How many values `append` needs: one for each series.
    private(set) var valueCount = 0

    /// How many lines a moment has.
    var lineCount: Int { lines.count }

    /// Adds a line.
    ///
    /// Names and tag values are of this module: they need no escapes.
    ///
    /// - Returns: The index of the first field's value; the others follow.
    mutating func add(
        _ measurement: String,
        _ tags: [(String, String)],
        _ fields: [(String, Format)]
    ) -> Int {
        let text = measurement + tags.map { ",\($0.0)=\($0.1)" }.joined() + " "
        let first = valueCount
        lines.append(
            Line(
                prefix: Array(text.utf8),
                firstValue: first,
                fields: fields.map { Field(name: Array("\($0.0)=".utf8), format: $0.1) }
            )
        )
        valueCount += fields.count
        return first
    }

    /// Writes all lines of one moment.
    ///
    /// The time is in seconds: the request says `precision=s`.
    func append(values: [Double], seconds: Int64, to bytes: inout [UInt8]) {
        precondition(values.count == valueCount)
        var time: [UInt8] = [0x20]
        Self.append(seconds, to: &time)
        time.append(0x0A)
        for line in lines {
            bytes.append(contentsOf: line.prefix)
            for (index, field) in line.fields.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes.append(contentsOf: field.name)
                let value = max(0, values[line.firstValue + index])
                switch field.format {
                case .whole:
                    Self.append(Int64(value), to: &bytes)
                    bytes.append(UInt8(ascii: "i"))
                case .decimal:
                    let thousandths = Int64((value * 1000).rounded())
                    Self.append(thousandths / 1000, to: &bytes)
                    bytes.append(UInt8(ascii: "."))
                    let rest = UInt8(clamping: thousandths % 1000 / 100)
                    bytes.append(UInt8(ascii: "0") + rest)
                    bytes.append(UInt8(ascii: "0") + UInt8(thousandths % 100 / 10))
                    bytes.append(UInt8(ascii: "0") + UInt8(thousandths % 10))
                }
            }
            bytes.append(contentsOf: time)
        }
    }

    /// A number of 0 or more in digits.
    private static func append(_ number: Int64, to bytes: inout [UInt8]) {
        var divisor: Int64 = 1
        while number / divisor >= 10 { divisor *= 10 }
        var rest = number
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / divisor))
            rest %= divisor
            divisor /= 10
        }
    }
}
