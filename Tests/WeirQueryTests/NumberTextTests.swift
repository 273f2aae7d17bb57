import Testing

@testable import WeirQuery

@Suite struct NumberTextTests {
    /// As Go's `strconv` writes them: formats `f` and `e`.
    @Test(
        arguments: [
            (0, "0", "0e+00"), (-0.0, "-0", "-0e+00"), (1, "1", "1e+00"), (-1, "-1", "-1e+00"),
            (0.1, "0.1", "1e-01"), (0.5, "0.5", "5e-01"), (100, "100", "1e+02"),
            (1234.5, "1234.5", "1.2345e+03"), (-0.00123, "-0.00123", "-1.23e-03"),
            (0.30000000000000004, "0.30000000000000004", "3.0000000000000004e-01"),
            (1e21, "1000000000000000000000", "1e+21"), (.leastNonzeroMagnitude, nil, "5e-324"),
            (123_456_789_012_345_680, "123456789012345680", "1.2345678901234568e+17"),
            (9007199254740993.0, "9007199254740992", "9.007199254740992e+15"),
            (0.9999, "0.9999", "9.999e-01"), (99999.99995, "99999.99995", "9.999999995e+04"),
            (1.7976931348623157e308, nil, "1.7976931348623157e+308"),
        ] as [(Double, String?, String)]
    )
    func writes(_ number: Double, _ plain: String?, _ scientific: String) {
        if let plain { #expect(NumberText.plain(number) == plain) }
        var bytes: [UInt8] = []
        NumberText.appendScientific(number, to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == scientific)
    }

    /// What is written reads back as the same number, in no more digits than Swift needs.
    @Test func readsBackInTheFewestDigits() {
        var random = SystemRandomNumberGenerator()
        func digits(_ text: String) -> Int {
            let significand = text.prefix { $0 != "e" }.filter(\.isNumber)
            let kept = significand.drop { $0 == "0" }.reversed().drop { $0 == "0" }
            return kept.count
        }
        for turn in 0..<20_000 {
            let number: Double
            switch turn % 4 {
            case 0: number = Double(bitPattern: random.next())
            case 1: number = Double(Int64.random(in: -1_000_000...1_000_000)) / 1000
            case 2: number = Double.random(in: -1e6...1e6)
            default: number = Double(Int64.random(in: -9_999_999_999...9_999_999_999)) / 1e4
            }
            guard number.isFinite else { continue }
            let text = NumberText.sample(number)
            #expect(Double(text)?.bitPattern == number.bitPattern, "\(number): \(text)")
            #expect(digits(text) <= digits(number.description), "\(number): \(text)")
        }
    }
}
