/// A moment of the proleptic Gregorian calendar, in UTC.
package struct CivilTime: Hashable, Sendable {
    package var date: CivilDate
    package var hour: Int
    package var minute: Int
    package var second: Int
    package var millisecond: Int

    package var year: Int { date.year }
    /// 1 to 12.
    package var month: Int { date.month }
    /// 1 to 31.
    package var day: Int { date.day }

    package init(
        year: Int,
        month: Int,
        day: Int,
        hour: Int = 0,
        minute: Int = 0,
        second: Int = 0
    ) {
        date = CivilDate(year: year, month: month, day: day)
        self.hour = hour
        self.minute = minute
        self.second = second
        millisecond = 0
    }

    /// The moment `milliseconds` after 1970 began, held to the years 1 to 9999.
    package init(milliseconds: Int64) {
        let held = min(max(milliseconds, -62_135_596_800_000), 253_402_300_799_999)
        let day = held.floorDivided(by: 86_400_000)
        let rest = Int(held - day * 86_400_000)
        date = CivilDate(daysSinceEpoch: Int(day))
        hour = rest / 3_600_000
        minute = rest / 60_000 % 60
        second = rest / 1000 % 60
        millisecond = rest % 1000
    }

    /// The moment `seconds` after 1970 began, held to the years 1 to 9999.
    package init(seconds: Int64) {
        self.init(milliseconds: seconds.multipliedOrClamped(by: 1000))
    }

    /// Seconds since 1970 began.
    package var seconds: Int64 {
        Int64(date.daysSinceEpoch) * 86_400 + Int64(hour * 3600 + minute * 60 + second)
    }

    /// 0 for Sunday.
    package var weekday: Int { ((date.daysSinceEpoch + 4) % 7 + 7) % 7 }

    package static func daysIn(month: Int, of year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    package static func isLeap(_ year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }
}

extension Int64 {
    /// Division that rounds down, also below zero.
    @inlinable
    package func floorDivided(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }

    /// The product, or the nearest value that fits.
    package func multipliedOrClamped(by factor: Int64) -> Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        guard overflow else { return product }
        return (self < 0) == (factor < 0) ? .max : .min
    }
}
