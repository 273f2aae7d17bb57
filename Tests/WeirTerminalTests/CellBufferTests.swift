import Testing
import WeirTerminal
import WeirTestSupport

@Suite struct CellBufferTests {
    @Test func cellsAreSixteenBytes() {
        #expect(MemoryLayout<Cell>.size == 16)
        #expect(MemoryLayout<Cell>.stride == 16)
    }

    @Test(
        arguments: [
            ("abc", 3), ("日本", 4), ("e\u{301}", 1), ("🙂", 2), ("\u{200D}a\u{FE0F}", 1), ("⣿─é", 3),
            ("\u{1B}[0m", 4), ("ﾊﾝ", 2), ("ＡＢ", 4), ("한글", 4), ("", 0),
        ] as [(String, Int)]
    )
    func widthsFollowUnicode(_ text: String, _ width: Int) {
        #expect(CharacterWidth.of(text) == width)
        var buffer = CellBuffer(size: ScreenSize(width: 20, height: 1))
        #expect(buffer.write(text, x: 0, y: 0) == width)
    }

    @Test func controlCharactersNeverReachACell() {
        var buffer = CellBuffer(size: ScreenSize(width: 40, height: 1))
        buffer.write("a\u{1B}]0;x\u{7}\u{9B}31m\u{202E}b\n\u{85}", x: 0, y: 0)
        for cell in buffer.cells {
            for scalar in cell.text.unicodeScalars {
                #expect(scalar.value >= 0x20 && !(0x7F..<0xA0).contains(scalar.value))
            }
        }
    }

    @Test func wideCharactersAreNeverHalf() {
        for seed in 0..<200 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            var buffer = CellBuffer(
                size: ScreenSize(width: Int.random(in: 1..<12, using: &random), height: 2)
            )
            for _ in 0..<30 {
                let texts = ["日", "a", "日本", "e\u{301}", "🙂b"]
                buffer.write(
                    texts[Int.random(in: 0..<texts.count, using: &random)],
                    x: Int.random(in: -2..<14, using: &random),
                    y: Int.random(in: 0..<2, using: &random)
                )
            }
            for y in 0..<2 {
                for x in 0..<buffer.width {
                    let width = buffer[x, y].width
                    if width == 2 { #expect(buffer[x + 1, y].width == 0 && x + 1 < buffer.width) }
                    if width == 0 { #expect(x > 0 && buffer[x - 1, y].width == 2) }
                }
            }
        }
    }

    @Test func clipHolds() {
        var buffer = CellBuffer(size: ScreenSize(width: 10, height: 3))
        buffer.clip = Rect(x: 2, y: 1, width: 3, height: 1)
        for y in 0..<3 { buffer.write("xxxxxxxxxx", x: 0, y: y) }
        #expect(FrameText.plain(buffer) == "\n  xxx\n\n")
    }

    @Test(
        arguments: [
            ("latency", 7, "latency"), ("latency", 4, "lat…"), ("日本語", 4, "日…"), ("ab", 0, ""),
        ]
            as [(String, Int, String)]
    )
    func longTextEndsInAnEllipsis(_ text: String, _ width: Int, _ expected: String) {
        #expect(CharacterWidth.truncated(text, to: width) == expected)
    }

    @Test func textWrapsAtSpaces() {
        #expect(TextWrap.lines("a quick brown fox", width: 7) == ["a quick", "brown", "fox"])
        #expect(TextWrap.lines("abcdefgh\nx", width: 3) == ["abc", "def", "gh", "x"])
    }

    @Test func coloursReduceToTheNearest() {
        #expect(Color.rgb(255, 0, 0).reduced(to: .indexed256) == .indexed(196))
        #expect(Color.rgb(128, 128, 128).reduced(to: .indexed256) == .indexed(244))
        #expect(Color.indexed(196).reduced(to: .indexed16) == .indexed(9))
        #expect(Color.indexed(75).reduced(to: .none) == .terminal)
        #expect(Color.terminal.reduced(to: .indexed16) == .terminal)
    }

    @Test(
        arguments: [
            (["TERM": "xterm-256color"], .indexed256, .braille),
            (["TERM": "xterm", "COLORTERM": "truecolor"], .truecolor, .braille),
            (["TERM": "xterm-256color", "NO_COLOR": "1"], .none, .braille),
            (["TERM": "dumb"], .none, .braille),
            (["TERM": "linux"], .indexed16, .blocks),
            (["TERM": "xterm", "LANG": "C"], .indexed16, .ascii),
            (["TERM": "xterm", "LANG": "C", "WEIR_GLYPHS": "braille"], .indexed16, .braille),
            (["TERM": "dumb", "WEIR_COLORS": "256", "NO_COLOR": "1"], .indexed256, .braille),
        ] as [([String: String], ColorDepth, GlyphRepertoire)]
    )
    func environmentTellsCapabilities(
        _ environment: [String: String],
        _ colors: ColorDepth,
        _ glyphs: GlyphRepertoire
    ) {
        let capabilities = TerminalCapabilities(environment: environment)
        #expect(capabilities.colors == colors)
        #expect(capabilities.glyphs == glyphs)
    }

    @Test func answersTeachCapabilitiesButTheEnvironmentWins() {
        var free = TerminalCapabilities(environment: ["TERM": "xterm"])
        free.learn(from: .truecolorKept, environment: ["TERM": "xterm"])
        free.learn(from: .privateMode(2026, state: 2), environment: [:])
        free.learn(from: .background(250, 250, 240), environment: [:])
        #expect(free.colors == .truecolor)
        #expect(free.hasSynchronizedOutput)
        #expect(free.isLight)
        var bound = TerminalCapabilities(environment: ["NO_COLOR": "1"])
        bound.learn(from: .truecolorKept, environment: ["NO_COLOR": "1"])
        bound.learn(from: .privateMode(2026, state: 0), environment: [:])
        bound.learn(from: .background(250, 250, 240), environment: ["WEIR_THEME": "dark"])
        #expect(bound.colors == .none)
        #expect(!bound.hasSynchronizedOutput)
        #expect(!bound.isLight)
    }
}
