import Testing
import WeirCore

@Suite struct DecimalDigitsTests {
    @Test(arguments: [0, 1, 9, 10, 99, 100, -1, -10, 1_234_567_890, Int64.max, Int64.min])
    func writesSigned(_ value: Int64) {
        var bytes: [UInt8] = []
        bytes.appendDecimal(value)
        #expect(String(decoding: bytes, as: UTF8.self) == value.description)
    }

    @Test(arguments: [
        (0, 0, "0"), (0, 3, "000"), (7, 1, "7"), (7, 2, "07"), (42, 2, "42"),
        (42, 20, "00000000000000000042"),
        (UInt64.max, 1, "18446744073709551615"),
    ])
    func fillsWithZeros(_ value: UInt64, _ minimumCount: Int, _ expected: String) {
        var bytes = Array("x".utf8)
        bytes.appendDecimal(value, minimumCount: minimumCount)
        #expect(String(decoding: bytes, as: UTF8.self) == "x" + expected)
    }
}
