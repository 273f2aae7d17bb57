import Testing
import WeirCore

@Suite struct JSONTests {
    @Test(arguments: [
        "null", "true", "[]", "{}", "-0.5e+10", "\"\"", "[1,2,[3,{\"a\":null}]]",
        "{\"a\":\"b\\n\\\"\\\\\",\"a\":2}",
    ])
    func textsComeBack(_ text: String) throws {
        var writer = JSONWriter()
        writer.value(try JSONParser.parse(Array(text.utf8)))
        #expect(writer.text == text)
    }

    @Test(
        arguments: [
            ("", .unexpectedEnd(offset: 0)), ("[1,]", .unexpectedByte(offset: 3, byte: 0x5D)),
            ("01", .badNumber(offset: 0)), ("1.", .badNumber(offset: 0)),
            ("-", .badNumber(offset: 0)),
            ("\"\\x\"", .badEscape(offset: 2)), ("\"a\nb\"", .controlInString(offset: 2)),
            ("{} x", .trailingBytes(offset: 3)), ("\"abc", .unexpectedEnd(offset: 4)),
            ("nul", .unexpectedEnd(offset: 3)),
            ("{\"a\" 1}", .unexpectedByte(offset: 5, byte: 0x31)),
        ] as [(String, JSONError)]
    )
    func refusesWithTheOffset(_ text: String, _ expected: JSONError) {
        #expect(throws: expected) { try JSONParser.parse(Array(text.utf8)) }
    }

    @Test func depthIsBounded() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: JSONError.tooDeep(offset: 128, limit: 128)) {
            try JSONParser.parse(Array(deep.utf8))
        }
    }

    @Test func escapesBecomeCharacters() throws {
        let value = try JSONParser.parse(Array("\"\\u00e9\\ud83d\\ude00\\ud83d\\/\"".utf8))
        #expect(value.string == "é😀\u{FFFD}/")
    }

    @Test func controlsAreEscaped() {
        var bytes: [UInt8] = []
        JSONWriter.appendString("a\u{01}\t\"\u{7F}é", to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "\"a\\u0001\\t\\\"\u{7F}é\"")
    }
}
