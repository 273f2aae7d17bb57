import Testing
import WeirCore
import WeirTUI
import WeirTerminal
import WeirTestSupport

@Suite struct InteractionTests {
    @Test func queriesAskForOnePointADotColumnOnMultiplesOfTheStep() throws {
        let api = CannedAPI()
        _ = try ScreenGoldenTests.screen("", api: api)
        let range = try #require(api.asked.first { $0.contains("query_range") })
        func number(_ name: String) -> Double {
            for part in range.split(separator: "&") where part.contains("\(name)=") {
                let tail = part.split(separator: "=").last ?? ""
                return Double(tail) ?? -1
            }
            return -1
        }
        let step = Int64((number("step") * 1000).rounded())
        let start = Int64((number("start") * 1000).rounded())
        let end = Int64((number("end") * 1000).rounded())
        #expect(start % step == 0 && end % step == 0)
        // 80 columns of the row's two thirds, less frame and axis, two dots each; the last dot's
        // time is still to come, and not asked for.
        #expect((end - start) / step + 1 == 2 * (80 - 2 - 9) - 1)
        #expect(range.contains("service=~\".*\"") && !range.contains("$"))
    }

    @Test func answersToOldQuestionsAreDropped() throws {
        let api = CannedAPI()
        let app = try ScreenGoldenTests.app()
        ScriptPlayer.settle(app, api)
        app.handle(.key(KeyPress(.character("+"))))
        let old = app.takeRequests()
        #expect(!old.isEmpty)
        app.handle(.key(KeyPress(.character("+"))))
        var buffer = CellBuffer(size: app.size)
        ScriptPlayer.settle(app, api)
        _ = app.draw(into: &buffer)
        for request in old {
            app.receive(
                FetchResult(
                    generation: request.generation,
                    answer: request.work.run(api, clock: { 0 })
                )
            )
        }
        var after = CellBuffer(size: app.size)
        _ = app.draw(into: &after)
        #expect(after.cells == buffer.cells)
    }

    @Test func nothingIsAskedTwiceWhileItIsAsked() throws {
        let api = CannedAPI()
        let app = try ScreenGoldenTests.app()
        let first = app.takeRequests()
        #expect(!first.isEmpty)
        for _ in 0..<5 { app.tick(now: app.now + 100) }
        #expect(app.takeRequests().isEmpty)
        ScriptPlayer.settle(app, api)
    }

    @Test func liveDashboardsAskAgainAndPausedOnesDoNot() throws {
        let api = CannedAPI()
        let app = try ScreenGoldenTests.app()
        ScriptPlayer.settle(app, api)
        app.tick(now: app.now + 9000)
        #expect(app.takeRequests().isEmpty)
        app.tick(now: app.now + 1000)
        #expect(!app.takeRequests().isEmpty)
        app.handle(.key(KeyPress(.character(" "))))
        app.tick(now: app.now + 10_000)
        for request in app.takeRequests() {
            guard case .alerts = request.work else {
                Issue.record("asked while paused: \(request.work)")
                continue
            }
        }
    }

    @Test func escapeNeverQuitsAndQuitAsks() throws {
        let app = try ScreenGoldenTests.app()
        for _ in 0..<5 { app.handle(.key(KeyPress(.escape))) }
        #expect(!app.isDone)
        app.handle(.key(KeyPress(.character("q"))))
        app.handle(.key(KeyPress(.character("n"))))
        #expect(!app.isDone)
        app.handle(.key(KeyPress(.character("q"))))
        app.handle(.key(KeyPress(.character("y"))))
        #expect(app.isDone)
    }

