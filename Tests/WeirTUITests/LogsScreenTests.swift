import Testing
import WeirTerminal
import WeirTestSupport

@testable import WeirTUI

/// The logs screen: whole screens against files, and what its keys ask and change.
@Suite struct LogsScreenTests {
    private func play(_ keys: String, _ api: CannedAPI = CannedAPI()) throws -> (App, CannedAPI) {
        let app = try ScreenGoldenTests.app()
        ScriptPlayer.play(try KeyScript.parse(keys), app, api, dumpsLast: false) { _ in }
        return (app, api)
    }

    @Test(
        arguments: [
            ("logs", "L", "120x40"), ("logs-small", "L", "80x20"),
            ("logs-expanded", "Lkkk<enter>jjj", "120x40"),
            ("logs-column", "Lk<enter>jc<esc>", "120x30"), ("logs-wrapped", "Lew", "120x30"),
            ("logs-facets", "L<tab>jj", "120x40"), ("logs-query", "Li{service", "120x24"),
            ("logs-broken", "Libroken<enter>", "120x30"), ("logs-help", "L?", "120x40"),
        ]
    )
    func screensAreThoseOfTheFiles(name: String, keys: String, size: String) throws {
        let buffer = try ScreenGoldenTests.screen(keys, size: size)
        if let difference = GoldenFile.difference(GoldenFile.text(of: buffer), name) {
            Issue.record(Comment(rawValue: difference))
        }
    }

