internal import WeirCore

extension IntegerRun {
    /// Encodes `values`: appends the head to `head` and the packed residuals to `body`.
    ///
    /// `scratch` is the caller's, to be reused. `findsUnit` looks for a common divisor of the
    /// differences, as times have.
    package static func encode(
        _ values: Span<Int64>,
        findsUnit: Bool,
        head: inout [UInt8],
        body: inout [UInt8],
        scratch: inout [UInt64]
    ) {
        let unit = findsUnit ? commonDivisor(values) : 1
        let plan = choose(values, unit: unit)
        fill(&scratch, values, unit: unit, transform: plan.transform, minimum: plan.minimum)
        let width = chooseWidth(scratch)
        head.append(plan.transform.rawValue | width.rawValue << 2 | (unit > 1 ? 0x40 : 0))
        if unit > 1 { UInt64(unit).appendVarint(to: &head) }
        let base = plan.transform == .minimum ? plan.minimum : values.isEmpty ? 0 : values[0]
        UInt64(zigZag: base).appendVarint(to: &head)
        if plan.transform == .deltaOfDelta {
            let first = values.count > 1 ? (values[1] &- values[0]) / unit : 0
            UInt64(zigZag: first).appendVarint(to: &head)
        }
        pack(scratch, width: width, head: &head, body: &body)
    }

    /// The greatest divisor that all differences from the first value share; 1 when there is none
    /// or when a difference does not fit.
    private static func commonDivisor(_ values: Span<Int64>) -> Int64 {
        guard values.count > 1 else { return 1 }
        var divisor: UInt64 = 0
        var previousDifference: Int64 = 0
        for index in 1..<values.count {
            let (difference, overflow) = values[index].subtractingReportingOverflow(
                values[index - 1]
            )
            if overflow { return 1 }
            if difference == previousDifference { continue }
            previousDifference = difference
            var a = divisor
            var b = difference.magnitude
            while b != 0 { (a, b) = (b, a % b) }
            divisor = a
            if divisor == 1 { return 1 }
        }
        return divisor == 0 || divisor > UInt64(Int64.max) ? 1 : Int64(divisor)
    }

    private static func bitLength(_ value: UInt64) -> Int {
        UInt64.bitWidth &- value.leadingZeroBitCount
    }

    /// Picks the transform that leaves the fewest significant bits.
    private static func choose(
        _ values: Span<Int64>,
        unit: Int64
    ) -> (transform: Transform, minimum: Int64) {
        guard values.count > 1 else { return (.delta, values.isEmpty ? 0 : values[0]) }
        var minimum = values[0]
        var maximum = values[0]
        var deltaBits = 0
        var deltaOfDeltaBits = 0
        var previous = values[0]
        var previousDelta = (values[1] &- values[0])
        for index in 1..<values.count {
            let value = unsafe values[unchecked: index]
            let delta = value &- previous
            deltaBits &+= bitLength(UInt64(zigZag: delta))
            deltaOfDeltaBits &+= bitLength(UInt64(zigZag: delta &- previousDelta))
            previous = value
            previousDelta = delta
            minimum = min(minimum, value)
            maximum = max(maximum, value)
        }
        let range = UInt64(bitPattern: maximum &- minimum)
        // Distances from the minimum are spread evenly below the range, near enough.
        let minimumBits = (bitLength(range) &* values.count) &- values.count / 2
        if deltaOfDeltaBits < deltaBits, deltaOfDeltaBits < minimumBits {
            return (.deltaOfDelta, minimum)
        }
        return deltaBits <= minimumBits ? (.delta, minimum) : (.minimum, minimum)
    }

    private static func fill(
        _ residuals: inout [UInt64],
        _ values: Span<Int64>,
        unit: Int64,
        transform: Transform,
        minimum: Int64
    ) {
        residuals.removeAll(keepingCapacity: true)
        residuals.reserveCapacity(values.count)
        switch transform {
        case .minimum:
            for index in values.indices {
                let distance = UInt64(bitPattern: values[index] &- minimum)
                residuals.append(unit == 1 ? distance : distance / UInt64(unit))
            }
        case .delta:
            guard values.count > 1 else { return }
            for index in 1..<values.count {
                let delta = values[index] &- values[index - 1]
                residuals.append(UInt64(zigZag: unit == 1 ? delta : delta / unit))
            }
        case .deltaOfDelta:
            guard values.count > 2 else { return }
            var previous = (values[1] &- values[0]) / unit
            for index in 2..<values.count {
                let delta = (values[index] &- values[index - 1]) / unit
                residuals.append(UInt64(zigZag: delta &- previous))
                previous = delta
            }
        }
    }

    /// Picks the width that takes the fewest bytes, marks and all.
    private static func chooseWidth(_ residuals: [UInt64]) -> Width {
        var all: UInt64 = 0
        var overNibble = 0
        var overByte = 0
        var escapeBytesNibble = 0
        var escapeBytesByte = 0
        for residual in residuals {
            all |= residual
            if residual >= 15 {
                overNibble &+= 1
                let bytes = (bitLength(residual) &+ 6) / 7
                escapeBytesNibble &+= bytes
                if residual >= 255 {
                    overByte &+= 1
                    escapeBytesByte &+= bytes
                }
            }
        }
        guard all != 0 else { return .none }
        let count = residuals.count
        let planes = max(1, (bitLength(all) + 7) / 8)
        var best = (width: Width(rawValue: UInt8(planes + 1)) ?? .bytes8, cost: planes * count)
        if planes == 1 { best.cost += escapeBytesByte }
        if overByte * 8 <= count, count + escapeBytesByte < best.cost {
            best = (.bytes1, count + escapeBytesByte)
        }
        if overNibble * 16 <= count, (count + 1) / 2 + escapeBytesNibble < best.cost {
            best = (.nibble, (count + 1) / 2 + escapeBytesNibble)
        }
        return best.width
    }

    private static func pack(
        _ residuals: [UInt64],
        width: Width,
        head: inout [UInt8],
        body: inout [UInt8]
    ) {
        switch width {
        case .none: return
        case .nibble, .bytes1:
            let mark: UInt64 = width == .nibble ? 15 : 255
            UInt64(residuals.count { $0 >= mark }).appendVarint(to: &head)
            for residual in residuals where residual >= mark { residual.appendVarint(to: &head) }
            body.reserveCapacity(body.count + width.bodyCount(residuals.count))
            if width == .bytes1 {
                for residual in residuals {
                    body.append(UInt8(truncatingIfNeeded: min(residual, mark)))
                }
                return
            }
            var index = 0
            while index + 1 < residuals.count {
                let low = min(residuals[index], 15)
                let high = min(residuals[index + 1], 15)
                body.append(UInt8(truncatingIfNeeded: low | high << 4))
                index += 2
            }
            if index < residuals.count {
                body.append(UInt8(truncatingIfNeeded: min(residuals[index], 15)))
            }
        default:
            for plane in 0..<width.planeCount {
                for residual in residuals {
                    body.append(UInt8(truncatingIfNeeded: residual &>> UInt64(8 * plane)))
                }
            }
        }
    }
}
