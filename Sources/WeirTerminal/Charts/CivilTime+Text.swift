package import WeirCore

extension CivilTime {
    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Such as `10:04`.
    package var clock: String { "\(Self.two(hour)):\(Self.two(minute))" }
    /// Such as `10:04:05`.
    package var clockSeconds: String { "\(clock):\(Self.two(second))" }
    /// Such as `24 Nov`.
    package var dayAndMonth: String { "\(day) \(Self.months[month - 1])" }
    /// Such as `2026-11-24 10:04:05`.
    package var full: String { "\(date) \(clockSeconds)" }
}
