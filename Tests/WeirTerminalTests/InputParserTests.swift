import Testing
import WeirTerminal
import WeirTestSupport

@Suite struct InputParserTests {
    private static func key(_ key: Key, _ modifiers: KeyModifiers = []) -> InputEvent {
        .key(KeyPress(key, modifiers))
    }

    private static let cases: [(String, [InputEvent])] = [
        ("a", [key(.character("a"))]),
        ("\u{1}", [key(.character("a"), .control)]),
        ("\r", [key(.enter)]),
        ("\t", [key(.tab)]),
        ("\u{7F}", [key(.backspace)]),
        ("\u{0}", [key(.character(" "), .control)]),
        ("é日🙂", [key(.character("é")), key(.character("日")), key(.character("🙂"))]),
        ("\u{1B}[A", [key(.up)]),
        ("\u{1B}OB", [key(.down)]),
        ("\u{1B}[1;5C", [key(.right, .control)]),
        ("\u{1B}[1;2D", [key(.left, .shift)]),
        ("\u{1B}[Z", [key(.tab, .shift)]),
        ("\u{1B}[3~", [key(.delete)]),
        ("\u{1B}[5;3~", [key(.pageUp, .alt)]),
        (
            "\u{1B}OP\u{1B}[12~\u{1B}[24~",
            [key(.function(1)), key(.function(2)), key(.function(12))]
        ),
        ("\u{1B}f", [key(.character("f"), .alt)]),
        ("\u{1B}é", [key(.character("é"), .alt)]),
        ("\u{1B}\u{1B}[A", [key(.escape), key(.up)]),
        ("\u{1B}[97;5u", [key(.character("a"), .control)]),
        ("\u{1B}[27u", [key(.escape)]),
        ("\u{1B}[97;1:3u", []),
        ("\u{1B}[57441u", []),
        (
            "\u{1B}[200~two\nlines\u{1B}[31m\u{1B}[201~x",
            [.paste("two\nlines\u{1B}[31m"), key(.character("x"))]
        ),
        ("\u{1B}[<0;3;5M", [.mouse(MouseEvent(.press(button: 0), x: 2, y: 4))]),
        (
            "\u{1B}[<64;1;1M\u{1B}[<65;1;1M",
            [.mouse(MouseEvent(.wheelUp, x: 0, y: 0)), .mouse(MouseEvent(.wheelDown, x: 0, y: 0))]
        ),
        (
            "\u{1B}[<32;9;9M\u{1B}[<0;9;9m",
            [
                .mouse(MouseEvent(.drag(button: 0), x: 8, y: 8)),
                .mouse(MouseEvent(.release, x: 8, y: 8)),
            ]
        ),
        ("\u{1B}[<0;0;5M", []),
        ("\u{1B}[I\u{1B}[O", [.focus(true), .focus(false)]),
        ("\u{1B}[?64;1;2c", [.answer(.deviceAttributes)]),
        ("\u{1B}[?2026;2$y", [.answer(.privateMode(2026, state: 2))]),
        ("\u{1B}[?1u", [.answer(.kittyFlags(1))]),
        ("\u{1B}P1$r0;48:2::1:2:3m\u{1B}\\", [.answer(.truecolorKept)]),
        ("\u{1B}P1$r0m\u{1B}\\", [.answer(.other)]),
        ("\u{1B}]11;rgb:ffff/ffff/e0e0\u{1B}\\", [.answer(.background(255, 255, 224))]),
        ("\u{1B}]11;rgb:00/00/00\u{7}", [.answer(.background(0, 0, 0))]),
        ("\u{1B}[99999999999999999999A", [key(.up)]),
        ("\u{1B}[1;99999999999A", [key(.up)]),
    ]

    @Test(arguments: cases)
    func readsKeys(_ text: String, _ expected: [InputEvent]) {
        var parser = InputParser()
        let events = parser.feed(text.utf8) + parser.flush()
        #expect(events == expected)
    }

    @Test func splitsMeanNothing() {
        let streams = Self.cases.map { Array($0.0.utf8) }
        for seed in 0..<400 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1..<8, using: &random) {
                switch Int.random(in: 0..<6, using: &random) {
                case 0:
                    for _ in 0..<Int.random(in: 1..<6, using: &random) {
                        bytes.append(UInt8.random(in: 0...255, using: &random))
                    }
                default: bytes += streams[Int.random(in: 0..<streams.count, using: &random)]
                }
            }
            var whole = InputParser()
            let expected = whole.feed(bytes) + whole.flush()
            var split = InputParser()
            var events: [InputEvent] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...rest.count, using: &random)
                events += split.feed(rest.prefix(count))
                rest = rest.dropFirst(count)
            }
            events += split.flush()
            #expect(events == expected, "seed \(seed)")
        }
    }

    @Test func escapeAloneWaitsForTheTimeout() {
        var parser = InputParser()
        #expect(parser.feed([0x1B]) == [])
        #expect(parser.isWaiting)
        #expect(parser.flush() == [Self.key(.escape)])
        #expect(!parser.isWaiting)
    }

    @Test func badUTF8IsReplacedOnce() {
        var parser = InputParser()
        let events = parser.feed([0xE2, 0x82, 0x41, 0xC0, 0xED, 0xA0]) + parser.flush()
        let replaced = Self.key(.character("\u{FFFD}"))
        #expect(events == [replaced, Self.key(.character("A")), replaced, replaced, replaced])
    }

    @Test func endlessSequencesAreDropped() {
        var parser = InputParser()
        _ = parser.feed("\u{1B}]".utf8)
        _ = parser.feed([UInt8](repeating: UInt8(ascii: "x"), count: 100_000))
        #expect(parser.flush().count < 100_001)
        _ = parser.feed("\u{1B}[200~".utf8)
        _ = parser.feed([UInt8](repeating: UInt8(ascii: "x"), count: 3 << 20))
        guard case .paste(let text)? = parser.feed("\u{1B}[201~".utf8).first else {
            Issue.record("no paste")
            return
        }
        #expect(text.utf8.count == InputParser.pasteBytesMax)
    }
}
