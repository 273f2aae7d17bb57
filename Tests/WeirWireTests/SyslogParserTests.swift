import Testing
import WeirCore
import WeirWire

@Suite struct SyslogParserTests {
    /// 2026-09-21T14:13:20Z.
    static let cases: [(String, String)] = [
        (
            #"<165>1 2026-09-21T14:13:19.003Z mymachine evntslog 9 ID47 [ex@1 iut="3" q="a\"b\]c\\d\x"][x@2 e=""] An event"#,
            #"{app="evntslog", host="mymachine"}|1789999999003000000|body="An event" facility="local4" severity="notice" procid="9" msgid="ID47" ex@1.iut="3" ex@1.q="a\"b]c\\d\\x" x@2.e="""#
        ),
        (
            "<34>1 - - su - - - \u{FEFF}'su root' failed",
            #"{app="su"}|now|body="'su root' failed" facility="auth" severity="critical""#
        ),
        ("<0>1 - - - - - -", #"{}|now|facility="kern" severity="emergency""#),
        (
            "<34>Oct 11 22:14:15 mymachine su: 'su root' failed",
            #"{app="su", host="mymachine"}|1760220855000000000|body="'su root' failed" facility="auth" severity="critical""#
        ),
        (
            "<13>Sep  1 00:00:00 web-1 app[77]: hello\n",
            #"{app="app", host="web-1"}|1788220800000000000|body="hello" facility="user" severity="notice" procid="77""#
        ),
        (
            "<13>Sep 22 14:13:20 app: a day ahead",
            #"{app="app"}|1790086400000000000|body="a day ahead" facility="user" severity="notice""#
        ),
        (
            "<30>2026-09-21T14:13:19.5+02:00 web app: newer daemons",
            #"{app="app", host="web"}|1789992799500000000|body="newer daemons" facility="daemon" severity="info""#
        ),
        (
            "<131>kitapp[42]: bad ünïcode\0",
            #"{app="kitapp"}|now|body="bad ünïcode" facility="local0" severity="error" procid="42""#
        ),
        (
            "<14>just words, no tag",
            #"{}|now|body="just words, no tag" facility="user" severity="info""#
        ),
        ("no priority at all", #"{}|now|body="no priority at all""#),
        ("<192>too large", #"{}|now|body="<192>too large""#),
        ("<1", #"{}|now|body="<1""#),
        (
            "<13>1 broken header",
            #"{}|now|body="1 broken header" facility="user" severity="notice""#
        ),
        ("<13>", #"{}|now|body="" facility="user" severity="notice""#),
        (
            "<13>Feb 30 00:00:00 x y: z",
            #"{}|now|body="Feb 30 00:00:00 x y: z" facility="user" severity="notice""#
        ),
    ]

    @Test(arguments: cases) func messagesBecomeRows(_ message: String, _ row: String) {
        var parser = SyslogParser(options: LogRendering.options())
        parser.parse(Array(message.utf8), arrival: LogRendering.now)
        let result = parser.finished()
        #expect(LogRendering.refusals(result) == [])
        #expect(LogRendering.rows(result).map(sorted) == [sorted(row)])
    }

    private func sorted(_ row: String) -> String {
        let parts = row.split(separator: "|", maxSplits: 2, omittingEmptySubsequences: false)
        return parts.dropLast().joined(separator: "|") + "|"
            + (parts.last ?? "").split(separator: " ").sorted().joined(separator: " ")
    }

    @Test func decemberInJanuaryIsLastYears() {
        // 2026-01-01T00:00:10Z.
        let now: Int64 = 1_767_225_610_000_000_000
        var parser = SyslogParser(options: LogOptions(now: now))
        parser.parse(Array("<13>Dec 31 23:59:59 h a: x".utf8), arrival: now)
        parser.parse(Array("<13>Jan  1 00:00:05 h a: x".utf8), arrival: now)
        // The sender's clock is ahead, over the turn of the year.
        parser.parse(
            Array("<13>Jan  1 00:00:05 h a: x".utf8),
            arrival: now - 15_000_000_000
        )
        #expect(
            parser.finished().batch.times == [
                now - 11_000_000_000, now - 5_000_000_000, now - 5_000_000_000,
            ]
        )
    }

    @Test func timesOutOfRangeAreRefusedByName() {
        var parser = SyslogParser(options: LogRendering.options())
        parser.parse(Array("<13>1 0001-01-01T00:00:00Z - - - - - x".utf8), arrival: 0)
        parser.parse(Array("<13>1 9999-01-01T00:00:00Z - - - - - x".utf8), arrival: 0)
        parser.parse(Array("<13>1 2026-09-21T00:00:00Z - - - - - y".utf8), arrival: 0)
        let result = parser.finished()
        #expect(result.refusedCount == 2 && result.batch.rowCount == 1)
    }

    @Test func bytesAreKeptAndLongLinesCut() {
        var options = LogRendering.options()
        options.limits.lineBytesMax = 10
        var parser = SyslogParser(options: options)
        parser.parse(Array("<13>a: ".utf8) + [0xFF, 0x00, 0x41], arrival: 0)
        parser.parse(Array("<13>a: 12345678901234".utf8), arrival: 0)
        let result = parser.finished()
        #expect(result.batch.fields[""]?.values[0] == [0xFF, 0x00, 0x41])
        #expect(result.batch.fields[""]?.values[1].elementsEqual("1234567890".utf8) == true)
        #expect(result.batch.fields["_truncated"]?.values[0].elementsEqual("14".utf8) == true)
    }
}
