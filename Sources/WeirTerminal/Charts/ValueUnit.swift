/// What a number measures, and so how it is written.
package enum ValueUnit: String, CaseIterable, Sendable {
    case short
    case none
    case seconds
    case milliseconds
    case bytes
    case bytesPerSecond = "bytes-per-second"
    /// 0 to 100.
    case percent
    /// 0 to 1, shown as percent.
    case ratio
    case perSecond = "per-second"

    /// A divisor and what is written after the quotient.
    package struct Scale: Hashable, Sendable {
        package let divisor: Double
        package let suffix: String
    }

    /// The scale in which a number of this magnitude is written.
    package func scale(for magnitude: Double) -> Scale {
        // A number that would round up to the next prefix takes it: 1M, not 1000k.
        let size = abs(magnitude) * 1.0005
        switch self {
        case .none: return Scale(divisor: 1, suffix: "")
        case .percent: return Scale(divisor: 1, suffix: "%")
        case .ratio: return Scale(divisor: 0.01, suffix: "%")
        case .short: return Self.pick(size, Self.decimal, suffix: "")
        case .perSecond: return Self.pick(size, Self.decimal, suffix: "/s")
        case .bytes: return Self.pick(size, Self.binary, suffix: "")
        case .bytesPerSecond: return Self.pick(size, Self.binary, suffix: "/s")
        case .seconds: return Self.pick(size, Self.durations, suffix: "")
        case .milliseconds:
            let scale = Self.pick(size / 1000, Self.durations, suffix: "")
            return Scale(divisor: scale.divisor * 1000, suffix: scale.suffix)
        }
    }

    private static let decimal: [(from: Double, scale: Scale)] = [
        (1e15, Scale(divisor: 1e15, suffix: "P")), (1e12, Scale(divisor: 1e12, suffix: "T")),
        (1e9, Scale(divisor: 1e9, suffix: "G")), (1e6, Scale(divisor: 1e6, suffix: "M")),
        (1e3, Scale(divisor: 1e3, suffix: "k")), (0, Scale(divisor: 1, suffix: "")),
    ]
    private static let binary: [(from: Double, scale: Scale)] = [
        (0x1p50, Scale(divisor: 0x1p50, suffix: "PiB")),
        (0x1p40, Scale(divisor: 0x1p40, suffix: "TiB")),
        (0x1p30, Scale(divisor: 0x1p30, suffix: "GiB")),
        (0x1p20, Scale(divisor: 0x1p20, suffix: "MiB")),
        (0x1p10, Scale(divisor: 0x1p10, suffix: "KiB")), (0, Scale(divisor: 1, suffix: "B")),
    ]
    private static let durations: [(from: Double, scale: Scale)] = [
        (172_800, Scale(divisor: 86400, suffix: "d")), (7200, Scale(divisor: 3600, suffix: "h")),
        (120, Scale(divisor: 60, suffix: "m")), (1, Scale(divisor: 1, suffix: "s")),
        (1e-3, Scale(divisor: 1e-3, suffix: "ms")), (1e-6, Scale(divisor: 1e-6, suffix: "µs")),
        (1e-12, Scale(divisor: 1e-9, suffix: "ns")), (0, Scale(divisor: 1, suffix: "s")),
    ]

    private static func pick(
        _ size: Double,
        _ scales: [(from: Double, scale: Scale)],
        suffix: String
    ) -> Scale {
        let found = scales.first { size >= $0.from }?.scale ?? Scale(divisor: 1, suffix: "")
        return Scale(divisor: found.divisor, suffix: found.suffix + suffix)
    }

    /// A number and its unit in few columns: three significant digits, or `decimals` after the point.
    package func text(_ value: Double, decimals: Int? = nil) -> String {
        let (number, suffix) = parts(value, decimals: decimals)
        return number + suffix
    }

    /// The same, number and unit apart.
    package func parts(_ value: Double, decimals: Int? = nil) -> (number: String, suffix: String) {
        guard value.isFinite else { return (DecimalText.fixed(value, decimals: 0), "") }
        let scale = scale(for: value)
        let quotient = value / scale.divisor
        if let decimals {
            return (DecimalText.fixed(quotient, decimals: decimals), scale.suffix)
        }
        return (DecimalText.significant(quotient, self == .none ? 6 : 3), scale.suffix)
    }

    /// Whether the axis steps by powers of two.
    package var isBinary: Bool { self == .bytes || self == .bytesPerSecond }
}