    @Test func anyKeysAtAnyTimeAreTaken() throws {
        let api = CannedAPI()
        let keys: [Key] = [
            .enter, .tab, .backspace, .escape, .up, .down, .left, .right, .home, .end, .pageUp,
            .pageDown, .delete, .function(1), .function(2),
        ]
        let letters = Array("123456789:?tq[]+-zuvyre$EA jkhlHLgG()\"{é日".unicodeScalars)
        for seed in 0..<12 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            let app = try ScreenGoldenTests.app("70x20")
            var buffer = CellBuffer(size: app.size)
            for _ in 0..<120 {
                if Int.random(in: 0..<20, using: &random) == 0 {
                    api.fail(with: .unreachable(url: "x", reason: "y"))
                } else if Int.random(in: 0..<10, using: &random) == 0 {
                    api.fail(with: nil)
                }
                let key: Key =
                    Bool.random(using: &random)
                    ? keys[Int.random(in: 0..<keys.count, using: &random)]
                    : .character(letters[Int.random(in: 0..<letters.count, using: &random)])
                let modifiers = KeyModifiers(
                    rawValue: Int.random(in: 0..<5, using: &random) == 0
                        ? UInt8.random(in: 0..<8, using: &random) : 0
                )
                app.handle(.key(KeyPress(key, modifiers)))
                if Int.random(in: 0..<10, using: &random) == 0 {
                    app.handle(
                        .mouse(
                            MouseEvent(
                                .press(button: 0),
                                x: Int.random(in: 0..<80, using: &random),
                                y: Int.random(in: 0..<30, using: &random)
                            )
                        )
                    )
                    app.handle(.paste("sum(\nup)"))
                    app.tick(now: app.now + Int64.random(in: 0..<20_000, using: &random))
                }
                if Bool.random(using: &random) { ScriptPlayer.settle(app, api) }
                _ = app.draw(into: &buffer)
            }
        }
    }

    @Test func zoomAndPanKeepTheMoment() {
        let now: Int64 = 10_000_000
        let hour = TimeSpan.last(milliseconds: 3_600_000)
        #expect(hour.zoomed(by: 0.5, around: nil, now: now) == .last(milliseconds: 1_800_000))
        #expect(
            hour.zoomed(by: 0.5, around: now - 1_800_000, now: now)
                == .fixed(from: now - 2_700_000, to: now - 900_000)
        )
        let back = hour.panned(by: -0.5, now: now)
        #expect(back == .fixed(from: now - 5_400_000, to: now - 1_800_000))
        #expect(back.panned(by: 0.5, now: now) == hour)
        #expect(
            TimeSpan.last(milliseconds: 10_000).zoomed(by: 0.5, around: nil, now: now)
                == .last(milliseconds: 10_000)
        )
    }

    @Test func lineEditorEditsAsShellsDo() {
        var editor = LineEditor("sum(rate(x[5m]))")
        func press(_ key: Key, _ modifiers: KeyModifiers = []) {
            _ = editor.handle(KeyPress(key, modifiers))
        }
        press(.character("w"), .control)
        #expect(editor.text == "sum(rate(x[")
        press(.home)
        press(.delete)
        #expect(editor.text == "um(rate(x[")
        press(.character("S"))
        press(.right, .control)
        press(.character("k"), .control)
        #expect(editor.text == "Sum")
        editor.insert("é\n日")
        #expect(editor.text == "Sumé 日")
        press(.backspace)
        press(.character("u"), .control)
        #expect(editor.text.isEmpty)
    }

    @Test func fuzzyMatchingPrefersWordStarts() {
        let names = ["dashboard malarkey", "alerts", "explore", "variables"]
        #expect(
            FuzzyMatch.filter(names, by: "al") { $0 } == [
                "alerts", "dashboard malarkey", "variables",
            ]
        )
        #expect(FuzzyMatch.filter(names, by: "xpl") { $0 } == ["explore"])
        #expect(FuzzyMatch.filter(names, by: "zz") { $0 } == [])
    }

    @Test(
        arguments: [
            ("1700000000.5", 1_700_000_000_500), ("2026-11-24T10:04:05Z", 1_795_514_645_000),
            ("2026-11-24T12:04:05.25+02:00", 1_795_514_645_250), ("2026-13-01T00:00:00Z", nil),
            ("2026-11-24", nil), ("", nil), ("2026-11-24T10:04:05", nil),
        ] as [(String, Int64?)]
    )
    func momentsAreRead(_ text: String, _ expected: Int64?) {
        #expect(MomentText.milliseconds(text) == expected)
    }

    @Test func scriptsNameTheirMistakes() throws {
        #expect(throws: KeyScript.ScriptError.unknownKey(line: 2, name: "entre")) {
            try KeyScript.parse("a\n<entre>")
        }
        #expect(throws: KeyScript.ScriptError.unclosed(line: 1)) { try KeyScript.parse("<up") }
        let steps = try KeyScript.parse("# note\na<c-p><s-tab><size 80x24><tick 10s><dump><lt>")
        #expect(
            steps == [
                .event(.key(KeyPress(.character("a")))),
                .event(.key(KeyPress(.character("p"), .control))),
                .event(.key(KeyPress(.tab, .shift))), .resize(ScreenSize(width: 80, height: 24)),
                .tick(10_000), .dump, .event(.key(KeyPress(.character("<")))),
            ]
        )
    }

    @Test func flagsAreReadAndMistakesNamed() throws {
        let options = try TUIOptions(
            arguments: [
                "--base", "http://h:1", "--range=30m", "--size", "100x30", "--clock", "1700000000",
                "--var", "a=b=c", "--dump", "shop",
            ],
            environment: [:]
        )
        #expect(options.base == "http://h:1" && options.range == 1_800_000)
        #expect(options.size == ScreenSize(width: 100, height: 30))
        #expect(options.clock == 1_700_000_000_000 && options.isDumped)
        #expect(options.variables == ["a": "b=c"] && options.dashboard == "shop")
        #expect(throws: TUIOptions.FlagError.unknown("--rnage", nearest: "--range")) {
            try TUIOptions(arguments: ["--rnage", "1h"], environment: [:])
        }
        #expect(throws: TUIOptions.FlagError.needsValue("--size")) {
            try TUIOptions(arguments: ["--size"], environment: [:])
        }
    }

    @Test(
        arguments: [
            "{}", "{\"resultType\":\"matrix\"}", "{\"resultType\":\"vector\",\"result\":1}",
            "{\"resultType\":\"scalar\",\"result\":[1]}",
            "{\"resultType\":\"vector\",\"result\":[{\"value\":[1e99,\"1\"]}]}",
            "{\"resultType\":\"vector\",\"result\":[{\"value\":[1,2]}]}",
        ]
    )
    func brokenAnswersAreErrors(_ text: String) throws {
        let json = try JSONParser.parse(Array(text.utf8))
        #expect(throws: APIError.self) { try QueryResult(json) }
    }

    @Test func answersKeepSpecialValues() throws {
        let text = """
            {"data":{"resultType":"vector","result":[
             {"metric":{"a":"1"},"value":[1.5,"NaN"]},{"metric":{},"value":[2,"+Inf"]},
             {"metric":{},"value":[2,"-Inf"]},{"metric":{}}]}}
            """
        let result = try QueryResult(try JSONParser.parse(Array(text.utf8)))
        #expect(result.series[0].points[0].time == 1500)
        #expect(result.series[0].points[0].value.isNaN)
        #expect(result.series[1].points[0].value == .infinity)
        #expect(result.series[2].points[0].value == -.infinity)
        #expect(result.series[3].points.isEmpty)
    }
}
