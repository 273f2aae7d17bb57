import Testing
import WeirCore
import WeirWire

@Suite struct ProtobufReaderTests {
    /// The fields of a message as `number wire bits range`, or nil when it is damaged.
    private static func fields(_ bytes: [UInt8]) -> [String]? {
        var fields: [String] = []
        do throws(DecodeError) {
            var reader = ProtobufReader(0..<bytes.count)
            while let field = try reader.next(bytes.span) {
                let range =
                    field.wire == .bytes
                    ? " \(field.range.lowerBound)..<\(field.range.upperBound)" : ""
                fields.append("\(field.number) \(field.wire) \(field.bits)\(range)")
            }
        } catch {
            return nil
        }
        return fields
    }

    static let cases: [([UInt8], [String]?)] = [
        ([], []),
        ([0x08, 0x96, 0x01], ["1 varint 150"]),
        ([0x12, 0x02, 0x61, 0x62, 0x12, 0x00], ["2 bytes 0 2..<4", "2 bytes 0 6..<6"]),
        ([0x19, 1, 0, 0, 0, 0, 0, 0, 0x80], ["3 fixed64 9223372036854775809"]),
        ([0x25, 1, 0, 0, 0x80], ["4 fixed32 2147483649"]),
        // The largest varint, and the largest number of a field.
        (
            [0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
            ["1 varint 18446744073709551615"]
        ),
        ([0xF8, 0xFF, 0xFF, 0xFF, 0x0F, 0x00], ["536870911 varint 0"]),
        // A key cut short, a value cut short, a length beyond the end, and beyond any.
        ([0x88], nil), ([0x08], nil), ([0x08, 0x80], nil), ([0x12, 0x02, 0x61], nil),
        ([0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], nil),
        ([0x19, 1, 2, 3], nil), ([0x25, 1, 2, 3], nil),
        // A varint of more than 64 bits, field 0, groups, and wire types there are none of.
        ([0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02], nil),
        ([0x08] + [UInt8](repeating: 0x80, count: 11) + [0x00], nil),
        ([0x00, 0x00], nil), ([0x0B], nil), ([0x0C], nil), ([0x0E], nil), ([0x0F], nil),
    ]

    @Test(arguments: cases) func fieldsAreWalkedOrRefused(_ bytes: [UInt8], _ expected: [String]?) {
        #expect(Self.fields(bytes) == expected)
    }

    @Test func packedListsAreWalked() throws {
        let varints: [UInt8] = [1, 0x96, 0x01, 0]
        var reader = ProtobufReader(0..<varints.count)
        var values: [UInt64] = []
        while let value = try reader.nextVarint(varints.span) { values.append(value) }
        #expect(values == [1, 150, 0])
        let fixed: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0, 2]
        reader = ProtobufReader(0..<fixed.count)
        #expect(try reader.nextFixed64(fixed.span) == 1)
        #expect(throws: DecodeError.self) { try reader.nextFixed64(fixed.span) }
    }
}
