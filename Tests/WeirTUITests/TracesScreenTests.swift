import Testing
import WeirCore
import WeirTerminal
import WeirTestSupport

@testable import WeirTUI

/// The screens of traces: whole screens against files, and the ways from one signal to another.
@Suite struct TracesScreenTests {
    private func play(_ keys: String, _ api: CannedAPI = CannedAPI()) throws -> (App, CannedAPI) {
        let app = try ScreenGoldenTests.app()
        ScriptPlayer.play(try KeyScript.parse(keys), app, api, dumpsLast: false) { _ in }
        return (app, api)
    }

    private func more(_ keys: String, _ app: App, _ api: CannedAPI) throws {
        ScriptPlayer.play(try KeyScript.parse(keys), app, api, dumpsLast: false) { _ in }
    }

    @Test(
        arguments: [
            ("traces", "T", "120x30"), ("traces-small", "T", "80x20"),
            ("traces-typing", "Ti{status", "120x20"),
            ("traces-broken", "Tibroken<enter>", "120x20"), ("traces-help", "T?", "120x40"),
            ("trace", "T<enter>", "120x40"), ("trace-small", "T<enter>", "80x24"),
            ("trace-error", "T<enter>eeee", "120x40"),
            ("trace-repeats", "T<enter>jjjjj<enter>jj", "120x40"),
            ("trace-gap", "T<enter>jjjjjj", "120x30"),
            ("trace-details", "T<enter>/charge<enter>m<tab>jj", "120x50"),
            ("trace-folded", "T<enter>Z", "120x30"),
            ("trace-zoomed", "T<enter>/charge<enter>z", "120x30"),
            ("trace-flame", "T<enter>vjj", "120x40"), ("trace-help", "T<enter>?", "120x40"),
            ("services", "Sj", "120x30"), ("services-help", "S?", "100x40"),
            ("dashboard-exemplar", "3x", "120x40"),
        ] as [(String, String, String)]
    )
    func screensAreThoseOfTheFiles(name: String, keys: String, size: String) throws {
        let buffer = try ScreenGoldenTests.screen(keys, size: size)
        if let difference = GoldenFile.difference(GoldenFile.text(of: buffer), name) {
            Issue.record(Comment(rawValue: difference))
        }
    }

    @Test func aSpikeLeadsToItsTraceItsLogsAndBack() throws {
        let (app, api) = try play("3x")
        let span = app.span
        #expect(app.exemplarAtCursor?.value == 1.7)
        try more("<enter>", app, api)
        #expect(app.screen == .trace)
        #expect(app.waterfall.selectedSpan?.id == "00000000000000b1")
        let row = app.waterfall.selected
        try more("L", app, api)
        #expect(app.screen == .logs)
        let query = "| trace_id = \"\(CannedTraces.id)\" | span_id = \"00000000000000b1\""
        #expect(app.logs.query == query)
        #expect(!app.span.isLive)
        try more("<esc>", app, api)
        #expect(app.screen == .trace)
        #expect(app.waterfall.selected == row)
        #expect(app.span == span)
        try more("<esc>", app, api)
        #expect(app.screen == .dashboard)
        #expect(app.cursor != nil)
        try more("L", app, api)
        #expect(app.screen == .logs)
        try more("<esc>", app, api)
        #expect(app.screen == .dashboard)
        #expect(app.span == span)
    }

    @Test func aLogLineLeadsToItsTrace() throws {
        for keys in ["LT", "L<enter>jjjjjj<enter>"] {
            let (app, api) = try play(keys)
            #expect(app.screen == .trace, "\(keys)")
            #expect(app.waterfall.tree?.trace.traceID == CannedTraces.id)
            try more("<esc>", app, api)
            #expect(app.screen == .logs)
        }
    }

    @Test func aSpansMetricsAreExplored() throws {
        let (app, api) = try play("T<enter>/charge<enter>M")
        #expect(app.screen == .explore)
        #expect(app.explore.job?.expression.contains("span_name=\"POST /charge\"") == true)
        try more("<esc><esc>", app, api)
        #expect(app.screen == .traces)
        #expect(app.span == .last(milliseconds: 3_600_000))
    }

    @Test func linesOfServicesLeadToTheirTraces() throws {
        let (first, _) = try play("S<enter>")
        #expect(first.traces.query == #"{resource.service.name="gateway"}"#)
        let (second, api) = try play("S<tab>j<enter>")
        #expect(
            second.traces.query
                == #"{resource.service.name="gateway"} > {resource.service.name="checkout"}"#
        )
        #expect(api.asked.last?.contains("q=\(second.traces.query)") == true)
    }

    @Test func searchesAskForWhatIsTyped() throws {
        let (app, api) = try play("Ti{duration>1s}<enter>s")
        #expect(app.traces.query == "{duration>1s}")
        let asked = api.asked.last { $0.hasPrefix("/api/v1/traces/search") } ?? ""
        #expect(asked.hasSuffix("&limit=200&sort=duration"))
        let (other, _) = try play("Ti\(CannedTraces.id)<enter>")
        #expect(other.screen == .trace)
    }

    @Test func foldingAndFindingKeepTheSpanInSight() throws {
        let (app, api) = try play("T<enter>/SELECT 3<enter>")
        #expect(app.waterfall.selectedSpan?.id == "00000000000000e3")
        try more("p", app, api)
        #expect(app.waterfall.selectedSpan?.id == "00000000000000d3")
        try more("hhh", app, api)
        #expect(app.waterfall.rows.count == 14)
        try more("eeeeeeee", app, api)
        #expect(app.waterfall.selectedSpan?.isError == true)
        try more("x", app, api)
        #expect(app.waterfall.rows.count == 26)
        try more("y", app, api)
        #expect(app.clipboard == app.waterfall.selectedSpan?.id)
        try more("Y", app, api)
        #expect(app.clipboard?.hasPrefix("weir trace \(CannedTraces.id) --span ") == true)
    }

    @Test func aTraceThatIsNotThereSaysSo() throws {
        let (app, api) = try play("Tideadbeefdeadbeef<enter>")
        #expect(app.screen == .trace)
        #expect(app.waterfall.error != nil)
        var buffer = CellBuffer(size: app.size)
        _ = app.draw(into: &buffer)
        #expect(FrameText.plain(buffer).contains("error: not_found"))
        try more("jkeZxzvvLmM<esc><esc>", app, api)
        #expect(app.screen == .traces)
    }

    @Test func dashboardsListTraces() throws {
        let text = """
            title: Slow
            rows:
              - panels:
                  - {title: Slow ones, kind: traces, sort: duration, limit: 5, queries: ['{duration>1s}']}
            """
        let dashboard = try DashboardLoader.load(text, name: "slow")
        let api = CannedAPI()
        let frame = DashboardRenderer.render(
            dashboard,
            api: api,
            size: ScreenSize(width: 110, height: 20),
            at: CannedAPI.now,
            style: .plain
        )
        #expect(frame.contains("reindex products"))
        #expect(api.asked.contains { $0.hasSuffix("limit=5&sort=duration") })
        #expect(throws: DashboardError.self) {
            try DashboardLoader.load(
                text.replacing("kind: traces", with: "kind: table"),
                name: "wrong"
            )
        }
    }
}
