import Testing
import WeirCore

@Suite struct HexDigitsTests {
    @Test(arguments: [0, 1, 0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210, UInt64.max])
    func numbersAreReadAsTheyWereWritten(_ number: UInt64) {
        let text = HexDigits.text(number)
        let expected = String(number, radix: 16)
        #expect(text == String(repeating: "0", count: 16 - expected.count) + expected)
        let bytes = Array(text.utf8)
        #expect(HexDigits.value(bytes.span) == number)
    }

    @Test func everyOtherByteIsRefusedAtEveryPlace() {
        let digits = Set("0123456789abcdef".utf8)
        for place in 0..<16 {
            for byte in UInt8.min...UInt8.max {
                var text = [UInt8](repeating: UInt8(ascii: "7"), count: 16)
                text[place] = byte
                #expect((HexDigits.value(text.span) != nil) == digits.contains(byte))
            }
        }
    }

    @Test(arguments: [0, 7, 8, 15, 17, 32])
    func otherLengthsAreRefused(_ count: Int) {
        let text = [UInt8](repeating: UInt8(ascii: "a"), count: count)
        #expect(HexDigits.value(text.span) == nil)
        #expect((HexDigits.half(text.span, at: 0) == nil) == (count < 8))
    }
}
