import Testing
import WeirCore

@Suite struct UnitsTests {
    @Test(
        arguments: [
            ("0", 0), ("15s", 15_000_000_000), ("1h30m", 5_400_000_000_000), ("250ms", 250_000_000),
            ("7d", 604_800_000_000_000), ("1y", 31_536_000_000_000_000), ("3us5ns", 3005),
        ] as [(String, Int64)]
    )
    func durationsAreRead(_ text: String, _ expected: Int64) {
        #expect(Units.nanoseconds(text) == expected)
    }

    @Test(arguments: ["", "1", "s", "-1s", "1m1h", "1s1s", "1.5h", "1 s", "400y", "1h x"])
    func otherDurationsAreNone(_ text: String) { #expect(Units.nanoseconds(text) == nil) }

    @Test(
        arguments: [
            (0, "0s"), (90_000_000_000, "1m30s"), (86_400_000_000_000, "1d"),
            (-1_500_000, "-1ms500us"),
        ] as [(Int64, String)]
    )
    func durationsAreWritten(_ nanoseconds: Int64, _ text: String) {
        #expect(Units.text(nanoseconds: nanoseconds) == text)
    }

    @Test(arguments: [
        ("0", 0), ("4096", 4096), ("64MiB", 64 << 20), ("10GB", 10_000_000_000), ("1KiB", 1024),
    ])
    func sizesAreRead(_ text: String, _ expected: Int) { #expect(Units.bytes(text) == expected) }

    @Test(arguments: ["", "MiB", "-1", "1mb", "1.5GB", "99999999TiB"])
    func otherSizesAreNone(_ text: String) { #expect(Units.bytes(text) == nil) }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (1_500_000_000, "1970-01-01T00:00:01.5Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"),
            (1_795_497_411_131_000_000, "2026-11-24T05:16:51.131Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00Z"),
        ] as [(Int64, String)]
    )
    func momentsAreWritten(_ nanoseconds: Int64, _ text: String) {
        #expect(TimeText.rfc3339(nanoseconds: nanoseconds) == text)
    }

    @Test func datesAgreeWithCounting() {
        var date = CivilDate(year: 1968, month: 1, day: 1)
        for number in -731..<30_000 {
            #expect(date.daysSinceEpoch == number)
            #expect(CivilDate(daysSinceEpoch: number) == date)
            date.day += 1
            if date.day > CivilTime.daysIn(month: date.month, of: date.year) {
                date.day = 1
                date.month += 1
            }
            if date.month > 12 {
                date.month = 1
                date.year += 1
            }
        }
    }

    @Test(
        arguments: [
            ("retention-aeg", "retention-age"), ("lisetn", "listen"), ("qqqqqq", nil),
        ] as [(String, String?)]
    )
    func nearestNameIsFound(_ text: String, _ expected: String?) {
        #expect(EditDistance.nearest(to: text, among: ["retention-age", "listen"]) == expected)
    }

    @Test(arguments: [0, 1, 127, 128, 16_383, 16_384, UInt64.max])
    func varintsComeBack(_ value: UInt64) throws {
        var bytes: [UInt8] = []
        value.appendVarint(to: &bytes)
        var reader = ByteReader(bytes.span)
        #expect(try reader.readVarint() == value)
        #expect(reader.remaining == 0)
    }
}
