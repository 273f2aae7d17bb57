internal import WeirCore

extension IntegerRun {
    /// Zeros in a row that are worth leaving out of the body: their place in the head takes some three
    /// bytes, and as nibbles in Huffman codes they take a little more than that.
    private static let stretchZerosMin = 32

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
        let plan = choose(values)
        let facts = fill(&scratch, values, unit: unit, plan)
        let stretches = facts.zeroCount >= stretchZerosMin ? takeStretches(from: &scratch) : []
        let width = chooseWidth(scratch, facts)
        // All residuals are 0: nothing is kept of them, nor of where they are.
        let isEmpty = width == .none || stretches.isEmpty
        head.append(
            plan.transform.rawValue | width.tag << 2 | (unit > 1 ? 0x40 : 0)
                | (isEmpty ? 0 : 0x80)
        )
        if unit > 1 { UInt64(unit).appendVarint(to: &head) }
        let base = plan.transform == .minimum ? plan.minimum : values.isEmpty ? 0 : values[0]
        UInt64(zigZag: base).appendVarint(to: &head)
        switch plan.transform {
        case .minimum, .delta: break
        case .deltaOfDelta:
            let first = values.count > 1 ? (values[1] &- values[0]) / unit : 0
            UInt64(zigZag: first).appendVarint(to: &head)
        case .steadyDelta: UInt64(zigZag: plan.step / unit).appendVarint(to: &head)
        }
        if !isEmpty {
            UInt64(stretches.count).appendVarint(to: &head)
            for stretch in stretches {
                UInt64(stretch.zeroCount).appendVarint(to: &head)
                UInt64(stretch.literalCount).appendVarint(to: &head)
            }
        }
        if case .packed(let bits) = width { head.append(UInt8(bits)) }
        pack(scratch, facts, width: width, head: &head, body: &body)
    }

    /// The greatest divisor that all differences from the first value share; 1 when there is none
    /// or when a difference does not fit.
    private static func commonDivisor(_ values: Span<Int64>) -> Int64 {
        guard values.count > 1 else { return 1 }
        var divisor: UInt64 = 0
        var previousDifference: Int64 = 0
        var previous = values[0]
        for index in 1..<values.count {
            // SAFETY: index < values.count.
            let value = unsafe values[unchecked: index]
            let (difference, overflow) = value.subtractingReportingOverflow(previous)
            previous = value
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

    @inline(__always)
    private static func bitLength(_ value: UInt64) -> Int {
        UInt64.bitWidth &- value.leadingZeroBitCount
    }

    private struct Plan {
        let transform: Transform
        /// The smallest value, where it is taken out.
        var minimum: Int64 = 0
        /// The typical step, where it is taken out.
        var step: Int64 = 0
    }

    /// Runs shorter than this have no typical step.
    private static let steadyCountMin = 16
    /// What a typical step takes in the head, in bits.
    private static let stepBits = 16

    /// The median of some steps; 0 for short runs.
    private static func typicalStep(_ values: Span<Int64>) -> Int64 {
        guard values.count >= steadyCountMin else { return 0 }
        let stepCount = min(31, values.count - 1)
        var steps: [Int64] = []
        steps.reserveCapacity(stepCount)
        for place in 0..<stepCount {
            let index = 1 + place * (values.count - 1) / stepCount
            steps.append(values[index] &- values[index - 1])
        }
        steps.sort()
        return steps[stepCount / 2]
    }

    /// Picks the transform that leaves the fewest significant bits in a sample: of long runs, a quarter.
    private static func choose(_ values: Span<Int64>) -> Plan {
        guard values.count > 1 else { return Plan(transform: .delta) }
        var (minimum, maximum) = (values[0], values[0])
        let typical = typicalStep(values)
        var deltaBits = 0
        var deltaOfDeltaBits = 0
        var steadyBits = 0
        var sampleCount = 1
        let step = values.count > 256 ? 128 : 32
        var start = 1
        while start < values.count {
            let end = min(start + 32, values.count)
            var previous = values[start - 1]
            var previousDelta =
                start > 1 ? previous &- values[start - 2] : values[1] &- values[0]
            for index in start..<end {
                // SAFETY: index < end <= values.count.
                let value = unsafe values[unchecked: index]
                let delta = value &- previous
                deltaBits &+= bitLength(UInt64(zigZag: delta))
                deltaOfDeltaBits &+= bitLength(UInt64(zigZag: delta &- previousDelta))
                steadyBits &+= bitLength(UInt64(zigZag: delta &- typical))
                previous = value
                previousDelta = delta
                minimum = min(minimum, value)
                maximum = max(maximum, value)
            }
            sampleCount += end - start
            start += step
        }
        // Distances from the minimum are spread evenly below the range, near enough.
        func minimumBits(_ minimum: Int64, _ maximum: Int64) -> Int {
            bitLength(UInt64(bitPattern: maximum &- minimum)) * sampleCount - sampleCount / 2
        }
        steadyBits += stepBits
        let best = min(deltaBits, deltaOfDeltaBits, steadyBits)
        if minimumBits(minimum, maximum) < best {
            // The sample's range is within the whole one, which costs a pass.
            for index in values.indices {
                // SAFETY: index < values.count.
                let value = unsafe values[unchecked: index]
                minimum = min(minimum, value)
                maximum = max(maximum, value)
            }
            if minimumBits(minimum, maximum) < best {
                return Plan(transform: .minimum, minimum: minimum)
            }
        }
        if steadyBits == best { return Plan(transform: .steadyDelta, step: typical) }
        return Plan(transform: deltaOfDeltaBits < deltaBits ? .deltaOfDelta : .delta)
    }

    /// What decides the width, gathered while residuals are made.
    private struct Facts {
        var all: UInt64 = 0
        var zeroCount = 0
        var overNibble = 0
        var overByte = 0
        var escapeBytesNibble = 0
        var escapeBytesByte = 0

        @inline(__always)
        mutating func note(_ residual: UInt64) {
            all |= residual
            if residual == 0 { zeroCount &+= 1 }
            guard residual >= 15 else { return }
            overNibble &+= 1
            let bytes = (bitLength(residual) &+ 6) / 7
            escapeBytesNibble &+= bytes
            guard residual >= 255 else { return }
            overByte &+= 1
            escapeBytesByte &+= bytes
        }
    }

    private static func fill(
        _ residuals: inout [UInt64],
        _ values: Span<Int64>,
        unit: Int64,
        _ plan: Plan
    ) -> Facts {
        var facts = Facts()
        residuals.removeAll(keepingCapacity: true)
        let isPlain = unit == 1
        residuals.append(addingCapacity: values.count) { free in
            switch plan.transform {
            case .minimum:
                for index in values.indices {
                    let distance = UInt64(
                        bitPattern: unsafe values[unchecked: index] &- plan.minimum
                    )
                    let residual = isPlain ? distance : distance / UInt64(unit)
                    facts.note(residual)
                    free.append(residual)
                }
            case .delta:
                guard values.count > 1 else { return }
                var previous = values[0]
                for index in 1..<values.count {
                    // SAFETY: index < values.count.
                    let value = unsafe values[unchecked: index]
                    let delta = value &- previous
                    previous = value
                    let residual = UInt64(zigZag: isPlain ? delta : delta / unit)
                    facts.note(residual)
                    free.append(residual)
                }
            case .steadyDelta:
                guard values.count > 1 else { return }
                let typical = plan.step / unit
                var previous = values[0]
                for index in 1..<values.count {
                    // SAFETY: index < values.count.
                    let value = unsafe values[unchecked: index]
                    let step = value &- previous
                    previous = value
                    let residual = UInt64(zigZag: (isPlain ? step : step / unit) &- typical)
                    facts.note(residual)
                    free.append(residual)
                }
            case .deltaOfDelta:
                guard values.count > 2 else { return }
                var previous = values[1]
                var previousDelta = (previous &- values[0]) / unit
                for index in 2..<values.count {
                    // SAFETY: index < values.count.
                    let value = unsafe values[unchecked: index]
                    let step = value &- previous
                    let delta = isPlain ? step : step / unit
                    let residual = UInt64(zigZag: delta &- previousDelta)
                    previous = value
                    previousDelta = delta
                    facts.note(residual)
                    free.append(residual)
                }
            }
        }
        return facts
    }

    /// Takes long stretches of zeros out of `residuals`.
    ///
    /// - Returns: Where they were; empty when there are none.
    private static func takeStretches(from residuals: inout [UInt64]) -> [Stretch] {
        var stretches: [Stretch] = []
        var literals: [UInt64] = []
        // What the stretch that is being gathered has, once it has zeros.
        var zeroCount = 0
        var literalStart = 0
        var index = 0
        while index < residuals.count {
            guard residuals[index] == 0 else {
                index += 1
                continue
            }
            var end = index + 1
            while end < residuals.count, residuals[end] == 0 { end += 1 }
            if end - index >= stretchZerosMin {
                if zeroCount > 0 || index > 0 {
                    stretches.append(
                        Stretch(zeroCount: zeroCount, literalCount: index - literalStart)
                    )
                    literals.append(contentsOf: residuals[literalStart..<index])
                }
                zeroCount = end - index
                literalStart = end
            }
            index = end
        }
        guard zeroCount > 0 else { return [] }
        stretches.append(
            Stretch(zeroCount: zeroCount, literalCount: residuals.count - literalStart)
        )
        literals.append(contentsOf: residuals[literalStart...])
        residuals = literals
        return stretches
    }

    /// Picks the width that takes the fewest bytes, marks and all.
    ///
    /// Halves of bytes and bytes are preferred where they are nearly as small: Huffman codes take their
    /// skew away, but find nothing in what is packed to the bit.
    private static func chooseWidth(_ residuals: [UInt64], _ facts: Facts) -> Width {
        guard facts.all != 0 else { return .none }
        let count = residuals.count
        var best: (width: Width, cost: Int) =
            facts.all > 255 ? choosePacked(residuals) : (.byte, count + facts.escapeBytesByte)
        if facts.overByte * 8 <= count, count + facts.escapeBytesByte < best.cost {
            best = (.byte, count + facts.escapeBytesByte)
        }
        if facts.overNibble * 16 <= count,
            (count + 1) / 2 + facts.escapeBytesNibble < best.cost
        {
            best = (.nibble, (count + 1) / 2 + facts.escapeBytesNibble)
        }
        return best.width
    }

    /// The number of bits that takes the fewest bytes when what needs more stands in the head.
    private static func choosePacked(_ residuals: [UInt64]) -> (width: Width, cost: Int) {
        var counts = [Int](repeating: 0, count: 65)
        for residual in residuals { counts[bitLength(residual)] += 1 }
        var best = (bits: 64, cost: residuals.count * 8)
        var escapeBytes = 0
        for bits in stride(from: 64, through: 1, by: -1) {
            let cost = (residuals.count * bits + 7) / 8 + escapeBytes
            if cost < best.cost { best = (bits, cost) }
            escapeBytes += counts[bits] * ((bits + 6) / 7)
        }
        return (.packed(bits: best.bits), best.cost)
    }

    private static func pack(
        _ residuals: [UInt64],
        _ facts: Facts,
        width: Width,
        head: inout [UInt8],
        body: inout [UInt8]
    ) {
        if let mark = width.mark {
            let escapes = facts.all < mark ? [] : residuals.filter { $0 >= mark }
            UInt64(escapes.count).appendVarint(to: &head)
            for escape in escapes { escape.appendVarint(to: &head) }
        }
        let source = residuals.span
        let count = source.count
        body.append(addingCapacity: width.bodyCount(count)) { free in
            // SAFETY: every index is below `count`.
            switch width {
            case .none: return
            case .nibble:
                var index = 0
                while index &+ 1 < count {
                    let low = min(unsafe source[unchecked: index], 15)
                    let high = min(unsafe source[unchecked: index &+ 1], 15)
                    free.append(UInt8(truncatingIfNeeded: low | high &<< 4))
                    index &+= 2
                }
                if index < count {
                    free.append(UInt8(truncatingIfNeeded: min(source[index], 15)))
                }
            case .byte:
                for index in 0..<count {
                    free.append(
                        UInt8(truncatingIfNeeded: min(unsafe source[unchecked: index], 255))
                    )
                }
            case .packed(let bits):
                let mark = UInt64.max >> UInt64(64 - bits)
                let width = UInt64(bits)
                var word: UInt64 = 0
                var used: UInt64 = 0
                for index in 0..<count {
                    let value = min(unsafe source[unchecked: index], mark)
                    word |= value &<< used
                    used &+= width
                    guard used >= 64 else { continue }
                    for byte in 0..<8 as Range<UInt64> {
                        free.append(UInt8(truncatingIfNeeded: word &>> (8 &* byte)))
                    }
                    used &-= 64
                    // What did not fit; `used` is below `width`, and 0 leaves nothing.
                    word = used == 0 ? 0 : value &>> (width &- used)
                }
                while used > 0 {
                    free.append(UInt8(truncatingIfNeeded: word))
                    word &>>= 8
                    used = used > 8 ? used &- 8 : 0
                }
            }
        }
    }
}
