internal import Glibc

/// The vertical axis: its ends, and ticks that read well.
///
/// Steps are {1, 2, 2.5, 5}×10ᵏ in the axis's one prefix, powers of two for bytes. Ends lie on ticks, unless
/// they were fixed.
package struct ValueAxis: Hashable, Sendable {
    package let lower: Double
    package let upper: Double
    package let ticks: [Tick]

    package struct Tick: Hashable, Sendable {
        package let value: Double
        package let label: String
    }

    /// - `values`: The least and the greatest value to show, nil when there is none.
    /// - `rows`: The height in cells; ticks are two rows apart at least.
    /// - `minimum`: A fixed lower end.
    /// - `maximum`: A fixed upper end.
    /// - `previous`: What was shown before: the axis grows at once and shrinks only when less than
    /// half of it is used.
    package init(
        fitting values: ClosedRange<Double>?,
        unit: ValueUnit,
        rows: Int,
        minimum: Double? = nil,
        maximum: Double? = nil,
        previous: ValueAxis? = nil
    ) {
        let minimum = minimum.map { ChartNumber.held($0) }
        let maximum = maximum.map { ChartNumber.held($0) }
        var low = minimum ?? ChartNumber.held(values?.lowerBound ?? 0)
        var high = maximum ?? ChartNumber.held(values?.upperBound ?? 1)
        if minimum == nil, low > 0, high - low > 0.25 * high || low == high { low = 0 }
        if maximum == nil, high < 0, high - low > 0.25 * -low || low == high { high = 0 }
        if let previous, previous.lower <= low, previous.upper >= high,
            high - low > 0.5 * (previous.upper - previous.lower)
        {
            low = previous.lower
            high = previous.upper
        }
        if low >= high {
            if minimum != nil, maximum == nil {
                high = low + max(1, abs(low))
            } else if maximum != nil, minimum == nil {
                low = high - max(1, abs(high))
            } else {
                high = low + 1
            }
        }
        let ticksMax = max(2, min(8, rows / 2 + 1))
        var scale = unit.scale(for: max(abs(low), abs(high)))
        var step = Self.step(low, high, scale: scale, isBinary: unit.isBinary, ticksMax: ticksMax)
        // The end of the axis may need the next prefix: 1.0s rather than 1000ms.
        let end = maximum ?? (high / step - 1e-9).rounded(.up) * step
        let endScale = unit.scale(for: max(abs(low), abs(end)))
        if endScale != scale, end.isFinite {
            scale = endScale
            step = Self.step(low, high, scale: scale, isBinary: unit.isBinary, ticksMax: ticksMax)
        }
        var first = (low / step).rounded(.down)
        var last = (high / step).rounded(.up)
        // A hair over a tick is rounding, not data.
        if high / step - (last - 1) < 1e-9 { last -= 1 }
        if first + 1 - low / step < 1e-9 { first += 1 }
        let bottom = minimum ?? first * step
        let top = maximum ?? max(last * step, bottom + step)
        guard bottom < top, abs(first) < 1e15, abs(last) < 1e15 else {
            // Values so close for their size that no step lies between them.
            lower = min(low, low - abs(low) * 1e-3)
            upper = max(lower + abs(low) * 2e-3, lower.nextUp)
            ticks = [Tick(value: low, label: unit.text(low))]
            return
        }
        lower = bottom
        upper = top
        let decimals = Self.decimals(step / scale.divisor)
        var ticks: [Tick] = []
        let count = min(20, max(0, last - first))
        for index in 0...Int(count) {
            let value = (first + Double(index)) * step
            guard value >= lower - step * 1e-9, value <= upper + step * 1e-9 else { continue }
            let label =
                abs(value) < step * 1e-9
                ? "0" : DecimalText.fixed(value / scale.divisor, decimals: decimals) + scale.suffix
            ticks.append(Tick(value: value, label: label))
        }
        self.ticks = ticks
    }

    private static func step(
        _ low: Double,
        _ high: Double,
        scale: ValueUnit.Scale,
        isBinary: Bool,
        ticksMax: Int
    ) -> Double {
        func fits(_ step: Double) -> Bool {
            (high / step).rounded(.up) - (low / step).rounded(.down) + 1 <= Double(ticksMax)
        }
        let rough = (high - low) / Double(ticksMax)
        if isBinary {
            var step = exp2(log2(max(rough, 1e-300)).rounded(.down))
            for _ in 0..<8 where !fits(step) { step *= 2 }
            return step
        }
        var power = pow(10, log10(max(rough / scale.divisor, 1e-300)).rounded(.down))
        for _ in 0..<4 {
            for factor in [1, 2, 2.5, 5] where fits(factor * power * scale.divisor) {
                return factor * power * scale.divisor
            }
            power *= 10
        }
        return high - low
    }

    /// The digits after the point that tell ticks apart.
    private static func decimals(_ step: Double) -> Int {
        var power = 1.0
        for digits in 0..<6 {
            let scaled = step * power
            if abs(scaled - scaled.rounded()) < 1e-6 * max(1, scaled), scaled >= 0.5 {
                return digits
            }
            power *= 10
        }
        return 6
    }

    /// How far down from the top a value is: 0 at `upper`, 1 at `lower`; outside when it is.
    package func position(of value: Double) -> Double { (upper - value) / (upper - lower) }
}

/// Numbers that can be subtracted and divided without leaving what a `Double` holds.
enum ChartNumber {
    /// The value held within ±10¹⁵⁰; what is closer to zero than 10⁻¹⁵⁰ is zero.
    static func held(_ value: Double) -> Double {
        if abs(value) < 1e-150 || value.isNaN { return 0 }
        return min(max(value, -1e150), 1e150)
    }
}