    @Test(arguments: [
        ("L<enter>j+", #"| service = "pay""#), ("L<enter>j-", #"| service != "pay""#),
        ("L<enter>jjj+", #" |= "served /pay/items/0 for user 1000""#),
        ("L<enter>jjjj-", #"| level != "info""#), ("L<tab>j+", #"| level = "warn""#),
        ("L<tab>jjjjj-", #" !> "served <_> for user <_>""#),
        (#"Li{host="a"}<enter><enter>j+"#, #"{host="a"} | service = "pay""#),
        ("Litwo words<enter><enter>jj+", #"|= "two words" | host = "node-0""#),
        ("L<enter>j+<esc>", ""),
    ])
    func whatIsChosenGrowsTheQuery(keys: String, query: String) throws {
        let (app, api) = try play(keys)
        #expect(app.logs.query.split(separator: " ") == query.split(separator: " "))
        let asked = api.asked.filter { $0.hasPrefix("/api/v1/logs/query?") }.last ?? ""
        #expect(asked.contains("query=\(app.logs.query)&start="))
        #expect(asked.hasSuffix("&limit=2000&direction=backward"))
    }

    @Test func searchAndErrorsWalkTheLines() throws {
        let (app, _) = try play("L/user 1007<enter>")
        #expect(app.logs.selected == 52)
        ScriptPlayer.play(try KeyScript.parse("ee"), app, CannedAPI(), dumpsLast: false) { _ in }
        // Errors are 3, 20, 37 and 54 seconds old.
        #expect(app.logs.selected == 22)
        ScriptPlayer.play(try KeyScript.parse("nG"), app, CannedAPI(), dumpsLast: false) { _ in }
        #expect(app.logs.selected == 59)
    }

    /// A refresh shows what is new and leaves the reader where they are.
    @Test func refreshingKeepsTheLineThatIsReadOn() {
        func lines(_ numbers: ClosedRange<Int>) -> [[UInt8]] { numbers.map { CannedLogs.line($0) } }
        var state = LogsState()
        state.set(lines(0...9))
        #expect(state.selected == 9)
        state.set(lines(2...11))
        #expect(state.selected == 9)
        state.move(by: -4)
        state.isExpanded = true
        state.top = 3
        state.set(lines(4...13))
        #expect(state.selected == 3)
        #expect(state.top == 1)
        #expect(state.isExpanded)
        // What is read is gone: the newest is shown.
        state.set(lines(20...22))
        #expect(state.selected == 2)
        #expect(!state.isExpanded)
    }

    @Test func copyingGivesTheFieldOrTheLine() throws {
        #expect(try play("Ly").0.clipboard == "served /pay/items/0 for user 1000")
        #expect(try play("L<enter>jjjjjjy").0.clipboard == "4bf92f3577b34da6a3ce929d0e0e4710")
    }

    @Test func linesAroundAreThoseOfTheStream() throws {
        let (app, api) = try play("LkJ")
        #expect(app.logs.query == #"{service="cart", host="node-1"}"#)
        let asked = api.asked.filter { $0.hasPrefix("/api/v1/logs/query?") }.last ?? ""
        #expect(asked.contains("start=1763999969250000000&end=1764000029250000000"))
        ScriptPlayer.play(try KeyScript.parse("<esc>"), app, api, dumpsLast: false) { _ in }
        #expect(app.logs.query.isEmpty)
        #expect(app.span == .last(milliseconds: 3_600_000))
    }

    @Test func aTailIsFollowedHeldAndCaughtUpWith() throws {
        let (app, _) = try play("L")
        #expect(app.wantedTail == nil)
        app.handle(.key(KeyPress(.character("f"))))
        let request = try #require(app.wantedTail)
        #expect(app.logs.items.isEmpty)
        func bring(_ count: Int, dropped: Int = 0) {
            var batch = TailBatch()
            batch.lines = (0..<count).map { _ in CannedLogs.line(0) }
            batch.received = count
            batch.dropped = dropped
            app.receive(batch, of: request)
        }
        bring(10)
        #expect(app.logs.items.count == 10)
        #expect(app.logs.selected == 9)
        app.handle(.key(KeyPress(.character(" "))))
        bring(7, dropped: 3)
        #expect(app.logs.items.count == 10)
        #expect(app.logs.heldCount == 7)
        app.handle(.key(KeyPress(.character("G"))))
        #expect(app.logs.items.count == 17)
        #expect(app.logs.selected == 16)
        #expect(app.logs.received == 17)
        #expect(app.logs.dropped == 3)
        // Looking back holds; more lines than are kept are still counted.
        app.handle(.key(KeyPress(.up)))
        #expect(app.logs.isHeld)
        app.handle(.key(KeyPress(.end)))
        for _ in 0..<15 { bring(1000) }
        #expect(app.logs.received == 15_017)
        #expect(app.logs.items.count <= 2 * LogTail.linesMax)
        var buffer = CellBuffer(size: app.size)
        _ = app.draw(into: &buffer)
        app.handle(.key(KeyPress(.character("f"))))
        #expect(app.wantedTail == nil)
        bring(5)
        #expect(app.logs.received == 15_017)
    }

    @Test(arguments: [
        ("WARNING", LogLevel.warn), ("Err", .error), ("critical", .fatal), ("42", .unknown),
        ("notice", .info),
    ])
    func levelsHaveManyWords(text: String, level: LogLevel) {
        #expect(LogLevel(text) == level)
    }

    @Test func linesAreCutWhereTheyEnd() {
        var splitter = LineSplitter()
        #expect(splitter.take(Array("one\ntw".utf8)) == [Array("one".utf8)])
        #expect(splitter.take(Array("o".utf8)).isEmpty)
        #expect(
            splitter.take(Array("\n\nx\n".utf8)).map { String(decoding: $0, as: UTF8.self) } == [
                "two", "", "x",
            ]
        )
    }

    @Test func notesAreToldFromRows() {
        #expect(TailNote(json: Array(#"{"_dropped":12}"#.utf8)) == .dropped(12))
        #expect(TailNote(json: Array(#"{"_error":"no"}"#.utf8)) == .failed("no"))
        #expect(TailNote(json: CannedLogs.line(1)) == nil)
        #expect(LogRow(json: Array(#"{"_dropped":12}"#.utf8)) == nil)
    }
}
