import Testing
import WeirCore
import WeirTestSupport
import WeirWire

/// Numbers of line protocol are the doubles nearest to what is written.
@Suite struct NumberReadingTests {
    private static func value(_ text: String) -> Double? {
        let result = LineProtocolParser.parse(
            Array("m v=\(text) 1".utf8),
            options: LineProtocolOptions(now: 10)
        )
        return result.batch.columns[0].floats.first
    }

    @Test(arguments: [
        "0", "-0", "7", "-7", "12345678", "123456789012345678", "0.1", "5.", ".5", "-.25",
        "9007199254740993", "9007199254740992.5", "0.30000000000000004", "1234567.8901234567",
        "0.0000000000000000001", "0.00000000000000000000000001", "99999999999999999.99",
        "179769313486231570000000000", "2.2250738585072014", "00012.50", "1e5", "1.5e-320",
        "9223372036854775807", "0.9999999999999999", "1.0000000000000002", "4503599627370497.5",
    ])
    func textsAreTheNearestDoubles(_ text: String) {
        #expect(Self.value(text)?.bitPattern == Double(text)?.bitPattern, "\(text)")
    }

    @Test(
        arguments: [
            ("0i", 0.0), ("-0i", 0), ("12i", 12), ("-123456789i", -123_456_789),
            ("9223372036854775807i", 0x1p63),
            ("-9223372036854775808i", -9_223_372_036_854_775_808), ("00000000000000000000012i", 12),
            ("18446744073709551615u", 0x1p64),
        ] as [(String, Double)]
    )
    func integersAreRead(_ text: String, _ expected: Double) {
        #expect(Self.value(text)?.bitPattern == expected.bitPattern, "\(text)")
    }

    @Test(arguments: ["9223372036854775808i", "1.2.3", "1-2", "i", "-", ".", "1 2i", "0x10", "--1"])
    func otherTextsAreRefused(_ text: String) {
        #expect(Self.value(text) == nil, "\(text)")
    }

    /// Random digits with the point anywhere, and doubles as they are printed.
    @Test(arguments: 0..<100 as Range<UInt64>)
    func randomDecimalsAreTheNearestDoubles(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<50 {
            var digits = (0..<Int.random(in: 1...22, using: &random)).map { _ in
                Character(String(Int.random(in: 0...9, using: &random)))
            }
            digits.insert(".", at: Int.random(in: 0...digits.count, using: &random))
            let text = String(digits)
            #expect(Self.value(text)?.bitPattern == Double(text)?.bitPattern, "\(text)")
            let double = Double.random(in: 0..<1, using: &random)
            for scaled in [double, double * 100, double * 1e9, double * 1e-5] {
                #expect(Self.value("\(scaled)")?.bitPattern == scaled.bitPattern, "\(scaled)")
            }
        }
    }
}
