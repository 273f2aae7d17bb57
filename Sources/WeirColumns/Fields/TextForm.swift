internal import WeirCore

/// A way of writing that all texts of a column share, so that integers stand for them exactly.
///
/// Layout: docs/format/fields.md.
enum TextForm: Hashable, Sendable {
    /// A decimal number with exactly this many digits after the point, no needless zero in front.
    case decimal(scale: Int)
    /// The same with at most this many, of which the last is not 0: as JSON writers print.
    case trimmed(scale: Int)
    /// The same with at least one, which alone may be 0: `5.0`, as many languages print.
    case pointed(scale: Int)
    /// Exactly this many digits.
    case padded(width: Int)
    case ipv4
    /// `2026-01-02T03:04:05.678Z` with exactly this many digits of a second; 0 without a point.
    case timestamp(digits: Int)

    static let scaleMax = 17

    /// The byte that names the form, and its parameter.
    var code: (tag: UInt8, parameter: Int) {
        switch self {
        case .decimal(let scale): (0, scale)
        case .trimmed(let scale): (1, scale)
        case .padded(let width): (2, width)
        case .ipv4: (3, 0)
        case .timestamp(let digits): (4, digits)
        case .pointed(let scale): (5, scale)
        }
    }

    init(from head: inout ByteReader) throws(DecodeError) {
        let start = head.offset
        let tag = try head.readByte()
        let parameter = try head.readCount(limit: 18)
        switch tag {
        case 0 where parameter <= Self.scaleMax: self = .decimal(scale: parameter)
        case 1 where parameter <= Self.scaleMax: self = .trimmed(scale: parameter)
        case 2 where parameter >= 1: self = .padded(width: parameter)
        case 3: self = .ipv4
        case 4 where parameter <= 9: self = .timestamp(digits: parameter)
        case 5 where (1...Self.scaleMax).contains(parameter): self = .pointed(scale: parameter)
        default: throw .unknownValue(offset: start, value: UInt64(tag))
        }
    }

    /// Whether `decimals` are the integers over a power of ten.
    var decimalScale: Int? {
        switch self {
        case .decimal(let scale), .trimmed(let scale), .pointed(let scale): scale
        case .padded: 0
        case .ipv4, .timestamp: nil
        }
    }

    static let powersOfTen: [Int64] = (0...18).map { exponent in
        (0..<exponent).reduce(Int64(1)) { value, _ in value * 10 }
    }

    // MARK: From integers to text

    /// Appends the text that `value` stands for.
    func append(_ value: Int64, to output: inout [UInt8]) {
        switch self {
        case .decimal(let scale): Self.appendDecimal(value, scale: scale, to: &output)
        case .trimmed(let scale):
            Self.appendTrimmed(value, scale: scale, leaving: 0, to: &output)
        case .pointed(let scale):
            Self.appendTrimmed(value, scale: scale, leaving: 1, to: &output)
        case .padded(let width):
            Self.appendDigits(value.magnitude, width: width, to: &output)
        case .ipv4:
            for shift in [24, 16, 8, 0] {
                Self.appendDigits(UInt64(value >> shift & 255), width: 1, to: &output)
                if shift > 0 { output.append(0x2E) }
            }
        case .timestamp(let digits):
            Self.appendTimestamp(value, digits: digits, to: &output)
        }
    }

    private static func appendTrimmed(
        _ value: Int64,
        scale: Int,
        leaving least: Int,
        to output: inout [UInt8]
    ) {
        var value = value
        var scale = scale
        while scale > least, value % 10 == 0 {
            value /= 10
            scale -= 1
        }
        appendDecimal(value, scale: scale, to: &output)
    }

    private static func appendDecimal(_ value: Int64, scale: Int, to output: inout [UInt8]) {
        if value < 0 { output.append(0x2D) }
        guard scale > 0 else {
            appendDigits(value.magnitude, width: 1, to: &output)
            return
        }
        let power = UInt64(powersOfTen[scale])
        appendDigits(value.magnitude / power, width: 1, to: &output)
        output.append(0x2E)
        appendDigits(value.magnitude % power, width: scale, to: &output)
    }

    static func appendDigits(_ value: UInt64, width: Int, to output: inout [UInt8]) {
        let start = output.count
        var rest = value
        var count = 0
        repeat {
            output.append(UInt8(truncatingIfNeeded: 0x30 + rest % 10))
            rest /= 10
            count += 1
        } while rest > 0 || count < width
        output[start...].reverse()
    }

    private static func appendTimestamp(_ value: Int64, digits: Int, to output: inout [UInt8]) {
        let perSecond = powersOfTen[digits]
        var seconds = value / perSecond
        var fraction = value % perSecond
        if fraction < 0 {
            fraction += perSecond
            seconds -= 1
        }
        var days = seconds / 86_400
        var rest = seconds % 86_400
        if rest < 0 {
            rest += 86_400
            days -= 1
        }
        let date = CivilDate(daysSinceEpoch: Int(days))
        appendDigits(UInt64(max(0, date.year)), width: 4, to: &output)
        output.append(0x2D)
        appendDigits(UInt64(date.month), width: 2, to: &output)
        output.append(0x2D)
        appendDigits(UInt64(date.day), width: 2, to: &output)
        output.append(0x54)
        appendDigits(UInt64(rest / 3600), width: 2, to: &output)
        output.append(0x3A)
        appendDigits(UInt64(rest / 60 % 60), width: 2, to: &output)
        output.append(0x3A)
        appendDigits(UInt64(rest % 60), width: 2, to: &output)
        if digits > 0 {
            output.append(0x2E)
            appendDigits(UInt64(fraction), width: digits, to: &output)
        }
        output.append(0x5A)
    }
}
