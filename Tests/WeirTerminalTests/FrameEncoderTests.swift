import Testing
import WeirTerminal
import WeirTestSupport

@Suite struct FrameEncoderTests {
    private static let texts = [
        "latency", "p99", "▁▂▃▄", "日本語", "e\u{301}a", "🙂 ok", "⣿⣀⡇", " ", "a", "───", "\u{1B}[31m",
    ]

    private static func style(_ random: inout SplitMix64) -> Style {
        let colors: [Color] = [
            .terminal, .indexed(1), .indexed(12), .indexed(75), .indexed(196), .rgb(1, 200, 3),
        ]
        return Style(
            colors[Int.random(in: 0..<colors.count, using: &random)],
            on: colors[Int.random(in: 0..<3, using: &random)],
            TextAttributes(rawValue: UInt16.random(in: 0..<64, using: &random) & 27)
        )
    }

    private static func scribble(_ buffer: inout CellBuffer, _ random: inout SplitMix64) {
        for _ in 0..<Int.random(in: 0..<12, using: &random) {
            let x = Int.random(in: -2..<buffer.width, using: &random)
            let y = Int.random(in: 0..<buffer.height, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0:
                buffer.fill(
                    Rect(x: x, y: y, width: Int.random(in: 0..<20, using: &random), height: 2),
                    " ",
                    Bool.random(using: &random) ? .plain : style(&random)
                )
            case 1:
                buffer.restyle(Rect(x: x, y: y, width: 5, height: 1)) { $0.with(.bold) }
            default:
                buffer.write(
                    texts[Int.random(in: 0..<texts.count, using: &random)],
                    x: x,
                    y: y,
                    style(&random)
                )
            }
        }
    }

    private static let depths: [ColorDepth] = [.truecolor, .indexed256, .indexed16, .none]

    @Test(arguments: depths)
    func incrementalScreenEqualsFullRepaint(_ depth: ColorDepth) {
        for seed in 0..<60 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            let size = ScreenSize(
                width: Int.random(in: 1..<50, using: &random),
                height: Int.random(in: 1..<12, using: &random)
            )
            var capabilities = TerminalCapabilities(colors: depth)
            capabilities.hasSynchronizedOutput = Bool.random(using: &random)
            var encoder = FrameEncoder(capabilities: capabilities)
            var terminal = VirtualTerminal(size: size)
            var buffer = CellBuffer(size: size)
            for _ in 0..<20 {
                Self.scribble(&buffer, &random)
                terminal.feed(encoder.encode(buffer))
                let difference = terminal.difference(buffer, colors: depth)
                #expect(difference == nil, "seed \(seed)")
                if difference != nil { return }
            }
            #expect(terminal.unknown == [], "seed \(seed)")
            #expect(!terminal.isSynchronized)
            #expect(!terminal.isCursorShown)
        }
    }

    @Test func renderingAgainChangesNothing() {
        for seed in 0..<40 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            var buffer = CellBuffer(size: ScreenSize(width: 40, height: 8))
            var encoder = FrameEncoder(capabilities: TerminalCapabilities())
            Self.scribble(&buffer, &random)
            _ = encoder.encode(buffer, cursor: CursorPlace(x: 3, y: 2))
            #expect(encoder.encode(buffer, cursor: CursorPlace(x: 3, y: 2)) == [])
        }
    }

    @Test func forcedRedrawResyncs() {
        for seed in 0..<40 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            let size = ScreenSize(width: 40, height: 8)
            var buffer = CellBuffer(size: size)
            var terminal = VirtualTerminal(size: size)
            var encoder = FrameEncoder(capabilities: TerminalCapabilities())
            Self.scribble(&buffer, &random)
            terminal.feed(encoder.encode(buffer))
            terminal.scribble()
            Self.scribble(&buffer, &random)
            encoder.invalidate()
            terminal.feed(encoder.encode(buffer))
            #expect(
                terminal.difference(buffer, colors: .indexed256) == nil,
                "seed \(seed)"
            )
        }
    }

    @Test func cursorIsPlacedAndHidden() {
        let size = ScreenSize(width: 20, height: 4)
        var buffer = CellBuffer(size: size)
        var terminal = VirtualTerminal(size: size)
        var encoder = FrameEncoder(capabilities: TerminalCapabilities())
        terminal.feed(encoder.encode(buffer, cursor: CursorPlace(x: 7, y: 2)))
        #expect(terminal.isCursorShown)
        #expect((terminal.x, terminal.y) == (7, 2))
        buffer.write("moves the pen away", x: 0, y: 0)
        terminal.feed(encoder.encode(buffer, cursor: CursorPlace(x: 8, y: 2)))
        #expect((terminal.x, terminal.y) == (8, 2))
        terminal.feed(encoder.encode(buffer))
        #expect(!terminal.isCursorShown)
    }

    @Test func oneChangedCellCostsFewBytes() {
        var buffer = CellBuffer(size: ScreenSize(width: 240, height: 60))
        var encoder = FrameEncoder(capabilities: TerminalCapabilities())
        for y in 0..<60 { buffer.fill(Rect(x: 0, y: y, width: 240, height: 1), "x") }
        _ = encoder.encode(buffer)
        buffer.set(120, 30, "y", .plain)
        #expect(encoder.encode(buffer).count <= 12)
    }

    @Test func fallbackGlyphsKeepTheScreenInStep() {
        let size = ScreenSize(width: 30, height: 2)
        var buffer = CellBuffer(size: size)
        buffer.write("┌─┐ ⣿⣀⠉ 日 ▂█ … é", x: 0, y: 0)
        var encoder = FrameEncoder(capabilities: TerminalCapabilities(glyphs: .ascii))
        let bytes = encoder.encode(buffer)
        #expect(bytes.allSatisfy { $0 < 0x80 })
        #expect(FrameText.plain(buffer, glyphs: .ascii) == "+-+ *.' ? _# ~ ?\n\n")
        #expect(FrameText.plain(buffer, glyphs: .blocks).hasPrefix("┌─┐ █▄▀ 日"))
    }
}
