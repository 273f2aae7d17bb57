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
        let date = CivilDate(daysSinceEpoch: days)
        switch self {
        case .dayOfMonth: return Double(date.day)
        case .month: return Double(date.month)
        case .year: return Double(date.year)
        case .dayOfYear: return Double(days - CivilDate.days(year: date.year, month: 1) + 1)
        default:
            let isDecember = date.month == 12
            let next = CivilDate.days(
                year: isDecember ? date.year + 1 : date.year,
                month: isDecember ? 1 : date.month + 1
            )
            return Double(next - CivilDate.days(year: date.year, month: date.month))
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

/// A day of the Gregorian calendar.
///
/// Works on years that begin in March, so that the leap day is the last of its year and month
/// lengths follow a line.
struct CivilDate: Hashable {
    let year: Int64
    let month: Int64
    let day: Int64

    init(daysSinceEpoch: Int64) {
        // Days since 0000-03-01.
        let shifted = daysSinceEpoch + 719_468
        let dayOfEra = shifted.flooredRemainder(146_097)
        let era = (shifted - dayOfEra) / 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Days since the epoch of the first of a month.
    static func days(year: Int64, month: Int64, day: Int64 = 1) -> Int64 {
        let fromMarch = month <= 2 ? year - 1 : year
        let yearOfEra = fromMarch.flooredRemainder(400)
        let era = (fromMarch - yearOfEra) / 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
