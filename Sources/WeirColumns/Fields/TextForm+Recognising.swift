internal import WeirCore

/// From texts to integers.
extension TextForm {
    /// The form that all texts of `values` have, and their integers; nil when there is none.
    ///
    /// Gives up at the first text that is none of the forms, which is nearly always the first.
    static func recognise(_ values: BytesColumn) -> (form: TextForm, integers: [Int64])? {
        guard values.count > 0 else { return nil }
        let bytes = values.bytes
        let first = bytes.span.extracting(values.range(0))
        if let found = numbers(values) { return found }
        if ipv4(first) != nil {
            guard let integers = all(values, ipv4) else { return nil }
            return (.ipv4, integers)
        }
        let digits = max(0, first.count - 21)
        if timestamp(first, digits: digits) != nil {
            guard let integers = all(values, { timestamp($0, digits: digits) }) else { return nil }
            return (.timestamp(digits: digits), integers)
        }
        return nil
    }

    /// The integer that stands for `text`, or nil when no integer of this form does.
    func integer(_ text: Span<UInt8>) -> Int64? {
        switch self {
        case .ipv4: return Self.ipv4(text)
        case .timestamp(let digits): return Self.timestamp(text, digits: digits)
        case .padded(let width):
            guard text.count == width, let parts = NumberParts(text), !parts.isNegative,
                parts.fractionCount == 0
            else { return nil }
            return parts.mantissa
        case .decimal(let scale):
            guard let parts = NumberParts(text), parts.isCanonical, parts.fractionCount == scale
            else { return nil }
            return parts.value
        case .trimmed(let scale):
            guard let parts = NumberParts(text), parts.isCanonical, !parts.endsInZero,
                parts.fractionCount <= scale
            else { return nil }
            let (value, overflow) = parts.value.multipliedReportingOverflow(
                by: Self.powersOfTen[scale - parts.fractionCount]
            )
            return overflow ? nil : value
        case .pointed(let scale):
            guard let parts = NumberParts(text), parts.isPointed, parts.fractionCount <= scale
            else { return nil }
            let (value, overflow) = parts.value.multipliedReportingOverflow(
                by: Self.powersOfTen[scale - parts.fractionCount]
            )
            return overflow ? nil : value
        }
    }

    private static func all(_ values: BytesColumn, _ parse: (Span<UInt8>) -> Int64?) -> [Int64]? {
        let bytes = values.bytes
        var integers: [Int64] = []
        integers.reserveCapacity(values.count)
        for index in 0..<values.count {
            guard let integer = parse(bytes.span.extracting(values.range(index))) else {
                return nil
            }
            integers.append(integer)
        }
        return integers
    }

    /// A decimal number taken apart.
    private struct NumberParts {
        let isNegative: Bool
        let mantissa: Int64
        let digitCount: Int
        let fractionCount: Int
        let hasNeedlessZero: Bool
        let endsInZero: Bool

        /// Whether the number is written as a writer would.
        var isCanonical: Bool { !hasNeedlessZero && !(isNegative && mantissa == 0) }
        /// Whether there is a fraction that does not end in 0, unless it is 0.
        var isPointed: Bool {
            isCanonical && fractionCount > 0 && (fractionCount == 1 || !endsInZero)
        }
        var value: Int64 { isNegative ? -mantissa : mantissa }

        init?(_ text: Span<UInt8>) {
            var index = 0
            guard text.count > 0, text.count <= 20 else { return nil }
            isNegative = text[0] == 0x2D
            if isNegative { index = 1 }
            let start = index
            var value: Int64 = 0
            var digits = 0
            var point = -1
            while index < text.count {
                let byte = text[index]
                if byte &- 0x30 < 10 {
                    value = value &* 10 &+ Int64(byte &- 0x30)
                    digits &+= 1
                } else if byte == 0x2E, point < 0, digits > 0 {
                    point = index
                } else {
                    return nil
                }
                index &+= 1
            }
            guard digits > 0, digits <= 18, point != text.count - 1 else { return nil }
            mantissa = value
            digitCount = digits
            fractionCount = point < 0 ? 0 : text.count - 1 - point
            let wholeCount = digits - fractionCount
            hasNeedlessZero = wholeCount > 1 && text[start] == 0x30
            endsInZero = fractionCount > 0 && text[text.count - 1] == 0x30
        }
    }

