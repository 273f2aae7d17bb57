internal import WeirCore

/// Parts of a UTC date, in the proleptic Gregorian calendar.
enum CalendarPart {
    case minute
    case hour
    case dayOfWeek
    case dayOfMonth
    case dayOfYear
    case daysInMonth
    case month
    case year

    init?(_ function: PromQLFunction) {
        switch function {
        case .minute: self = .minute
        case .hour: self = .hour
        case .day_of_week: self = .dayOfWeek
        case .day_of_month: self = .dayOfMonth
        case .day_of_year: self = .dayOfYear
        case .days_in_month: self = .daysInMonth
        case .month: self = .month
        case .year: self = .year
        default: return nil
        }
    }

    /// NaN for what is no time within a hundred million years of the epoch.
    func value(unixSeconds: Double) -> Double {
        guard unixSeconds.magnitude < 3e15 else { return .nan }
        let seconds = Int64(unixSeconds)
        let secondOfDay = seconds.flooredRemainder(86400)
        let days = (seconds - secondOfDay) / 86400
        switch self {
        case .minute: return Double(secondOfDay / 60 % 60)
        case .hour: return Double(secondOfDay / 3600)
        // The epoch was a Thursday; Sunday is 0.
        case .dayOfWeek: return Double((days + 4).flooredRemainder(7))
        default: break
        }
        let date = CivilDate(daysSinceEpoch: Int(days))
        switch self {
        case .dayOfMonth: return Double(date.day)
        case .month: return Double(date.month)
        case .year: return Double(date.year)
        case .dayOfYear:
            let first = CivilDate(year: date.year, month: 1, day: 1)
            return Double(Int(days) - first.daysSinceEpoch + 1)
        default: return Double(CivilTime.daysIn(month: date.month, of: date.year))
        }
    }
}

extension Int64 {
    /// The remainder of a division rounded down: never negative.
    fileprivate func flooredRemainder(_ divisor: Int64) -> Int64 {
        let remainder = self % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }
}
