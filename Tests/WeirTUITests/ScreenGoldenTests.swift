import Testing
import WeirTUI
import WeirTerminal
import WeirTestSupport

/// Whole screens, played from keys, against files.
@Suite struct ScreenGoldenTests {
    static func exampleDashboards() throws -> DashboardLibrary {
        let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        return try DashboardLibrary(folder: "/\(folder)/Dashboards")
    }

    static func app(_ size: String = "120x40") throws -> App {
        App(
            library: try exampleDashboards(),
            dashboardName: "example",
            span: nil,
            serverName: "local",
            theme: .dark,
            size: try #require(ScreenSize(size)),
            now: CannedAPI.now
        )
    }

    /// The screen after the keys.
    static func screen(
        _ keys: String,
        size: String = "120x40",
        api: CannedAPI = CannedAPI()
    ) throws -> CellBuffer {
        var last = CellBuffer(size: ScreenSize(width: 1, height: 1))
        let app = try app(size)
        ScriptPlayer.play(try KeyScript.parse(keys), app, api, dumpsLast: true) { last = $0 }
        return last
    }

    private static func check(_ buffer: CellBuffer, _ name: String) {
        if let difference = GoldenFile.difference(GoldenFile.text(of: buffer), name) {
            Issue.record(Comment(rawValue: difference))
        }
    }

    @Test(
        arguments: [
            ("dashboard", "", "120x40"),
            ("dashboard-small", "", "80x24"),
            ("dashboard-scrolled", "jjjjjj", "80x24"),
            ("dashboard-cursor", "1<left><left><s-left>", "120x24"),
            ("dashboard-maximised", "3<enter>", "100x30"),
            ("dashboard-help", "?", "120x40"),
            ("dashboard-variables", "$<enter>", "100x30"),
            ("dashboard-chosen", "$<enter><down><down><enter>", "100x30"),
            ("time-menu", "t45m", "100x30"),
            ("palette", ":alr", "100x30"),
            ("quit", "q", "80x24"),
            ("alerts", "A", "120x20"),
            ("alerts-open", "A<down><enter>", "100x24"),
            ("explore-empty", "E", "100x24"),
            ("explore-completing", "Erate(http", "100x24"),
            ("explore-graph", "Eup<esc><enter>", "100x24"),
            ("explore-table", "Eup<c-g><enter>", "100x24"),
            ("explore-error", "Ebroken(<enter>", "100x24"),
            ("zoomed", "+[", "100x20"),
            ("paused", "<space><tick 60s>", "100x20"),
        ] as [(String, String, String)]
    )
    func screensAreAsTheyWere(_ name: String, _ keys: String, _ size: String) throws {
        Self.check(try Self.screen(keys, size: size), name)
    }

    @Test func unreachableServerKeepsOldDataWithItsAge() throws {
        let api = CannedAPI()
        let app = try Self.app("100x30")
        ScriptPlayer.play([], app, api, dumpsLast: false) { _ in }
        api.fail(with: .unreachable(url: "http://127.0.0.1:4040", reason: "connection refused"))
        var last = CellBuffer(size: app.size)
        ScriptPlayer.play(
            try KeyScript.parse("<tick 10s><tick 5s><tick 20s>"),
            app,
            api,
            dumpsLast: true
        ) { last = $0 }
        Self.check(last, "unreachable")
        api.fail(with: nil)
        ScriptPlayer.play(
            try KeyScript.parse("<tick 5s>"),
            app,
            api,
            dumpsLast: true
        ) { last = $0 }
        #expect(!FrameText.plain(last).contains("UNREACHABLE"))
        #expect(!FrameText.plain(last).contains(" old"))
    }

    @Test func unreachableFromTheStartSaysWhy() throws {
        let api = CannedAPI()
        api.fail(with: .unreachable(url: "http://127.0.0.1:9", reason: "connection refused"))
        let text = FrameText.plain(try Self.screen("", size: "80x24", api: api))
        #expect(text.contains("UNREACHABLE: cannot reach http://127.0.0.1:9: connection refused"))
    }

    @Test func incrementalScreensEqualFullRepaints() throws {
        let keys = Array("123jkj<enter>tq:[]+-uvzA EHrate?$rGTSxvZLm".unicodeScalars)
        let api = CannedAPI()
        for seed in 0..<6 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            let app = try Self.app("90x26")
            ScriptPlayer.settle(app, api)
            var buffer = CellBuffer(size: app.size)
            for _ in 0..<40 where !app.isDone {
                let scalar = keys[Int.random(in: 0..<keys.count, using: &random)]
                let specials: [Key] = [.enter, .escape, .left, .right, .up, .down, .tab]
                let key =
                    Int.random(in: 0..<3, using: &random) == 0
                    ? specials[Int.random(in: 0..<specials.count, using: &random)]
                    : .character(scalar)
                app.handle(.key(KeyPress(key)))
                ScriptPlayer.settle(app, api)
                let cursor = app.draw(into: &buffer)
                // Drawing again on a fresh buffer gives the same screen: nothing is left over.
                var fresh = CellBuffer(size: app.size)
                #expect(app.draw(into: &fresh) == cursor)
                #expect(fresh.cells == buffer.cells, "seed \(seed)")
            }
        }
    }

    @Test func everySizeHasAScreen() throws {
        let api = CannedAPI()
        for (width, height) in [(1, 1), (5, 3), (20, 6), (40, 10), (79, 23), (300, 100)] {
            for keys in ["", "A<enter>", "Eup<enter>", ":", "?", "1<enter><left>", "$"] {
                _ = try Self.screen(keys, size: "\(width)x\(height)", api: api)
            }
        }
    }

    @Test func renderPrintsTheSameFrame() throws {
        let dashboard = try Self.exampleDashboards().dashboard("example")
        let text = DashboardRenderer.render(
            dashboard,
            api: CannedAPI(),
            size: ScreenSize(width: 120, height: 40),
            at: CannedAPI.now,
            style: .plain
        )
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 41)
        #expect(text.contains("Requests by route"))
        let whole = DashboardRenderer.render(
            dashboard,
            api: CannedAPI(),
            size: ScreenSize(width: 80, height: 24),
            at: CannedAPI.now,
            style: .plain,
            isWhole: true
        )
        for panel in dashboard.panels { #expect(whole.contains(panel.title)) }
        let ansi = DashboardRenderer.render(
            dashboard,
            api: CannedAPI(),
            size: ScreenSize(width: 120, height: 40),
            at: CannedAPI.now,
            style: .ansi
        )
        #expect(ansi.contains("\u{1B}[38;5;75m"))
    }

    @Test func graphOfARangeAnswer() throws {
        let from = CannedAPI.now - 3_600_000
        let step = DashboardRenderer.graphStep(from: from, to: CannedAPI.now, width: 80)
        let answer = try CannedAPI().get(
            path: "/api/v1/query_range",
            parameters: [
                ("query", "up"), ("start", "\(from / 1000)"), ("end", "\(CannedAPI.now / 1000)"),
                ("step", "\(Double(step) / 1000)"),
            ]
        )
        let text = try DashboardRenderer.renderGraph(
            answer,
            title: "up",
            from: from,
            to: CannedAPI.now,
            step: step,
            now: CannedAPI.now,
            size: ScreenSize(width: 80, height: 16),
            style: .plain
        )
        if let difference = GoldenFile.difference(text, "graph") {
            Issue.record(Comment(rawValue: difference))
        }
    }
}