    private static func numbers(_ values: BytesColumn) -> (form: TextForm, integers: [Int64])? {
        let bytes = values.bytes
        guard let first = NumberParts(bytes.span.extracting(values.range(0))) else { return nil }
        var integers: [Int64] = []
        var fractions: [UInt8] = []
        integers.reserveCapacity(values.count)
        fractions.reserveCapacity(values.count)
        var sameFraction = true
        var allCanonical = true
        var anyTrailingZero = false
        var allPointed = true
        var isPadded = !first.isNegative && first.fractionCount == 0
        var maxFraction = 0
        var maxDigits = 0
        for index in 0..<values.count {
            guard let parts = NumberParts(bytes.span.extracting(values.range(index))) else {
                return nil
            }
            integers.append(parts.value)
            fractions.append(UInt8(parts.fractionCount))
            sameFraction = sameFraction && parts.fractionCount == first.fractionCount
            allCanonical = allCanonical && parts.isCanonical
            anyTrailingZero = anyTrailingZero || parts.endsInZero
            allPointed = allPointed && parts.isPointed
            isPadded =
                isPadded && !parts.isNegative && parts.fractionCount == 0
                && parts.digitCount == first.digitCount
            maxFraction = max(maxFraction, parts.fractionCount)
            maxDigits = max(maxDigits, parts.digitCount - parts.fractionCount)
            guard isPadded || allCanonical else { return nil }
        }
        if allCanonical, sameFraction, first.fractionCount <= scaleMax {
            return (.decimal(scale: first.fractionCount), integers)
        }
        if isPadded { return (.padded(width: first.digitCount), integers) }
        guard allCanonical, allPointed || !anyTrailingZero, maxFraction <= scaleMax,
            maxDigits + maxFraction <= 18
        else { return nil }
        for index in integers.indices {
            integers[index] *= powersOfTen[maxFraction - Int(fractions[index])]
        }
        return (allPointed ? .pointed(scale: maxFraction) : .trimmed(scale: maxFraction), integers)
    }

    private static func ipv4(_ text: Span<UInt8>) -> Int64? {
        guard text.count >= 7, text.count <= 15 else { return nil }
        var address: Int64 = 0
        var part: Int64 = 0
        var digits = 0
        var dots = 0
        for index in 0..<text.count {
            let byte = text[index]
            if byte &- 0x30 < 10 {
                if digits > 0, part == 0 { return nil }
                part = part * 10 + Int64(byte - 0x30)
                digits += 1
                if part > 255 || digits > 3 { return nil }
            } else if byte == 0x2E, digits > 0, dots < 3 {
                address = address << 8 | part
                part = 0
                digits = 0
                dots += 1
            } else {
                return nil
            }
        }
        return dots == 3 && digits > 0 ? address << 8 | part : nil
    }

    /// - Returns: Units of 10^-digits seconds since 1970; nil unless the text is what
    ///   `append` makes of that.
    private static func timestamp(_ text: Span<UInt8>, digits: Int) -> Int64? {
        guard digits <= 9, text.count == (digits == 0 ? 20 : 21 + digits),
            text[text.count - 1] == 0x5A, text[4] == 0x2D, text[7] == 0x2D, text[10] == 0x54,
            text[13] == 0x3A, text[16] == 0x3A, digits == 0 || text[19] == 0x2E
        else { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            var value: Int64 = 0
            for index in range {
                guard text[index] &- 0x30 < 10 else { return nil }
                value = value * 10 + Int64(text[index] - 0x30)
            }
            return value
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            let fraction = number(digits == 0 ? 0..<0 : 20..<(20 + digits)),
            (1...12).contains(month), day >= 1, hour < 24, minute < 60, second < 60
        else { return nil }
        let date = CivilDate(year: Int(year), month: Int(month), day: Int(day))
        let days = date.daysSinceEpoch
        // The thirtieth of February is a day in March, which would be written so.
        guard CivilDate(daysSinceEpoch: days) == date else { return nil }
        let seconds = Int64(days) * 86_400 + hour * 3600 + minute * 60 + second
        let (units, overflow) = seconds.multipliedReportingOverflow(by: powersOfTen[digits])
        guard !overflow else { return nil }
        let (value, carry) = units.addingReportingOverflow(fraction)
        return carry ? nil : value
    }
}
