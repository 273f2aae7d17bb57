import Testing
import WeirCore

@testable import WeirAlerts

@Suite struct CronScheduleTests {
    /// `2024-02-29T12:30` as Unix milliseconds.
    static func milliseconds(_ text: String) -> Int64 {
        let parts = text.split { "-T:".contains($0) }.compactMap { Int($0) }
        let time = CivilTime(
            year: parts[0],
            month: parts[1],
            day: parts[2],
            hour: parts[3],
            minute: parts[4]
        )
        return time.seconds * 1000
    }

    @Test(arguments: [
        ("* * * * *", "2024-01-01T00:00", "2024-01-01T00:01"),
        ("*/15 * * * *", "2024-01-01T00:14", "2024-01-01T00:15"),
        ("*/15 * * * *", "2024-01-01T00:45", "2024-01-01T01:00"),
        ("5/20 * * * *", "2024-01-01T00:05", "2024-01-01T00:25"),
        ("5/20 * * * *", "2024-01-01T00:45", "2024-01-01T01:05"),
        ("10-40/15 * * * *", "2024-01-01T00:26", "2024-01-01T00:40"),
        ("0 9-17 * * mon-fri", "2024-03-01T17:00", "2024-03-04T09:00"),
        ("0 0 1 * *", "2024-12-31T23:59", "2025-01-01T00:00"),
        ("0 0 31 * *", "2024-03-31T00:00", "2024-05-31T00:00"),
        ("0 0 30 * *", "2023-01-30T00:00", "2023-03-30T00:00"),
        ("0 0 29 2 *", "2024-02-29T00:00", "2028-02-29T00:00"),
        ("0 0 29 2 *", "2096-02-29T00:00", "2104-02-29T00:00"),
        ("0 0 28-31 2 *", "2023-02-28T00:00", "2024-02-28T00:00"),
        ("59 23 31 12 *", "2024-12-31T23:59", "2025-12-31T23:59"),
        ("0 12 * JAN,jul *", "2024-01-31T12:00", "2024-07-01T12:00"),
        ("0 0 * * 0", "2024-02-24T00:00", "2024-02-25T00:00"),
        ("0 0 * * 7", "2024-02-24T00:00", "2024-02-25T00:00"),
        ("0 0 * * sun", "2024-02-25T00:00", "2024-03-03T00:00"),
        ("0 0 * * 5-7", "2024-02-24T12:00", "2024-02-25T00:00"),
        // Either of two restricted days is enough.
        ("0 0 13 * fri", "2024-09-06T00:00", "2024-09-13T00:00"),
        ("0 0 13 * fri", "2024-09-13T00:00", "2024-09-20T00:00"),
        ("0 0 13 * fri", "2024-10-11T00:00", "2024-10-13T00:00"),
        // A star with a step does not count as restricted.
        ("0 0 */2 * mon", "2024-09-01T00:00", "2024-09-09T00:00"),
        ("@hourly", "2024-01-01T00:00", "2024-01-01T01:00"),
        ("@daily", "2024-02-28T00:00", "2024-02-29T00:00"),
        ("@midnight", "2023-02-28T00:00", "2023-03-01T00:00"),
        ("@weekly", "2024-02-26T00:00", "2024-03-03T00:00"),
        ("@monthly", "2024-02-01T00:00", "2024-03-01T00:00"),
        ("@yearly", "2024-02-01T00:00", "2025-01-01T00:00"),
        ("@ANNUALLY", "2024-02-01T00:00", "2025-01-01T00:00"),
        ("  0   0  *  *  *  ", "1969-12-30T12:00", "1969-12-31T00:00"),
    ])
    func theNextMomentIsFound(text: String, after: String, next: String) throws {
        let schedule = try CronSchedule(parsing: text)
        let found = schedule.next(afterMilliseconds: Self.milliseconds(after))
        #expect(found == Self.milliseconds(next))
        // A moment within the minute before gives the same.
        #expect(schedule.next(afterMilliseconds: Self.milliseconds(next) - 1) == found)
    }

    @Test(arguments: [
        "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *",
        "* * * 13 *", "* * * 0 *", "* * * * 8", "a * * * *", "1-2-3 * * * *", "5-1 * * * *",
        "*/0 * * * *", "*/x * * * *", "1/2/3 * * * *", ",1 * * * *", "@often", "-1 * * * *",
        "* * * foo *", "0 0 31 2 *", "0 0 30 feb *", "0 0 31 4,6,9,11 *", "１ * * * *",
    ])
    func whatIsNoScheduleIsRefusedWithAReason(text: String) {
        #expect { _ = try CronSchedule(parsing: text) } throws: { error in
            (error as? CronError)?.reason.isEmpty == false
        }
    }

    @Test func civilTimeAgreesWithCountingDays() {
        var time = CivilTime(year: 1968, month: 1, day: 1)
        var weekday = 1
        for number in -731..<60_000 {
            #expect(time.date.daysSinceEpoch == number)
            #expect(time.weekday == weekday)
            #expect(CivilTime(seconds: Int64(number) * 86_400 + 86_399).day == time.day)
            weekday = (weekday + 1) % 7
            time.date.day += 1
            if time.day > CivilTime.daysIn(month: time.month, of: time.year) {
                time.date.day = 1
                time.date.month += 1
            }
            if time.month > 12 {
                time.date.month = 1
                time.date.year += 1
            }
        }
    }

    @Test func timesAreWrittenAsRFC3339() {
        #expect(TimeText.rfc3339(milliseconds: 0) == "1970-01-01T00:00:00Z")
        #expect(TimeText.rfc3339(milliseconds: 1_795_497_411_131) == "2026-11-24T05:16:51.131Z")
        #expect(TimeText.rfc3339(milliseconds: 1_795_497_411_100) == "2026-11-24T05:16:51.1Z")
        #expect(TimeText.rfc3339(milliseconds: -1) == "1969-12-31T23:59:59.999Z")
    }
}
